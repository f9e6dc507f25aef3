/** `portcullis key passphrase`: a private key under another pass phrase, or under none; the key itself stays. */
import type { Command } from 'commander';
import { readSeedFile } from '../daemon/key-files.ts';
import { refuseOpenDirectory, replaceExisting } from '../daemon/safe-files.ts';
import { OperatorError } from '../trust/errors.ts';
import { decodePrivateKey, encodePrivateKey } from '../trust/keys.ts';
import { publicKeyOf } from '../wire/ed25519.ts';
import { examples } from './help.ts';
import { describeKey, printKey, remarkOfFile } from './key-description.ts';
import { type KeyIo, newPassphrase, passphraseAsker } from './key-io.ts';

interface PassphraseOptions {
  readonly passphraseFile?: string;
  readonly newPassphraseFile?: string;
  readonly remove?: boolean;
  readonly json?: boolean;
}

/** Adds `passphrase` to the group. Throws OperatorError, and then the file is as it was. */
export function registerKeyPassphrase(key: Command, io: KeyIo): void {
  examples(
    key
      .command('passphrase')
      .description('set, change or remove the pass phrase of a private key; the file is replaced as a whole')
      .argument('<file>', 'the private key')
      .option('--passphrase-file <FILE>', 'the pass phrase that it has')
      .option('--new-passphrase-file <FILE>', 'the one that it shall have; else asked for on the terminal')
      .option('--remove', 'shall have none')
      .option('--json', 'print JSON')
      .action((file: string, options: PassphraseOptions) => change(io, file, options)),
    'key passphrase admin.key',
    'key passphrase admin.key --passphrase-file old --new-passphrase-file new',
  );
}

function change(io: KeyIo, file: string, options: PassphraseOptions): void {
  if (options.remove === true && options.newPassphraseFile !== undefined) {
    throw new OperatorError('--remove and --new-passphrase-file exclude each other', 'give one of them', 2);
  }
  const seed = readSeedFile(file, passphraseAsker(io, options.passphraseFile));
  try {
    const passphrase = newPassphrase(
      io,
      options.newPassphraseFile,
      options.remove !== true,
      '--new-passphrase-file',
    );
    const pem = Buffer.from(encodePrivateKey(seed, passphrase));
    // The old file is given up only for one that opens.
    const again = decodePrivateKey(pem, passphrase);
    if (!again.ok || Buffer.compare(again.seed, seed) !== 0)
      throw new Error('the new key file does not open');
    again.seed.fill(0);
    refuseOpenDirectory(file);
    replaceExisting(file, pem, 0o600);
    pem.fill(0);
    passphrase?.fill(0);
    const described = describeKey(publicKeyOf(seed), remarkOfFile(file), 'private', passphrase !== null);
    printKey(io, described, options.json === true);
    io.say('hint: copies of the file, and blocks of the medium, still hold it under the old pass phrase');
  } finally {
    seed.fill(0);
  }
}
