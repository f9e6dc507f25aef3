/** `portcullis cluster bundle`: the one file that a new host needs, for `portcullis host join`. */
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { alreadyThere, createFile } from '../daemon/safe-files.ts';
import { encodeBundle } from '../trust/bundle.ts';
import { OperatorError } from '../trust/errors.ts';
import { fingerprint } from '../trust/fingerprint.ts';
import { claimedRoster, fileOf, noteGiven } from './cluster-file.ts';
import { parseFingerprint, parseName } from './cluster-options.ts';
import { hex } from './cluster-print.ts';
import { examples } from './help.ts';
import { jsonLine } from './json-line.ts';
import type { KeyIo } from './key-io.ts';

interface BundleOptions {
  readonly roster: string;
  readonly out: string;
  readonly adminFingerprint?: string;
  readonly json?: boolean;
}

const BUNDLE_MODE = 0o644; // no secret in it

/** Adds `bundle` to the group. Throws OperatorError: no such host, a roster that does not hold, a file that is there. */
export function registerClusterBundle(cluster: Command, io: KeyIo): void {
  examples(
    cluster
      .command('bundle')
      .description(
        'write the one file that makes a host of the roster a member: portcullis host join takes it',
      )
      .argument('<host>', 'its public key is in the roster already (cluster add)')
      .requiredOption('--roster <ROSTER>', 'the roster')
      .requiredOption('--out <FILE>', 'the bundle; must not exist yet')
      .option('--admin-fingerprint <SHA256:...>', 'the fingerprint that the admin key must have')
      .option('--json', 'print JSON')
      .action((host: string, options: BundleOptions) => bundle(io, host, options)),
    'cluster bundle fw1 --roster roster.cose --out fw1.bundle',
  );
}

function bundle(io: KeyIo, text: string, options: BundleOptions): void {
  const host = parseName('host', text);
  const wanted =
    options.adminFingerprint === undefined ? undefined : parseFingerprint(options.adminFingerprint);
  const roster = claimedRoster(options.roster);
  const admin = roster.admins.map(fingerprint).join();
  if (wanted !== undefined && admin !== wanted)
    throw new OperatorError(
      `${options.roster}: its admin key is ${admin}, not ${wanted}`,
      'this is not the roster of your cluster, or its admin key was changed: see portcullis cluster show --history',
    );
  const member = roster.members.find(({ name }) => name === host);
  if (member === undefined) {
    throw new OperatorError(
      `${options.roster}: no host ${host} in it`,
      `add it first: portcullis cluster add ${host} --key ${host}.key.pub ...`,
    );
  }
  if (existsSync(options.out)) throw alreadyThere(options.out);
  // First: a bundle that was given out and not noted would leave the roster a draft.
  noteGiven(options.roster, roster);
  createFile(options.out, encodeBundle({ host, roster: fileOf(roster) }), BUNDLE_MODE);
  const data = {
    cluster: roster.clusterName,
    host,
    version: roster.version,
    hash: hex(roster.hash),
    hostFingerprint: fingerprint(member.publicKey),
    adminFingerprint: admin,
    file: options.out,
  };
  if (options.json === true) io.out(jsonLine(data));
  else {
    io.out(`${data.file}: host ${host} of cluster ${data.cluster}, roster version ${data.version}\n`);
    io.out(`on ${host}: portcullis host join ${data.file} --admin-fingerprint ${admin}\n`);
  }
}
