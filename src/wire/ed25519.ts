/**
 * The one file that touches Ed25519. noble makes keys and judges whether a public key may be admitted; node:crypto
 * signs (0.05 ms against noble's 1 ms) and is the one verifier: noble accepts signatures that OpenSSL refuses, and
 * two hosts must never disagree on one. Also the X25519 keys that the gate derives from the same secrets.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { getPublicKey, hashes, Point } from '@noble/ed25519';
import { sha512 } from '@noble/hashes/sha2.js';
import { hex } from './hex.ts';

hashes.sha512 = sha512;

export const PUBLIC_KEY_BYTES = 32;
export const SEED_BYTES = 32;

/** A host's own secret, as the wire uses it. A signer outside this process can stand behind it. */
export interface Identity {
  readonly publicKey: Uint8Array;
  /** Ed25519 (RFC 8032, 5.1.6): 64 bytes. */
  sign(message: Uint8Array): Uint8Array;
  /** X25519 (RFC 7748) with the Montgomery form of a peer's admitted Ed25519 key: 32 bytes. */
  agree(peerPublicKey: Uint8Array): Uint8Array;
}

/** A member's or an admin's public key, admitted, ready to judge signatures. */
export interface VerifyKey {
  readonly bytes: Uint8Array;
  verify(message: Uint8Array, signature: Uint8Array): boolean;
}

/** Why a public key is not admitted. A key of small or mixed order makes signatures that prove nothing. */
export type KeyFault = 'length' | 'not-a-point' | 'small-order' | 'mixed-order';

// DER heads of RFC 8410: PrivateKeyInfo version 0 and SubjectPublicKeyInfo, each followed by the 32 raw bytes.
const ED25519_PKCS8 = Uint8Array.from([
  0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20,
]);
const X25519_PKCS8 = Uint8Array.from([
  0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 0x22, 4, 0x20,
]);
const ED25519_SPKI = Uint8Array.from([0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0]);
const X25519_SPKI = Uint8Array.from([0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 3, 0x21, 0]);

/** Judging a key takes two milliseconds, and a chain of versions names the same few keys again and again. */
const JUDGED_MAX = 256;
const judged = new Map<string, KeyFault | null>();

/** Null when the key may be admitted: 32 bytes, canonical, on the curve, in the prime-order group. */
export function keyFault(publicKey: Uint8Array): KeyFault | null {
  if (publicKey.length !== PUBLIC_KEY_BYTES) return 'length';
  const name = hex(publicKey);
  const known = judged.get(name);
  if (known !== undefined) return known;
  const fault = pointFault(publicKey);
  if (judged.size >= JUDGED_MAX) judged.clear();
  judged.set(name, fault);
  return fault;
}

function pointFault(publicKey: Uint8Array): KeyFault | null {
  let point: Point;
  try {
    point = Point.fromBytes(publicKey, false); // strict: refuses y >= p
  } catch {
    return 'not-a-point'; // noble tells it by throwing; which of its reasons does not matter to anybody
  }
  if (point.isSmallOrder()) return 'small-order';
  return point.isTorsionFree() ? null : 'mixed-order';
}

/** An admitted key that judges signatures; throws RangeError on a key that `keyFault` refuses. */
export function importVerifyKey(publicKey: Uint8Array): VerifyKey {
  const fault = keyFault(publicKey);
  if (fault !== null) throw new RangeError(`public key refused: ${fault}`);
  const bytes = Uint8Array.from(publicKey);
  const key = createPublicKey({ key: der(ED25519_SPKI, bytes), format: 'der', type: 'spki' });
  return {
    bytes,
    verify: (message, signature) => signature.length === 64 && verify(null, message, key, signature),
  };
}

/** The public key of a 32-byte seed. */
export function publicKeyOf(seed: Uint8Array): Uint8Array {
  return Uint8Array.from(getPublicKey(seed));
}

/** node:crypto's form of a seed, as key files hold it (PKCS#8). */
export function privateKeyObject(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: der(ED25519_PKCS8, seed), format: 'der', type: 'pkcs8' });
}

/** An identity from the 32-byte seed of RFC 8032, which is not kept beside the two key objects made of it. */
export function identityFromSeed(seed: Uint8Array): Identity {
  if (seed.length !== SEED_BYTES) throw new RangeError('a seed has 32 bytes');
  const signing = privateKeyObject(seed);
  // The Ed25519 scalar is the first half of SHA-512(seed); X25519 clamps it in the same way (RFC 8032, 5.1.5).
  const digest = createHash('sha512').update(seed).digest();
  const agreement = createPrivateKey({
    key: der(X25519_PKCS8, digest.subarray(0, 32)),
    format: 'der',
    type: 'pkcs8',
  });
  digest.fill(0);
  return {
    publicKey: publicKeyOf(seed),
    sign: (message) => Uint8Array.from(sign(null, message, signing)),
    agree: (peer) =>
      Uint8Array.from(
        diffieHellman({
          privateKey: agreement,
          publicKey: createPublicKey({ key: der(X25519_SPKI, toX25519(peer)), format: 'der', type: 'spki' }),
        }),
      ),
  };
}

/** The Montgomery u of an Edwards point: u = (1 + y) / (1 - y) (RFC 7748, 4.1), little-endian. */
export function toX25519(publicKey: Uint8Array): Uint8Array {
  const { p } = Point.CURVE();
  const { y } = Point.fromBytes(publicKey, false).toAffine();
  let u = modulo((1n + y) * power(modulo(1n - y, p), p - 2n, p), p);
  const out = new Uint8Array(32);
  for (let i = 0; i < 32; i++, u >>= 8n) out[i] = Number(u & 255n);
  return out;
}

function modulo(a: bigint, p: bigint): bigint {
  return ((a % p) + p) % p;
}

/** Only ever of public values: it is not constant in time. */
function power(base: bigint, exponent: bigint, p: bigint): bigint {
  let result = 1n;
  for (let b = base, e = exponent; e > 0n; e >>= 1n, b = (b * b) % p) if (e & 1n) result = (result * b) % p;
  return result;
}

function der(head: Uint8Array, body: Uint8Array): Buffer {
  return Buffer.concat([head, body]);
}
