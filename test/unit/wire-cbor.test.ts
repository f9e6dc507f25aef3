/** The scan lets through exactly its profile, and what it lets through the CBOR library reads and writes alike. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import test from 'node:test';
import fc from 'fast-check';
import { type CborValue, decodeCbor, encodeCbor } from '../../src/wire/cbor.ts';
import { type ScanFault, scan } from '../../src/wire/scan.ts';
import { fromHex, readJson, toHex } from './vectors.ts';

const bytes = fromHex;

const refusals: readonly (readonly [hex: string, fault: ScanFault, why: string])[] = [
  ['', 'truncated', 'nothing'],
  ['18', 'truncated', 'a head cut off'],
  ['4261', 'truncated', 'a byte string cut off'],
  ['8201', 'truncated', 'an array cut off'],
  ['9a00ffffff', 'truncated', 'an array that promises more than there is'],
  ['bb7fffffffffffffff', 'truncated', 'a map that promises more than there is'],
  ['1817', 'long-head', '23 in two bytes'],
  ['190018', 'long-head', '24 in three bytes'],
  ['1a0000ffff', 'long-head', '65535 in five bytes'],
  ['1b00000000ffffffff', 'long-head', '2^32 - 1 in nine bytes'],
  ['580161', 'long-head', 'a length of 1 in two bytes'],
  ['9f01ff', 'indefinite', 'an array without length'],
  ['bf0101ff', 'indefinite', 'a map without length'],
  ['5f4101ff', 'indefinite', 'a byte string in pieces'],
  ['ff', 'indefinite', 'a break alone'],
  ['1c', 'reserved', 'additional information 28'],
  ['fc', 'reserved', 'additional information 28 of major type 7'],
  ['1b0020000000000000', 'integer-range', '2^53'],
  ['3b001fffffffffffff', 'integer-range', '-2^53'],
  ['1bffffffffffffffff', 'integer-range', '2^64 - 1'],
  ['f93c00', 'float', '1.0 as half'],
  ['fb3ff0000000000000', 'float', '1.0 as double'],
  ['f7', 'simple', 'undefined'],
  ['f0', 'simple', 'simple value 16'],
  ['f8ff', 'simple', 'simple value 255'],
  ['c001', 'tag', 'a date'],
  ['c249010000000000000000', 'tag', 'a bignum'],
  ['d818456449455446', 'tag', 'encoded CBOR'],
  ['d9dfff8101', 'tag', 'a record of cbor-x'],
  ['d9e0008105', 'tag', 'a use of a record of cbor-x'],
  ['d9010281d81cf6', 'tag', 'a set'],
  ['61ff', 'utf8', 'a byte that is no UTF-8'],
  ['62c080', 'utf8', 'an overlong form'],
  ['63eda080', 'utf8', 'half a surrogate pair'],
  ['63efbbbf', 'utf8', 'a byte order mark in front'],
  ['a1616101', 'key-type', 'a text key'],
  ['a1410001', 'key-type', 'a byte key'],
  ['a201010101', 'key-order', 'a key twice'],
  ['a202010101', 'key-order', 'keys descending'],
  ['a220010101', 'key-order', 'a negative key before one that is not'],
  ['0000', 'trailing', 'two items'],
];

test('what is outside the profile is refused, with its reason', () => {
  for (const [hex, fault, why] of refusals) {
    assert.equal(scan(bytes(hex)), fault, why);
    assert.equal(decodeCbor(bytes(hex)), undefined, why);
  }
});

test('nesting is bounded: 16 levels pass, 17 do not, thousands cost no more than one', () => {
  const nested = (depth: number) => bytes(`${'81'.repeat(depth)}00`);
  assert.equal(scan(nested(16)), null);
  assert.equal(scan(nested(17)), 'depth');
  assert.equal(scan(nested(1_000_000)), 'depth');
});

/** Of the examples in RFC 8949, appendix A, those of the profile. */
const ofProfile = `
  00 01 0a 17 1818 1819 1864 1903e8 1a000f4240 1b000000e8d4a51000 20 29 3863 3903e7 f4 f5 f6
  40 4401020304 60 6161 6449455446 62225c 62c3bc 63e6b0b4 64f0908591
  80 83010203 8301820203820405 98190102030405060708090a0b0c0d0e0f101112131415161718181819 a0 a201020304`
  .trim()
  .split(/\s+/);

test('examples of RFC 8949: those of the profile come back the same, all others are refused', () => {
  const examples = readJson('test/vectors/cbor/appendix_a.json') as { hex: string; decoded?: unknown }[];
  const accepted: string[] = [];
  for (const { hex, decoded } of examples) {
    const value = decodeCbor(bytes(hex));
    if (value === undefined) continue;
    accepted.push(hex);
    assert.equal(toHex(encodeCbor(value)), hex);
    if (decoded !== undefined && !hex.startsWith('a')) assert.deepEqual(value, decoded);
  }
  assert.deepEqual(accepted.sort(), ofProfile.sort());
});

test('a repeated key is refused, also of another profile', () => {
  for (const { hex } of readJson('test/vectors/cbor/dag-cbor-duplicate-keys.json') as { hex: string }[]) {
    assert.notEqual(scan(bytes(hex)), null);
  }
});

const values: fc.Arbitrary<CborValue> = fc.letrec<{ value: CborValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.maxSafeInteger(),
    fc.constantFrom(
      0,
      23,
      24,
      255,
      256,
      65_535,
      65_536,
      2 ** 32 - 1,
      2 ** 32,
      -1,
      -24,
      -25,
      -(2 ** 32),
      -(2 ** 32) - 1,
    ),
    fc.string({ unit: 'binary' }).filter((text) => !text.startsWith('\ufeff')),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie('value'), { maxLength: 30 }),
    fc
      .array(fc.tuple(fc.maxSafeInteger(), tie('value')), { maxLength: 30 })
      .map((entries) => new Map(entries)),
  ),
})).value;

test('property: every value of the profile is encoded so that the scan takes it, and comes back', () => {
  fc.assert(
    fc.property(values, (value) => {
      const encoded = encodeCbor(value);
      assert.equal(scan(encoded), null);
      const decoded = decodeCbor(encoded);
      assert.ok(decoded !== undefined);
      assert.deepEqual(sorted(decoded), sorted(value));
      assert.deepEqual(encodeCbor(decoded), encoded);
    }),
    { numRuns: 500 },
  );
});

test('property: any bytes are decoded to a value that encodes to the same bytes, or refused; nothing is thrown', () => {
  const mutated = fc.tuple(values, fc.nat(), fc.nat(255)).map(([value, at, byte]) => {
    const encoded = encodeCbor(value);
    encoded[at % encoded.length] = byte;
    return encoded;
  });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 64 }), mutated), (input) => {
      const value = decodeCbor(input);
      if (value !== undefined) assert.deepEqual(encodeCbor(value), input);
    }),
    { numRuns: 2000 },
  );
});

test('a decoded byte string does not change when the input does', () => {
  const input = encodeCbor(Uint8Array.of(1, 2, 3));
  const value = decodeCbor(input);
  input.fill(0);
  assert.deepEqual(value, Uint8Array.of(1, 2, 3));
});

test('numbers that are not whole or not safe are our own fault and throw', () => {
  for (const value of [0.5, Number.NaN, 2 ** 53]) assert.throws(() => encodeCbor(value), RangeError);
});

test('the native addon of cbor-x is never loaded', () => {
  const loaded = Object.keys(createRequire(import.meta.url).cache);
  assert.ok(loaded.some((file) => file.includes('index-no-eval')));
  assert.ok(!loaded.some((file) => file.includes('cbor-extract')));
});

/** Maps by ascending key at every level, so that only contents are compared. */
function sorted(value: CborValue): CborValue {
  if (value instanceof Map)
    return [...value].sort((a, b) => a[0] - b[0]).map(([key, entry]) => [key, sorted(entry)]);
  return Array.isArray(value) ? value.map(sorted) : value;
}
