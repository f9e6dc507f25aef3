/** Every simple way to spoil a CBOR value: each node replaced, left out, doubled, or given company. */
import type { CborValue } from '../../src/wire/cbor.ts';

const bytes = (length: number): Uint8Array => new Uint8Array(length).fill(7);

/** What a node is replaced by: each kind, at and around the bounds that the protocol has. */
const REPLACEMENTS: readonly CborValue[] = [
  null,
  true,
  false,
  0,
  1,
  2,
  3,
  5,
  22,
  255,
  256,
  -1,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 48 - 1,
  2 ** 48,
  Number.MAX_SAFE_INTEGER,
  '',
  'a',
  'A b',
  'x'.repeat(33),
  bytes(0),
  bytes(4),
  bytes(8),
  bytes(15),
  bytes(16),
  bytes(17),
  bytes(32),
  bytes(33),
  [],
  [1, 'a'],
  new Map(),
];

/** All mutants of a value: a few dozen for each of its nodes. */
export function* mutants(value: CborValue): Generator<CborValue> {
  yield* REPLACEMENTS;
  if (value instanceof Map) {
    const map: ReadonlyMap<number, CborValue> = value;
    for (const key of [0, 3, 4, 6, 8, 9, 99]) if (!map.has(key)) yield new Map(map).set(key, 1);
    for (const [key, entry] of map) {
      const without = new Map(map);
      without.delete(key);
      yield without;
      for (const mutant of mutants(entry)) yield new Map(map).set(key, mutant);
    }
  } else if (Array.isArray(value)) {
    const list: readonly CborValue[] = value;
    yield [...list, 1];
    yield Array.from({ length: 65 }, (_, i) => list[i % list.length] ?? null);
    for (let i = 0; i < list.length; i++) {
      yield list.toSpliced(i, 1);
      yield list.toSpliced(i, 0, list[i] ?? null);
      for (const mutant of mutants(list[i] ?? null)) yield list.toSpliced(i, 1, mutant);
    }
  }
}
