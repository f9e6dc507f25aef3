/** What several services of a host share: tests and readings that are made once, and looks that serve for a moment. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Forgetting } from '../../src/linux/forgetting.ts';
import { Held } from '../../src/linux/noticed.ts';
import { Shared } from '../../src/linux/shared.ts';

test('a test is made once for all who wait, and never one that began before it was asked for', async () => {
  const shared = new Shared<number>();
  const ends: ((value: number) => void)[] = [];
  let running = 0;
  const run = (kind: string): Promise<number> =>
    shared.run(kind, async () => {
      running++;
      const value = await new Promise<number>((resolve) => ends.push(resolve));
      running--;
      if (value < 0) throw new Error('failed');
      return value;
    });
  const first = run('a');
  const others = [run('a'), run('a'), run('a')];
  const other = run('b');
  assert.equal(running, 2, 'one of each kind');
  ends.shift()?.(-1);
  await assert.rejects(first);
  ends.shift()?.(7);
  assert.equal(await other, 7);
  await new Promise(setImmediate);
  assert.equal(ends.length, 1, 'those who came meanwhile wait for one test, made after they had asked');
  ends.shift()?.(8);
  assert.deepEqual(await Promise.all(others), [8, 8, 8]);
  const late = run('a');
  ends.shift()?.(9);
  assert.equal(await late, 9);
});

test('a look serves until the kernel tells of a change, and for a second at most', () => {
  let nowMs = 0;
  let version = 0;
  let looks = 0;
  const held = new Held(
    () => version,
    () => nowMs,
  );
  const look = (name: string): number => held.get(name, () => ++looks);
  assert.deepEqual([look('a'), look('b'), look('a')], [1, 2, 1]);
  nowMs = 999;
  assert.equal(look('a'), 1);
  version++;
  assert.deepEqual([look('a'), look('b'), look('a')], [3, 4, 3]);
  nowMs = 1998;
  assert.equal(look('a'), 3);
  nowMs = 1999;
  assert.equal(look('a'), 5);
  const whole = held.get('c', () => {
    const before = look('a');
    version++;
    return before + look('b');
  });
  assert.notEqual(
    held.get('c', () => ++looks),
    whole,
    'there was a change while it was looked at',
  );
});

test('connections: one reading of the table for all services that wait, begun after the last of them has asked', async () => {
  const readings: { isStale: (ends: readonly Buffer[]) => boolean; end: (error?: Error) => void }[] = [];
  let isActive = true;
  const forgetting = new Forgetting({
    ownAddresses: () => [Buffer.from([9])],
    isActive: () => isActive,
    forget: (isStale) =>
      new Promise((resolve, reject) => {
        readings.push({ isStale, end: (error) => (error === undefined ? resolve(0) : reject(error)) });
      }),
  });
  const [one, two, three] = [1, 2, 3].map((n) => Buffer.from([n]));
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const first = [forgetting.forget([one ?? Buffer.alloc(1)]), forgetting.forget([two ?? Buffer.alloc(1)])];
  await turn();
  const later = forgetting.forget([three ?? Buffer.alloc(1)]);
  await turn();
  assert.equal(readings.length, 1);
  const stale = (n: number): boolean | undefined => readings.at(-1)?.isStale([Buffer.from([n])]);
  assert.deepEqual([stale(1), stale(2), stale(3), stale(4)], [true, true, false, false]);
  isActive = false;
  assert.deepEqual([stale(4), stale(9)], [true, false], 'no service is active: all but the host’s own');
  readings[0]?.end(new Error('refused'));
  assert.deepEqual(await Promise.all(first), ['refused', 'refused']);
  await turn();
  assert.equal(readings.length, 2);
  assert.deepEqual([stale(1), stale(3)], [true, true]);
  readings[1]?.end();
  assert.equal(await later, null);
});
