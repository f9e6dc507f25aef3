/**
 * Some seeds of a simulated minute or more each, over all processors: no judge finds anything. And the same seed is
 * the same run, to the last word of its transcript.
 */
import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import test from 'node:test';
import { drawPlan } from './plan.ts';
import { runMany } from './pool.ts';
import { run, transcriptHash } from './run.ts';

const FIRST = 1;
const LAST = 2000;

test(`seeds ${FIRST} to ${LAST}: no violation`, async () => {
  const sum = await runMany(FIRST, LAST, {}, availableParallelism(), 5, () => undefined);
  const failed = sum.failed.map(
    ({ seed, judge, what }) => `npm run -s sim -- --seed ${seed}: ${judge}: ${what}`,
  );
  assert.deepEqual(failed, []);
  assert.equal(sum.seeds, LAST - FIRST + 1);
  assert.ok(sum.simulatedMs >= sum.seeds * 60_000);
});

test('the same seed is the same run; another one is not', () => {
  const hash = (seed: number) => transcriptHash(run(drawPlan(seed), { transcript: true }));
  assert.equal(hash(7), hash(7));
  assert.notEqual(hash(7), hash(8));
});

test('real signatures and gates, one seed in a hundred: decisions are the same kind of thing', () => {
  const plan = drawPlan(100);
  assert.equal(plan.world.realCrypto, true);
  assert.deepEqual(run(plan).violations, []);
});

test('two of 200,000: a process that was paused before its kernel call and woken early makes that call before all else', () => {
  for (const seed of [155_947, 166_736]) assert.deepEqual(run(drawPlan(seed)).violations, []);
});
