/**
 * Stand-ins for signatures and gates that cost a microsecond: a keyed hash of 64 bits. Whoever has no key of the
 * simulated cluster (the attacker) cannot make one, short of luck; that is all that the simulator needs of them.
 * One seed in a hundred runs with the real ones.
 */
import { createHash } from 'node:crypto';
import type { Roster } from '../../src/trust/roster.ts';
import { importVerifyKey, type VerifyKey } from '../../src/wire/ed25519.ts';
import type { Identity } from '../../src/wire/endpoint.ts';
import { type GateKey, gateKey } from '../../src/wire/gate.ts';
import { GATE_BYTES, SIGNATURE_BYTES } from '../../src/wire/limits.ts';
import { type Primitives, REAL_PRIMITIVES } from '../../src/wire/primitives.ts';
import { testIdentity, testRoster } from '../unit/wire-fixture.ts';

/** Two 32-bit hashes over the key and the bytes, four at a time, spread over `length` bytes. */
function keyedHash(key: Uint8Array, extra: number, bytes: Uint8Array, length: number): Uint8Array {
  let a = 0x9e3779b9 ^ extra;
  let b = 0x85ebca6b ^ bytes.length;
  for (const part of [key, bytes]) {
    const last = part.length - (part.length % 4);
    for (let i = 0; i < last; i += 4) {
      const word =
        (part[i] as number) |
        ((part[i + 1] as number) << 8) |
        ((part[i + 2] as number) << 16) |
        ((part[i + 3] as number) << 24);
      a = Math.imul(a ^ word, 0x85ebca6b);
      b = Math.imul(b ^ (a >>> 15) ^ word, 0xc2b2ae35);
      a ^= b >>> 13;
    }
    for (let i = last; i < part.length; i++) {
      a = Math.imul(a ^ (part[i] as number), 0x01000193);
      b = Math.imul(b ^ (a >>> 15) ^ (part[i] as number), 0x5bd1e995);
    }
  }
  const out = new Uint8Array(length);
  for (let i = 0; i < length; i += 8) {
    a = Math.imul(a ^ (b >>> 16), 0x85ebca6b);
    b = Math.imul(b ^ (a >>> 13), 0xc2b2ae35);
    out[i] = a;
    out[i + 1] = a >>> 8;
    out[i + 2] = a >>> 16;
    out[i + 3] = a >>> 24;
    out[i + 4] = b;
    out[i + 5] = b >>> 8;
    out[i + 6] = b >>> 16;
    out[i + 7] = b >>> 24;
  }
  return out;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Gate keys hang on the pair of hosts alone: made once a process, not at each start of a daemon. */
function rememberingGateKey(): GateKey {
  const keys = new Map<string, Uint8Array>();
  return (shared, clusterId, senderKid, receiverKid) =>
    remembered(keys, `${hexOf(senderKid)} ${hexOf(receiverKid)}`, () =>
      gateKey(shared, clusterId, senderKid, receiverKid),
    );
}

export const CHEAP_PRIMITIVES: Primitives = {
  importVerifyKey: (publicKey): VerifyKey => ({
    bytes: publicKey,
    verify: (message, signature) => equal(signature, keyedHash(publicKey, 1, message, SIGNATURE_BYTES)),
  }),
  gateKey: rememberingGateKey(),
  gateTag: (key, link, envelope) => keyedHash(key, link + 2, envelope, GATE_BYTES),
};

/** The real primitives; public keys, of which a simulated cluster has few, are admitted once. */
const admitted = new Map<string, VerifyKey>();
const REMEMBERING_PRIMITIVES: Primitives = {
  importVerifyKey: (publicKey) => remembered(admitted, hexOf(publicKey), () => importVerifyKey(publicKey)),
  gateKey: rememberingGateKey(),
  gateTag: REAL_PRIMITIVES.gateTag,
};

export interface SimulatedCluster {
  readonly roster: Roster;
  readonly identities: ReadonlyMap<string, Identity>;
  readonly primitives: Primitives;
}

const clusters = new Map<string, SimulatedCluster>();

/** The roster and keys of `hosts` gateways and `witnesses` witnesses; made once a process. */
export function simulatedCluster(hosts: number, witnesses: number, real: boolean): SimulatedCluster {
  return remembered(clusters, `${hosts} ${witnesses} ${real}`, () => {
    const gateways = Array.from({ length: hosts }, (_, i) => `fw${i + 1}`);
    const voters = Array.from({ length: witnesses }, (_, i) => `w${i + 1}`);
    const roster = testRoster(gateways, voters);
    const identities = new Map([...gateways, ...voters].map((name) => [name, simulatedIdentity(name, real)]));
    return { roster, identities, primitives: real ? REMEMBERING_PRIMITIVES : CHEAP_PRIMITIVES };
  });
}

/** The key of that name. */
export function simulatedIdentity(name: string, real: boolean): Identity {
  const { publicKey, sign, agree } = testIdentity(name);
  const secrets = new Map<string, Uint8Array>();
  return {
    publicKey,
    sign: real ? sign : (message) => keyedHash(publicKey, 1, message, SIGNATURE_BYTES),
    // A fresh copy each time: the caller wipes it.
    agree: (peer) =>
      remembered(secrets, hexOf(peer), () => (real ? agree(peer) : cheapAgreement(publicKey, peer))).slice(),
  };
}

/** The same for both sides, as X25519 is. */
function cheapAgreement(a: Uint8Array, b: Uint8Array): Uint8Array {
  const pair = [hexOf(a), hexOf(b)].sort().join(' ');
  return Uint8Array.from(createHash('sha256').update(pair).digest());
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function remembered<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
