/** The versions of a roster one by one: who signed each, and what it changed. */
import { formatSocketAddress } from '../trust/address.ts';
import { fingerprint } from '../trust/fingerprint.ts';
import { type Roster, rosterAt } from '../trust/roster.ts';
import type { MemberBody } from '../trust/roster-body.ts';
import { sameBytes } from '../wire/bytes.ts';
import { hex } from './cluster-print.ts';
import { jsonLine } from './json-line.ts';
import type { KeyIo } from './key-io.ts';

export interface VersionStory {
  readonly version: number;
  /** Hex. */
  readonly hash: string;
  /** A fingerprint. */
  readonly signer: string;
  readonly settled: number;
  readonly changes: readonly string[];
}

/** All admin keys that a chain has had, the present one last. */
export function adminsOf(roster: Roster): readonly Uint8Array[] {
  const admins: Uint8Array[] = [];
  for (const version of versionsOf(roster)) {
    for (const key of version.admins) {
      const last = admins[admins.length - 1];
      if (last === undefined || !sameBytes(last, key)) admins.push(key);
    }
  }
  return admins;
}

/** The versions, first and last, of which a key (its fingerprint) was the admin key last, and the key after it; null: of none that is over. */
export function reignOf(roster: Roster, key: string): readonly [number, number, string] | null {
  const admins = versionsOf(roster).map((version) => version.admins.map(fingerprint).join());
  const last = admins.lastIndexOf(key);
  const successor = admins[last + 1];
  if (last < 0 || successor === undefined) return null;
  let first = last;
  while (admins[first - 1] === key) first--;
  return [first + 1, last + 1, successor];
}

/** Every version of a verified roster, the oldest first: who signed it and what it changed, in words. */
export function historyOf(roster: Roster): readonly VersionStory[] {
  let before: Roster | null = null;
  return versionsOf(roster).map((version) => {
    const record = version.history[version.version - 1];
    const story = {
      version: version.version,
      hash: hex(version.hash),
      signer: record === undefined ? '' : fingerprint(record.signer),
      settled: version.body.settled,
      changes: changesOf(before, version),
    };
    before = version;
    return story;
  });
}

/** The same for people, or as one line of JSON. */
export function printHistory(io: KeyIo, roster: Roster, json: boolean): void {
  const versions = historyOf(roster);
  if (json) {
    io.out(jsonLine({ cluster: roster.clusterName, id: hex(roster.clusterId), versions }));
    return;
  }
  for (const { version, hash, signer, changes } of versions) {
    io.out(`version ${version}  ${hash.slice(0, 16)}  signed by ${signer}\n`);
    for (const change of changes) io.out(`        ${change}\n`);
  }
}

function versionsOf(roster: Roster): Roster[] {
  return roster.versions.flatMap((_, i) => rosterAt(roster, i + 1) ?? []);
}

/** In the operator's words; at least one line. */
function changesOf(before: Roster | null, after: Roster): string[] {
  const recovery = (roster: Roster | null): string =>
    roster === null || roster.body.recovery === null ? 'none' : fingerprint(roster.body.recovery);
  if (before === null) {
    const key = after.body.recovery === null ? '' : `, recovery key ${recovery(after)}`;
    return [`cluster ${after.clusterName} made, admin key ${after.admins.map(fingerprint).join()}${key}`];
  }
  const lines: string[] = [];
  const admin = after.admins.map(fingerprint).join();
  if (before.admins.map(fingerprint).join() !== admin) lines.push(`admin key changed to ${admin}`);
  if (recovery(before) !== recovery(after)) lines.push(`recovery key changed to ${recovery(after)}`);
  if (before.body.floor !== after.body.floor) lines.push(`protocol floor ${after.body.floor}`);
  for (const old of before.body.members)
    if (!after.body.members.some(({ name }) => name === old.name)) lines.push(`${old.name} removed`);
  for (const member of after.body.members) {
    const old = before.body.members.find(({ name }) => name === member.name);
    lines.push(...(old === undefined ? [added(member)] : changed(old, member)));
  }
  const fresh = after.body.revoked.length - before.body.revoked.length;
  if (fresh > 0) lines.push(`${fresh} key${fresh === 1 ? '' : 's'} revoked`);
  return lines.length === 0 ? ['nothing'] : lines;
}

function added(member: MemberBody): string {
  const { name, role, priority, publicKey } = member;
  return `${name} added: ${role}, priority ${priority}, ${addressesOf(member)}, ${fingerprint(publicKey)}`;
}

function changed(old: MemberBody, member: MemberBody): string[] {
  const lines: string[] = [];
  const say = (what: string): void => void lines.push(`${member.name}: ${what}`);
  if (old.role !== member.role) say(`role ${member.role}`);
  if (old.priority !== member.priority) say(`priority ${member.priority}`);
  if (addressesOf(old) !== addressesOf(member)) say(`addresses ${addressesOf(member)}`);
  if (!sameBytes(old.publicKey, member.publicKey)) say(`key changed to ${fingerprint(member.publicKey)}`);
  if (old.oldKey === null && member.oldKey !== null) say('the former key still counts');
  if (old.oldKey !== null && member.oldKey === null) say('the former key counts no longer');
  return lines;
}

function addressesOf(member: MemberBody): string {
  return member.addresses.map(formatSocketAddress).join();
}
