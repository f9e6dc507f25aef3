/** Ethernet frames of the cluster's datagrams, as an attacker reads, changes and makes them. Pure. */

import { readSign1, writeSign1 } from '../../src/wire/cose.ts';
import { addGate } from '../../src/wire/gate.ts';
import { encodePayload, type Header, readHeader } from '../../src/wire/payload.ts';
import { CLUSTER_PORT } from './topology.ts';

const ETHER = 14;
const GATE_BYTES = 16;
const SIGNATURE_BYTES = 64;

export interface ClusterFrame {
  readonly frame: Buffer;
  readonly from: string;
  readonly to: string;
  readonly payload: Buffer;
}

/** A whole IPv4 datagram to the cluster's port; null for all other frames. The UDP checksum is taken off. */
export function readFrame(bytes: Buffer): ClusterFrame | null {
  if (bytes.length < ETHER + 28 || bytes.readUInt16BE(12) !== 0x0800) return null;
  if (bytes[ETHER] !== 0x45 || bytes[ETHER + 9] !== 17) return null;
  if ((bytes.readUInt16BE(ETHER + 6) & 0x3fff) !== 0) return null;
  if (bytes.readUInt16BE(ETHER + 22) !== CLUSTER_PORT) return null;
  const frame = Buffer.from(bytes);
  // The kernel leaves it unfinished between virtual cards; zero means that there is none.
  frame.writeUInt16BE(0, ETHER + 26);
  return {
    frame,
    from: frame.subarray(ETHER + 12, ETHER + 16).join('.'),
    to: frame.subarray(ETHER + 16, ETHER + 20).join('.'),
    payload: frame.subarray(ETHER + 28),
  };
}

/** The same frame with another datagram in it. */
export function withPayload(old: Buffer, payload: Uint8Array): Buffer {
  const frame = Buffer.concat([old.subarray(0, ETHER + 28), payload]);
  frame.writeUInt16BE(28 + payload.length, ETHER + 2);
  frame.writeUInt16BE(8 + payload.length, ETHER + 24);
  return withChecksum(frame);
}

/** The same frame back to its sender: both kinds of addresses are exchanged. */
export function reflected(old: Buffer): Buffer {
  const frame = Buffer.from(old);
  old.copy(frame, 0, 6, 12);
  old.copy(frame, 6, 0, 6);
  old.copy(frame, ETHER + 12, ETHER + 16, ETHER + 20);
  old.copy(frame, ETHER + 16, ETHER + 12, ETHER + 16);
  return withChecksum(frame);
}

const BROADCAST = Buffer.alloc(6, 0xff);

/** The same frame between other addresses, to every card on the link: who has the address takes it. */
export function readdressed(old: Buffer, from: string, to: string): Buffer {
  const frame = Buffer.from(old);
  BROADCAST.copy(frame, 0);
  Buffer.from(from.split('.').map(Number)).copy(frame, ETHER + 12);
  Buffer.from(to.split('.').map(Number)).copy(frame, ETHER + 16);
  return withChecksum(frame);
}

/** The same datagram in two IP fragments; `id` tells the receiver which belong together. */
export function fragmented(old: Buffer, id: number): readonly [Buffer, Buffer] {
  // A fragment but the last has a multiple of eight bytes behind its header.
  const half = 8 * Math.ceil((old.length - ETHER - 20) / 16);
  const at = ETHER + 20 + half;
  const piece = (data: Buffer, flags: number): Buffer => {
    const frame = Buffer.concat([old.subarray(0, ETHER + 20), data]);
    frame.writeUInt16BE(20 + data.length, ETHER + 2);
    frame.writeUInt16BE(id & 0xffff, ETHER + 4);
    frame.writeUInt16BE(flags, ETHER + 6);
    return withChecksum(frame);
  };
  return [piece(old.subarray(ETHER + 20, at), 0x2000), piece(old.subarray(at), half / 8)];
}

function withChecksum(frame: Buffer): Buffer {
  frame.writeUInt16BE(0, ETHER + 10);
  let sum = 0;
  for (let at = ETHER; at < ETHER + 20; at += 2) sum += frame.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  frame.writeUInt16BE(~sum & 0xffff, ETHER + 10);
  return frame;
}

export interface Overheard {
  readonly kid: Uint8Array;
  readonly header: Header;
  readonly body: Uint8Array;
}

/** What is said in a datagram; signed, not secret. Null when it is none of the cluster's. */
export function overheard(payload: Uint8Array): Overheard | null {
  const sign1 = readSign1(payload, GATE_BYTES);
  const header = sign1 === null ? null : readHeader(sign1.payload);
  if (sign1 === null || header === null) return null;
  return { kid: sign1.kid, header, body: sign1.payload.subarray(header.bodyAt, header.bodyEnd) };
}

/**
 * The same words as a newer datagram of the same session: number and time moved on, a signature of zeros, and the gate of a
 * pair whose key is known; without a key the gate is zeros, too.
 */
export function forged(
  said: Overheard,
  change: { readonly seq: number; readonly sentMs: number },
  gateKey: Uint8Array | null,
): Uint8Array {
  const envelope = writeSign1(
    said.kid,
    new Uint8Array(),
    encodePayload({ ...said.header, ...change }, said.body),
    () => new Uint8Array(SIGNATURE_BYTES),
  );
  if (gateKey !== null) return addGate(gateKey, 1, envelope);
  return Buffer.concat([Buffer.alloc(GATE_BYTES), envelope]);
}
