/**
 * `portcullis cluster ...`: make, extend, show and verify rosters. A roster is written only after it was verified
 * as a host would verify it, and as a whole or not at all.
 */
import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import type { Role } from '../core/basics.ts';
import { replaceFile } from '../daemon/files.ts';
import { readIdentityFile, readPublicKeyFile, readRosterBytes, readRosterFile } from '../daemon/key-files.ts';
import { createFile } from '../daemon/safe-files.ts';
import { formatSocketAddress, parseSocketAddress, type SocketAddress } from '../trust/address.ts';
import { OperatorError } from '../trust/errors.ts';
import { fingerprint, isFingerprint } from '../trust/fingerprint.ts';
import {
  appendVersion,
  firstAdmin,
  nextBody,
  type Roster,
  signRosterBody,
  verifyRosterFile,
} from '../trust/roster.ts';
import { PRIORITY_MAX, type RosterBody } from '../trust/roster-body.ts';
import type { Identity } from '../wire/ed25519.ts';
import { ADDRESSES_MAX } from '../wire/limits.ts';
import { isName } from '../wire/names.ts';
import { type KeyIo, passphraseAsker, processIo } from './key-io.ts';

const WRONG_USAGE = 2;

/** Adds the command group to the program. Commands throw OperatorError. */
export function registerCluster(program: Command, io: KeyIo = processIo): void {
  const cluster = program.command('cluster').description('make, extend, show and verify rosters');
  cluster
    .command('init')
    .description('make the first version of a roster: a cluster without members')
    .argument('<name>', 'the name of the cluster')
    .requiredOption('--admin-key <FILE>', 'the private key that signs rosters')
    .requiredOption('--out <ROSTER>', 'the roster; must not exist yet')
    .option('--passphrase-file <FILE>', 'the pass phrase of the admin key')
    .option('--json', 'print JSON')
    .action((name: string, options: InitOptions) => init(io, name, options));
  cluster
    .command('add')
    .description('add a host: one more version of the roster')
    .argument('<host>')
    .requiredOption('--roster <ROSTER>', 'the roster to extend')
    .requiredOption('--admin-key <FILE>', 'the private key that signs rosters')
    .requiredOption('--key <FILE>', "the host's public key (FILE.pub of key generate)")
    .requiredOption(
      '--address <IP:PORT>',
      'its addresses, one a link, in the same order on all hosts: IP:PORT[,IP:PORT]',
    )
    .option('--role <ROLE>', 'gateway, or witness: votes and never serves', 'gateway')
    .option('--priority <N>', `0 to ${PRIORITY_MAX}: of two hosts that start, the higher serves`, '100')
    .option('--passphrase-file <FILE>', 'the pass phrase of the admin key')
    .option('--json', 'print JSON')
    .action((host: string, options: AddOptions) => add(io, host, options));
  cluster
    .command('show')
    .description('show what a roster says, and whose word it is')
    .argument('<roster>')
    .option('--json', 'print JSON')
    .action((path: string, options: { json?: boolean }) => show(io, path, options));
  cluster
    .command('verify')
    .description('verify every version of a roster, from the admin key on')
    .argument('<roster>')
    .option('--admin-fingerprint <SHA256:...>', 'the fingerprint that the admin key must have')
    .option('--admin <FILE>', 'the public key that the admin key must be')
    .option('--json', 'print JSON')
    .action((path: string, options: VerifyOptions) => verify(io, path, options));
}

interface AdminOptions {
  readonly adminKey: string;
  readonly passphraseFile?: string;
  readonly json?: boolean;
}
type InitOptions = AdminOptions & { readonly out: string };
type AddOptions = AdminOptions & {
  readonly roster: string;
  readonly key: string;
  readonly address: string;
  readonly role: string;
  readonly priority: string;
};
interface VerifyOptions {
  readonly adminFingerprint?: string;
  readonly admin?: string;
  readonly json?: boolean;
}

function init(io: KeyIo, name: string, options: InitOptions): void {
  if (!isName(name)) throw nameError('cluster', name);
  const admin = adminIdentity(io, options);
  const roster = signed(
    null,
    {
      version: 1,
      previousHash: null,
      clusterName: name,
      admins: [admin.publicKey],
      members: [],
      previousVoters: [],
      nonce: Uint8Array.from(randomBytes(16)),
    },
    admin,
    options.out,
  );
  createFile(options.out, fileOf(roster), 0o644);
  print(io, roster, options.json === true);
}

function add(io: KeyIo, host: string, options: AddOptions): void {
  if (!isName(host)) throw nameError('host', host);
  const member = {
    name: host,
    role: parseRole(options.role),
    priority: parsePriority(options.priority),
    addresses: parseAddresses(options.address),
    publicKey: readPublicKeyFile(options.key).publicKey,
  };
  const admin = adminIdentity(io, options);
  const current = readRosterFile(options.roster, admin.publicKey);
  const links = current.members[0]?.addresses.length ?? member.addresses.length;
  if (links !== member.addresses.length) {
    throw new OperatorError(
      `--address: ${host} has ${member.addresses.length} addresses, the others have ${links}`,
      'the n-th address of every host is on the n-th link: give one for each link',
      WRONG_USAGE,
    );
  }
  const roster = signed(current, nextBody(current, [...current.members, member]), admin, options.roster);
  replaceFile(options.roster, fileOf(roster), 0o644);
  print(io, roster, options.json === true);
}

function show(io: KeyIo, path: string, options: { json?: boolean }): void {
  const bytes = readRosterBytes(path);
  print(io, verified(path, bytes, claimedAdmin(path, bytes)), options.json === true);
  io.say('hint: compare the admin fingerprint with one that you know: anybody can make a roster');
}

function verify(io: KeyIo, path: string, options: VerifyOptions): void {
  const bytes = readRosterBytes(path);
  const wanted = options.adminFingerprint;
  if (wanted !== undefined && !isFingerprint(wanted)) {
    throw new OperatorError(
      '--admin-fingerprint: not a fingerprint',
      'as key show prints it: SHA256: and 43 characters',
      WRONG_USAGE,
    );
  }
  const admin =
    options.admin === undefined ? claimedAdmin(path, bytes) : readPublicKeyFile(options.admin).publicKey;
  if (wanted !== undefined && fingerprint(admin) !== wanted) {
    throw new OperatorError(
      `${path}: signed by ${fingerprint(admin)}, not by ${wanted}`,
      'this is not the roster of your cluster',
    );
  }
  const roster = verified(path, bytes, admin);
  if (options.json === true) print(io, roster, true);
  else
    io.out(
      `${path}: ${roster.version} versions of cluster ${roster.clusterName} verified, admin ${fingerprint(admin)}\n`,
    );
  if (wanted === undefined && options.admin === undefined) {
    io.say('hint: no admin key was given to compare with: give --admin-fingerprint or --admin');
  }
}

function adminIdentity(io: KeyIo, options: AdminOptions): Identity {
  return readIdentityFile(options.adminKey, passphraseAsker(io, options.passphraseFile));
}

/** The roster with one more version, judged as any host would judge it before anything is written. */
function signed(current: Roster | null, body: RosterBody, admin: Identity, path: string): Roster {
  const result = appendVersion(current, signRosterBody(body, admin), current?.admins ?? [admin.publicKey]);
  if (!result.ok) throw new OperatorError(`${path}: the new version ${result.reason}`);
  return result.roster;
}

function verified(path: string, bytes: Uint8Array, admin: Uint8Array): Roster {
  const result = verifyRosterFile(bytes, admin);
  if (result.ok) return result.roster;
  throw new OperatorError(
    `${path}: ${result.version === null ? '' : `version ${result.version}: `}${result.reason}`,
  );
}

/** The admin key that the roster itself names: good for showing, worth nothing as a proof. */
function claimedAdmin(path: string, bytes: Uint8Array): Uint8Array {
  const admin = firstAdmin(bytes);
  if (admin === null)
    throw new OperatorError(`${path}: not a roster`, 'make one with: portcullis cluster init');
  return admin;
}

function fileOf(roster: Roster): Uint8Array {
  return Buffer.concat(roster.versions);
}

function print(io: KeyIo, roster: Roster, json: boolean): void {
  const data = {
    cluster: roster.clusterName,
    id: Buffer.from(roster.clusterId).toString('hex'),
    version: roster.version,
    hash: Buffer.from(roster.hash).toString('hex'),
    admins: roster.admins.map(fingerprint),
    members: roster.members.map((member) => ({
      host: member.name,
      role: member.role,
      priority: member.priority,
      addresses: member.addresses.map(formatSocketAddress),
      fingerprint: fingerprint(member.publicKey),
    })),
  };
  if (json) {
    io.out(`${JSON.stringify(data)}\n`);
    return;
  }
  io.out(`cluster ${data.cluster}, version ${data.version}, ${data.members.length} hosts\n`);
  io.out(`id      ${data.id}\nadmin   ${data.admins.join(' ')}\n`);
  for (const member of data.members) {
    const text = `${member.role} priority ${member.priority}  ${member.addresses.join(',')}  ${member.fingerprint}`;
    io.out(`${member.host.padEnd(8)}${text}\n`);
  }
}

function nameError(what: string, name: string): OperatorError {
  return new OperatorError(
    `not a ${what} name: ${JSON.stringify(name)}`,
    '1 to 32 of a-z, 0-9 and -',
    WRONG_USAGE,
  );
}

function parseRole(text: string): Role {
  if (text === 'gateway' || text === 'witness') return text;
  throw new OperatorError(`--role: ${JSON.stringify(text)} is no role`, 'gateway or witness', WRONG_USAGE);
}

function parsePriority(text: string): number {
  const value = /^[0-9]{1,3}$/.test(text) ? Number(text) : Number.NaN;
  if (value <= PRIORITY_MAX) return value;
  throw new OperatorError(
    `--priority: ${JSON.stringify(text)} is none`,
    `a whole number from 0 to ${PRIORITY_MAX}`,
    WRONG_USAGE,
  );
}

function parseAddresses(text: string): SocketAddress[] {
  const parts = text.split(',');
  if (parts.length > ADDRESSES_MAX) {
    throw new OperatorError(`--address: more than ${ADDRESSES_MAX} addresses`, 'one a link', WRONG_USAGE);
  }
  return parts.map((part) => {
    const address = parseSocketAddress(part);
    if (address !== null) return address;
    throw new OperatorError(
      `--address: ${JSON.stringify(part)} is none`,
      'IP:PORT, with IPv6 as [ADDR]:PORT',
      WRONG_USAGE,
    );
  });
}
