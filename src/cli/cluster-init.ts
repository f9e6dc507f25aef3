/** `portcullis cluster init`: the first version of a roster, a cluster without members. */
import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { type AdminOptions, adminSigner, withAdminOptions } from './admin.ts';
import { createRoster, withVersion } from './cluster-file.ts';
import { parseName } from './cluster-options.ts';
import { printRoster } from './cluster-print.ts';
import { examples } from './help.ts';
import type { KeyIo } from './key-io.ts';

type InitOptions = AdminOptions & { readonly out: string; readonly json?: boolean };

export function registerClusterInit(cluster: Command, io: KeyIo): void {
  const command = cluster
    .command('init')
    .description('make the first version of a roster: a cluster without members')
    .argument('<name>', 'the name of the cluster')
    .requiredOption('--out <ROSTER>', 'the roster; must not exist yet');
  withAdminOptions(command)
    .option('--json', 'print JSON')
    .action((name: string, options: InitOptions) => init(io, name, options));
  examples(
    command,
    'cluster init dmz --admin-key admin.key --out roster.cose',
    'cluster init dmz --signer ./token --out roster.cose',
  );
}

function init(io: KeyIo, name: string, options: InitOptions): void {
  const clusterName = parseName('cluster', name);
  const admin = adminSigner(io, options);
  const body = {
    version: 1,
    previousHash: null,
    clusterName,
    admins: [admin.publicKey],
    members: [],
    previousVoters: [],
    nonce: Uint8Array.from(randomBytes(16)),
  };
  const roster = withVersion(options.out, null, body, admin);
  createRoster(options.out, roster);
  printRoster(io, roster, options.json === true);
}
