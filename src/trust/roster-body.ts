/**
 * The payload of one version of the roster: a CBOR map with integer keys, to and from plain values. It judges form
 * only (types, ranges, no unknown keys); whether a version may follow another is roster.ts's business.
 */
import type { Member } from '../core/basics.ts';
import { type CborValue, decodeCbor, encodeCbor } from '../wire/cbor.ts';
import { ADDRESSES_MAX, MEMBERS_MAX } from '../wire/limits.ts';
import { isName } from '../wire/names.ts';
import { ipBytes, type SocketAddress, socketAddressOf } from './address.ts';

export interface RosterBody {
  readonly version: number;
  /** 32 bytes; null in the first version only. */
  readonly previousHash: Uint8Array | null;
  readonly clusterName: string;
  readonly admins: readonly Uint8Array[];
  readonly members: readonly (Member & {
    readonly publicKey: Uint8Array;
    readonly addresses: readonly SocketAddress[];
  })[];
  /** The names of the version before, in its order. */
  readonly previousVoters: readonly string[];
  /** 16 random bytes in the first version only: no two clusters have the same id. */
  readonly nonce: Uint8Array | null;
}

/** Payload keys. 8 (protocol floor), 9 (recovery key) and 10 (force mark) are reserved. */
const KEY = { version: 1, previous: 2, name: 3, admins: 4, members: 5, voters: 6, nonce: 7 } as const;
/** Keys of a member. */
const MEMBER = { name: 1, publicKey: 2, role: 3, addresses: 4, priority: 5 } as const;
const ROLES = ['gateway', 'witness'] as const;
const VERSION_MAX = 2 ** 32 - 1;
export const PRIORITY_MAX = 255;
const ADMINS_MAX = 4;

export function encodeRosterBody(body: RosterBody): Uint8Array {
  const map = new Map<number, CborValue>([
    [KEY.version, body.version],
    [KEY.name, body.clusterName],
    [KEY.admins, body.admins],
    [KEY.members, body.members.map(encodeMember)],
    [KEY.voters, body.previousVoters],
  ]);
  if (body.previousHash !== null) map.set(KEY.previous, body.previousHash);
  if (body.nonce !== null) map.set(KEY.nonce, body.nonce);
  return encodeCbor(map);
}

function encodeMember(member: RosterBody['members'][number]): CborValue {
  return new Map<number, CborValue>([
    [MEMBER.name, member.name],
    [MEMBER.publicKey, member.publicKey],
    [MEMBER.role, ROLES.indexOf(member.role)],
    [MEMBER.addresses, member.addresses.map((address) => [ipBytes(address), address.port])],
    [MEMBER.priority, member.priority],
  ]);
}

export type RosterBodyResult =
  | { readonly ok: true; readonly body: RosterBody }
  | { readonly ok: false; readonly reason: string };

/** Any bytes give a body or a reason. */
export function decodeRosterBody(payload: Uint8Array): RosterBodyResult {
  const map = asMap(decodeCbor(payload), Object.values(KEY));
  if (map === null) return { ok: false, reason: 'the payload is not a map of the known keys' };
  const version = uint(map.get(KEY.version), 1, VERSION_MAX);
  const clusterName = map.get(KEY.name);
  const admins = list(map.get(KEY.admins), 1, ADMINS_MAX, (value) => bytes(value, 32));
  const members = list(map.get(KEY.members), 0, MEMBERS_MAX, decodeMember);
  const previousVoters = list(map.get(KEY.voters), 0, MEMBERS_MAX, (value) => (isName(value) ? value : null));
  const previousHash = map.has(KEY.previous) ? bytes(map.get(KEY.previous), 32) : null;
  const nonce = map.has(KEY.nonce) ? bytes(map.get(KEY.nonce), 16) : null;
  if (version === null) return { ok: false, reason: 'the version number is wrong' };
  if (!isName(clusterName)) return { ok: false, reason: 'the cluster name is wrong' };
  if (admins === null) return { ok: false, reason: 'the list of admin keys is wrong' };
  if (members === null) return { ok: false, reason: 'the list of members is wrong' };
  if (previousVoters === null) return { ok: false, reason: 'the list of former voters is wrong' };
  if (map.has(KEY.previous) !== (previousHash !== null))
    return { ok: false, reason: 'the former hash is wrong' };
  if (map.has(KEY.nonce) !== (nonce !== null)) return { ok: false, reason: 'the nonce is wrong' };
  return { ok: true, body: { version, previousHash, clusterName, admins, members, previousVoters, nonce } };
}

function decodeMember(value: CborValue): RosterBody['members'][number] | null {
  const map = asMap(value, Object.values(MEMBER));
  if (map === null) return null;
  const name = map.get(MEMBER.name);
  const publicKey = bytes(map.get(MEMBER.publicKey), 32);
  const role = ROLES[uint(map.get(MEMBER.role), 0, ROLES.length - 1) ?? ROLES.length];
  const addresses = list(map.get(MEMBER.addresses), 1, ADDRESSES_MAX, decodeAddress);
  const priority = uint(map.get(MEMBER.priority), 0, PRIORITY_MAX);
  if (!isName(name) || publicKey === null || role === undefined || addresses === null || priority === null)
    return null;
  return { name, publicKey, role, addresses, priority };
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
