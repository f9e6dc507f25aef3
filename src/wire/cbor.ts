/**
 * CBOR to plain values and back: the one place where cbor-x is constructed, in its flavour without generated code
 * and without the native addon. It decodes only what `scan` accepted, and encodes only what `scan` would accept:
 * keys sorted, shortest heads, no floats.
 */
import { Decoder, Encoder, setSizeLimits } from 'cbor-x/index-no-eval';
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
const encoder = new Encoder({
  useRecords: false,
  mapsAsObjects: false,
  variableMapSize: true,
  tagUint8Array: false,
  // Missing in the declarations of 1.6.9, present in its code: without it every Map gets tag 259.
  ...({ useTag259ForMaps: false } as object),
  copyBuffers: true,
  structuredClone: false,
  bundleStrings: false,
  pack: false,
});

/** Deterministic CBOR of a value. Throws RangeError on a number outside ±(2^53-1) or not whole: that is our fault. */
export function encodeCbor(value: CborValue): Uint8Array {
  return Uint8Array.from(encoder.encode(forEncoder(value)));
}

/** The value of exactly one item of the profile, sharing no memory with `bytes`; undefined when it is none. */
export function decodeCbor(bytes: Uint8Array): CborValue | undefined {
  if (scan(bytes) !== null) return undefined;
  // A fresh view: cbor-x leaves a property behind on what it decodes, and returns Buffers for a Buffer.
  return fromDecoder(decoder.decode(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)));
}

/** cbor-x writes numbers from 2^32 on as floats, and every bigint in eight bytes: so each gets what fits it. */
function forEncoder(value: CborValue): unknown {
  if (typeof value === 'number') return integer(value);
  if (value instanceof Map) {
    const keys = [...value.keys()].sort(compareKeys);
    return new Map(keys.map((key) => [integer(key), forEncoder(value.get(key))]));
  }
  if (Array.isArray(value)) return value.map(forEncoder);
  return value;
}

function integer(value: number): number | bigint {
  if (!Number.isSafeInteger(value)) throw new RangeError(`not an integer within 2^53: ${value}`);
  return value >= 2 ** 32 || value < -(2 ** 32) ? BigInt(value) : value + 0;
}

/** Bytewise order of the encoded keys: 0, 1, ... then -1, -2, ... */
function compareKeys(a: number, b: number): number {
  if (a < 0 !== b < 0) return a < 0 ? 1 : -1;
  return a < 0 ? b - a : a - b;
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
