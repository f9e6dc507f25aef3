/** Preparing an uplink is bounded, whoever asks: in how long it lasts, and in how often it may be in vain. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Preparations } from '../../src/linux/uplink/preparations.ts';

test('one in vain makes the next wait, twice as long each time, to ten minutes; one that was used forgives all', () => {
  let nowMs = 0;
  const p = new Preparations(() => nowMs);
  const waits: number[] = [];
  for (let i = 0; i < 12; i++) {
    assert.equal(
      p.begin('up0', 's', () => {}),
      null,
    );
    assert.equal(p.has('up0'), true);
    assert.equal(p.end('up0', 's'), true);
    assert.match(p.begin('up0', 's', () => {}) ?? '', /prepared in vain lately/);
    const from = nowMs;
    while (p.begin('up0', 's', () => {}) !== null) nowMs += 1000;
    waits.push((nowMs - from) / 1000);
  }
  assert.deepEqual(waits.slice(0, 4), [5, 10, 20, 40]);
  assert.equal(waits.at(-1), 600);
  p.used('up0');
  assert.equal(p.has('up0'), false);
  assert.equal(
    p.begin('up0', 's', () => {}),
    null,
  );
  assert.equal(p.end('up1', 's'), false, 'another device has none');
  p.close();
});

test('one that nobody ends, ends by itself', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const p = new Preparations(() => 0);
  let ended = 0;
  p.begin('up0', 's', () => ended++);
  p.begin('up0', 's', () => ended++);
  t.mock.timers.tick(29_999);
  assert.equal(ended, 0);
  t.mock.timers.tick(1);
  assert.equal(ended, 1);
});

test('services that share an uplink: it is over when none of them may need it any more, or after its time', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const p = new Preparations(() => 0);
  let ended = 0;
  for (const service of ['a', 'b', 'a'])
    assert.equal(
      p.begin('up0', service, () => ended++),
      null,
    );
  assert.equal(p.end('up0', 'a'), false, 'b may need it');
  assert.equal(p.has('up0'), true);
  assert.equal(p.end('up0', 'c'), false, 'c never asked');
  assert.equal(p.end('up0', 'b'), true);
  p.used('up0');
  p.begin('up0', 'a', () => ended++);
  p.begin('up0', 'b', () => ended++);
  t.mock.timers.tick(30_000);
  assert.equal(ended, 1);
  assert.equal(p.end('up0', 'a'), true, 'whoever still wants it has had its time');
  p.used('up0');
  p.begin('up0', 'b', () => ended++);
  p.used('up0');
  assert.equal(p.end('up0', 'b'), false, 'it was used');
});
