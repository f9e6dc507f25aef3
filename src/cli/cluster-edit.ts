/** `portcullis cluster add`: one more version of the roster, with one change. */
import type { Command } from 'commander';
import { readPublicKeyFile } from '../daemon/key-files.ts';
import { OperatorError } from '../trust/errors.ts';
import { nextBody } from '../trust/roster.ts';
import { PRIORITY_MAX } from '../trust/roster-body.ts';
import { type AdminOptions, adminSigner, withAdminOptions } from './admin.ts';
import { replaceRoster, rosterFromFile, withVersion } from './cluster-file.ts';
import { parseAddresses, parseName, parsePriority, parseRole } from './cluster-options.ts';
import { printRoster } from './cluster-print.ts';
import type { KeyIo } from './key-io.ts';

type AddOptions = AdminOptions & {
  readonly roster: string;
  readonly key: string;
  readonly address: string;
  readonly role: string;
  readonly priority: string;
  readonly json?: boolean;
};

export function registerClusterEdit(cluster: Command, io: KeyIo): void {
  const command = cluster
    .command('add')
    .description('add a host: one more version of the roster')
    .argument('<host>')
    .requiredOption('--roster <ROSTER>', 'the roster to extend')
    .requiredOption('--key <FILE>', "the host's public key (FILE.pub of key generate)")
    .requiredOption(
      '--address <IP:PORT>',
      'its addresses, one a link, in the same order on all hosts: IP:PORT[,IP:PORT]',
    )
    .option('--role <ROLE>', 'gateway, or witness: votes and never serves', 'gateway')
    .option('--priority <N>', `0 to ${PRIORITY_MAX}: of two hosts that start, the higher serves`, '100');
  withAdminOptions(command)
    .option('--json', 'print JSON')
    .action((host: string, options: AddOptions) => add(io, host, options));
}

function add(io: KeyIo, host: string, options: AddOptions): void {
  const member = {
    name: parseName('host', host),
    role: parseRole(options.role),
    priority: parsePriority(options.priority),
    addresses: parseAddresses(options.address),
    publicKey: readPublicKeyFile(options.key).publicKey,
  };
  const admin = adminSigner(io, options);
  const current = rosterFromFile(options.roster, admin.publicKey);
  const links = current.members[0]?.addresses.length ?? member.addresses.length;
  if (links !== member.addresses.length) {
    throw new OperatorError(
      `--address: ${host} has ${member.addresses.length} addresses, the others have ${links}`,
      'the n-th address of every host is on the n-th link: give one for each link',
      2,
    );
  }
  const body = nextBody(current, [...current.members, member]);
  const roster = withVersion(options.roster, current, body, admin);
  replaceRoster(options.roster, roster);
  printRoster(io, roster, options.json === true);
}
