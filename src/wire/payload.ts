/**
 * The signed payload: seven fields in a CBOR map. The first six, and the short bodies of session messages, are read
 * by hand from scanned bytes, so that the CBOR library runs only behind the signature; other bodies are decoded after it.
 */
import { ARRAY, type CborValue, CborWriter, decodeCbor, encodeCbor, MAP } from './cbor.ts';
import { RunEnded } from './ended.ts';
import { MARK_BYTES, NONCE_BYTES, ROSTER_HASH_BYTES, SEQ_LIMIT, SID_BYTES } from './limits.ts';
import type { Marked } from './marks.ts';
import { SESSION_TYPES } from './messages.ts';

/** Payload fields 1 to 6. Field 8 (durable head of the log) and above are reserved. */
export interface Header {
  readonly type: number;
  /** The sender's session, 16 bytes. */
  readonly sid: Uint8Array;
  /** Number within that session, over all links and receivers. */
  readonly seq: number;
  /** Its mark (marks.ts); 8 bytes. */
  readonly mark: Uint8Array;
  /** The sender's monotonic clock when it was made, whole milliseconds, cut down. */
  readonly sentMs: number;
  readonly rosterVersion: number;
  /** The first 8 bytes of that version's hash. */
  readonly rosterHash: Uint8Array;
  /** The receiver's session as the sender believes; null in what is to all, and in a bare HELLO. */
  readonly toSid: Uint8Array | null;
  /** The highest number of the session `toSid` that the sender has taken; null: none yet. */
  readonly heard: Marked | null;
}
/** The roster that a message's sender has: its number, and the first 8 bytes of its hash. */
export interface ShownRoster {
  readonly version: number;
  readonly hash: Uint8Array;
}

export function shownIn(header: Header): ShownRoster {
  return { version: header.rosterVersion, hash: header.rosterHash };
}

/** A header as read, and where field 7 begins in its payload. */
export interface ReadHeader extends Header {
  readonly bodyAt: number;
}

/** Bytes of a payload without its records, at their longest, and the rest of the datagram without the payload. */
export const PAYLOAD_OVERHEAD_BYTES = 1 + 2 + 18 + 20 + 10 + 16 + 37 + 1 + 2;
export const ENVELOPE_OVERHEAD_BYTES = 10 + 32 + 1 + 3 + 2 + 64;

/** A payload; `body` is field 7, encoded. Throws RunEnded when the number is the first one that a session may not use. */
export function encodePayload(header: Header, body: Uint8Array): Uint8Array {
  if (header.seq >= SEQ_LIMIT) throw new RunEnded('numbers');
  const { heard } = header;
  const writer = new CborWriter();
  writer.head(MAP, header.toSid === null ? 6 : 7);
  writer.integer(1);
  writer.integer(header.type);
  writer.integer(2);
  writer.byteString(header.sid);
  writer.integer(3);
  writer.head(ARRAY, 2);
  writer.integer(header.seq);
  writer.byteString(header.mark);
  writer.integer(4);
  writer.integer(header.sentMs);
  writer.integer(5);
  writer.head(ARRAY, 2);
  writer.integer(header.rosterVersion);
  writer.byteString(header.rosterHash);
  if (header.toSid !== null) {
    writer.integer(6);
    writer.head(ARRAY, heard === null ? 1 : 3);
    writer.byteString(header.toSid);
    if (heard !== null) {
      writer.integer(heard.seq);
      writer.byteString(heard.mark);
    }
  }
  writer.integer(7);
  writer.append(body);
  return writer.done();
}

/** Fields 1 to 6 of a payload that `scan` accepted; null when they are not as they must be. */
export function readHeader(payload: Uint8Array): ReadHeader | null {
  const reader = new Reader(payload);
  const entries = reader.head(5);
  if (entries !== 6 && entries !== 7) return null;
  const type = reader.field(1) ? reader.head(0) : -1;
  const sid = reader.field(2) ? reader.bytes(SID_BYTES) : null;
  const isMarked = reader.field(3) && reader.head(4) === 2;
  const seq = isMarked ? reader.head(0) : -1;
  const mark = isMarked ? reader.bytes(MARK_BYTES) : null;
  const sentMs = reader.field(4) ? reader.head(0) : -1;
  const isRoster = reader.field(5) && reader.head(4) === 2;
  const rosterVersion = isRoster ? reader.head(0) : -1;
  const rosterHash = isRoster ? reader.bytes(ROSTER_HASH_BYTES) : null;
  const parts = entries === 7 && reader.field(6) ? reader.head(4) : 0;
  const toSid = parts === 1 || parts === 3 ? reader.bytes(SID_BYTES) : null;
  const heardSeq = parts === 3 ? reader.head(0) : 0;
  const heardMark = parts === 3 ? reader.bytes(MARK_BYTES) : null;
  if (type < 0 || sid === null || seq < 0 || seq >= SEQ_LIMIT || mark === null || sentMs < 0) return null;
  if (heardSeq < 0 || heardSeq >= SEQ_LIMIT || (parts === 3) !== (heardMark !== null)) return null;
  if (rosterVersion < 0 || rosterHash === null || (entries === 7) !== (toSid !== null) || !reader.field(7))
    return null;
  const heard = heardMark === null ? null : { seq: heardSeq, mark: heardMark };
  return { type, sid, seq, mark, sentMs, rosterVersion, rosterHash, toSid, heard, bodyAt: reader.at };
}

/** Field 7 of a payload that `scan` accepted; undefined when its header is not as it must be. */
export function decodeBody(payload: Uint8Array, bodyAt = readHeader(payload)?.bodyAt): CborValue | undefined {
  return bodyAt === undefined ? undefined : decodeCbor(payload.subarray(bodyAt));
}

/** What a session message says. */
export type Handshake =
  /** "Who is there?"; unsigned in effect: nobody checks it. `isReply`: not to be answered. */
  | { readonly kind: 'bare-hello'; readonly isReply: boolean }
  | { readonly kind: 'hello'; readonly nonce: Uint8Array }
  | { readonly kind: 'challenge'; readonly nonce: Uint8Array; readonly echo: Uint8Array }
  | { readonly kind: 'welcome'; readonly echo: Uint8Array };

/** Keys of the session messages' bodies; key 4 (WELCOME: the last durable head held of the receiver) is reserved. */
const BODY = { nonce: 1, echo: 2, reply: 3 } as const;

export function handshakeType(handshake: Handshake): number {
  if (handshake.kind === 'challenge') return SESSION_TYPES.CHALLENGE;
  return handshake.kind === 'welcome' ? SESSION_TYPES.WELCOME : SESSION_TYPES.HELLO;
}

export function encodeHandshake(handshake: Handshake): Uint8Array {
  const map = new Map<number, CborValue>();
  if ('nonce' in handshake) map.set(BODY.nonce, handshake.nonce);
  if ('echo' in handshake) map.set(BODY.echo, handshake.echo);
  if (handshake.kind === 'bare-hello' && handshake.isReply) map.set(BODY.reply, true);
  return encodeCbor(map);
}

/** The session message in a payload whose header was read; null when the body is not exactly one of the four. */
export function readHandshake(header: ReadHeader, payload: Uint8Array): Handshake | null {
  const reader = new Reader(payload, header.bodyAt);
  let entries = reader.head(5);
  const next = (key: number): boolean =>
    entries > 0 && reader.peek() === key && reader.field(key) && entries-- > 0;
  const nonce = next(BODY.nonce) ? reader.bytes(NONCE_BYTES) : null;
  const echo = next(BODY.echo) ? reader.bytes(NONCE_BYTES) : null;
  const hasReply = next(BODY.reply);
  const isReply = hasReply && reader.isTrue();
  if (hasReply !== isReply || entries !== 0 || reader.at !== payload.length) return null;
  if (header.type === SESSION_TYPES.HELLO && echo === null) {
    if (nonce === null) return header.toSid === null ? { kind: 'bare-hello', isReply } : null;
    return isReply || header.toSid === null ? null : { kind: 'hello', nonce };
  }
  if (isReply || echo === null || header.toSid === null) return null;
  if (header.type === SESSION_TYPES.CHALLENGE && nonce !== null) return { kind: 'challenge', nonce, echo };
  return header.type === SESSION_TYPES.WELCOME && nonce === null ? { kind: 'welcome', echo } : null;
}

/** Walks over scanned bytes. Heads are known to be whole and shortest, so only their kind is looked at. */
class Reader {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get at(): number {
    return this.#at;
  }

  /** The next byte; for a small key, that key itself. */
  peek(): number {
    return this.#bytes[this.#at] ?? -1;
  }

  /** Whether the next item is `true`; it is passed over. */
  isTrue(): boolean {
    return this.#bytes[this.#at++] === 0xf5;
  }

  /** The argument of the next head when it is of that major type, else -1. */
  head(major: number): number {
    const first = this.#bytes[this.#at] ?? 0xff;
    if (first >> 5 !== major) return -1;
    this.#at++;
    const info = first & 31;
    if (info < 24) return info;
    let value = 0;
    for (let i = 0; i < 1 << (info - 24); i++) value = value * 256 + (this.#bytes[this.#at++] ?? 0);
    return value;
  }

  /** Whether the next item is that key; it is passed over. */
  field(key: number): boolean {
    return this.head(0) === key;
  }

  /** A copy of the next byte string when it has that length. */
  bytes(length: number): Uint8Array | null {
    if (this.head(2) !== length) return null;
    this.#at += length;
    return this.#bytes.slice(this.#at - length, this.#at);
  }
}
