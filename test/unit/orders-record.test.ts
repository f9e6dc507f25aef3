/** The actuator's record of what it was ordered: bounded, and honest about what it leaves out. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { boundedLog } from '../../src/linux/orders/record.ts';

test('a flood of orders is a bounded number of lines, the rest is counted, and the end is always told', () => {
  let nowMs = 0;
  const lines: { what: string; data: { readonly [key: string]: string | number } }[] = [];
  const log = boundedLog(
    (what, data) => lines.push({ what, data }),
    () => nowMs,
  );
  for (let i = 0; i < 10_000; i++) {
    nowMs += 0.1;
    log(i % 2 === 0 ? 'order' : 'order refused', { verb: 'gate' });
  }
  assert.ok(lines.length >= 100 && lines.length <= 112, `${lines.length} lines in a second`);
  const told = lines.reduce((sum, { data }) => sum + 1 + Number(data.untold ?? 0), 0);
  log('garbage', { why: 'no order' });
  assert.deepEqual(lines.at(-1), { what: 'garbage', data: { why: 'no order', untold: 10_000 - told } });
  log('conversation ended', { end: 'garbage' });
  assert.deepEqual(lines.at(-1)?.data, { end: 'garbage' });
  nowMs += 60_000;
  for (let i = 0; i < 100; i++) log('order', {});
  assert.equal(
    lines.slice(-100).every(({ what, data }) => what === 'order' && data.untold === undefined),
    true,
  );
});
