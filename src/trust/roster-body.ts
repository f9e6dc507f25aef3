/**
 * The payload of one version of the roster: a CBOR map with integer keys, to and from plain values. It judges form
 * only (types, ranges, no unknown keys); whether a version may follow another is roster-rules.ts's business.
 */
import type { Member } from '../core/basics.ts';
import { type CborValue, decodeCbor, encodeCbor } from '../wire/cbor.ts';
import { ADDRESSES_MAX, MEMBERS_MAX } from '../wire/limits.ts';
import { isName } from '../wire/names.ts';
import { ipBytes, type SocketAddress, socketAddressOf } from './address.ts';

/** A member as a version of the roster has it. */
export interface MemberBody extends Member {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** While its key is being exchanged: the former key, which still counts as the host's own; else null. */
  readonly oldKey: Uint8Array | null;
  readonly addresses: readonly SocketAddress[];
}

export interface RosterBody {
  readonly version: number;
  /** 32 bytes; null in the first version only. */
  readonly previousHash: Uint8Array | null;
  readonly clusterName: string;
  /** Today exactly one; the list is there for several signers. */
  readonly admins: readonly Uint8Array[];
  readonly members: readonly MemberBody[];
  /** The names of the version before, in its order. */
  readonly previousVoters: readonly string[];
  /** 16 random bytes in the first version only: no two clusters have the same id. */
  readonly nonce: Uint8Array | null;
  /** The lowest protocol number that may take part; 1 or more. */
  readonly floor: number;
  /** 32 bytes: the key that may sign rotations of the admin key, and nothing else; null without one. */
  readonly recovery: Uint8Array | null;
  /** The highest version that the signer knows settled (R21); the own number: settled at once. */
  readonly settled: number;
  /** Key ids (32 bytes) that are in nobody's name any more, for good. */
  readonly revoked: readonly Uint8Array[];
  /** Where the admin key changes: the new key's signature, 64 bytes; else null. */
  readonly adminProof: Uint8Array | null;
}

/** Payload keys, appended and never used again. 13 (signatures of several admins) is reserved. */
const KEY = {
  version: 1,
  previous: 2,
  name: 3,
  admins: 4,
  members: 5,
  voters: 6,
  nonce: 7,
  floor: 8,
  recovery: 9,
  settled: 10,
  revoked: 11,
  adminProof: 12,
} as const;
/** Keys of a member. */
const MEMBER = { name: 1, publicKey: 2, role: 3, addresses: 4, priority: 5, oldKey: 6 } as const;
const ROLES = ['gateway', 'witness'] as const;
const VERSION_MAX = 2 ** 32 - 1;
export const PRIORITY_MAX = 255;
const ADMINS_MAX = 4;
/** Specification: key ids that a roster can revoke. */
export const REVOKED_MAX = 256;
const FLOOR_MAX = 2 ** 16 - 1;

export function encodeRosterBody(body: RosterBody): Uint8Array {
  const map = new Map<number, CborValue>([
    [KEY.version, body.version],
    [KEY.name, body.clusterName],
    [KEY.admins, body.admins],
    [KEY.members, body.members.map(encodeMember)],
    [KEY.voters, body.previousVoters],
    [KEY.settled, body.settled],
  ]);
  if (body.previousHash !== null) map.set(KEY.previous, body.previousHash);
  if (body.nonce !== null) map.set(KEY.nonce, body.nonce);
  if (body.floor > 1) map.set(KEY.floor, body.floor);
  if (body.recovery !== null) map.set(KEY.recovery, body.recovery);
  if (body.revoked.length > 0) map.set(KEY.revoked, body.revoked);
  if (body.adminProof !== null) map.set(KEY.adminProof, body.adminProof);
  return encodeCbor(map);
}

function encodeMember(member: MemberBody): CborValue {
  const map = new Map<number, CborValue>([
    [MEMBER.name, member.name],
    [MEMBER.publicKey, member.publicKey],
    [MEMBER.role, ROLES.indexOf(member.role)],
    [MEMBER.addresses, member.addresses.map((address) => [ipBytes(address), address.port])],
    [MEMBER.priority, member.priority],
  ]);
  if (member.oldKey !== null) map.set(MEMBER.oldKey, member.oldKey);
  return map;
}

export type RosterBodyResult =
  | { readonly ok: true; readonly body: RosterBody }
  | { readonly ok: false; readonly reason: string };

/** Any bytes give a body or a reason; a body has one form only, so that it gives these bytes again. */
export function decodeRosterBody(payload: Uint8Array): RosterBodyResult {
  const map = asMap(decodeCbor(payload), Object.values(KEY));
  if (map === null) return { ok: false, reason: 'the payload is not a map of the known keys' };
  const wrong = (what: string): RosterBodyResult => ({ ok: false, reason: `${what} is wrong` });
  /** null when the key is absent, undefined when it is there and wrong. */
  const optional = <T>(key: number, decode: (value: CborValue | undefined) => T | null) =>
    map.has(key) ? (decode(map.get(key)) ?? undefined) : null;
  const version = uint(map.get(KEY.version), 1, VERSION_MAX);
  if (version === null) return wrong('the version number');
  const clusterName = map.get(KEY.name);
  if (!isName(clusterName)) return wrong('the cluster name');
  const admins = list(map.get(KEY.admins), 1, ADMINS_MAX, (value) => bytes(value, 32));
  if (admins === null) return wrong('the list of admin keys');
  const members = list(map.get(KEY.members), 0, MEMBERS_MAX, decodeMember);
  if (members === null) return wrong('the list of members');
  const previousVoters = list(map.get(KEY.voters), 0, MEMBERS_MAX, (value) => (isName(value) ? value : null));
  if (previousVoters === null) return wrong('the list of former voters');
  const previousHash = optional(KEY.previous, (value) => bytes(value, 32));
  if (previousHash === undefined) return wrong('the former hash');
  const nonce = optional(KEY.nonce, (value) => bytes(value, 16));
  if (nonce === undefined) return wrong('the nonce');
  const floor = optional(KEY.floor, (value) => uint(value, 2, FLOOR_MAX));
  if (floor === undefined) return wrong('the protocol floor');
  const recovery = optional(KEY.recovery, (value) => bytes(value, 32));
  if (recovery === undefined) return wrong('the recovery key');
  const settled = uint(map.get(KEY.settled), 1, VERSION_MAX);
  if (settled === null) return wrong('the settled version');
  const revoked = optional(KEY.revoked, (value) => list(value, 1, REVOKED_MAX, (kid) => bytes(kid, 32)));
  if (revoked === undefined) return wrong('the list of revoked keys');
  const adminProof = optional(KEY.adminProof, (value) => bytes(value, 64));
  if (adminProof === undefined) return wrong('the new admin key’s signature');
  const body = { version, previousHash, clusterName, admins, members, previousVoters, nonce };
  const rest = { floor: floor ?? 1, recovery, settled, revoked: revoked ?? [], adminProof };
  return { ok: true, body: { ...body, ...rest } };
}

function decodeMember(value: CborValue): MemberBody | null {
  const map = asMap(value, Object.values(MEMBER));
  if (map === null) return null;
  const name = map.get(MEMBER.name);
  const publicKey = bytes(map.get(MEMBER.publicKey), 32);
  const oldKey = map.has(MEMBER.oldKey) ? bytes(map.get(MEMBER.oldKey), 32) : null;
  const role = ROLES[uint(map.get(MEMBER.role), 0, ROLES.length - 1) ?? ROLES.length];
  const addresses = list(map.get(MEMBER.addresses), 1, ADDRESSES_MAX, decodeAddress);
  const priority = uint(map.get(MEMBER.priority), 0, PRIORITY_MAX);
  if (!isName(name) || publicKey === null || role === undefined || addresses === null || priority === null)
    return null;
  if (map.has(MEMBER.oldKey) && oldKey === null) return null;
  return { name, publicKey, oldKey, role, addresses, priority };
}

function decodeAddress(value: CborValue): SocketAddress | null {
  if (!Array.isArray(value) || value.length !== 2) return null;
  const [ip, port] = value as readonly CborValue[];
  return ip instanceof Uint8Array && typeof port === 'number' ? socketAddressOf(ip, port) : null;
}

/** A map with no key beside `known`. */
function asMap(
  value: CborValue | undefined,
  known: readonly number[],
): ReadonlyMap<number, CborValue> | null {
  if (!(value instanceof Map)) return null;
  for (const key of value.keys()) if (!known.includes(key)) return null;
  return value;
}

function uint(value: CborValue | undefined, least: number, most: number): number | null {
  return typeof value === 'number' && value >= least && value <= most ? value : null;
}

function bytes(value: CborValue | undefined, length: number): Uint8Array | null {
  return value instanceof Uint8Array && value.length === length ? value : null;
}

function list<T>(
  value: CborValue | undefined,
  least: number,
  most: number,
  decode: (entry: CborValue) => T | null,
): readonly T[] | null {
  if (!Array.isArray(value) || value.length < least || value.length > most) return null;
  const out: T[] = [];
  for (const entry of value as readonly CborValue[]) {
    const decoded = decode(entry);
    if (decoded === null) return null;
    out.push(decoded);
  }
  return out;
}
