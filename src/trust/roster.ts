/**
 * The roster: who is a member. A roster file is a CBOR sequence (RFC 8742) of all versions, oldest first, each a
 * COSE_Sign1 by an admin key. The invariant: a `Roster` value exists only for a chain whose every version was
 * verified from the configured admin key on; whatever is wrong anywhere refuses the whole file.
 */
import { createHash } from 'node:crypto';
import type { Member } from '../core/basics.ts';
import { readSign1, rosterAad, sigStructure, writeSign1 } from '../wire/cose.ts';
import { type Identity, importVerifyKey, keyFault } from '../wire/ed25519.ts';
import { MEMBERS_MAX } from '../wire/limits.ts';
import type { SocketAddress } from './address.ts';
import { fingerprint, thumbprint } from './fingerprint.ts';
import { decodeRosterBody, encodeRosterBody, type RosterBody } from './roster-body.ts';

/** A member with what the wire needs: `addresses[n - 1]` is link n. */
export interface RosterMember extends Member {
  /** 32 bytes, admitted. */
  readonly publicKey: Uint8Array;
  /** 32 bytes: the thumbprint of `publicKey`. */
  readonly kid: Uint8Array;
  readonly addresses: readonly SocketAddress[];
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
  /** A majority is needed in each (R21). Edits before the roster is spread are settled at once: one set. */
  readonly voterSets: readonly (readonly string[])[];
  /** All versions' bytes, oldest first: what a file holds and what a host that was away is served. */
  readonly versions: readonly Uint8Array[];
}

/** Implementation: a longer file is refused before it is looked at. */
export const ROSTER_FILE_MAX_BYTES = 4 * 1024 * 1024;

export type RosterResult =
  | { readonly ok: true; readonly roster: Roster }
  /** `version` is the one at fault, counted from 1; null when the file as a whole is. */
  | { readonly ok: false; readonly version: number | null; readonly reason: string };

/** The newest version of a roster file, after every version was verified from `adminKey` (32 bytes) on. */
export function verifyRosterFile(file: Uint8Array, adminKey: Uint8Array): RosterResult {
  if (file.length > ROSTER_FILE_MAX_BYTES)
    return { ok: false, version: null, reason: 'longer than a roster can be' };
  const adminFault = keyFault(adminKey);
  if (adminFault !== null)
    return { ok: false, version: null, reason: `the admin key is not admitted (${adminFault})` };
  let roster: Roster | null = null;
  for (let at = 0; at < file.length; ) {
    const version: number = (roster?.version ?? 0) + 1;
    const envelope = readSign1(file, at);
    if (envelope === null) return { ok: false, version, reason: 'not a whole signed version' };
    const bytes = file.slice(at, envelope.end);
    const next: RosterResult = appendVersion(roster, bytes, roster?.admins ?? [adminKey]);
    if (!next.ok) return next;
    roster = next.roster;
    at = envelope.end;
  }
  return roster === null ? { ok: false, version: null, reason: 'empty' } : { ok: true, roster };
}

/** The admin key that a roster file's first version names, unproven; null when there is none to read. */
export function firstAdmin(file: Uint8Array): Uint8Array | null {
  const envelope = readSign1(file);
  const decoded = envelope === null ? null : decodeRosterBody(envelope.payload);
  return decoded?.ok === true ? (decoded.body.admins[0] ?? null) : null;
}

/**
 * The roster after one more version, or why that version is refused; `current` is left as it is either way.
 * `signers`: the public keys that may sign it.
 */
export function appendVersion(
  current: Roster | null,
  bytes: Uint8Array,
  signers: readonly Uint8Array[],
): RosterResult {
  const version = (current?.version ?? 0) + 1;
  const refuse = (reason: string): RosterResult => ({ ok: false, version, reason });
  const envelope = readSign1(bytes);
  if (envelope === null || envelope.end !== bytes.length) return refuse('not one signed version');
  const signer = signers.find((key) => Buffer.compare(thumbprint(key), envelope.kid) === 0);
  if (signer === undefined) return refuse('not signed by the admin key');
  const signed = sigStructure(envelope.protectedBytes, rosterAad(), envelope.payload);
  if (!importVerifyKey(signer).verify(signed, envelope.signature))
    return refuse('the signature does not hold');
  const decoded = decodeRosterBody(envelope.payload);
  if (!decoded.ok) return refuse(decoded.reason);
  const wrong = chainFault(current, decoded.body, version, signer) ?? bodyFault(current, decoded.body);
  if (wrong !== null) return refuse(wrong);
  const hash = sha256(bytes);
  return {
    ok: true,
    roster: {
      clusterName: decoded.body.clusterName,
      clusterId: current?.clusterId ?? hash,
      version,
      hash,
      admins: decoded.body.admins,
      members: decoded.body.members.map((member) => ({ ...member, kid: thumbprint(member.publicKey) })),
      voterSets: [decoded.body.members.map((member) => member.name)],
      versions: [...(current?.versions ?? []), bytes],
    },
  };
}

/** The body of the version after `roster`, with these members. */
export function nextBody(roster: Roster, members: RosterBody['members']): RosterBody {
  return {
    version: roster.version + 1,
    previousHash: roster.hash,
    clusterName: roster.clusterName,
    admins: roster.admins,
    members,
    previousVoters: roster.members.map((member) => member.name),
    nonce: null,
  };
}

/** A version signed by an admin: what `appendVersion` takes. Judges nothing: append it to see whether it may stand. */
export function signRosterBody(body: RosterBody, admin: Identity): Uint8Array {
  return writeSign1(thumbprint(admin.publicKey), rosterAad(), encodeRosterBody(body), admin.sign);
}

/** Why a version does not follow the one before; null when it does. */
function chainFault(
  current: Roster | null,
  body: RosterBody,
  version: number,
  signer: Uint8Array,
): string | null {
  if (body.version !== version) return `says that it is version ${body.version}`;
  if (current === null) {
    if (body.nonce === null || body.previousHash !== null) return 'is no first version';
    if (!body.admins.some((key) => Buffer.compare(key, signer) === 0))
      return 'does not name the key that signed it';
    return body.previousVoters.length === 0 ? null : 'names voters of a version before the first';
  }
  if (body.nonce !== null || body.previousHash === null) return 'is a first version';
  if (Buffer.compare(body.previousHash, current.hash) !== 0) return 'does not name the version before it';
  if (body.clusterName !== current.clusterName) return 'renames the cluster';
  if (!sameKeys(body.admins, current.admins))
    return 'changes the admin keys, which this version of portcullis does not support';
  const before = current.members.map((member) => member.name);
  if (before.join() !== body.previousVoters.join())
    return 'names other former voters than the version before it has';
  const names = body.members.map((member) => member.name);
  const changed =
    names.filter((name) => !before.includes(name)).length +
    before.filter((name) => !names.includes(name)).length;
  return changed > 1 ? 'adds or removes more than one member' : null;
}

/** Why a version is impossible by itself; null when it is not. */
function bodyFault(current: Roster | null, body: RosterBody): string | null {
  if (body.members.length > MEMBERS_MAX) return `has more than ${MEMBERS_MAX} members`;
  const keys = [...body.admins, ...body.members.map((member) => member.publicKey)];
  const admitted = new Set((current?.members ?? []).map((member) => fingerprint(member.publicKey)));
  for (const key of keys) {
    // A key that the version before holds was judged there; the judgement costs a millisecond.
    if (admitted.has(fingerprint(key))) continue;
    const fault = keyFault(key);
    if (fault !== null) return `holds a public key that is not admitted (${fault})`;
  }
  const twice = (texts: readonly string[]) => texts.find((text, i) => texts.indexOf(text) !== i);
  const name = twice(body.members.map((member) => member.name));
  if (name !== undefined) return `has two members named ${name}`;
  const print = twice(keys.map(fingerprint));
  if (print !== undefined) return `has the key ${print} twice`;
  const address = twice(
    body.members.flatMap((member) => member.addresses.map((a) => `${a.ip} port ${a.port}`)),
  );
  return address === undefined ? null : `has the address ${address} twice`;
}

function sameKeys(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  return a.length === b.length && a.every((key, i) => Buffer.compare(key, b[i] ?? new Uint8Array()) === 0);
}

function sha256(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash('sha256').update(bytes).digest());
}
