/** `portcullis cluster show` and `verify`: what a roster says, and whose word it is. */
import type { Command } from 'commander';
import { readPublicKeyFile, readRosterBytes } from '../daemon/key-files.ts';
import { OperatorError } from '../trust/errors.ts';
import { fingerprint } from '../trust/fingerprint.ts';
import type { Roster } from '../trust/roster.ts';
import { claimedRoster, statusOf, verifiedRoster } from './cluster-file.ts';
import { printHistory, reignOf } from './cluster-history.ts';
import { parseFingerprint } from './cluster-options.ts';
import { printRoster } from './cluster-print.ts';
import { examples } from './help.ts';
import type { KeyIo } from './key-io.ts';

interface VerifyOptions {
  readonly adminFingerprint?: string;
  readonly admin?: string;
  readonly json?: boolean;
}

/** Adds `show` and `verify` to the group. They throw OperatorError; what does not verify is one. */
export function registerClusterShow(cluster: Command, io: KeyIo): void {
  examples(
    cluster
      .command('show')
      .description('show what a roster says, and whose word it is')
      .argument('<roster>')
      .option('--history', 'every version: who signed it, and what it changed')
      .option('--json', 'print JSON')
      .action((path: string, options: { history?: boolean; json?: boolean }) => show(io, path, options)),
    'cluster show roster.cose',
    'cluster show roster.cose --history',
  );
  examples(
    cluster
      .command('verify')
      .description('verify every version of a roster, from the admin key on')
      .argument('<roster>')
      .option('--admin-fingerprint <SHA256:...>', 'the fingerprint that the admin key must have')
      .option('--admin <FILE>', 'the admin key, or one that it was changed from')
      .option('--json', 'print JSON')
      .action((path: string, options: VerifyOptions) => verify(io, path, options)),
    'cluster verify roster.cose --admin admin.key.pub',
    'cluster verify roster.cose --admin-fingerprint SHA256:L3k/oJubblSY0lB9Ulsl7emDMnRPKm/8udf2ccwk560',
  );
}

function show(io: KeyIo, path: string, options: { history?: boolean; json?: boolean }): void {
  const roster = claimedRoster(path);
  const status = statusOf(path, roster);
  if (options.history === true) printHistory(io, roster, options.json === true);
  else printRoster(io, roster, options.json === true, status);
  io.say('hint: compare the admin fingerprint with one that you know: anybody can make a roster');
}

function verify(io: KeyIo, path: string, options: VerifyOptions): void {
  const wanted =
    options.adminFingerprint === undefined ? undefined : parseFingerprint(options.adminFingerprint);
  const roster =
    options.admin === undefined
      ? claimedRoster(path)
      : verifiedRoster(path, readRosterBytes(path), readPublicKeyFile(options.admin).publicKey);
  const current = roster.admins.map(fingerprint).join();
  if (wanted !== undefined && wanted !== current) throw notBy(path, roster, wanted, current);
  if (options.json === true) printRoster(io, roster, true);
  else
    io.out(
      `${path}: ${roster.version} versions of cluster ${roster.clusterName} verified, admin ${current}\n`,
    );
  if (wanted === undefined && options.admin === undefined)
    io.say('hint: no admin key was given to compare with: give --admin-fingerprint or --admin');
}

/** A former admin key is no proof either: whoever stole it may have signed the rotation away from it. */
function notBy(path: string, roster: Roster, wanted: string, current: string): OperatorError {
  const reign = reignOf(roster, wanted);
  if (reign === null)
    return new OperatorError(
      `${path}: signed by ${current}, not by ${wanted}`,
      'this is not the roster of your cluster',
    );
  const [from, to, successor] = reign;
  return new OperatorError(
    `${path}: ${wanted} was the admin key of versions ${from} to ${to}; a rotation to ${successor} followed`,
    'if you know of that rotation, the paper is old: strike the old fingerprint out; if you do not, the key was stolen: see keys/README.md',
  );
}
