/**
 * `portcullis cluster rotate-admin`: another admin key. The old one signs, or the recovery key when the old one is lost or
 * stolen; the new one signs as well, so that no slip gives the cluster to nobody.
 */
import type { Command } from 'commander';
import { OperatorError } from '../trust/errors.ts';
import { fingerprint } from '../trust/fingerprint.ts';
import type { Roster } from '../trust/roster.ts';
import { rotateAdmin } from '../trust/roster-edit.ts';
import { sameBytes } from '../wire/bytes.ts';
import { type AdminOptions, adminSigner, signerOf, withAdminOptions } from './admin.ts';
import { claimedRoster, replaceRoster, rosterFor, withVersion } from './cluster-file.ts';
import { printRoster } from './cluster-print.ts';
import type { Signer } from './external-signer.ts';
import { examples } from './help.ts';
import type { KeyIo } from './key-io.ts';

type RotateOptions = AdminOptions & {
  readonly roster: string;
  readonly newKey?: string;
  readonly newSigner?: string;
  readonly newAdmin?: string;
  readonly newPassphraseFile?: string;
  readonly recoveryKey?: string;
  readonly recoverySigner?: string;
  readonly recovery?: string;
  readonly json?: boolean;
};

/** Adds `rotate-admin` to the group. Throws OperatorError, and then has changed nothing. */
export function registerClusterRotate(cluster: Command, io: KeyIo): void {
  const command = cluster
    .command('rotate-admin')
    .description('change the admin key, by the present one or by the recovery key')
    .requiredOption('--roster <ROSTER>', 'the roster to extend')
    .option('--new-key <FILE>', 'the private key that signs rosters from now on')
    .option('--new-passphrase-file <FILE>', 'its pass phrase; else asked for on the terminal')
    .option('--new-signer <PROGRAM>', 'a program that signs with it instead')
    .option('--new-admin <FILE>', 'the public key that it must be')
    .option('--recovery-key <FILE>', 'the private recovery key, in the place of the admin key')
    .option('--recovery-signer <PROGRAM>', 'a program that signs with it instead')
    .option('--recovery <FILE>', 'the public key that it must be');
  withAdminOptions(command)
    .option('--json', 'print JSON')
    .action((options: RotateOptions) => rotate(io, options));
  examples(
    command,
    'cluster rotate-admin --roster roster.cose --admin-key admin.key --new-key admin-2.key',
    'cluster rotate-admin --roster roster.cose --recovery-key recovery.key --new-key admin-2.key',
  );
}

function rotate(io: KeyIo, options: RotateOptions): void {
  const byRecovery = options.recoveryKey !== undefined || options.recoverySigner !== undefined;
  if (byRecovery && (options.adminKey !== undefined || options.signer !== undefined))
    throw new OperatorError(
      'the admin key and the recovery key exclude each other',
      'give the recovery key only when the admin key is lost or stolen',
      2,
    );
  const next = signerOf(io, {
    flags: ['--new-key', '--new-signer', '--new-admin'],
    keyFile: options.newKey,
    program: options.newSigner,
    publicFile: options.newAdmin,
    passphraseFile: options.newPassphraseFile,
    passphraseFlag: '--new-passphrase-file',
    timeoutS: options.signerTimeout,
  });
  const signer = byRecovery ? recoverySigner(io, options) : adminSigner(io, options);
  const current = byRecovery ? rosterOfRecovery(options.roster, signer) : rosterFor(options.roster, signer);
  const body = rotateAdmin(current, next.publicKey, next.sign);
  const roster = withVersion(options.roster, current, body, signer);
  replaceRoster(options.roster, roster);
  printRoster(io, roster, options.json === true);
}

function recoverySigner(io: KeyIo, options: RotateOptions): Signer {
  return signerOf(io, {
    flags: ['--recovery-key', '--recovery-signer', '--recovery'],
    keyFile: options.recoveryKey,
    program: options.recoverySigner,
    publicFile: options.recovery,
    passphraseFile: options.passphraseFile,
    timeoutS: options.signerTimeout,
  });
}

function rosterOfRecovery(path: string, signer: Signer): Roster {
  const roster = claimedRoster(path);
  const { recovery } = roster.body;
  if (recovery !== null && sameBytes(recovery, signer.publicKey)) return roster;
  throw new OperatorError(
    `${path}: ${fingerprint(signer.publicKey)} is not its recovery key`,
    recovery === null ? 'it has none: see keys/README.md' : `that is ${fingerprint(recovery)}`,
  );
}
