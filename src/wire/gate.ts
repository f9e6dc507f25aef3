/**
 * The gate: an HMAC in front of every datagram, under a key of that pair of hosts and that direction. It lets a
 * stranger's flood be refused before any CBOR is parsed, makes each flood that passes one member's, and binds the
 * link. It proves nothing to a third party: the signature behind it does. The keys need no further secret, so a
 * removed host's gate ends with its place in the roster.
 */
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { join } from './bytes.ts';
import { GATE_BYTES } from './limits.ts';

const INFO = new TextEncoder().encode('portcullis gate 1');

/** K(sender -> receiver): HKDF-SHA-256 (RFC 5869) of their X25519 secret, salted with the cluster id: 32 bytes. */
export function gateKey(
  shared: Uint8Array,
  clusterId: Uint8Array,
  senderKid: Uint8Array,
  receiverKid: Uint8Array,
): Uint8Array {
  const info = join([INFO, clusterId, senderKid, receiverKid]);
  return new Uint8Array(hkdfSync('sha256', shared, clusterId, info, 32));
}

export type GateKey = typeof gateKey;

/** 16 bytes that only a holder of `key` can make for `envelope` on `link`. */
export type GateTag = (key: Uint8Array, link: number, envelope: Uint8Array) => Uint8Array;

/** The datagram that carries `envelope` over `link`: HMAC-SHA-256(key, link || envelope) cut to 16 bytes, then it. */
export function addGate(
  key: Uint8Array,
  link: number,
  envelope: Uint8Array,
  tag: GateTag = hmacTag,
): Uint8Array {
  return join([tag(key, link, envelope), envelope]);
}

/** Whether the datagram's first 16 bytes are its gate; compared in constant time. */
export function gateHolds(
  key: Uint8Array,
  link: number,
  datagram: Uint8Array,
  tag: GateTag = hmacTag,
): boolean {
  if (datagram.length < GATE_BYTES) return false;
  return timingSafeEqual(tag(key, link, datagram.subarray(GATE_BYTES)), datagram.subarray(0, GATE_BYTES));
}

export function hmacTag(key: Uint8Array, link: number, envelope: Uint8Array): Uint8Array {
  return createHmac('sha256', key)
    .update(Uint8Array.of(link))
    .update(envelope)
    .digest()
    .subarray(0, GATE_BYTES);
}
