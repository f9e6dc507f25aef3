/**
 * Blows at offsets of the lease: the judge of one blow against made-up frames, and a short series against a real
 * cluster. What must hold is told by the frames at the switch ports; no test asserts how long a takeover took.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { needsRoot } from '../netns/netns.ts';
import type { Frame } from './capture.ts';
import type { Word } from './judge.ts';
import { answer, every, evidence, forwarded, status } from './judge-fixture.ts';
import { cleanUpOnSignals, removeWorkDirectory } from './lab.ts';
import { judgeBlow } from './offset-judge.ts';
import { BLOWS, type BlowResult, instants, playOffsets } from './offsets.ts';
import { leaseMs } from './run.ts';

cleanUpOnSignals();
const skip = needsRoot();
const NOTHING = { frames: [], words: [] };
const OPTIONS = { hosts: 2, policy: 'available', intervalMs: 200, apart: false } as const;

/** fw1 is struck at 1000, acts until `untilMs`, goes on at 5000; fw2 serves from `fromMs` on; and what else there was. */
function struck(untilMs: number, fromMs: number, more: { frames: Frame[]; words: Word[] } = NOTHING) {
  const frames = [
    ...every(2, 0, untilMs, (at) => forwarded('fw1', at)),
    ...every(20, fromMs, Math.min(more.frames[0]?.atMs ?? 9_900, 9_900), (at) => answer('fw2', at)),
    ...more.frames,
  ];
  const words = [status('fw1', 950), ...[0, 200, 400].map((later) => status('fw2', fromMs + later))];
  words.push(...more.words);
  const blow = { atMs: 1_000, wordMs: 950, renewedMs: 980, lastRenewedMs: 980 };
  return judgeBlow(evidence({ frames, words, endMs: 9_900 }), 'fw1', blow, 5_000);
}

test('a host that is silent within its lease, before another acts, is as it must be', () => {
  const verdict = struck(1_270, 1_450);
  assert.deepEqual(verdict.problems, []);
  assert.deepEqual([verdict.lastActMs, verdict.leftMs, verdict.takeoverMs], [270, 290, 450]);
});

test('one that acts beyond its lease is seen, though no other acts yet', () => {
  assert.match(
    struck(1_296, 1_450).problems.join(),
    /acted 316 ms after its last renewal, the lease is 300 ms/,
  );
  assert.match(struck(1_320, 1_450).problems.join(), /fw1 acted 320 ms after the blow/);
});

test('one that still acts when another does is seen', () => {
  const { problems, overlapMs } = struck(1_270, 1_200);
  assert.equal(overlapMs, 70);
  assert.match(problems.join(), /two hosts acted for 70 ms/);
});

test('one that goes on and claims anew is another matter; without a claim it acts beyond its lease', () => {
  const frames = every(20, 7_000, 9_900, (at) => answer('fw1', at));
  const claim: Word = { ...status('fw1', 6_700), type: 'CLAIM', serving: null, serves: false };
  const words = [claim, status('fw1', 7_000)];
  assert.deepEqual(struck(1_270, 1_450, { frames, words }).problems, []);
  const stale = struck(1_270, 1_450, { frames, words: [status('fw1', 7_000)] });
  assert.match(stale.problems.join(), /fw1 acted 8900 ms after the blow/);
});

test('a blow that nobody takes over after is seen', () => {
  assert.match(struck(1_270, 10_000).problems.join(), /nobody took over/);
});

test('the first blow falls into a renewal, the others are spread over the whole lease', () => {
  const all = instants({ ...OPTIONS, offsets: 20 });
  assert.equal(all.length, 20);
  assert.deepEqual(all[0], { after: 'renewal', delayMs: 0 });
  assert.equal(instants({ ...OPTIONS, policy: 'quorum', offsets: 2 })[0]?.after, 'word');
  const delays = all.slice(1).map(({ delayMs }) => delayMs);
  const stepMs = leaseMs(OPTIONS.intervalMs) / 19;
  assert.ok(delays.every((delay, i) => Math.abs(delay - (i + 0.5) * stepMs) < 0.1));
});

test('frozen or killed, all or one of its two processes, the old host is silent within its lease', {
  skip,
}, async () => {
  const results: BlowResult[] = [];
  const tell = (result: BlowResult): number => results.push(result);
  // Three instants where all are struck, and the worst one, in the middle of a renewal, where one of the two is.
  await playOffsets(
    BLOWS,
    (kind) => instants({ ...OPTIONS, offsets: kind.target === 'all' ? 3 : 1 }),
    OPTIONS,
    tell,
  );
  removeWorkDirectory();
  assert.deepEqual(
    [...new Set(results.map(({ fault }) => fault))],
    BLOWS.map(({ name }) => name),
  );
  for (const result of results) assert.deepEqual(result.problems, [], JSON.stringify(result));
});
