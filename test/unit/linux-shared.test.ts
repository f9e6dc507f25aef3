/** What several services of a host share: tests that are made once, and looks that serve for a moment. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Briefly } from '../../src/linux/briefly.ts';
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

test('a look serves for a moment, and not beyond a change of our own', () => {
  let nowMs = 0;
  let looks = 0;
  const held = new Briefly(
    () => ++looks,
    () => nowMs,
  );
  assert.deepEqual([held.get(), held.get()], [1, 1]);
  nowMs = 20;
  assert.equal(held.get(), 1);
  nowMs = 21;
  assert.equal(held.get(), 2);
  held.forget();
  assert.equal(held.get(), 3);
});
