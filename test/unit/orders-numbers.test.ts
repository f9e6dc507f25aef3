/** The numbers of services across reloads: what was said before one is not taken for another service's afterwards. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { INDEX_MAX } from '../../src/linux/orders/grammar.ts';
import { type Numbers, renumbered } from '../../src/linux/orders/numbers.ts';

test('places of the configuration at first; who stays keeps its number, whoever comes or goes', () => {
  const first = renumbered([], ['a', 'b', 'c']);
  assert.deepEqual(first, ['a', 'b', 'c']);
  const second = renumbered(first, ['new', 'c', 'a']);
  assert.deepEqual(
    second,
    ['a', null, 'c', 'new'],
    'b’s number is nobody’s: orders for it may be on their way',
  );
  assert.deepEqual(renumbered(second, ['d', 'c', 'a', 'new']), ['a', 'd', 'c', 'new']);
});

test('no reload gives a number to another service at once, none has two, and numbers stay small', () => {
  const names = fc.uniqueArray(fc.integer({ min: 0, max: 200 }).map(String), { maxLength: 64 });
  fc.assert(
    fc.property(fc.array(names, { maxLength: 12 }), (reloads) => {
      let numbers: Numbers = [];
      for (const wanted of reloads) {
        const next = renumbered(numbers, wanted);
        numbers.forEach((name, i) => {
          if (name !== null) assert.ok(next[i] === name || next[i] === null);
        });
        assert.deepEqual(next.filter((name) => name !== null).sort(), [...wanted].sort());
        assert.ok(next.length <= INDEX_MAX + 1);
        numbers = next;
      }
    }),
  );
});
