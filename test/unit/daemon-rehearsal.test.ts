/** The takeover that a daemon goes through in values before its first word: every place of the real one, whatever the configuration. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { type CoreConfig, PLACES, type Place, type Policy } from '../../src/core/index.ts';
import { fullTiming } from '../../src/daemon/config/timing.ts';
import { rehearse, rehearseOrTell } from '../../src/daemon/rehearsal.ts';

function configOf(
  policy: Policy,
  intervalMs: number,
  more: Partial<CoreConfig['services'][number]> = {},
): CoreConfig {
  const timing = fullTiming({ interval: intervalMs } as Parameters<typeof fullTiming>[0]);
  const service = {
    ...{ name: 'firewall', policy, checkIntervalMs: 1_000, fall: 2, rise: 2, uplinkLimitMs: 5_000 },
    ...{ switchLimitMs: 5_000, preparesEarly: true, downlinkLink: 1, preemptDelayMs: null },
    ...{ alone: 'suspend' as const, apart: [], feedback: null, digest: 'ab'.repeat(32) },
  };
  return {
    membership: { self: 'fw1', version: 7, members: [], voterSets: [] },
    timing,
    services: [{ ...service, ...more }],
  };
}

/** Where an attempt is rolled back, a word is waited for, or an address answers: no part of a takeover that goes well. */
const ASIDE: ReadonlySet<Place> = new Set<Place>([
  'handover.waiting',
  'handover.withdrawing',
  'service.suspended',
]);

test('it goes through every place of a takeover, planned and not, under both policies and at any interval', () => {
  for (const policy of ['available', 'quorum'] as const)
    for (const intervalMs of [10, 1_000, 60_000]) {
      const places = rehearse(configOf(policy, intervalMs));
      // Where the machine begins; nothing leads there.
      const missed = PLACES.filter(
        (place) => place !== 'init.cleaning' && !ASIDE.has(place) && !places.has(place),
      );
      assert.deepEqual(missed, [], `${policy}, ${intervalMs} ms`);
    }
});

test('no key of a service keeps it from that, and without a service there is nothing to do', () => {
  const keys: Partial<CoreConfig['services'][number]>[] = [
    { preparesEarly: false },
    { downlinkLink: null },
    { checkIntervalMs: 1, fall: 10, rise: 10 },
    {
      preemptDelayMs: 0,
      feedback: { high: 900, low: 500, afterMs: 1_000 },
      alone: 'serve',
      apart: ['other'],
    },
  ];
  for (const more of keys)
    assert.ok(rehearse(configOf('available', 100, more)).has('handover.opening'), JSON.stringify(more));
  assert.equal(rehearse({ ...configOf('quorum', 100), services: [] }).size, 0);
});

test('a fault in it is told, and keeps no host from starting', () => {
  const config = configOf('quorum', 100);
  assert.equal(rehearseOrTell(config), null);
  const broken = { ...config, services: null } as unknown as CoreConfig;
  assert.notEqual(rehearseOrTell(broken), null);
});
