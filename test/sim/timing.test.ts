/** The simulator's outages stay within the bounds of spec/timing.md, and come near them: the bounds mean something. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { takeoverBounds } from '../../src/core/index.ts';
import { CLUSTERS, LOOK_MS, outageMs, timed, timingTable, worldSteps } from './timing.ts';
import { World } from './world.ts';

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];

for (const [cluster, intervalMs] of [
  [CLUSTERS[0], 200],
  [CLUSTERS[1], 50],
  [CLUSTERS[2], 200],
  [CLUSTERS[3], 50],
] as const) {
  assert.ok(cluster);
  test(`outages within the bounds: ${cluster.hosts} hosts, ${cluster.policy}, I = ${intervalMs} ms`, (t) => {
    const rows = timed(cluster, intervalMs, SEEDS);
    t.diagnostic(`\n${timingTable(rows)}`);
    for (const { bound, outagesMs } of rows)
      assert.ok((outagesMs.at(-1) ?? Number.NaN) <= bound.worstMs + LOOK_MS, timingTable(rows));
    // Power: the phase alone makes the difference, so some seed comes near.
    const power = rows.find((row) => row.fault === 'power');
    assert.ok(
      (power?.outagesMs.at(-1) ?? 0) > (power?.bound.worstMs ?? 0) - 0.75 * intervalMs,
      timingTable(rows),
    );
  });
}

test('a master that is slower than its formula is found', () => {
  // Two hosts alone wait for no objection.
  const cluster = CLUSTERS[1];
  assert.ok(cluster);
  const { timing, services } = new World({ ...cluster, intervalMs: 200 }).config('fw1');
  assert.ok(services[0]);
  // As if the questions and the wait for an objection had been forgotten in the formula.
  const bound = takeoverBounds({ ...timing, slotMs: 0, probes: 0 }, services[0], worldSteps(timing));
  const longest = Math.max(...SEEDS.map((seed) => outageMs('power', cluster, 200, seed)));
  assert.ok(longest > bound.power.worstMs + LOOK_MS, `${longest} against ${bound.power.worstMs}`);
});

test('the middle outage is what the formulas say, also where a test and an advert are due together', () => {
  const seeds = Array.from({ length: 24 }, (_, i) => i + 1);
  for (const cluster of [CLUSTERS[0], CLUSTERS[2]]) {
    assert.ok(cluster);
    for (const { fault, bound, outagesMs } of timed(cluster, 200, seeds, [
      'power',
      'service',
      'release-lost',
    ])) {
      const middle = outagesMs[outagesMs.length >> 1] ?? Number.NaN;
      assert.ok(middle <= bound.medianMs + LOOK_MS, `${fault}: ${middle} against ${bound.medianMs}`);
      assert.ok(middle > bound.medianMs - 60, `${fault}: ${middle} against ${bound.medianMs}`);
    }
  }
});
