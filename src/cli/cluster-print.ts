/** What the cluster commands print of a roster. */
import { formatSocketAddress } from '../trust/address.ts';
import { fingerprint } from '../trust/fingerprint.ts';
import type { Roster } from '../trust/roster.ts';
import type { RosterStatus } from '../trust/roster-status.ts';
import { jsonLine } from './json-line.ts';
import type { KeyIo } from './key-io.ts';

/** Of that version of the roster everything but the keys themselves. */
export function describeRoster(roster: Roster) {
  return {
    cluster: roster.clusterName,
    id: hex(roster.clusterId),
    version: roster.version,
    hash: hex(roster.hash),
    admins: roster.admins.map(fingerprint),
    recovery: roster.body.recovery === null ? null : fingerprint(roster.body.recovery),
    floor: roster.body.floor,
    settled: roster.body.settled,
    /** Key ids. */
    revoked: roster.body.revoked.map(hex),
    members: roster.members.map((member) => ({
      host: member.name,
      role: member.role,
      priority: member.priority,
      addresses: member.addresses.map(formatSocketAddress),
      fingerprint: fingerprint(member.publicKey),
      ...(member.oldKey === null ? {} : { formerFingerprint: fingerprint(member.oldKey) }),
    })),
  };
}

/** `status`: how far the file has come; null: not known, or not to be told. */
export function printRoster(
  io: KeyIo,
  roster: Roster,
  json: boolean,
  status: RosterStatus | null = null,
): void {
  const data = describeRoster(roster);
  if (json) {
    io.out(jsonLine(status === null ? data : { ...data, status }));
    return;
  }
  const count = data.members.length;
  io.out(`cluster ${data.cluster}, version ${data.version}, ${count} host${count === 1 ? '' : 's'}\n`);
  io.out(`id      ${data.id}\nhash    ${data.hash}\nadmin   ${data.admins.join(' ')}\n`);
  if (data.recovery !== null) io.out(`recover ${data.recovery}\n`);
  if (data.floor > 1) io.out(`floor   ${data.floor}: who speaks a lower protocol number takes no part\n`);
  if (data.revoked.length > 0) io.out(`revoked ${data.revoked.length} keys\n`);
  if (status !== null) io.out(`status  ${statusText(status)}\n`);
  for (const member of data.members) {
    const text = `${member.role} priority ${member.priority}  ${member.addresses.join(',')}  ${member.fingerprint}`;
    io.out(`${member.host.padEnd(8)}${text}\n`);
    if (member.formerFingerprint !== undefined)
      io.out(`${' '.repeat(8)}its key is being exchanged; the former one: ${member.formerFingerprint}\n`);
  }
}

function statusText({ pushed, settled }: RosterStatus): string {
  if (pushed === null) return 'a draft: no version was given to a host yet';
  const upTo = settled === null ? 'none' : settled.version;
  return `version ${pushed.version} was given out, ${upTo} is known to be settled`;
}

/** Bytes as people compare them: two small letters or digits a byte. */
export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
