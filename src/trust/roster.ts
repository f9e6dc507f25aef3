/**
 * The roster: who is a member. A roster file is a CBOR sequence (RFC 8742) of all versions, oldest first, each a
 * COSE_Sign1 by an admin key. The invariant: a `Roster` value exists only for a chain whose every version was
 * verified from its first admin key on; whatever is wrong anywhere refuses the whole file.
 */
import { createHash } from 'node:crypto';
import type { HostName, Membership } from '../core/basics.ts';
import { sameBytes } from '../wire/bytes.ts';
import { readSign1, rosterAad, sigStructure, writeSign1 } from '../wire/cose.ts';
import { type Identity, importVerifyKey, keyFault } from '../wire/ed25519.ts';
import { ROSTER_VERSION_MAX_BYTES } from '../wire/limits.ts';
import { thumbprint } from './fingerprint.ts';
import { decodeRosterBody, encodeRosterBody, type MemberBody, type RosterBody } from './roster-body.ts';
import { bodyAfter, bodyFault, chainFault } from './roster-rules.ts';

/** A member with what the wire needs: `addresses[n - 1]` is link n. */
export interface RosterMember extends MemberBody {
  /** 32 bytes: the thumbprint of `publicKey`. */
  readonly kid: Uint8Array;
  /** The thumbprint of `oldKey`; null without one. */
  readonly oldKid: Uint8Array | null;
}

/** What stays known of each version of a chain. */
export interface VersionRecord {
  /** SHA-256 of its bytes; 32 bytes. */
  readonly hash: Uint8Array;
  /** The names of its members: all of them vote. */
  readonly voters: readonly HostName[];
  /** The highest version that its signer knew settled. */
  readonly settled: number;
  /** The public key that signed it. */
  readonly signer: Uint8Array;
}

export interface Roster {
  readonly clusterName: string;
  /** SHA-256 of the first version's bytes; 32 bytes. */
  readonly clusterId: Uint8Array;
  readonly version: number;
  /** SHA-256 of this version's bytes; 32 bytes. */
  readonly hash: Uint8Array;
  /** Public keys that may sign the next version. */
  readonly admins: readonly Uint8Array[];
  readonly members: readonly RosterMember[];
  /** A majority is needed in each (R21), as far as the roster alone tells what is settled. */
  readonly voterSets: readonly (readonly HostName[])[];
  /** All that this version says. */
  readonly body: RosterBody;
  /** One record a version, the oldest first. */
  readonly history: readonly VersionRecord[];
  /** All versions' bytes, oldest first: what a file holds and what a host that was away is served. */
  readonly versions: readonly Uint8Array[];
}

/** Implementation: a longer file is refused before it is looked at. */
export const ROSTER_FILE_MAX_BYTES = 4 * 1024 * 1024;

export type RosterResult =
  | { readonly ok: true; readonly roster: Roster }
  /** `version` is the one at fault, counted from 1; null when the file as a whole is. */
  | { readonly ok: false; readonly version: number | null; readonly reason: string };

/**
 * The newest version of a roster file, after every version was verified. `adminKey` (32 bytes) is the key that the
 * operator trusts: the one that signed the first version, or one that the admin key was changed to since (each new
 * admin key has signed the cluster's id).
 */
export function verifyRosterFile(file: Uint8Array, adminKey: Uint8Array): RosterResult {
  if (file.length > ROSTER_FILE_MAX_BYTES)
    return { ok: false, version: null, reason: 'longer than a roster can be' };
  const adminFault = keyFault(adminKey);
  if (adminFault !== null)
    return { ok: false, version: null, reason: `the admin key is not admitted (${adminFault})` };
  const first = firstAdmin(file) ?? adminKey;
  if (keyFault(first) !== null) return { ok: false, version: 1, reason: 'holds a key that is not admitted' };
  const envelopes = splitVersions(file);
  let roster: Roster | null = null;
  const trusted: boolean[] = [sameBytes(first, adminKey)];
  for (const [i, bytes] of envelopes.entries()) {
    if (bytes === null) return { ok: false, version: i + 1, reason: 'not a whole signed version' };
    const next: RosterResult = appendVersion(roster, bytes, [first]);
    if (!next.ok) return next;
    roster = next.roster;
    trusted.push(roster.admins.some((key) => sameBytes(key, adminKey)));
  }
  if (roster === null) return { ok: false, version: null, reason: 'empty' };
  if (!trusted.includes(true)) return { ok: false, version: 1, reason: 'not signed by the admin key' };
  return { ok: true, roster };
}

/** The versions in a sequence; null in the place of the first that is not whole, where it ends. */
export function splitVersions(file: Uint8Array): (Uint8Array | null)[] {
  const versions: (Uint8Array | null)[] = [];
  for (let at = 0; at < file.length; ) {
    const envelope = readSign1(file, at);
    versions.push(envelope === null ? null : Uint8Array.from(file.subarray(at, envelope.end)));
    if (envelope === null) break;
    at = envelope.end;
  }
  return versions;
}

/** The admin key that a roster file's first version names, unproven; null when there is none to read. */
export function firstAdmin(file: Uint8Array): Uint8Array | null {
  const envelope = readSign1(file);
  const decoded = envelope === null ? null : decodeRosterBody(envelope.payload);
  return decoded?.ok === true ? (decoded.body.admins[0] ?? null) : null;
}

/**
 * The roster after one more version, or why that version is refused; `current` is left as it is either way.
 * `firstSigners`: the public keys that may sign a first version. Who may sign a later one stands in the chain.
 */
export function appendVersion(
  current: Roster | null,
  bytes: Uint8Array,
  firstSigners: readonly Uint8Array[] = [],
): RosterResult {
  const version = (current?.version ?? 0) + 1;
  const refuse = (reason: string): RosterResult => ({ ok: false, version, reason });
  if (bytes.length > ROSTER_VERSION_MAX_BYTES) return refuse('longer than a version can be');
  const envelope = readSign1(bytes);
  if (envelope === null || envelope.end !== bytes.length) return refuse('not one signed version');
  const recovery = current?.body.recovery ?? null;
  const signers = [...(current?.admins ?? firstSigners), ...(recovery === null ? [] : [recovery])];
  const signer = signers.find((key) => sameBytes(thumbprint(key), envelope.kid));
  if (signer === undefined) return refuse('not signed by the admin key');
  const signed = sigStructure(envelope.protectedBytes, rosterAad(), envelope.payload);
  if (!importVerifyKey(signer).verify(signed, envelope.signature))
    return refuse('the signature does not hold');
  const decoded = decodeRosterBody(envelope.payload);
  if (!decoded.ok) return refuse(decoded.reason);
  const { body } = decoded;
  const wrong = chainFault(current, body, signer) ?? bodyFault(current?.body ?? null, body);
  if (wrong !== null) return refuse(wrong);
  const hash = versionHash(bytes);
  const record = { hash, voters: votersOf(body), settled: body.settled, signer };
  const history = [...(current?.history ?? []), record];
  return { ok: true, roster: rosterOf(body, history, [...(current?.versions ?? []), bytes]) };
}

/** SHA-256 of a version's bytes: what the next version names, and of which message headers show the first 8 bytes. */
export function versionHash(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash('sha256').update(bytes).digest());
}

/** That version of a chain as the roster that it was when it was the newest. */
export function rosterAt(roster: Roster, version: number): Roster | null {
  const bytes = roster.versions[version - 1];
  const decoded =
    bytes === undefined ? null : decodeRosterBody(readSign1(bytes)?.payload ?? new Uint8Array());
  if (decoded === null || !decoded.ok) return null;
  return rosterOf(decoded.body, roster.history.slice(0, version), roster.versions.slice(0, version));
}

function rosterOf(
  body: RosterBody,
  history: readonly VersionRecord[],
  versions: readonly Uint8Array[],
): Roster {
  const last = history[history.length - 1];
  const first = history[0];
  if (last === undefined || first === undefined) throw new RangeError('a roster has a version');
  const members = body.members.map((member) => ({
    ...member,
    kid: thumbprint(member.publicKey),
    oldKid: member.oldKey === null ? null : thumbprint(member.oldKey),
  }));
  const { clusterName, admins, version } = body;
  const names = { clusterName, clusterId: first.hash, version, hash: last.hash, admins, members };
  return { ...names, voterSets: setsSince(history, body.settled), body, history, versions };
}

/**
 * The distinct voter sets of all versions from the settled one to the newest: a claim and a renewal need a majority
 * in each (R21). `settledVersion`: what this host has seen settled; what the roster itself says counts as well.
 */
export function voterSets(roster: Roster, settledVersion: number): readonly (readonly HostName[])[] {
  return setsSince(roster.history, Math.max(settledVersion, roster.body.settled));
}

function setsSince(history: readonly VersionRecord[], settled: number): readonly (readonly HostName[])[] {
  const sets = new Map<string, readonly HostName[]>();
  // A version without members was never anybody's roster.
  for (const { voters } of history.slice(settled - 1)) {
    if (voters.length > 0) sets.set(voters.toSorted().join(), voters);
  }
  return [...sets.values()];
}

/** The roster as the core needs it, seen from one host. An empty `self` entry: this host is no member any more. */
export function membershipOf(roster: Roster, self: HostName, settledVersion = 0): Membership {
  const members = roster.members.map(({ name, role, priority }) => ({ name, role, priority }));
  return { self, version: roster.version, members, voterSets: voterSets(roster, settledVersion) };
}

/** The body of the next version with these members; settled at once unless told otherwise. */
export function nextBody(
  roster: Roster,
  members: RosterBody['members'],
  settled = roster.version + 1,
): RosterBody {
  return { ...bodyAfter(roster), members, settled: Math.max(settled, roster.body.settled) };
}

/** A version signed by an admin: what `appendVersion` takes. Judges nothing: append it to see whether it may stand. */
export function signRosterBody(body: RosterBody, admin: Pick<Identity, 'publicKey' | 'sign'>): Uint8Array {
  return writeSign1(thumbprint(admin.publicKey), rosterAad(), encodeRosterBody(body), admin.sign);
}

function votersOf(body: RosterBody): readonly HostName[] {
  return body.members.map((member) => member.name);
}
