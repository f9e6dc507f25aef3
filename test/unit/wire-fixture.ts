/** A cluster's keys, roster and endpoints for tests, all from fixed seeds: the same bytes in every run. */
import { createHash } from 'node:crypto';
import { parseSocketAddress } from '../../src/trust/address.ts';
import { appendVersion, nextBody, type Roster, signRosterBody } from '../../src/trust/roster.ts';
import type { RosterBody } from '../../src/trust/roster-body.ts';
import { firstBody as emptyCluster } from '../../src/trust/roster-edit.ts';
import { identityFromSeed } from '../../src/wire/ed25519.ts';
import { Endpoint, type EndpointOptions, type Identity } from '../../src/wire/endpoint.ts';

/** A test key: never one to be used for anything else. */
export function testIdentity(label: string): Identity {
  return identityFromSeed(createHash('sha256').update(`test key ${label}`).digest());
}

export const admin = testIdentity('admin');

/** A stream of bytes that depends on the label alone. */
export function seededBytes(label: string): (length: number) => Uint8Array {
  let count = 0;
  return (length) => {
    const parts: Buffer[] = [];
    for (let have = 0; have < length; have += 32) {
      parts.push(createHash('sha256').update(`${label} ${count++}`).digest());
    }
    return Uint8Array.from(Buffer.concat(parts).subarray(0, length));
  };
}

export function memberBody(
  name: string,
  place: number,
  role: 'gateway' | 'witness' = 'gateway',
): RosterBody['members'][number] {
  const address = (text: string) => {
    const parsed = parseSocketAddress(text);
    if (parsed === null) throw new Error(text);
    return parsed;
  };
  return {
    name,
    publicKey: testIdentity(name).publicKey,
    oldKey: null,
    role,
    addresses: [address(`10.77.1.${10 + place}:7946`), address(`[fd00:77:1::${10 + place}]:7946`)],
    priority: 100 - place,
  };
}

export function firstBody(clusterName = 'dmz', recovery: Uint8Array | null = null): RosterBody {
  return emptyCluster(clusterName, admin.publicKey, seededBytes(`nonce ${clusterName}`)(16), recovery);
}

export function appended(current: Roster | null, body: RosterBody): Roster {
  const result = appendVersion(current, signRosterBody(body, admin), [admin.publicKey]);
  if (!result.ok) throw new Error(result.reason);
  return result.roster;
}

/** A roster of these gateways, then witnesses; each has an IPv4 and an IPv6 address, links 1 and 2. */
export function testRoster(
  gateways: readonly string[],
  witnesses: readonly string[] = [],
  clusterName = 'dmz',
): Roster {
  let roster = appended(null, firstBody(clusterName));
  [...gateways, ...witnesses].forEach((name, i) => {
    const member = memberBody(name, i + 1, witnesses.includes(name) ? 'witness' : 'gateway');
    roster = appended(roster, nextBody(roster, [...roster.members, member]));
  });
  return roster;
}

/** An endpoint of that member; `run` makes its session another one. */
export function testEndpoint(
  roster: Roster,
  self: string,
  options: Partial<EndpointOptions> & { run?: number } = {},
): Endpoint {
  const { run = 0, ...others } = options;
  return new Endpoint({
    nowMs: 1000,
    roster,
    self,
    identity: testIdentity(self),
    randomBytes: seededBytes(`${self} run ${run}`),
    intervalMs: 200,
    links: [1],
    ...others,
  });
}
