/** The alarm of a host that is not punctual enough for its interval, and the interval that it names. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { fullTiming } from '../../src/daemon/config/timing.ts';
import { intervalFor, Jitter, measureLateness, patienceMs, unpunctual } from '../../src/daemon/jitter.ts';

const timingOf = (intervalMs: number) =>
  fullTiming({ interval: intervalMs } as Parameters<typeof fullTiming>[0]);
const patienceOf = (intervalMs: number): number => patienceMs(timingOf(intervalMs));

/** What is said after these seconds, at most so late each. */
function after(seconds: readonly number[], intervalMs: number): string | null {
  const jitter = new Jitter();
  let said: string | null = null;
  for (const worstMs of seconds) said = jitter.second(worstMs, timingOf(intervalMs), patienceOf);
  return said;
}

test('a loop that is often 9 ms late is too late for 10 ms, and not for 100 ms', () => {
  const often = Array.from({ length: 60 }, (_, i) => (i % 5 === 0 ? 9 : 1));
  assert.match(
    after(often, 10) ?? '',
    /an interval of 10ms bears \(8 ms\).*timing\.interval to \d+ms on all hosts/,
  );
  assert.equal(after(often, 100), null);
});

test('a few late seconds in a minute are none, and what is over is over', () => {
  const few = Array.from({ length: 60 }, (_, i) => (i % 10 === 0 ? 500 : 1));
  assert.equal(after(few, 10), null);
  const bad = Array<number>(60).fill(50);
  assert.notEqual(after(bad, 10), null);
  assert.equal(after([...bad, ...Array<number>(60).fill(1)], 10), null);
});

test('the text stays the same while it lasts, so that the log is not filled', () => {
  const jitter = new Jitter();
  const said = new Set<string | null>();
  for (let i = 0; i < 200; i++) said.add(jitter.second(20 + i, timingOf(10), patienceOf));
  assert.equal(said.size, 2);
});

test('the interval that is named bears that lateness, and the next shorter one does not', () => {
  for (const lateMs of [8.5, 12, 20, 60, 200]) {
    const intervalMs = intervalFor(lateMs, patienceOf);
    assert.ok(patienceOf(intervalMs) >= lateMs);
    assert.ok(patienceOf(intervalMs - 10) < lateMs);
  }
});

test('check: an interval of up to 100 ms is held against this host’s timers, a longer one is not', async () => {
  const late = async () => 9;
  assert.match(
    (await unpunctual(timingOf(10), late))?.message ?? '',
    /bears 8 ms of lateness.*up to 9 ms late/,
  );
  assert.equal(await unpunctual(timingOf(100), late), null);
  assert.equal(await unpunctual(timingOf(200), () => assert.fail('not measured')), null);
  const measured = await measureLateness();
  assert.ok(measured >= 0 && measured < 10_000);
});
