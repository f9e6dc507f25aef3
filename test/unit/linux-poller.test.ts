/** Lazy descriptors: what nobody waits for is read at each beat of the poller, and to its end. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { closeFd, eventDescriptor } from '../../src/linux/libc.ts';
import { Poller } from '../../src/linux/poller.ts';

/** As in pulse.ts. Timers of one length that were set one after another end in that order, however late. */
const LAZY_MS = 250;

/** Calls of a lazy descriptor's reader after each of so many beats; the reader has `turns` turns of data at each. */
async function readAt(beats: number, turns: number): Promise<number[]> {
  const poller = new Poller();
  const fd = eventDescriptor();
  let calls = 0;
  let left = turns;
  const reader = (): boolean => {
    calls++;
    left--;
    return left > 0;
  };
  poller.add(fd, reader, true);
  const seen: number[] = [];
  await new Promise<void>((resolve) => {
    const beat = setInterval(() => {
      seen.push(calls);
      left = turns;
      if (seen.length < beats) return;
      clearInterval(beat);
      resolve();
    }, LAZY_MS);
  });
  poller.remove(fd);
  poller.close();
  closeFd(fd);
  return seen;
}

test('a lazy descriptor is read at every beat', async () => {
  const seen = await readAt(3, 1);
  assert.deepEqual(
    seen.map((calls, i) => calls >= i + 1),
    [true, true, true],
    `calls: ${seen}`,
  );
});

test('more than one turn’s worth is read to its end in one beat', async () => {
  const [calls = 0] = await readAt(1, 5);
  assert.ok(calls >= 5, `calls: ${calls}`);
});

test('what never ends is left after a bound', async () => {
  const [calls = 0] = await readAt(1, Number.POSITIVE_INFINITY);
  assert.ok(calls >= 5 && calls < 1000, `calls: ${calls}`);
});
