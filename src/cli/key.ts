/** `portcullis key ...`: make keys and show them. Private keys stay where they were made. */
import { randomBytes } from 'node:crypto';
import { basename } from 'node:path';
import type { Command } from 'commander';
import { isPublicKeyFile, readPublicKeyFile, readSeedFile, writeKeyPair } from '../daemon/key-files.ts';
import { fingerprint, thumbprint } from '../trust/fingerprint.ts';
import { formatPublicKey } from '../trust/keys.ts';
import { publicKeyOf, SEED_BYTES } from '../wire/ed25519.ts';
import { askNewPassphrase, type KeyIo, passphraseAsker, processIo, readPassphraseFile } from './key-io.ts';

/** Adds the command group to the program. Commands throw OperatorError. */
export function registerKey(program: Command, io: KeyIo = processIo): void {
  const key = program.command('key').description('make and show Ed25519 keys');
  key
    .command('generate')
    .description('make a key: FILE (private, 0600) and FILE.pub (one line)')
    .requiredOption('--out <FILE>', 'the private key; must not exist yet')
    .option('--passphrase-file <FILE>', 'encrypt the private key under the first line of FILE')
    .option('--passphrase', 'encrypt the private key, asking for the pass phrase on the terminal')
    .option('--json', 'print JSON')
    .action((options: GenerateOptions) => generate(io, options));
  key
    .command('show')
    .description('show the public half of a private or public key file')
    .argument('<file>')
    .option('--passphrase-file <FILE>', 'the pass phrase of a private key that has one')
    .option('--json', 'print JSON')
    .action((file: string, options: { passphraseFile?: string; json?: boolean }) => show(io, file, options));
}

interface GenerateOptions {
  readonly out: string;
  readonly passphraseFile?: string;
  readonly passphrase?: boolean;
  readonly json?: boolean;
}

function generate(io: KeyIo, options: GenerateOptions): void {
  const passphrase =
    options.passphraseFile !== undefined
      ? readPassphraseFile(options.passphraseFile)
      : options.passphrase === true
        ? askNewPassphrase(io)
        : null;
  const seed = Uint8Array.from(randomBytes(SEED_BYTES));
  const name = remark(options.out);
  writeKeyPair(options.out, seed, name, passphrase);
  const publicKey = publicKeyOf(seed);
  seed.fill(0);
  passphrase?.fill(0);
  print(io, describe(publicKey, name, 'private', passphrase !== null), options.json === true);
}

function show(io: KeyIo, file: string, options: { passphraseFile?: string; json?: boolean }): void {
  if (isPublicKeyFile(file)) {
    const { publicKey, name } = readPublicKeyFile(file);
    print(io, describe(publicKey, name, 'public', false), options.json === true);
    return;
  }
  let encrypted = false;
  const ask = passphraseAsker(io, options.passphraseFile);
  const seed = readSeedFile(file, (path) => {
    encrypted = true;
    return ask(path);
  });
  const publicKey = publicKeyOf(seed);
  seed.fill(0);
  print(io, describe(publicKey, remark(file), 'private', encrypted), options.json === true);
}

interface KeyDescription {
  readonly type: 'ed25519';
  readonly half: 'private' | 'public';
  readonly encrypted: boolean;
  readonly name: string;
  readonly fingerprint: string;
  /** Hex: the kid that the host's messages carry. */
  readonly kid: string;
  /** The line of the public key file. */
  readonly publicKey: string;
}

function describe(
  publicKey: Uint8Array,
  name: string,
  half: 'private' | 'public',
  encrypted: boolean,
): KeyDescription {
  return {
    type: 'ed25519',
    half,
    encrypted,
    name,
    fingerprint: fingerprint(publicKey),
    kid: Buffer.from(thumbprint(publicKey)).toString('hex'),
    publicKey: formatPublicKey(publicKey, name).trimEnd(),
  };
}

function print(io: KeyIo, key: KeyDescription, json: boolean): void {
  if (json) {
    io.out(`${JSON.stringify(key)}\n`);
    return;
  }
  const half = `${key.half}${key.encrypted ? ', under a pass phrase' : ''}`;
  io.out(`${key.fingerprint} ${key.name} (${key.type}, ${half})\nkid ${key.kid}\n${key.publicKey}\n`);
}

/** The remark on a public key: the file's name without its ending. */
function remark(file: string): string {
  return basename(file)
    .replace(/\.(key|pem)$/, '')
    .replace(/[^\x21-\x7e]/g, '-')
    .slice(0, 64);
}
