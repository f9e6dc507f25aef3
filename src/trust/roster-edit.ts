/**
 * What an admin may change, one function a change: each gives the body of the next version, to be signed
 * (`signRosterBody`) and judged (`appendVersion`). Pure. What cannot be meant ends in an OperatorError.
 *
 * `settled`: the highest version that is known settled, as `settledForEdit` (roster-status.ts) tells it; the own
 * number of the new version means: settled at once.
 */
import type { HostName, Role } from '../core/basics.ts';
import { sameBytes } from '../wire/bytes.ts';
import type { SocketAddress } from './address.ts';
import { OperatorError } from './errors.ts';
import { thumbprint } from './fingerprint.ts';
import { nextBody, type Roster } from './roster.ts';
import { type MemberBody, REVOKED_MAX, type RosterBody } from './roster-body.ts';
import { adminProofBytes, bodyAfter } from './roster-rules.ts';

/** A cluster without members. `nonce`: 16 random bytes, so that no two clusters have the same id. */
export function firstBody(
  clusterName: string,
  admin: Uint8Array,
  nonce: Uint8Array,
  recovery: Uint8Array | null = null,
): RosterBody {
  return {
    version: 1,
    previousHash: null,
    clusterName,
    admins: [admin],
    members: [],
    previousVoters: [],
    nonce,
    floor: 1,
    recovery,
    settled: 1,
    revoked: [],
    adminProof: null,
  };
}

export function addMember(roster: Roster, member: Omit<MemberBody, 'oldKey'>, settled: number): RosterBody {
  if (roster.members.some(({ name }) => name === member.name))
    throw new OperatorError(
      `${member.name} is a member already`,
      'change it with: portcullis cluster set, or rekey',
    );
  return nextBody(roster, [...roster.body.members, { ...member, oldKey: null }], settled);
}

/** A host that leaves in peace: its key may come back later. */
export function removeMember(roster: Roster, host: HostName, settled: number): RosterBody {
  memberOf(roster, host);
  return nextBody(
    roster,
    roster.body.members.filter(({ name }) => name !== host),
    settled,
  );
}

/** A host whose key is lost or stolen: it is removed, and its keys are nobody's for good. */
export function revokeMember(roster: Roster, host: HostName, settled: number): RosterBody {
  const { publicKey, oldKey } = memberOf(roster, host);
  const body = removeMember(roster, host, settled);
  return revoking(body, oldKey === null ? [publicKey] : [publicKey, oldKey]);
}

/** Begins to exchange a host's key: until `dropOldKey` both are its own, and it has one vote. */
export function rekeyMember(roster: Roster, host: HostName, newKey: Uint8Array, settled: number): RosterBody {
  const { publicKey, oldKey } = memberOf(roster, host);
  if (oldKey !== null)
    throw new OperatorError(
      `the key of ${host} is being exchanged already`,
      `end that first: portcullis cluster rekey ${host} --drop-old`,
    );
  if (sameBytes(publicKey, newKey))
    throw new OperatorError(`${host} has that key already`, 'give the new public key');
  return withMember(roster, host, { publicKey: newKey, oldKey: publicKey }, settled);
}

/** Ends the exchange: the former key is revoked. The host must be running with the new one by now. */
export function dropOldKey(roster: Roster, host: HostName, settled: number): RosterBody {
  const { oldKey } = memberOf(roster, host);
  if (oldKey === null)
    throw new OperatorError(
      `no key of ${host} is being exchanged`,
      `begin with: portcullis cluster rekey ${host} --key NEW.pub`,
    );
  return revoking(withMember(roster, host, { oldKey: null }, settled), [oldKey]);
}

/** What of a member may change without a change of its keys. */
export interface MemberChange {
  readonly addresses?: readonly SocketAddress[];
  readonly role?: Role;
  readonly priority?: number;
}

export function changeMember(
  roster: Roster,
  host: HostName,
  change: MemberChange,
  settled: number,
): RosterBody {
  memberOf(roster, host);
  return withMember(roster, host, change, settled);
}

/**
 * Another admin key. `proof`: signs `adminProofBytes` with the new key. Signed by the present admin key, or by the
 * recovery key, which may sign nothing else.
 */
export function rotateAdmin(
  roster: Roster,
  newAdmin: Uint8Array,
  proof: (toBeSigned: Uint8Array) => Uint8Array,
): RosterBody {
  if (roster.admins.some((key) => sameBytes(key, newAdmin)))
    throw new OperatorError('that is the admin key already', 'give the new key');
  // No voter changes: nothing new is to be settled, and the recovery key may not say so.
  const body = { ...bodyAfter(roster), admins: [newAdmin] };
  return { ...body, adminProof: proof(adminProofBytes(roster.clusterId, body)) };
}

/** Another recovery key; null: none from now on. */
export function changeRecovery(roster: Roster, recovery: Uint8Array | null): RosterBody {
  return { ...bodyAfter(roster), recovery };
}

/** The lowest protocol number that may take part from this version on. */
export function setFloor(roster: Roster, floor: number): RosterBody {
  return { ...bodyAfter(roster), floor };
}

function memberOf(roster: Roster, host: HostName): MemberBody {
  const member = roster.body.members.find(({ name }) => name === host);
  if (member !== undefined) return member;
  const names = roster.members.map(({ name }) => name).join(', ');
  throw new OperatorError(
    `no host ${host} in the roster`,
    names === '' ? 'it has no members' : `it has ${names}`,
  );
}

function withMember(
  roster: Roster,
  host: HostName,
  change: Partial<MemberBody>,
  settled: number,
): RosterBody {
  const members = roster.body.members.map((member) =>
    member.name === host ? { ...member, ...change } : member,
  );
  return nextBody(roster, members, settled);
}

function revoking(body: RosterBody, keys: readonly Uint8Array[]): RosterBody {
  const fresh = keys.map(thumbprint).filter((kid) => !body.revoked.some((old) => sameBytes(old, kid)));
  const revoked = [...body.revoked, ...fresh];
  if (revoked.length <= REVOKED_MAX) return { ...body, revoked };
  throw new OperatorError(
    `the list of revoked keys is full (${REVOKED_MAX})`,
    'make a new cluster: its roster begins empty',
  );
}
