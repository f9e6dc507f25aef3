/**
 * Which version may follow which (spec/protocol.md, roster). Pure judgements, each a reason in words or null; the
 * reasons complete "version N ...".
 */
import { createHash } from 'node:crypto';
import { sameBytes } from '../wire/bytes.ts';
import { encodeCbor } from '../wire/cbor.ts';
import { importVerifyKey, keyFault } from '../wire/ed25519.ts';
import { MEMBERS_MAX, PROTOCOL } from '../wire/limits.ts';
import { fingerprint, thumbprint } from './fingerprint.ts';
import type { Roster } from './roster.ts';
import { encodeRosterBody, type MemberBody, type RosterBody } from './roster-body.ts';

/**
 * What a new admin key signs: that it is held by somebody who wants it to be this cluster's from this version on, with
 * these members and this past. Of the version as a whole, since a thief of the former key could otherwise put the
 * proof into a version of his own, and a host that trusts the new key alone would take it.
 */
export function adminProofBytes(clusterId: Uint8Array, body: RosterBody): Uint8Array {
  const payload = encodeRosterBody({ ...body, adminProof: null });
  const hash = Uint8Array.from(createHash('sha256').update(payload).digest());
  return encodeCbor(['portcullis admin 1', clusterId, body.version, hash]);
}

/** The body of the next version with nothing changed but what every next version changes. */
export function bodyAfter(roster: Roster): RosterBody {
  return {
    ...roster.body,
    version: roster.version + 1,
    previousHash: roster.hash,
    previousVoters: roster.members.map((member) => member.name),
    nonce: null,
    adminProof: null,
  };
}

/** Why a version does not follow the one before; null when it does. */
export function chainFault(current: Roster | null, body: RosterBody, signer: Uint8Array): string | null {
  const version = (current?.version ?? 0) + 1;
  if (body.version !== version) return `says that it is version ${body.version}`;
  if (body.settled > version) return 'names a later version than itself as settled';
  if (current === null) return firstFault(body, signer);
  if (body.nonce !== null || body.previousHash === null) return 'is a first version';
  if (!sameBytes(body.previousHash, current.hash)) return 'does not name the version before it';
  if (body.clusterName !== current.clusterName) return 'renames the cluster';
  if (body.settled < current.body.settled) return 'takes back what was settled';
  const before = current.members.map((member) => member.name);
  if (before.join() !== body.previousVoters.join())
    return 'names other former voters than the version before it has';
  if (!isPrefix(current.body.revoked, body.revoked)) return 'takes a revocation back';
  return (
    adminFault(current, body) ??
    recoveryFault(current, body, signer) ??
    membersFault(current.body.members, body.members)
  );
}

function firstFault(body: RosterBody, signer: Uint8Array): string | null {
  if (body.nonce === null || body.previousHash !== null) return 'is no first version';
  if (!body.admins.some((key) => sameBytes(key, signer))) return 'does not name the key that signed it';
  if (body.adminProof !== null) return 'changes an admin key that was not there';
  return body.previousVoters.length === 0 ? null : 'names voters of a version before the first';
}

/** A new admin key must have said so itself, or a slip (or a thief) could give the cluster to nobody. */
function adminFault(current: Roster, body: RosterBody): string | null {
  const [key] = body.admins;
  if (key === undefined || sameKeys(body.admins, current.admins)) {
    return body.adminProof === null ? null : 'carries a new admin key’s signature, and has none';
  }
  if (body.adminProof === null || keyFault(key) !== null)
    return 'changes the admin key without its signature';
  const proven = adminProofBytes(current.clusterId, body);
  return importVerifyKey(key).verify(proven, body.adminProof)
    ? null
    : 'changes the admin key, whose signature does not hold';
}

/** The recovery key signs rotations, and nothing else. */
function recoveryFault(current: Roster, body: RosterBody, signer: Uint8Array): string | null {
  if (current.admins.some((key) => sameBytes(key, signer))) return null;
  if (body.adminProof === null) return 'is signed by the recovery key, which may only change the admin key';
  const { admins, adminProof } = body;
  const allowed = { ...bodyAfter(current), admins, adminProof };
  return sameBytes(encodeRosterBody(allowed), encodeRosterBody(body))
    ? null
    : 'is signed by the recovery key and changes more than the admin key';
}

function membersFault(before: readonly MemberBody[], after: readonly MemberBody[]): string | null {
  const added = after.filter((member) => !before.some((old) => old.name === member.name));
  const removed = before.filter((member) => !after.some((fresh) => fresh.name === member.name));
  if (added.length + removed.length > 1) return 'adds or removes more than one member';
  for (const member of added) {
    if (member.oldKey !== null) return `adds ${member.name} with a former key`;
  }
  for (const old of before) {
    const fresh = after.find((member) => member.name === old.name);
    if (fresh !== undefined && !mayFollow(old, fresh))
      return `changes the key of ${old.name} without an overlap`;
  }
  return null;
}

/** A key is exchanged in two steps, so that the host is understood all the time: both keys, then one of them. */
function mayFollow(old: MemberBody, fresh: MemberBody): boolean {
  const had = [old.publicKey, ...(old.oldKey === null ? [] : [old.oldKey])];
  if (fresh.oldKey === null) return had.some((key) => sameBytes(key, fresh.publicKey));
  if (old.oldKey === null) return sameBytes(fresh.oldKey, old.publicKey);
  return sameBytes(fresh.publicKey, old.publicKey) && sameBytes(fresh.oldKey, old.oldKey);
}

/** Why a version is impossible by itself; null when it is not. `before` was judged already. */
export function bodyFault(before: RosterBody | null, body: RosterBody): string | null {
  if (body.floor > PROTOCOL)
    return `needs protocol ${body.floor}, and this portcullis speaks ${PROTOCOL}: install a newer one first`;
  if (body.admins.length !== 1) return 'has more than one admin key, which is not supported yet';
  if (body.members.length > MEMBERS_MAX) return `has more than ${MEMBERS_MAX} members`;
  const keys = keysOf(body);
  const judged = new Set((before === null ? [] : keysOf(before)).map(fingerprint));
  for (const key of keys) {
    // A key that the version before holds was judged there; the judgement costs a millisecond.
    if (judged.has(fingerprint(key))) continue;
    const fault = keyFault(key);
    if (fault !== null) return `holds a public key that is not admitted (${fault})`;
  }
  const twice = (texts: readonly string[]) => texts.find((text, i) => texts.indexOf(text) !== i);
  const name = twice(body.members.map((member) => member.name));
  if (name !== undefined) return `has two members named ${name}`;
  const print = twice(keys.map(fingerprint));
  if (print !== undefined) return `has the key ${print} twice`;
  if (twice(body.revoked.map(hexOf)) !== undefined) return 'revokes a key twice';
  const revoked = new Set(body.revoked.map(hexOf));
  const dead = keys.find((key) => revoked.has(hexOf(thumbprint(key))));
  if (dead !== undefined) return `holds the key ${fingerprint(dead)}, which is revoked`;
  const address = twice(
    body.members.flatMap((member) => member.addresses.map((a) => `${a.ip} port ${a.port}`)),
  );
  return address === undefined ? null : `has the address ${address} twice`;
}

/** All public keys that a version gives a meaning. */
function keysOf(body: RosterBody): Uint8Array[] {
  const hosts = body.members.flatMap(({ publicKey, oldKey }) =>
    oldKey === null ? [publicKey] : [publicKey, oldKey],
  );
  return [...body.admins, ...(body.recovery === null ? [] : [body.recovery]), ...hosts];
}

function sameKeys(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  return a.length === b.length && isPrefix(a, b);
}

function isPrefix(front: readonly Uint8Array[], whole: readonly Uint8Array[]): boolean {
  return front.every((item, i) => sameBytes(item, whole[i] ?? new Uint8Array()));
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
