/**
 * Who signs: the one place where commands come by the admin key, from a file or behind an external program, and by
 * the other keys that a rotation takes. `--signer PROGRAM` may stand wherever `--admin-key FILE` does.
 */
import type { Command } from 'commander';
import { readIdentityFile, readPublicKeyFile } from '../daemon/key-files.ts';
import { OperatorError } from '../trust/errors.ts';
import { fingerprint } from '../trust/fingerprint.ts';
import { externalSigner, type Signer } from './external-signer.ts';
import { type KeyIo, passphraseAsker } from './key-io.ts';

const SIGNER_LIMIT_S = 60;
const SIGNER_LIMIT_MAX_S = 3600;

export interface AdminOptions {
  readonly adminKey?: string;
  readonly signer?: string;
  readonly admin?: string;
  readonly signerTimeout?: string;
  readonly passphraseFile?: string;
}

/** Adds the options that `adminSigner` reads. Returns the command. */
export function withAdminOptions(command: Command): Command {
  return command
    .option('--admin-key <FILE>', 'the private key that signs rosters')
    .option('--passphrase-file <FILE>', 'the pass phrase of that key; else asked for on the terminal')
    .option('--signer <PROGRAM>', 'a program that signs instead (a token, an HSM): see keys/README.md')
    .option('--admin <FILE>', 'the public key that the admin key must be')
    .option('--signer-timeout <SECONDS>', 'how long the program may take', String(SIGNER_LIMIT_S));
}

/** The admin's signer. Throws OperatorError. */
export function adminSigner(io: KeyIo, options: AdminOptions): Signer {
  return signerOf(io, {
    flags: ['--admin-key', '--signer', '--admin'],
    keyFile: options.adminKey,
    program: options.signer,
    publicFile: options.admin,
    passphraseFile: options.passphraseFile,
    timeoutS: options.signerTimeout,
  });
}

export interface SignerSource {
  /** The names of the options for key file, program and public key, for errors. */
  readonly flags: readonly [string, string, string];
  readonly keyFile: string | undefined;
  readonly program: string | undefined;
  readonly publicFile: string | undefined;
  readonly passphraseFile: string | undefined;
  /** Where that is not `--passphrase-file`. */
  readonly passphraseFlag?: string;
  /** Seconds, as typed. */
  readonly timeoutS: string | undefined;
}

/** The signer that exactly one of key file and program names. Throws OperatorError. */
export function signerOf(io: KeyIo, source: SignerSource): Signer {
  const [keyFlag, programFlag, publicFlag] = source.flags;
  if ((source.keyFile === undefined) === (source.program === undefined)) {
    const both = source.keyFile !== undefined;
    throw new OperatorError(
      both ? `${keyFlag} and ${programFlag} exclude each other` : 'no key to sign with is given',
      `give ${keyFlag} FILE or ${programFlag} PROGRAM`,
      2,
    );
  }
  const wanted = source.publicFile === undefined ? null : readPublicKeyFile(source.publicFile).publicKey;
  if (source.program !== undefined) {
    return externalSigner(source.program, wanted, parseTimeoutS(source.timeoutS) * 1000);
  }
  const file = source.keyFile ?? '';
  const signer = readIdentityFile(file, passphraseAsker(io, source.passphraseFile, source.passphraseFlag));
  if (wanted !== null && Buffer.compare(wanted, signer.publicKey) !== 0) {
    throw new OperatorError(
      `${file}: is the key ${fingerprint(signer.publicKey)}, not ${fingerprint(wanted)}`,
      `${publicFlag} names another key: which is meant?`,
    );
  }
  return signer;
}

function parseTimeoutS(text: string | undefined): number {
  const value = text === undefined ? SIGNER_LIMIT_S : /^[0-9]{1,4}$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= SIGNER_LIMIT_MAX_S) return value;
  throw new OperatorError(
    `--signer-timeout: ${JSON.stringify(text)} is none`,
    `whole seconds from 1 to ${SIGNER_LIMIT_MAX_S}`,
    2,
  );
}
