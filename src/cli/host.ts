/**
 * `portcullis host join`: this host becomes what a bundle says, after its operator confirmed the admin key. All is
 * judged before the first file is written; nothing that is there is replaced but by its own continuation.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { publicKeyOfLine, readIdentityFile, readRosterBytes } from '../daemon/key-files.ts';
import { createFile, readWhole, replaceExisting } from '../daemon/safe-files.ts';
import { BUNDLE_MAX_BYTES, type Bundle, decodeBundle } from '../trust/bundle.ts';
import { OperatorError } from '../trust/errors.ts';
import { fingerprint } from '../trust/fingerprint.ts';
import { formatPublicKey, KEY_FILE_MAX_BYTES } from '../trust/keys.ts';
import { firstAdmin, type Roster, type RosterMember } from '../trust/roster.ts';
import { sameBytes } from '../wire/bytes.ts';
import { fileOf, ROSTER_MODE, verifiedRoster } from './cluster-file.ts';
import { adminsOf } from './cluster-history.ts';
import { parseFingerprint } from './cluster-options.ts';
import { examples } from './help.ts';
import { configurationSkeleton } from './host-skeleton.ts';
import { jsonLine } from './json-line.ts';
import { type KeyIo, processIo } from './key-io.ts';

const NEW_BUNDLE = 'ask the admin for a new one: portcullis cluster bundle HOST';

interface JoinOptions {
  readonly adminFingerprint?: string;
  readonly dir: string;
  readonly key?: string;
  readonly json?: boolean;
}

/** A file of the host, and what becomes of it. */
interface PlannedFile {
  readonly path: string;
  readonly action: 'written' | 'updated' | 'left';
  readonly bytes: Uint8Array;
}

/** Adds the command group to the program. Commands throw OperatorError. */
export function registerHost(program: Command, io: KeyIo = processIo): void {
  const host = examples(program.command('host'), 'host join fw1.bundle').description(
    'make this host a member',
  );
  examples(
    host
      .command('join')
      .description('take a bundle: write roster, admin key and a configuration to be filled in')
      .argument('<file>', 'the bundle, as portcullis cluster bundle writes it')
      .option('--admin-fingerprint <SHA256:...>', 'from paper; else it is asked for on the terminal')
      .option('--dir <DIR>', 'where this host’s files are', '/etc/portcullis')
      .option('--key <FILE>', 'its private key; else HOST.key in that directory, or host.key')
      .option('--json', 'print JSON')
      .action((file: string, options: JoinOptions) => joinCluster(io, file, options)),
    'host join fw1.bundle --admin-fingerprint SHA256:L3k/oJubblSY0lB9Ulsl7emDMnRPKm/8udf2ccwk560',
    'host join fw1.bundle --dir /etc/portcullis',
  );
}

function joinCluster(io: KeyIo, file: string, options: JoinOptions): void {
  const wanted = options.adminFingerprint === undefined ? null : parseFingerprint(options.adminFingerprint);
  const { host, roster: bytes } = readBundle(file);
  const first = firstAdmin(bytes);
  if (first === null) throw new OperatorError(`${file}: holds no roster`, NEW_BUNDLE);
  const roster = verifiedRoster(file, bytes, first);
  const member = roster.members.find(({ name }) => name === host);
  if (member === undefined) throw new OperatorError(`${file}: its roster has no host ${host}`, NEW_BUNDLE);
  const dir = resolve(options.dir);
  const key = options.key === undefined ? keyIn(dir, host) : resolve(options.key);
  refuseForeignKey(key, member, file);
  const paths = { key, admin: join(dir, 'admin.pub'), roster: join(dir, 'roster.cose') };
  const config = join(dir, 'portcullis.toml');
  const plan = [
    planRoster(paths.roster, roster),
    planAdmin(io, paths.admin, roster),
    planConfig(config, configurationSkeleton(roster.clusterName, member, paths)),
  ];
  confirmAdmin(io, roster, host, wanted);
  for (const planned of plan) write(planned);
  report(io, roster, host, plan, options.json === true);
}

function readBundle(file: string): Bundle {
  const result = decodeBundle(Uint8Array.from(readWhole(file, BUNDLE_MAX_BYTES)));
  if (result.ok) return result.bundle;
  throw new OperatorError(`${file}: ${result.reason}`, NEW_BUNDLE);
}

/** Under the host's own name, or under the one from which the units take it. */
function keyIn(dir: string, host: string): string {
  const named = join(dir, `${host}.key`);
  const common = join(dir, 'host.key');
  return !existsSync(named) && existsSync(common) ? common : named;
}

/** The private key is here already, and it is this host's in the roster: it never travelled. */
function refuseForeignKey(path: string, member: RosterMember, file: string): void {
  if (!existsSync(path)) {
    throw new OperatorError(
      `${path}: no such file: the private key of ${member.name} must be here first`,
      `portcullis key generate --out ${path}; then FILE.pub goes to the admin, who makes the bundle anew`,
    );
  }
  const { publicKey } = readIdentityFile(path);
  const own = [member.publicKey, ...(member.oldKey === null ? [] : [member.oldKey])];
  if (own.some((candidate) => sameBytes(candidate, publicKey))) return;
  throw new OperatorError(
    `${path}: is the key ${fingerprint(publicKey)}, not ${fingerprint(member.publicKey)}, which ${file} has for ${member.name}`,
    'the bundle is another host’s, or the public key in the roster is not this one’s',
  );
}

/** The roster is public, and its signatures prove no more than whose it is: that must be said by the operator. */
function confirmAdmin(io: KeyIo, roster: Roster, host: string, wanted: string | null): void {
  const admin = roster.admins.map(fingerprint).join();
  if (wanted !== null) {
    if (wanted === admin) return;
    throw new OperatorError(
      `the admin key of this bundle is ${admin}, not ${wanted}`,
      'do not join: this is not your cluster, or its admin key was changed and the paper is old',
    );
  }
  io.say(`cluster ${roster.clusterName}, roster version ${roster.version}, host ${host}`);
  io.say(`admin key ${admin}`);
  const answer = io.askLine('is that the fingerprint on your paper? type yes: ');
  if (answer === 'yes') return;
  throw new OperatorError(
    answer === null ? 'no terminal to confirm the admin key on' : 'not confirmed; nothing was written',
    'give it with --admin-fingerprint SHA256:...',
  );
}

function planRoster(path: string, roster: Roster): PlannedFile {
  const bytes = fileOf(roster);
  if (!existsSync(path)) return { path, action: 'written', bytes };
  const there = readRosterBytes(path);
  const shorter = Math.min(there.length, bytes.length);
  if (there.length === 0 || !sameBytes(there.subarray(0, shorter), bytes.subarray(0, shorter)))
    throw differs(path, 'another roster');
  // One continues the other, version by version, as both begin alike: the longer one is kept.
  return { path, action: there.length >= bytes.length ? 'left' : 'updated', bytes };
}

function planAdmin(io: KeyIo, path: string, roster: Roster): PlannedFile {
  const [admin = new Uint8Array()] = roster.admins;
  const bytes = Buffer.from(formatPublicKey(admin, `${roster.clusterName}-admin`));
  if (!existsSync(path)) return { path, action: 'written', bytes };
  const { publicKey } = publicKeyOfLine(path, readWhole(path, KEY_FILE_MAX_BYTES).toString('latin1'));
  if (!adminsOf(roster).some((key) => sameBytes(key, publicKey))) throw differs(path, 'another admin key');
  if (!sameBytes(publicKey, admin))
    io.say(
      `hint: ${path} holds a former admin key, which leads to the present one; remove it to have it replaced`,
    );
  return { path, action: 'left', bytes };
}

function planConfig(path: string, skeleton: string): PlannedFile {
  return { path, action: existsSync(path) ? 'left' : 'written', bytes: Buffer.from(skeleton) };
}

function differs(path: string, what: string): OperatorError {
  return new OperatorError(
    `${path}: holds ${what}`,
    `nothing is overwritten: if this host shall leave its former cluster, move ${path} away`,
  );
}

function write({ path, action, bytes }: PlannedFile): void {
  if (action === 'written') createFile(path, bytes, ROSTER_MODE);
  if (action === 'updated') replaceExisting(path, bytes, ROSTER_MODE);
}

function report(io: KeyIo, roster: Roster, host: string, plan: readonly PlannedFile[], json: boolean): void {
  const files = plan.map(({ path, action }) => ({ path, action }));
  const admin = roster.admins.map(fingerprint).join();
  const { clusterName: cluster, version } = roster;
  if (json) io.out(jsonLine({ cluster, host, version, adminFingerprint: admin, files }));
  else {
    io.out(`${host} is a host of cluster ${cluster}, roster version ${version}, admin ${admin}\n`);
    for (const { path, action } of files) io.out(`${action.padEnd(8)}${path}\n`);
  }
}
