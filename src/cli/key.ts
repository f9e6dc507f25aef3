/** `portcullis key ...`: make keys and show them. Private keys stay where they were made. */
import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { isPublicKeyFile, readPublicKeyFile, readSeedFile, writeKeyPair } from '../daemon/key-files.ts';
import { publicKeyOf, SEED_BYTES } from '../wire/ed25519.ts';
import { examples } from './help.ts';
import { describeKey, printKey, remarkOfFile } from './key-description.ts';
import { type KeyIo, newPassphrase, passphraseAsker, processIo } from './key-io.ts';
import { registerKeyPassphrase } from './key-passphrase.ts';
import { registerKeySsh } from './key-ssh.ts';

/** Adds the command group to the program. Commands throw OperatorError. */
export function registerKey(program: Command, io: KeyIo = processIo): void {
  const key = examples(
    program.command('key'),
    'key generate --out /etc/portcullis/host.key',
    'key generate --out admin.key --passphrase',
    'key show admin.key.pub',
  ).description('make, show, convert and protect Ed25519 keys');
  examples(
    key
      .command('generate')
      .description('make a key: FILE (private, 0600) and FILE.pub (one line)')
      .requiredOption('--out <FILE>', 'the private key; must not exist yet')
      .option('--passphrase-file <FILE>', 'encrypt the private key under the first line of FILE')
      .option('--passphrase', 'encrypt the private key, asking for the pass phrase on the terminal')
      .option('--json', 'print JSON')
      .action((options: GenerateOptions) => generate(io, options)),
    'key generate --out /etc/portcullis/host.key',
    'key generate --out admin.key --passphrase',
  );
  examples(
    key
      .command('show')
      .description('show the public half of a private or public key file')
      .argument('<file>', 'a private key, or a public one: ours or OpenSSH’s')
      .option('--passphrase-file <FILE>', 'the pass phrase of a private key that has one')
      .option('--json', 'print JSON')
      .action((file: string, options: { passphraseFile?: string; json?: boolean }) =>
        show(io, file, options),
      ),
    'key show fw1.key.pub',
    'key show ~/.ssh/id_ed25519.pub --json',
  );
  registerKeySsh(key, io);
  registerKeyPassphrase(key, io);
}

interface GenerateOptions {
  readonly out: string;
  readonly passphraseFile?: string;
  readonly passphrase?: boolean;
  readonly json?: boolean;
}

function generate(io: KeyIo, options: GenerateOptions): void {
  const passphrase = newPassphrase(io, options.passphraseFile, options.passphrase === true);
  const seed = Uint8Array.from(randomBytes(SEED_BYTES));
  const name = remarkOfFile(options.out);
  try {
    writeKeyPair(options.out, seed, name, passphrase);
    printKey(io, describeKey(publicKeyOf(seed), name, 'private', passphrase !== null), options.json === true);
  } finally {
    seed.fill(0);
    passphrase?.fill(0);
  }
}

function show(io: KeyIo, file: string, options: { passphraseFile?: string; json?: boolean }): void {
  if (isPublicKeyFile(file)) {
    const { publicKey, name } = readPublicKeyFile(file);
    printKey(io, describeKey(publicKey, name, 'public', false), options.json === true);
    return;
  }
  let encrypted = false;
  const ask = passphraseAsker(io, options.passphraseFile);
  const asked = (path: string) => {
    encrypted = true;
    return ask(path);
  };
  const seed = readSeedFile(file, Object.assign(asked, { option: ask.option }));
  const publicKey = publicKeyOf(seed);
  seed.fill(0);
  printKey(io, describeKey(publicKey, remarkOfFile(file), 'private', encrypted), options.json === true);
}
