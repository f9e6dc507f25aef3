/** What lets a simulated network run for long: signatures that cost next to nothing, and chances that come again. */
import { createHash } from 'node:crypto';
import { type Primitives, REAL_PRIMITIVES } from '../../src/wire/primitives.ts';

/** A keyed hash in place of signatures. */
export const CHEAP: Primitives = {
  ...REAL_PRIMITIVES,
  importVerifyKey: (bytes) => ({
    bytes,
    verify: (message, signature) => Buffer.compare(signature, cheapSignature(bytes, message)) === 0,
  }),
};

/** As good as a signature to whoever has no key. */
export function cheapSignature(publicKey: Uint8Array, message: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash('sha512').update(publicKey).update(message).digest());
}

/** mulberry32: uniform in [0, 1), the same for the same seed. */
export function chances(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
