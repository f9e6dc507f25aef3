/** What the cluster commands print of a roster. */
import { formatSocketAddress } from '../trust/address.ts';
import { fingerprint } from '../trust/fingerprint.ts';
import type { Roster } from '../trust/roster.ts';
import type { KeyIo } from './key-io.ts';

/** Of that version of the roster everything but the keys themselves. */
export function describeRoster(roster: Roster) {
  return {
    cluster: roster.clusterName,
    id: hex(roster.clusterId),
    version: roster.version,
    hash: hex(roster.hash),
    admins: roster.admins.map(fingerprint),
    members: roster.members.map((member) => ({
      host: member.name,
      role: member.role,
      priority: member.priority,
      addresses: member.addresses.map(formatSocketAddress),
      fingerprint: fingerprint(member.publicKey),
    })),
  };
}

export function printRoster(io: KeyIo, roster: Roster, json: boolean): void {
  const data = describeRoster(roster);
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

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
