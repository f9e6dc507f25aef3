/** `portcullis cluster show` and `verify`: what a roster says, and whose word it is. */
import type { Command } from 'commander';
import { readPublicKeyFile, readRosterBytes } from '../daemon/key-files.ts';
import { OperatorError } from '../trust/errors.ts';
import { fingerprint } from '../trust/fingerprint.ts';
import { claimedAdmin, verifiedRoster } from './cluster-file.ts';
import { parseFingerprint } from './cluster-options.ts';
import { printRoster } from './cluster-print.ts';
import { examples } from './help.ts';
import type { KeyIo } from './key-io.ts';

interface VerifyOptions {
  readonly adminFingerprint?: string;
  readonly admin?: string;
  readonly json?: boolean;
}

export function registerClusterShow(cluster: Command, io: KeyIo): void {
  examples(
    cluster
      .command('show')
      .description('show what a roster says, and whose word it is')
      .argument('<roster>')
      .option('--json', 'print JSON')
      .action((path: string, options: { json?: boolean }) => show(io, path, options)),
    'cluster show roster.cose',
  );
  examples(
    cluster
      .command('verify')
      .description('verify every version of a roster, from the admin key on')
      .argument('<roster>')
      .option('--admin-fingerprint <SHA256:...>', 'the fingerprint that the admin key must have')
      .option('--admin <FILE>', 'the public key that the admin key must be')
      .option('--json', 'print JSON')
      .action((path: string, options: VerifyOptions) => verify(io, path, options)),
    'cluster verify roster.cose --admin admin.key.pub',
  );
}

function show(io: KeyIo, path: string, options: { json?: boolean }): void {
  const bytes = readRosterBytes(path);
  printRoster(io, verifiedRoster(path, bytes, claimedAdmin(path, bytes)), options.json === true);
  io.say('hint: compare the admin fingerprint with one that you know: anybody can make a roster');
}

function verify(io: KeyIo, path: string, options: VerifyOptions): void {
  const bytes = readRosterBytes(path);
  const wanted =
    options.adminFingerprint === undefined ? undefined : parseFingerprint(options.adminFingerprint);
  const admin =
    options.admin === undefined ? claimedAdmin(path, bytes) : readPublicKeyFile(options.admin).publicKey;
  if (wanted !== undefined && fingerprint(admin) !== wanted) {
    throw new OperatorError(
      `${path}: signed by ${fingerprint(admin)}, not by ${wanted}`,
      'this is not the roster of your cluster',
    );
  }
  const roster = verifiedRoster(path, bytes, admin);
  if (options.json === true) printRoster(io, roster, true);
  else
    io.out(
      `${path}: ${roster.version} versions of cluster ${roster.clusterName} verified, admin ${fingerprint(admin)}\n`,
    );
  if (wanted === undefined && options.admin === undefined) {
    io.say('hint: no admin key was given to compare with: give --admin-fingerprint or --admin');
  }
}
