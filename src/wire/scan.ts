/**
 * One linear pass over bytes from outside, before the CBOR library sees any of them. It accepts exactly this
 * profile of deterministic CBOR (RFC 8949, section 4.2.1): integers within ±(2^53-1), byte strings, UTF-8 text,
 * arrays, maps with integer keys in ascending order, false, true and null; definite lengths, shortest heads, no
 * floats, no tags, bounded depth. It keeps the invariant that what it accepts decodes to one value and encodes
 * again to the same bytes.
 */
import { CBOR_DEPTH_MAX } from './limits.ts';

/** Why bytes are outside the profile. */
export type ScanFault =
  | 'truncated' // ends within an item, or announces more than there is
  | 'long-head' // a length or number not in its shortest form
  | 'indefinite'
  | 'reserved' // additional information 28 to 30
  | 'integer-range'
  | 'float'
  | 'simple'
  | 'tag'
  | 'utf8'
  | 'key-type'
  | 'key-order' // not ascending, or the same key twice
  | 'depth'
  | 'trailing';

/** What the pass carries along: the position, and the fault as soon as there is one. */
interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
  fault: ScanFault | null;
}

/** Null when `bytes` is exactly one item of the profile. */
export function scan(bytes: Uint8Array): ScanFault | null {
  const end = scanItem(bytes, 0);
  if (typeof end === 'string') return end;
  return end === bytes.length ? null : 'trailing';
}

/** The end of the item that starts at `start`, for sequences of items (RFC 8742), or why it is none. */
export function scanItem(bytes: Uint8Array, start: number): number | ScanFault {
  const cursor: Cursor = { bytes, at: start, fault: null };
  item(cursor, 0);
  return cursor.fault ?? cursor.at;
}

/** A head's argument: how many bytes follow, elements, or the number itself. -1 with `fault` set when it is refused. */
function argument(cursor: Cursor, info: number): number {
  const { bytes } = cursor;
  if (info < 24) return info;
  if (info > 27) return fail(cursor, info === 31 ? 'indefinite' : 'reserved');
  const width = 1 << (info - 24);
  if (cursor.at + width > bytes.length) return fail(cursor, 'truncated');
  let value = 0;
  // Beyond 2^53 this loses low bits, which is of no account: such a value is refused by its high ones.
  for (let i = 0; i < width; i++) value = value * 256 + (bytes[cursor.at + i] ?? 0);
  cursor.at += width;
  const least = info === 24 ? 24 : info === 25 ? 2 ** 8 : info === 26 ? 2 ** 16 : 2 ** 32;
  return value < least ? fail(cursor, 'long-head') : value;
}

function fail(cursor: Cursor, fault: ScanFault): -1 {
  cursor.fault = fault;
  return -1;
}

function item(cursor: Cursor, depth: number): void {
  const { bytes } = cursor;
  const first = bytes[cursor.at];
  if (first === undefined) return void fail(cursor, 'truncated');
  cursor.at++;
  const major = first >> 5;
  const info = first & 31;
  if (major === 7) return void special(cursor, info);
  if (major === 6) return void fail(cursor, 'tag');
  const value = argument(cursor, info);
  if (cursor.fault !== null) return;
  if (major <= 1) {
    // Major type 1 holds -1 - value.
    if (value > Number.MAX_SAFE_INTEGER - major) fail(cursor, 'integer-range');
    return;
  }
  // Every element and every byte takes at least one byte, so a larger promise is already broken.
  const least = major === 5 ? 2 * value : value;
  if (least > bytes.length - cursor.at) return void fail(cursor, 'truncated');
  if (major <= 3) {
    if (major === 3 && !isStrictText(bytes, cursor.at, value)) return void fail(cursor, 'utf8');
    cursor.at += value;
    return;
  }
  if (depth >= CBOR_DEPTH_MAX) return void fail(cursor, 'depth');
  if (major === 4) for (let i = 0; i < value && cursor.fault === null; i++) item(cursor, depth + 1);
  else entries(cursor, value, depth);
}

function special(cursor: Cursor, info: number): void {
  if (info >= 20 && info <= 22) return;
  if (info === 31) fail(cursor, 'indefinite');
  else if (info >= 25 && info <= 27) fail(cursor, 'float');
  else fail(cursor, info > 27 ? 'reserved' : 'simple');
}

/** A map's entries. With shortest heads, ascending bytes of the keys are: unsigned by value, then negative by size. */
function entries(cursor: Cursor, count: number, depth: number): void {
  let lastMajor = -1;
  let lastValue = -1;
  for (let i = 0; i < count; i++) {
    const first = cursor.bytes[cursor.at];
    if (first === undefined) return void fail(cursor, 'truncated');
    const major = first >> 5;
    if (major > 1) return void fail(cursor, 'key-type');
    cursor.at++;
    const value = argument(cursor, first & 31);
    if (cursor.fault !== null) return;
    if (value > Number.MAX_SAFE_INTEGER - major) return void fail(cursor, 'integer-range');
    if (major < lastMajor || (major === lastMajor && value <= lastValue))
      return void fail(cursor, 'key-order');
    lastMajor = major;
    lastValue = value;
    item(cursor, depth + 1);
    if (cursor.fault !== null) return;
  }
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Valid UTF-8 without a byte order mark in front: decoders disagree on whether they keep that. */
function isStrictText(bytes: Uint8Array, start: number, length: number): boolean {
  let ascii = true;
  for (let i = start; i < start + length; i++) if ((bytes[i] ?? 0) > 127) ascii = false;
  if (ascii) return true;
  try {
    return !strictUtf8.decode(bytes.subarray(start, start + length)).startsWith('\ufeff');
  } catch {
    return false; // `fatal` throws on what is not UTF-8: this is the refusal that was asked for.
  }
}
