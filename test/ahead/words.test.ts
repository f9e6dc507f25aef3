/** What a forecast names is in spec/state-machine.md: the rows of its table, and the rules. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { rowOf } from '../../src/ahead/explain.ts';
import { covers, PLACES, TRANSITIONS } from '../../src/core/transitions.ts';
import { readText } from '../unit/vectors.ts';

const spec = readText('spec/state-machine.md');

test('rows: each transition is told by the number that the table has for it', () => {
  const rows = [...spec.matchAll(/^\| (T\d+) \| ([a-z.*]+) \| ([a-z-]+) \|/gm)];
  assert.equal(rows.length, TRANSITIONS.length);
  for (const [, row, pattern = '', what = ''] of rows)
    for (const from of PLACES.filter((place) => covers(pattern, place)))
      assert.equal(rowOf({ from, what }), row, `${from} ${what}`);
  assert.equal(rowOf({ from: 'init.cleaning', what: 'granted' }), null);
  assert.equal(rowOf({ from: null, what: 'harmless' }), null);
});

test('rules: each that is given as a reason exists', () => {
  const named = new Set(
    ['src/core/hindrance.ts', 'src/ahead/why.ts', 'src/ahead/explain.ts'].flatMap((file) =>
      [...readText(file).matchAll(/'(R\d+)'/g)].map(([, rule = '']) => rule),
    ),
  );
  assert.ok(named.size >= 10, [...named].join());
  for (const rule of named) assert.match(spec, new RegExp(`^- \\*\\*${rule}\\b`, 'm'), rule);
});
