/**
 * The signed payload: seven or eight fields in a CBOR map. All but the seventh, and the short bodies of session messages, are read
 * by hand from scanned bytes, so that the CBOR library runs only behind the signature; other bodies are decoded after it.
 */
import { type CborValue, CborWriter, decodeCbor, encodeCbor, MAP } from './cbor.ts';
import { RunEnded } from './ended.ts';
import {
  HASH_BYTES,
  HEAD_MAX_BYTES,
  type Head,
  headValue,
  RUN_BYTES,
  type ShownHead,
  shownHeadValue,
} from './head.ts';
import { MARK_BYTES, NONCE_BYTES, ROSTER_HASH_BYTES, SEQ_LIMIT, SID_BYTES } from './limits.ts';
import type { Marked } from './marks.ts';
import { MESSAGES, SESSION_TYPES } from './messages.ts';
import { scanItem } from './scan.ts';

/** Payload fields 1 to 6, and 8. Field 9 and above are reserved. */
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
  /** The durable head of the sender's log, in STATUS and REPORT; absent or null: it shows none. */
  readonly head?: ShownHead | null;
}
/** Types that may show a head. */
const SHOWS_HEAD: ReadonlySet<number> = new Set([MESSAGES.STATUS.number, MESSAGES.REPORT.number]);

export function mayShowHead(type: number): boolean {
  return SHOWS_HEAD.has(type);
}

/** The roster that a message's sender has: its number, and the first 8 bytes of its hash. */
export interface ShownRoster {
  readonly version: number;
  readonly hash: Uint8Array;
}

export function shownIn(header: Header): ShownRoster {
  return { version: header.rosterVersion, hash: header.rosterHash };
}

/** A header as read, and where field 7 begins and ends in its payload. */
export interface ReadHeader extends Header {
  readonly head: ShownHead | null;
  readonly bodyAt: number;
  readonly bodyEnd: number;
}

/** Bytes of a payload without its records, at their longest, and the rest of the datagram without the payload. */
export const PAYLOAD_OVERHEAD_BYTES = 1 + 2 + 18 + 20 + 10 + 16 + 37 + 1 + 2 + HEAD_MAX_BYTES;
export const ENVELOPE_OVERHEAD_BYTES = 10 + 32 + 1 + 3 + 2 + 64;

/** A payload; `body` is field 7, encoded. Throws RunEnded when the number is the first one that a session may not use. */
export function encodePayload(header: Header, body: Uint8Array): Uint8Array {
  if (header.seq >= SEQ_LIMIT) throw new RunEnded('numbers');
  const { toSid, heard, head = null } = header;
  const writer = new CborWriter();
  writer.head(MAP, 6 + (toSid === null ? 0 : 1) + (head === null ? 0 : 1));
  for (const [key, value] of [
    [1, header.type],
    [2, header.sid],
    [3, [header.seq, header.mark]],
    [4, header.sentMs],
    [5, [header.rosterVersion, header.rosterHash]],
  ] as const) {
    writer.integer(key);
    writer.value(value);
  }
  if (toSid !== null) {
    writer.integer(6);
    writer.value(heard === null ? [toSid] : [toSid, heard.seq, heard.mark]);
  }
  writer.integer(7);
  writer.append(body);
  if (head !== null) {
    writer.integer(8);
    writer.value(shownHeadValue(head));
  }
  return writer.done();
}

/** Fields 1 to 6 and 8 of a payload that `scan` accepted; null when they are not as they must be. */
export function readHeader(payload: Uint8Array): ReadHeader | null {
  const reader = new Reader(payload);
  const entries = reader.head(5);
  if (entries < 6 || entries > 8) return null;
  const type = reader.field(1) ? reader.head(0) : -1;
  const sid = reader.field(2) ? reader.bytes(SID_BYTES) : null;
  const isMarked = reader.field(3) && reader.head(4) === 2;
  const seq = isMarked ? reader.head(0) : -1;
  const mark = isMarked ? reader.bytes(MARK_BYTES) : null;
  const sentMs = reader.field(4) ? reader.head(0) : -1;
  const isRoster = reader.field(5) && reader.head(4) === 2;
  const rosterVersion = isRoster ? reader.head(0) : -1;
  const rosterHash = isRoster ? reader.bytes(ROSTER_HASH_BYTES) : null;
  const parts = entries > 6 && reader.peek() === 6 && reader.field(6) ? reader.head(4) : 0;
  const toSid = parts === 1 || parts === 3 ? reader.bytes(SID_BYTES) : null;
  const heardSeq = parts === 3 ? reader.head(0) : 0;
  const heardMark = parts === 3 ? reader.bytes(MARK_BYTES) : null;
  if (type < 0 || sid === null || seq < 0 || seq >= SEQ_LIMIT || mark === null || sentMs < 0) return null;
  if (heardSeq < 0 || heardSeq >= SEQ_LIMIT || (parts === 3) !== (heardMark !== null)) return null;
  if (rosterVersion < 0 || rosterHash === null || (parts !== 0 && toSid === null) || !reader.field(7))
    return null;
  const heard = heardMark === null ? null : { seq: heardSeq, mark: heardMark };
  const bodyAt = reader.at;
  const hasHead = entries === 7 + (toSid === null ? 0 : 1);
  if (!hasHead && entries !== 6 + (toSid === null ? 0 : 1)) return null;
  const bodyEnd = hasHead ? scanItem(payload, bodyAt) : payload.length;
  if (typeof bodyEnd !== 'number') return null;
  const head = hasHead && SHOWS_HEAD.has(type) ? readHead(new Reader(payload, bodyEnd)) : null;
  if (hasHead && head === null) return null;
  return { type, sid, seq, mark, sentMs, rosterVersion, rosterHash, toSid, heard, head, bodyAt, bodyEnd };
}

/** Field 8, which ends the payload. */
function readHead(reader: Reader): ShownHead | null {
  if (!reader.field(8) || reader.head(4) !== 5) return null;
  const run = reader.bytes(RUN_BYTES);
  const n = reader.head(0);
  const hash = reader.bytes(HASH_BYTES);
  const [weighty, news] = [reader.head(0), reader.head(0)];
  if (run === null || hash === null || [n, weighty, news].some((at) => at < 0 || at >= SEQ_LIMIT))
    return null;
  return { run, n, hash, weighty, news };
}

/** Field 7 of a payload that `scan` accepted; undefined when its header is not as it must be. */
export function decodeBody(
  payload: Uint8Array,
  header: Pick<ReadHeader, 'bodyAt' | 'bodyEnd'> | null = readHeader(payload),
): CborValue | undefined {
  return header === null ? undefined : decodeCbor(payload.subarray(header.bodyAt, header.bodyEnd));
}

/** What a session message says. */
export type Handshake =
  /** "Who is there?"; unsigned in effect: nobody checks it. `isReply`: not to be answered. */
  | { readonly kind: 'bare-hello'; readonly isReply: boolean }
  | { readonly kind: 'hello'; readonly nonce: Uint8Array }
  | ({ readonly kind: 'challenge'; readonly nonce: Uint8Array; readonly echo: Uint8Array } & Held)
  | ({ readonly kind: 'welcome'; readonly echo: Uint8Array } & Held);

/** The newest durable head that the sender holds of the receiver's log: who lost entries learns it so. */
interface Held {
  readonly held?: Head | null;
}

/** Keys of the session messages' bodies. */
const BODY = { nonce: 1, echo: 2, reply: 3, held: 4 } as const;

export function handshakeType(handshake: Handshake): number {
  if (handshake.kind === 'challenge') return SESSION_TYPES.CHALLENGE;
  return handshake.kind === 'welcome' ? SESSION_TYPES.WELCOME : SESSION_TYPES.HELLO;
}

export function encodeHandshake(handshake: Handshake): Uint8Array {
  const map = new Map<number, CborValue>();
  if ('nonce' in handshake) map.set(BODY.nonce, handshake.nonce);
  if ('echo' in handshake) map.set(BODY.echo, handshake.echo);
  if (handshake.kind === 'bare-hello' && handshake.isReply) map.set(BODY.reply, true);
  if ('held' in handshake && handshake.held) map.set(BODY.held, headValue(handshake.held));
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
  const hasHeld = next(BODY.held);
  const held = hasHeld ? reader.held() : null;
  if (hasHeld && (held === null || echo === null)) return null;
  if (hasReply !== isReply || entries !== 0 || reader.at !== payload.length) return null;
  if (header.type === SESSION_TYPES.HELLO && echo === null) {
    if (nonce === null) return header.toSid === null ? { kind: 'bare-hello', isReply } : null;
    return isReply || header.toSid === null ? null : { kind: 'hello', nonce };
  }
  if (isReply || echo === null || header.toSid === null) return null;
  if (header.type === SESSION_TYPES.CHALLENGE && nonce !== null)
    return { kind: 'challenge', nonce, echo, held };
  return header.type === SESSION_TYPES.WELCOME && nonce === null ? { kind: 'welcome', echo, held } : null;
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

  /** A head of three parts; null when the next item is none. */
  held(): Head | null {
    if (this.head(4) !== 3) return null;
    const run = this.bytes(RUN_BYTES);
    const n = this.head(0);
    const hash = this.bytes(HASH_BYTES);
    return run === null || hash === null || n < 0 || n >= SEQ_LIMIT ? null : { run, n, hash };
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
