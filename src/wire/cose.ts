/**
 * COSE_Sign1 (RFC 9052, 4.2 and 4.4) in the one form that this project writes and reads: tag 18, protected header
 * {1: -8 (EdDSA), 4: kid}, empty unprotected header, a payload within, a 64-byte signature. All heads are constant
 * but the payload's, so one compare tells the form and the kid lies at a fixed place. Anything else is refused.
 */
import { join } from './bytes.ts';
import { CborWriter, encodeCbor } from './cbor.ts';
import { KID_BYTES, SIGNATURE_BYTES } from './limits.ts';

/** Tag 18, array of 4, byte string of 38: {1: -8, 4: bytes of 32}; the kid follows. */
const PREFIX = Uint8Array.from([0xd2, 0x84, 0x58, 0x26, 0xa2, 0x01, 0x27, 0x04, 0x58, 0x20]);
const PROTECTED_AT = 4;
const PROTECTED_BYTES = 6 + KID_BYTES;
const KID_AT = PREFIX.length;
/** The empty unprotected header. */
const EMPTY_MAP = 0xa0;
const EMPTY_MAP_BYTES = Uint8Array.of(EMPTY_MAP);
const PAYLOAD_AT = KID_AT + KID_BYTES + 1;
/** The longest payload whose length fits the two-byte head that is accepted here. */
const PAYLOAD_MAX_BYTES = 65_535;

/** The parts of a COSE_Sign1; views of the bytes they were read from. */
export interface Sign1 {
  readonly kid: Uint8Array;
  /** The protected header's bytes as received: they are what was signed. */
  readonly protectedBytes: Uint8Array;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
  /** Where it ends; a datagram must end there, a file of several goes on. */
  readonly end: number;
}

/** Whether a COSE_Sign1 of this form may start at `at`: one compare, before anything else is done. */
export function hasPrefix(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < PREFIX.length; i++) if (bytes[at + i] !== PREFIX[i]) return false;
  return true;
}

/** The COSE_Sign1 that starts at `start`, or null when it is not of this form. Judges no signature. */
export function readSign1(bytes: Uint8Array, start = 0): Sign1 | null {
  if (!hasPrefix(bytes, start) || bytes[start + PAYLOAD_AT - 1] !== EMPTY_MAP) return null;
  const head = readByteHead(bytes, start + PAYLOAD_AT);
  if (head === null) return null;
  const signatureAt = head.at + head.length + 2;
  const end = signatureAt + SIGNATURE_BYTES;
  if (end > bytes.length || bytes[signatureAt - 2] !== 0x58 || bytes[signatureAt - 1] !== SIGNATURE_BYTES)
    return null;
  return {
    kid: bytes.subarray(start + KID_AT, start + KID_AT + KID_BYTES),
    protectedBytes: bytes.subarray(start + PROTECTED_AT, start + PROTECTED_AT + PROTECTED_BYTES),
    payload: bytes.subarray(head.at, head.at + head.length),
    signature: bytes.subarray(signatureAt, end),
    end,
  };
}

/** The whole COSE_Sign1. `sign` gets the bytes to be signed and answers with 64 bytes. */
export function writeSign1(
  kid: Uint8Array,
  externalAad: Uint8Array,
  payload: Uint8Array,
  sign: (toBeSigned: Uint8Array) => Uint8Array,
): Uint8Array {
  if (kid.length !== KID_BYTES) throw new RangeError('a kid has 32 bytes');
  if (payload.length > PAYLOAD_MAX_BYTES) throw new RangeError('payload too long');
  const protectedBytes = join([PREFIX.subarray(PROTECTED_AT), kid]);
  const signature = sign(sigStructure(protectedBytes, externalAad, payload));
  if (signature.length !== SIGNATURE_BYTES) throw new RangeError('a signature has 64 bytes');
  const writer = new CborWriter();
  writer.append(PREFIX);
  writer.append(kid);
  writer.append(EMPTY_MAP_BYTES);
  writer.byteString(payload);
  writer.byteString(signature);
  return writer.done();
}

const SIGNATURE1 = Uint8Array.from([0x84, 0x6a, ...new TextEncoder().encode('Signature1')]);

/** RFC 9052, 4.4: ["Signature1", protected, external_aad, payload], by concatenation. */
export function sigStructure(
  protectedBytes: Uint8Array,
  externalAad: Uint8Array,
  payload: Uint8Array,
): Uint8Array {
  const writer = new CborWriter();
  writer.append(SIGNATURE1);
  writer.byteString(protectedBytes);
  writer.byteString(externalAad);
  writer.byteString(payload);
  return writer.done();
}

/**
 * The external data of a cluster message (RFC 9052, 4.3): no signature is valid in another cluster, for another
 * receiver or in another role. `receiverKid` null: to all.
 */
export function messageAad(clusterId: Uint8Array, receiverKid: Uint8Array | null): Uint8Array {
  return encodeCbor(['portcullis msg 1', clusterId, receiverKid]);
}

/** The external data of a version of the roster. */
export function rosterAad(): Uint8Array {
  return encodeCbor(['portcullis roster 1']);
}

/** Reads the payload's head, in its shortest form only. */
function readByteHead(bytes: Uint8Array, at: number): { at: number; length: number } | null {
  const first = bytes[at] ?? 0;
  if (first >= 0x40 && first < 0x58) return { at: at + 1, length: first & 31 };
  if (first === 0x58) {
    const length = bytes[at + 1] ?? 0;
    return length >= 24 ? { at: at + 2, length } : null;
  }
  if (first !== 0x59) return null;
  const length = ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
  return length >= 2 ** 8 ? { at: at + 3, length } : null;
}
