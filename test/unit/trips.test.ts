/** Adapted time-outs (R28): measured round trips shorten what waits for answers, within their limits, and nothing lengthens it. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { initialState, step, takeoverBounds, usualSteps } from '../../src/core/index.ts';
import { longestTripMs, objectionMs, probeMs, tripAfter } from '../../src/core/trips.ts';
import { fullTiming, timingProblems } from '../../src/daemon/config/timing.ts';
import { clusterTimes, coreConfig } from '../sim/cluster.ts';
import { simulatedCluster } from '../sim/crypto.ts';

const TRIPS = [null, 0, 0.3, 1, 2, 5, 20, 1000];

test('R28: a long round trip counts at once, shorter ones by halves', () => {
  let tripMs = tripAfter(undefined, 1);
  assert.equal(tripMs, 1);
  tripMs = tripAfter(tripMs, 9);
  assert.equal(tripMs, 9);
  tripMs = tripAfter(tripMs, 1);
  assert.equal(tripMs, 5);
  assert.equal(tripAfter(tripMs, 1), 3);
});

test('R28: never longer than configured, never below 2 ms and I / 50, and C8 and C9 hold for what is left', () => {
  for (const intervalMs of [10, 20, 50, 100, 200, 1000, 10_000]) {
    const timing = fullTiming({ interval: intervalMs } as Parameters<typeof fullTiming>[0]);
    let longest = Number.POSITIVE_INFINITY;
    for (const tripMs of TRIPS) {
      const probe = probeMs(timing, tripMs);
      const objection = objectionMs(timing, tripMs);
      assert.ok(probe <= timing.probeTimeoutMs && objection <= timing.slotMs);
      assert.ok(probe >= Math.min(timing.probeTimeoutMs, Math.max(2, intervalMs / 50)));
      // An answer has time to come back, or as much as was configured.
      if (tripMs !== null) assert.ok(probe >= 2 * tripMs || probe === timing.probeTimeoutMs);
      assert.deepEqual(timingProblems({ ...timing, probeTimeoutMs: probe, slotMs: objection }, 1000), []);
      if (tripMs === null) assert.deepEqual([probe, objection], [timing.probeTimeoutMs, timing.slotMs]);
      longest = Math.min(longest, probe);
    }
    assert.equal(longest, probeMs(timing, 0));
  }
});

test('R28: the slowest gateway decides; a witness decides nothing, and a newer roster begins anew', () => {
  const { roster } = simulatedCluster(3, 1, false);
  const config = coreConfig(roster, 'fw1', clusterTimes(200).timing, 'quorum', null);
  const witness = roster.members.find(({ role }) => role === 'witness')?.name ?? '';
  let state = initialState(config, 0);
  assert.equal(longestTripMs(state), null);
  for (const [host, tripMs] of [
    ['fw2', 1],
    ['fw3', 3],
    [witness, 80],
  ] as const) {
    const after = step(state, { type: 'round-trip', host, tripMs }, 5);
    assert.deepEqual(after.effects, []);
    assert.deepEqual(after.state.services, state.services);
    state = after.state;
  }
  assert.equal(longestTripMs(state), 3);
  const membership = { ...config.membership, version: config.membership.version + 1 };
  const { state: renewed } = step(state, { type: 'configured', config: { ...config, membership } }, 6);
  assert.equal(longestTripMs(renewed), null);
});

test('R28: what is measured shortens the bound of a power loss; what is not leaves it as it was', () => {
  const timing = fullTiming({ interval: 200 } as Parameters<typeof fullTiming>[0]);
  const service = {
    policy: 'available',
    checkIntervalMs: 200,
    fall: 2,
    uplinkLimitMs: 1000,
    preparesEarly: true,
  } as const;
  const worst = (tripMs: number | null): number =>
    takeoverBounds(timing, service, { ...usualSteps(timing), tripMs }).power.worstMs;
  assert.equal(worst(1000), worst(null));
  assert.ok(worst(2) < worst(null));
});
