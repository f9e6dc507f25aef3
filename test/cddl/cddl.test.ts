/** The reader and the matcher of CDDL, by themselves: the subset is read, all else is an error; wrong values are refused. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { type CborValue, encodeCbor } from '../../src/wire/cbor.ts';
import { matches, Tagged } from './match.ts';
import { parseCddl } from './parse.ts';

const bytes = (length: number) => new Uint8Array(length);
const map = (...entries: [number, CborValue][]) => new Map<number, CborValue>(entries);

/** [rule, values that it takes, values that it refuses] */
const cases: readonly (readonly [
  rule: string,
  good: readonly (CborValue | Tagged)[],
  bad: readonly (CborValue | Tagged)[],
])[] = [
  ['r = uint', [0, 2 ** 53 - 1], [-1, '0', null, bytes(1), [], map()]],
  ['r = 5', [5], [4, 6, '5', -5]],
  ['r = -8', [-8], [8]],
  ['r = 1..3', [1, 3], [0, 4, '1']],
  ['r = bool', [true, false], [0, null]],
  ['r = true', [true], [false, 1]],
  ['r = null', [null], [false, 0]],
  ['r = tstr', ['', 'é'], [1, bytes(1)]],
  ['r = "a b"', ['a b'], ['a', 'A b']],
  ['r = bstr', [bytes(0)], ['', []]],
  ['r = bstr .size 4', [bytes(4)], [bytes(3), bytes(5), 4]],
  ['r = bstr .size (1..2)', [bytes(1), bytes(2)], [bytes(0), bytes(3)]],
  ['r = bstr .size 4 / bstr .size 16', [bytes(4), bytes(16)], [bytes(5)]],
  ['r = uint .size 1', [0, 255], [256, -1]],
  ['r = uint .lt 10', [0, 9], [10, '1']],
  ['r = tstr .regexp "[a-z]{1,2}"', ['a', 'zz'], ['', 'zzz', 'A', 'a\n']],
  ['r = bstr .cbor uint', [encodeCbor(7)], [encodeCbor('a'), bytes(0), Uint8Array.of(0x18, 0x07), 7]],
  ['r = uint / null', [1, null], [true]],
  ['r = [1*1 (uint / null)]', [[1], [null]], [[true], []]],
  ['r = &(a: 0, b: 2)', [0, 2], [1, 3, 'a']],
  ['r = #6.18([uint])', [new Tagged(18, [1])], [new Tagged(17, [1]), new Tagged(18, []), [1]]],
  ['r = []', [[]], [[1], map()]],
  ['r = [uint, b: bool]', [[1, true]], [[], [1], [true, 1], [1, true, 1]]],
  ['r = [1*2 uint]', [[1], [1, 2]], [[], [1, 2, 3], ['a']]],
  ['r = [uint, ? bool]', [[1], [1, true]], [[true], [1, true, true]]],
  ['r = {}', [map()], [map([1, 1]), []]],
  [
    'r = { 1: uint, ? 2: bool }',
    [map([1, 1]), map([1, 1], [2, true])],
    [map(), map([2, true]), map([1, 1], [2, 1]), map([1, 1], [3, 1])],
  ],
  [
    'g = ( 1: uint, ? 2: bool ) r = { g, 3: null }',
    [map([1, 1], [3, null])],
    [map([3, null]), map([1, 1]), map([1, 1], [3, null], [4, 1])],
  ],
  [
    'r = [t, t] t = [n: uint, h: tstr]',
    [
      [
        [1, 'a'],
        [2, 'b'],
      ],
    ],
    [
      [[1, 'a']],
      [
        [1, 'a'],
        [2, 3],
      ],
    ],
  ],
];

test('a rule takes what it says and refuses everything beside it', () => {
  for (const [text, good, bad] of cases) {
    const grammar = parseCddl(text);
    for (const value of good)
      assert.ok(matches(grammar, 'r', value), `${text} takes ${JSON.stringify(value)}`);
    for (const value of bad)
      assert.ok(!matches(grammar, 'r', value), `${text} refuses ${JSON.stringify(value)}`);
  }
});

test('what is outside the subset is an error, not a blank cheque', () => {
  for (const text of [
    'r = any',
    'r = missing',
    'r = uint r = tstr',
    'r = uint .ge 5',
    'r = { * tstr => uint }',
    'r = [+ uint]',
    'r = float16',
    'r = ~uint',
    'r = [uint',
    'r = { 1: uint bool }',
    'r = ',
    '= uint',
    "r = h'00'",
  ])
    assert.throws(() => parseCddl(text), SyntaxError, text);
});

test('a grammar that refers to itself without end is told, not followed', () => {
  assert.throws(() => matches(parseCddl('r = r'), 'r', 1), RangeError);
  assert.throws(() => matches(parseCddl('r = uint'), 's', 1), RangeError);
});
