/**
 * CBOR to plain values and back. Reading: the one place where cbor-x is constructed, in its flavour without generated
 * code and without the native addon; it decodes only what `scan` accepted. Writing: only what `scan` would accept, keys
 * sorted, shortest heads, no floats; by hand, as cbor-x writes numbers from 2^32 on as floats, and had to be given a
 * sorted copy of everything.
 */
import { Decoder, setSizeLimits } from 'cbor-x/index-no-eval';
import { allocate } from './bytes.ts';
import { scan } from './scan.ts';

export type CborValue =
  | number
  | string
  | boolean
  | null
  | Uint8Array
  | readonly CborValue[]
  | ReadonlyMap<number, CborValue>;

// Process-wide, and only a second line: the scan has already bounded every size by that of the input.
setSizeLimits({ maxArraySize: 65_536, maxMapSize: 65_536, maxObjectSize: 65_536 });
const decoder = new Decoder({ useRecords: false, mapsAsObjects: false, copyBuffers: true });
/** Deterministic CBOR of a value. Throws RangeError on a number outside ±(2^53-1) or not whole: that is our fault. */
export function encodeCbor(value: CborValue): Uint8Array {
  const writer = new CborWriter();
  writer.value(value);
  return writer.done();
}

/** The array of items that are encoded already. */
export function encodedArray(items: readonly Uint8Array[]): Uint8Array {
  const writer = new CborWriter();
  writer.head(ARRAY, items.length);
  for (const item of items) writer.append(item);
  return writer.done();
}

/** The value of exactly one item of the profile, sharing no memory with `bytes`; undefined when it is none. */
export function decodeCbor(bytes: Uint8Array): CborValue | undefined {
  if (scan(bytes) !== null) return undefined;
  // A fresh view: cbor-x leaves a property behind on what it decodes, and returns Buffers for a Buffer.
  return fromDecoder(decoder.decode(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)));
}

/** The keys in bytewise order; most maps are made in it. */
function sortedKeys(map: ReadonlyMap<number, CborValue>): number[] {
  const keys = [...map.keys()];
  for (let i = 1; i < keys.length; i++) {
    if (compareKeys(keys[i - 1] as number, keys[i] as number) > 0) return keys.sort(compareKeys);
  }
  return keys;
}

/** Bytewise order of the encoded keys: 0, 1, ... then -1, -2, ... */
function compareKeys(a: number, b: number): number {
  if (a < 0 !== b < 0) return a < 0 ? 1 : -1;
  return a < 0 ? b - a : a - b;
}

const utf8 = new TextEncoder();

/** Major types of RFC 8949, 3.1. */
const UINT = 0;
const NEGATIVE = 1;
const BYTES = 2;
const TEXT = 3;
export const ARRAY = 4;
export const MAP = 5;

/** Where items are put together. One for all: an item is written in one go, and nothing else is written meanwhile. */
let scratch = new Uint8Array(4096);

/** Writes items one after the other. Only one may be in use at a time, from its making until `done`. */
export class CborWriter {
  #at = 0;

  /** What was written, in bytes of its own. */
  done(): Uint8Array {
    const out = allocate(this.#at);
    out.set(scratch.subarray(0, this.#at));
    return out;
  }

  value(value: CborValue): void {
    if (typeof value === 'number') this.integer(value);
    else if (typeof value === 'string') this.#text(value);
    else if (value instanceof Uint8Array) this.byteString(value);
    else if (value === null) this.head(7, 22);
    else if (typeof value === 'boolean') this.head(7, value ? 21 : 20);
    else if (value instanceof Map) this.#map(value);
    else {
      const items = value as readonly CborValue[];
      this.head(ARRAY, items.length);
      for (const item of items) this.value(item);
    }
  }

  integer(value: number): void {
    if (!Number.isSafeInteger(value)) throw new RangeError(`not an integer within 2^53: ${value}`);
    if (value >= 0) this.head(UINT, value);
    else this.head(NEGATIVE, -1 - value);
  }

  #map(map: ReadonlyMap<number, CborValue>): void {
    this.head(MAP, map.size);
    for (const key of sortedKeys(map)) {
      this.integer(key);
      this.value(map.get(key) ?? null);
    }
  }

  byteString(bytes: Uint8Array): void {
    this.head(BYTES, bytes.length);
    this.append(bytes);
  }

  #text(text: string): void {
    if (this.#ascii(text)) return;
    const bytes = utf8.encode(text);
    this.head(TEXT, bytes.length);
    this.append(bytes);
  }

  /** Writes the text if it is ASCII, as names are: that needs no encoder. */
  #ascii(text: string): boolean {
    const start = this.#at;
    this.head(TEXT, text.length);
    this.#reserve(text.length);
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 127) {
        this.#at = start;
        return false;
      }
      scratch[this.#at++] = unit;
    }
    return true;
  }

  /** Bytes as they are: items that are encoded already. */
  append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    scratch.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** The shortest head. No bit operators on the value: it may be longer than 32 bits. */
  head(major: number, value: number): void {
    this.#reserve(9);
    if (value < 24) {
      scratch[this.#at++] = (major << 5) | value;
      return;
    }
    const width = value < 2 ** 8 ? 1 : value < 2 ** 16 ? 2 : value < 2 ** 32 ? 4 : 8;
    const info = width === 1 ? 24 : width === 2 ? 25 : width === 4 ? 26 : 27;
    scratch[this.#at++] = (major << 5) | info;
    for (let i = width - 1, rest = value; i >= 0; i--, rest = Math.floor(rest / 256)) {
      scratch[this.#at + i] = rest % 256;
    }
    this.#at += width;
  }

  #reserve(length: number): void {
    if (this.#at + length <= scratch.length) return;
    const larger = new Uint8Array(Math.max(2 * scratch.length, this.#at + length));
    larger.set(scratch);
    scratch = larger;
  }
}

function fromDecoder(value: unknown): CborValue {
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.map(fromDecoder);
  if (value instanceof Map) {
    return new Map([...value].map(([key, entry]) => [Number(key), fromDecoder(entry)]));
  }
  return value as CborValue;
}
