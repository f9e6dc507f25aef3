/** `portcullis cluster init`: the first version of a roster, a cluster without members. */
import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { readPublicKeyFile } from '../daemon/key-files.ts';
import { firstBody } from '../trust/roster-edit.ts';
import { type AdminOptions, adminSigner, withAdminOptions } from './admin.ts';
import { createRoster, withVersion } from './cluster-file.ts';
import { parseName } from './cluster-options.ts';
import { printRoster } from './cluster-print.ts';
import { examples } from './help.ts';
import type { KeyIo } from './key-io.ts';

type InitOptions = AdminOptions & {
  readonly out: string;
  readonly recoveryKey?: string;
  readonly json?: boolean;
};

/** Adds `init` to the group. Throws OperatorError; a roster that is there is never replaced. */
export function registerClusterInit(cluster: Command, io: KeyIo): void {
  const command = cluster
    .command('init')
    .description('make the first version of a roster: a cluster without members')
    .argument('<name>', 'the name of the cluster')
    .requiredOption('--out <ROSTER>', 'the roster; must not exist yet')
    .option(
      '--recovery-key <FILE>',
      'a second public key, whose private half lies elsewhere: it can do nothing but change the admin key',
    );
  withAdminOptions(command)
    .option('--json', 'print JSON')
    .action((name: string, options: InitOptions) => init(io, name, options));
  examples(
    command,
    'cluster init dmz --admin-key admin.key --out roster.cose',
    'cluster init dmz --admin-key admin.key --recovery-key recovery.key.pub --out roster.cose',
    'cluster init dmz --signer ./token --out roster.cose',
  );
}

function init(io: KeyIo, name: string, options: InitOptions): void {
  const clusterName = parseName('cluster', name);
  const admin = adminSigner(io, options);
  const recovery =
    options.recoveryKey === undefined ? null : readPublicKeyFile(options.recoveryKey).publicKey;
  const body = firstBody(clusterName, admin.publicKey, Uint8Array.from(randomBytes(16)), recovery);
  const roster = withVersion(options.out, null, body, admin);
  createRoster(options.out, roster);
  printRoster(io, roster, options.json === true);
}
