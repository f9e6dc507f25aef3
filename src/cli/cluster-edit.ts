/**
 * `portcullis cluster add`, `remove`, `revoke`, `rekey`, `set`, `recovery` and `floor`: one more version of the roster, with one
 * change, signed by the admin.
 */
import type { Command } from 'commander';
import { readPublicKeyFile } from '../daemon/key-files.ts';
import { OperatorError } from '../trust/errors.ts';
import type { Roster } from '../trust/roster.ts';
import { PRIORITY_MAX, type RosterBody } from '../trust/roster-body.ts';
import {
  addMember,
  changeMember,
  changeRecovery,
  dropOldKey,
  type MemberChange,
  rekeyMember,
  removeMember,
  revokeMember,
  setFloor,
} from '../trust/roster-edit.ts';
import { type SettledForEdit, settledForEdit, statusPath } from '../trust/roster-status.ts';
import { PROTOCOL, PROTOCOL_LEAST } from '../wire/limits.ts';
import { type AdminOptions, adminSigner, withAdminOptions } from './admin.ts';
import { replaceRoster, rosterFor, statusOf, withVersion } from './cluster-file.ts';
import { parseAddresses, parseName, parsePriority, parseRole } from './cluster-options.ts';
import { printRoster } from './cluster-print.ts';
import { examples } from './help.ts';
import type { KeyIo } from './key-io.ts';

type EditOptions = AdminOptions & {
  readonly roster: string;
  readonly force?: boolean;
  readonly json?: boolean;
};
type AddOptions = EditOptions & {
  readonly key: string;
  readonly address: string;
  readonly role: string;
  readonly priority: string;
};
type RekeyOptions = EditOptions & { readonly key?: string; readonly dropOld?: boolean };
type SetOptions = EditOptions & {
  readonly address?: string;
  readonly role?: string;
  readonly priority?: string;
};
type RecoveryOptions = EditOptions & { readonly key?: string; readonly none?: boolean };

const ADDRESS_HELP = 'its addresses, one a link, in the same order on all hosts: IP:PORT[,IP:PORT]';
const PRIORITY_HELP = `0 to ${PRIORITY_MAX}: of two hosts that start, the higher serves`;
const ROLE_HELP = 'gateway, or witness: votes and never serves';
const SIGNED = '--roster roster.cose --admin-key admin.key';

/** Adds the commands that change members to the group. They throw OperatorError, and then have changed nothing. */
export function registerClusterEdit(cluster: Command, io: KeyIo): void {
  const add = editCommand(cluster, 'add', 'add a host')
    .requiredOption('--key <FILE>', "the host's public key (FILE.pub of key generate)")
    .requiredOption('--address <IP:PORT>', ADDRESS_HELP)
    .option('--role <ROLE>', ROLE_HELP, 'gateway')
    .option('--priority <N>', PRIORITY_HELP, '100')
    .action((host: string, options: AddOptions) => addHost(io, host, options));
  examples(add, `cluster add fw1 ${SIGNED} --key fw1.key.pub --address 10.77.1.11:7946 --priority 200`);

  const remove = editCommand(
    cluster,
    'remove',
    'remove a host that leaves in peace; its key may come back',
  ).action((host: string, options: EditOptions) =>
    edit(io, options, true, (roster, settled) => removeMember(roster, parseName('host', host), settled)),
  );
  examples(remove, `cluster remove fw2 ${SIGNED}`);

  const revoke = editCommand(
    cluster,
    'revoke',
    'remove a host whose key is lost or stolen; that key is nobody’s for good',
  ).action((host: string, options: EditOptions) =>
    edit(io, options, true, (roster, settled) => revokeMember(roster, parseName('host', host), settled)),
  );
  examples(revoke, `cluster revoke fw2 ${SIGNED}`);

  const rekey = editCommand(cluster, 'rekey', 'exchange the key of a host, in two steps')
    .option('--key <FILE>', 'first: the new public key; the former one counts as well until the second step')
    .option('--drop-old', 'second, when the host runs with the new key: the former one is revoked')
    .action((host: string, options: RekeyOptions) => rekeyHost(io, host, options));
  examples(
    rekey,
    `cluster rekey fw1 ${SIGNED} --key fw1-2.key.pub`,
    `cluster rekey fw1 ${SIGNED} --drop-old`,
  );

  const set = editCommand(cluster, 'set', 'change addresses, role or priority of a host')
    .option('--address <IP:PORT>', ADDRESS_HELP)
    .option('--role <ROLE>', ROLE_HELP)
    .option('--priority <N>', PRIORITY_HELP)
    .action((host: string, options: SetOptions) => setHost(io, host, options));
  examples(set, `cluster set fw1 ${SIGNED} --priority 50`);

  const recovery = signedOptions(cluster.command('recovery').description('another recovery key, or none'))
    .option('--key <FILE>', 'the public key that may change the admin key from now on')
    .option('--none', 'no recovery key from now on')
    .action((options: RecoveryOptions) => setRecovery(io, options));
  examples(recovery, `cluster recovery ${SIGNED} --key recovery-2.key.pub`);

  const floor = signedOptions(
    cluster
      .command('floor')
      .argument('<number>')
      .description('the lowest protocol number that may take part: one more version of the roster'),
  ).action((number: string, options: EditOptions) => setLowest(io, number, options));
  examples(floor, `cluster floor 2 ${SIGNED}`);
}

function editCommand(cluster: Command, name: string, description: string): Command {
  const command = cluster.command(name).description(`${description}: one more version of the roster`);
  return signedOptions(command.argument('<host>'));
}

function signedOptions(command: Command): Command {
  command.requiredOption('--roster <ROSTER>', 'the roster to extend');
  return withAdminOptions(command)
    .option('--force', 'although the last change of voters is not known to be settled')
    .option('--json', 'print JSON');
}

/**
 * One more version with the body that `change` makes. `changesVoters`: it adds or removes a member, and so must wait
 * until the change before is settled.
 */
function edit(
  io: KeyIo,
  options: EditOptions,
  changesVoters: boolean,
  change: (roster: Roster, settled: number) => RosterBody,
): void {
  const admin = adminSigner(io, options);
  const current = rosterFor(options.roster, admin);
  const force = options.force === true;
  const status = statusOf(options.roster, current);
  const { settled, word } = settledForEdit(current, status, changesVoters, force);
  const roster = withVersion(options.roster, current, change(current, settled), admin);
  // Hosts believe what the admin signs: he must see what else he signs than the change, and on whose word.
  if (roster.body.settled > current.body.settled)
    io.say(`asserts that version ${roster.body.settled} is settled, ${onWord(word, options.roster)}`);
  replaceRoster(options.roster, roster);
  printRoster(io, roster, options.json === true);
}

function onWord(word: SettledForEdit['word'], path: string): string {
  if (word === 'force') return 'on your word (--force)';
  const file = statusPath(path);
  return word === 'draft' ? `since by ${file} no host has this roster yet` : `on the word of ${file}`;
}

function addHost(io: KeyIo, host: string, options: AddOptions): void {
  const member = {
    name: parseName('host', host),
    role: parseRole(options.role),
    priority: parsePriority(options.priority),
    addresses: parseAddresses(options.address),
    publicKey: readPublicKeyFile(options.key).publicKey,
  };
  edit(io, options, true, (roster, settled) => {
    refuseOtherLinks(roster, host, member.addresses.length);
    return addMember(roster, member, settled);
  });
}

function rekeyHost(io: KeyIo, host: string, options: RekeyOptions): void {
  const name = parseName('host', host);
  if ((options.key === undefined) === (options.dropOld !== true))
    throw new OperatorError('one step at a time', 'give --key NEW.pub, or --drop-old', 2);
  const key = options.key === undefined ? null : readPublicKeyFile(options.key).publicKey;
  edit(io, options, false, (roster, settled) =>
    key === null ? dropOldKey(roster, name, settled) : rekeyMember(roster, name, key, settled),
  );
}

function setHost(io: KeyIo, host: string, options: SetOptions): void {
  const name = parseName('host', host);
  const change: MemberChange = {
    ...(options.address === undefined ? {} : { addresses: parseAddresses(options.address) }),
    ...(options.role === undefined ? {} : { role: parseRole(options.role) }),
    ...(options.priority === undefined ? {} : { priority: parsePriority(options.priority) }),
  };
  if (Object.keys(change).length === 0)
    throw new OperatorError('nothing to change', 'give --address, --role or --priority', 2);
  edit(io, options, false, (roster, settled) => {
    const others = { ...roster, members: roster.members.filter((member) => member.name !== name) };
    if (change.addresses !== undefined) refuseOtherLinks(others, name, change.addresses.length);
    return changeMember(roster, name, change, settled);
  });
}

function setRecovery(io: KeyIo, options: RecoveryOptions): void {
  if ((options.key === undefined) === (options.none !== true))
    throw new OperatorError('no recovery key is named', 'give --key FILE.pub, or --none', 2);
  const key = options.key === undefined ? null : readPublicKeyFile(options.key).publicKey;
  edit(io, options, false, (roster) => changeRecovery(roster, key));
}

function setLowest(io: KeyIo, number: string, options: EditOptions): void {
  const floor = Number(number);
  if (!/^[1-9][0-9]?$/.test(number) || floor > PROTOCOL) {
    const hint = `${PROTOCOL_LEAST} to ${PROTOCOL}; \`portcullis status\` shows what each host speaks`;
    throw new OperatorError(`no protocol number of this software: "${number}"`, hint, 2);
  }
  edit(io, options, false, (roster) => setFloor(roster, floor));
  io.say(`a host that speaks less than ${floor} takes no part once it has this version`);
}

/** The n-th address of every host is on the n-th link: as many for one as for the others. */
function refuseOtherLinks(others: Pick<Roster, 'members'>, host: string, links: number): void {
  const wanted = others.members[0]?.addresses.length ?? links;
  if (wanted === links) return;
  throw new OperatorError(
    `--address: ${host} has ${links} addresses, the others have ${wanted}`,
    'the n-th address of every host is on the n-th link: give one for each link',
    2,
  );
}
