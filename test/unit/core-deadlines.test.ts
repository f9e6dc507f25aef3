/** No timer of a service is forgotten when the nearest deadline is asked for: each is named there, for speed. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { earliest, NO_TIMERS, TIMERS } from '../../src/core/state.ts';

test('the nearest deadline looks at every timer', () => {
  assert.equal(earliest(NO_TIMERS), Number.POSITIVE_INFINITY);
  for (const timer of TIMERS) {
    const others = Object.fromEntries(TIMERS.map((name) => [name, 9000]));
    assert.equal(earliest({ ...NO_TIMERS, ...others, [timer]: 7000 }), 7000, timer);
  }
});
