/** What the actuator lets the network process ask for, and how it tells that it lives. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { aliveMs, Liveness, patienceMs } from '../../src/linux/orders/liveness.ts';
import { Bucket, Permit } from '../../src/linux/orders/permit.ts';

const OPTIONS = { windowMs: 10_000, idleMs: 11_125, burst: 3, everyMs: 60_000, intervalMs: 200 };
const A = 'a';
const UP = 'up0';

test('a service goes on only within the window that raising its uplink opened', () => {
  const permit = new Permit(OPTIONS);
  assert.equal(permit.mayActivate(A, 0), false);
  assert.equal(permit.mayOpen(A, 0), false);
  assert.equal(permit.mayRaise(A, UP, 0), true);
  assert.equal(permit.mayOpen(A, 1), false, 'not before it is activated');
  assert.equal(permit.mayActivate('b', 1), false, 'another service’s window');
  assert.equal(permit.mayActivate(A, 9_999), true);
  assert.equal(permit.mayOpen(A, 10_000), false, 'the first time within the window, too');
  assert.equal(permit.mayActivate(A, 10_000), false);
});

test('an open gate may be renewed for ever, but not too often, and not after the service went off', () => {
  const permit = new Permit(OPTIONS);
  permit.mayRaise(A, UP, 0);
  permit.mayActivate(A, 0);
  let nowMs = 0;
  for (; nowMs < 3_600_000; nowMs += 100) assert.equal(permit.mayOpen(A, nowMs), true);
  let granted = 0;
  for (let i = 0; i < 10_000; i++) if (permit.mayOpen(A, nowMs + i / 100)) granted++;
  assert.ok(granted <= 45, `${granted} in a tenth of a second`);
  permit.deactivated(A);
  assert.equal(permit.mayOpen(A, nowMs + 10_000), false);
  permit.lowered(A);
  assert.equal(permit.mayActivate(A, nowMs + 10_000), false);
});

test('raisings: a burst, then one a minute; a new conversation has no more, a reload neither', () => {
  const permit = new Permit(OPTIONS);
  const raised = (nowMs: number): boolean => {
    permit.lowered(A);
    return permit.mayRaise(A, UP, nowMs);
  };
  assert.deepEqual([raised(0), raised(1), raised(2), raised(3)], [true, true, true, false]);
  permit.forget();
  assert.equal(raised(4), false);
  permit.configure(OPTIONS);
  assert.equal(raised(5), false);
  assert.equal(raised(60_001), true);
  assert.equal(raised(60_002), false);
  permit.configure({ ...OPTIONS, burst: 20 });
  assert.equal(raised(60_003), false, 'a greater burst fills by time');
});

test('raisings are counted by uplink, and who joins one that is up raises nothing', () => {
  const permit = new Permit({ ...OPTIONS, burst: 1 });
  assert.equal(permit.mayRaise(A, UP, 0), true);
  assert.equal(permit.mayRaise('b', UP, 1), true, 'it is up');
  assert.equal(permit.mayRaise('c', 'up1', 2), true, 'another one');
  permit.lowered(A);
  assert.equal(permit.mayRaise(A, UP, 3), true, 'still held by b');
  permit.lowered(A);
  permit.lowered('b');
  assert.equal(permit.mayRaise('b', UP, 4), false, 'it went down');
});

test('within one window the uplink may be raised again: it costs nothing', () => {
  const permit = new Permit({ ...OPTIONS, burst: 1 });
  assert.equal(permit.mayRaise(A, UP, 0), true);
  assert.equal(permit.mayRaise(A, UP, 9_000), true);
  assert.equal(permit.mayRaise(A, UP, 10_000), false);
});

test('an uplink without an open gate is idle after the longest handover, and again each time', () => {
  const permit = new Permit(OPTIONS);
  permit.mayRaise(A, UP, 0);
  permit.mayRaise('b', 'up1', 5_000);
  assert.deepEqual(permit.takeIdle(11_125), []);
  permit.mayRaise(A, UP, 9_000);
  assert.deepEqual(permit.takeIdle(11_126), [A], 'raised again within the window gives no more time');
  assert.deepEqual(permit.takeIdle(11_127), [], 'once');
  assert.equal(permit.mayActivate(A, 11_127), false);
  permit.lowered('b');
  assert.deepEqual(permit.takeIdle(60_000), [], 'what was lowered in order is not idle');
  permit.mayRaise(A, UP, 60_000);
  permit.mayActivate(A, 60_000);
  for (let nowMs = 60_000; nowMs <= 160_000; nowMs += 100) {
    assert.equal(permit.mayOpen(A, nowMs), true);
    assert.deepEqual(permit.takeIdle(nowMs), []);
  }
  permit.deactivated(A);
  assert.deepEqual(permit.takeIdle(171_126), [A], 'opened once does not count for ever');
});

test('services that join an uplink by turns keep it up no longer than one could alone', () => {
  const permit = new Permit({ ...OPTIONS, burst: 1 });
  permit.mayRaise(A, UP, 0);
  for (let nowMs = 1_000; nowMs < 11_000; nowMs += 2_000) {
    assert.equal(permit.mayRaise('b', UP, nowMs), true);
    permit.lowered(A);
    assert.equal(permit.mayRaise(A, UP, nowMs + 1_000), true);
    permit.lowered('b');
  }
  assert.deepEqual(permit.takeIdle(11_126), [A]);
  assert.equal(permit.mayRaise('b', UP, 11_127), false);
});

test('tokens never grow beyond the burst, nor by a clock that stands', () => {
  const bucket = new Bucket(2, 10);
  assert.deepEqual([bucket.take(0), bucket.take(0), bucket.take(0)], [true, true, false]);
  assert.deepEqual([bucket.take(1e9), bucket.take(1e9), bucket.take(1e9)], [true, true, false]);
});

test('a beat counts for one lease at most, and only forwards', () => {
  let nowMs = 1000;
  const liveness = new Liveness(300, () => nowMs);
  assert.equal(liveness.isAlive, false);
  liveness.beat(1e12);
  assert.equal(liveness.untilMs, 1000 + aliveMs(300));
  liveness.beat(1100);
  assert.equal(liveness.untilMs, 1300, 'an older word takes nothing back');
  nowMs = 1299;
  assert.equal(liveness.isAlive, true);
  nowMs = 1300;
  assert.equal(liveness.isAlive, false);
  liveness.beat(1250);
  assert.equal(liveness.isAlive, false, 'a beat that is late is none');
});

test('silence is death after a patience; who was paused himself reads first', () => {
  let nowMs = 0;
  const liveness = new Liveness(300, () => nowMs);
  liveness.beat(300);
  const until = (endMs: number): boolean => {
    for (; nowMs < endMs; nowMs += liveness.periodMs) if (liveness.isDead()) return true;
    return false;
  };
  assert.equal(until(300 + patienceMs(300)), false);
  assert.equal(until(300 + patienceMs(300) + 1000), true);
  // Ten seconds later: this process was stopped, and its inbox is full of beats.
  const paused = new Liveness(300, () => nowMs);
  paused.beat(nowMs + 300);
  paused.isDead();
  nowMs += 10_000;
  assert.equal(paused.isDead(), false);
  nowMs += paused.periodMs;
  assert.equal(paused.isDead(), false);
});
