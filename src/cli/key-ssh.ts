/** `portcullis key import-ssh` and `export-ssh`: Ed25519 keys from and for OpenSSH, always into new files. */
import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { readOpensshFile, readSeedFile, writeKeyPair, writePair } from '../daemon/key-files.ts';
import { OperatorError } from '../trust/errors.ts';
import { remarkOf } from '../trust/keys.ts';
import { formatOpensshPrivateKey, formatOpensshPublicKey } from '../trust/openssh.ts';
import { publicKeyOf } from '../wire/ed25519.ts';
import { examples } from './help.ts';
import { describeKey, printKey, remarkOfFile } from './key-description.ts';
import { type KeyIo, newPassphrase, passphraseAsker } from './key-io.ts';

/** Adds `import-ssh` and `export-ssh` to the group. They throw OperatorError; no file is ever replaced. */
export function registerKeySsh(key: Command, io: KeyIo): void {
  examples(
    key
      .command('import-ssh')
      .description('bring in an Ed25519 key of OpenSSH: a new FILE and FILE.pub')
      .argument('<file>', 'the private key of ssh-keygen -t ed25519, without a pass phrase')
      .requiredOption('--out <FILE>', 'the private key; must not exist yet')
      .option('--passphrase-file <FILE>', 'encrypt the new private key under the first line of FILE')
      .option('--passphrase', 'encrypt the new private key, asking for the pass phrase on the terminal')
      .option('--json', 'print JSON')
      .action((file: string, options: ImportOptions) => importSsh(io, file, options)),
    'key import-ssh ~/.ssh/id_ed25519 --out admin.key --passphrase',
  );
  examples(
    key
      .command('export-ssh')
      .description('write a key as OpenSSH keeps it: a new FILE (0600) and FILE.pub')
      .argument('<file>', 'the private key')
      .requiredOption('--out <FILE>', 'the OpenSSH private key; must not exist yet')
      .option('--passphrase-file <FILE>', 'the pass phrase of a private key that has one')
      .option('--unprotected', 'also when the key is under a pass phrase, which the new file will not be')
      .option('--json', 'print JSON')
      .action((file: string, options: ExportOptions) => exportSsh(io, file, options)),
    'key export-ssh fw1.key --out id_fw1',
  );
}

interface ImportOptions {
  readonly out: string;
  readonly passphraseFile?: string;
  readonly passphrase?: boolean;
  readonly json?: boolean;
}

interface ExportOptions {
  readonly out: string;
  readonly passphraseFile?: string;
  readonly unprotected?: boolean;
  readonly json?: boolean;
}

function importSsh(io: KeyIo, file: string, options: ImportOptions): void {
  const { seed, comment } = readOpensshFile(file);
  try {
    const passphrase = newPassphrase(io, options.passphraseFile, options.passphrase === true);
    const name = comment === '' ? remarkOfFile(options.out) : remarkOf(comment);
    writeKeyPair(options.out, seed, name, passphrase);
    printKey(io, describeKey(publicKeyOf(seed), name, 'private', passphrase !== null), options.json === true);
    passphrase?.fill(0);
  } finally {
    seed.fill(0);
  }
}

function exportSsh(io: KeyIo, file: string, options: ExportOptions): void {
  const ask = passphraseAsker(io, options.passphraseFile);
  const asked = (path: string) => {
    if (options.unprotected === true) return ask(path);
    throw new OperatorError(
      `${path}: is under a pass phrase, and the OpenSSH file would not be`,
      'give --unprotected, and then set one with: ssh-keygen -p -f FILE',
    );
  };
  const seed = readSeedFile(file, Object.assign(asked, { option: ask.option }));
  try {
    const name = remarkOfFile(file);
    const publicKey = publicKeyOf(seed);
    const text = formatOpensshPrivateKey(seed, name, randomBytes(4).readUInt32BE());
    writePair(options.out, Buffer.from(text), formatOpensshPublicKey(publicKey, name));
    printKey(io, describeKey(publicKey, name, 'private', false), options.json === true);
    io.say(`hint: ${options.out} has no pass phrase; ssh-keygen -p -f ${options.out} sets one`);
  } finally {
    seed.fill(0);
  }
}
