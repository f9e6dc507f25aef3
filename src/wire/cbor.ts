/**
 * CBOR to plain values and back. Reading: the one place where cbor-x is constructed, in its flavour without generated
 * code and without the native addon; it decodes only what `scan` accepted. Writing: only what `scan` would accept, keys
 * sorted, shortest heads, no floats; by hand, as cbor-x writes numbers from 2^32 on as floats, and had to be given a
 * sorted copy of everything.
 */
import { Decoder, setSizeLimits } from 'cbor-x/index-no-eval';
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
  const writer = new Writer();
  writer.value(value);
  return writer.done();
}

/** The array of items that are encoded already. */
export function encodedArray(items: readonly Uint8Array[]): Uint8Array {
  const writer = new Writer();
  writer.arrayOf(items);
  return writer.done();
}

/** The value of exactly one item of the profile, sharing no memory with `bytes`; undefined when it is none. */
export function decodeCbor(bytes: Uint8Array): CborValue | undefined {
  if (scan(bytes) !== null) return undefined;
  // A fresh view: cbor-x leaves a property behind on what it decodes, and returns Buffers for a Buffer.
  return fromDecoder(decoder.decode(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)));
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
const ARRAY = 4;
const MAP = 5;

class Writer {
  #bytes = new Uint8Array(256);
  #at = 0;

  done(): Uint8Array {
    return this.#bytes.slice(0, this.#at);
  }

  value(value: CborValue): void {
    if (typeof value === 'number') this.#integer(value);
    else if (typeof value === 'string') this.#raw(TEXT, utf8.encode(value));
    else if (value instanceof Uint8Array) this.#raw(BYTES, value);
    else if (value === null) this.#head(7, 22);
    else if (typeof value === 'boolean') this.#head(7, value ? 21 : 20);
    else if (value instanceof Map) this.#map(value);
    else {
      const items = value as readonly CborValue[];
      this.#head(ARRAY, items.length);
      for (const item of items) this.value(item);
    }
  }

  arrayOf(items: readonly Uint8Array[]): void {
    this.#head(ARRAY, items.length);
    for (const item of items) this.#append(item);
  }

  #integer(value: number): void {
    if (!Number.isSafeInteger(value)) throw new RangeError(`not an integer within 2^53: ${value}`);
    if (value >= 0) this.#head(UINT, value);
    else this.#head(NEGATIVE, -1 - value);
  }

  #map(map: ReadonlyMap<number, CborValue>): void {
    this.#head(MAP, map.size);
    for (const key of [...map.keys()].sort(compareKeys)) {
      this.#integer(key);
      this.value(map.get(key) ?? null);
    }
  }

  #raw(major: number, bytes: Uint8Array): void {
    this.#head(major, bytes.length);
    this.#append(bytes);
  }

  #append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** The shortest head. No bit operators on the value: it may be longer than 32 bits. */
  #head(major: number, value: number): void {
    this.#reserve(9);
    const width = value < 24 ? 0 : value < 2 ** 8 ? 1 : value < 2 ** 16 ? 2 : value < 2 ** 32 ? 4 : 8;
    const info = width === 0 ? value : width === 1 ? 24 : width === 2 ? 25 : width === 4 ? 26 : 27;
    this.#bytes[this.#at++] = (major << 5) | info;
    for (let i = width - 1, rest = value; i >= 0; i--, rest = Math.floor(rest / 256)) {
      this.#bytes[this.#at + i] = rest % 256;
    }
    this.#at += width;
  }

  #reserve(length: number): void {
    if (this.#at + length <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#at + length));
    larger.set(this.#bytes);
    this.#bytes = larger;
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
