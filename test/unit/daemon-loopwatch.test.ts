/** What the daemon sees of its own loop: a stall is measured and told, and so is the garbage collector. In a real loop, really stalled. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { Alarms } from '../../src/daemon/alarms.ts';
import { NodeClock } from '../../src/daemon/clock.ts';
import { fullTiming } from '../../src/daemon/config/timing.ts';
import type { Log } from '../../src/daemon/log.ts';
import { LastMinute } from '../../src/daemon/loopwatch.ts';
import { watchSelf } from '../../src/daemon/selfwatch.ts';
import type { Endpoint } from '../../src/wire/endpoint.ts';

test('the last minute forgets second by second, and the worst of all time stays', () => {
  const minute = new LastMinute();
  minute.note(3);
  minute.note(8);
  assert.equal(minute.worst, 8);
  assert.equal(minute.next(), 8);
  minute.note(5);
  assert.deepEqual([minute.worst, minute.sum], [8, 13]);
  for (let i = 0; i < 60; i++) assert.equal(minute.next(), i === 0 ? 5 : 0);
  assert.deepEqual([minute.worst, minute.sum, minute.most], [5, 5, 8]);
  minute.next();
  assert.deepEqual([minute.worst, minute.sum, minute.most], [0, 0, 8]);
});

test('a stall beyond what the lease allows for raises the alarm, and is told with the collector’s pauses', async () => {
  const log = { info: () => undefined, warn: () => undefined } as unknown as Log;
  const alarms = new Alarms(log);
  const endpoint = { peers: () => [] } as unknown as Endpoint;
  let allowedMs = 10_000; // of this test's own loop nothing is known beforehand
  const timing = () => ({
    ...fullTiming({ interval: 200 } as Parameters<typeof fullTiming>[0]),
    stallMs: allowedMs,
  });
  const watch = watchSelf({ endpoint, alarms, nowMs: () => performance.now(), timing });
  const clock: NodeClock = new NodeClock(
    () => performance.now(),
    (ms) => {
      watch.late(ms);
      clock.wakeAt(performance.now() + 50);
    },
  );
  clock.wakeAt(0);
  try {
    await sleep(250); // what the kernel has seen twice it can measure from
    // Not between the clock's timer and its wake-up, should both timers have ended at once: none would be due then.
    await nextTurn();
    const endMs = performance.now() + 400;
    let heap: unknown[] = [];
    while (performance.now() < endMs) heap = heap.length > 100_000 ? [] : [...heap, { at: heap.length }];
    await sleep(1_200);
    const { lateMs, lateMostMs, gcMs, gcMostMs, gcAllMs } = watch.loop();
    assert.ok(lateMs > 250 && lateMs < 5_000 && lateMostMs === lateMs, `${lateMs} ms late`);
    assert.ok(gcMs > 0 && gcMs <= gcAllMs + 0.1 && gcMostMs === gcMs, `${gcMs} of ${gcAllMs} ms`);
    assert.deepEqual(alarms.list(), [], 'it was allowed');
    allowedMs = 100;
    await nextTurn();
    const againMs = performance.now() + 400;
    while (performance.now() < againMs);
    await sleep(1_200);
    assert.deepEqual(
      alarms.list().map(({ code }) => code),
      ['stall'],
    );
    assert.match(alarms.list()[0]?.detail ?? '', /more than 100 ms/);
  } finally {
    clock.wakeAt(null);
    watch.stop();
  }
});
