/** A kernel that answers later than the next renewal's order is heard all the same: R6. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { type Effect, type HostState, initialState, step } from '../../src/core/index.ts';
import { clusterTimes, coreConfig } from '../sim/cluster.ts';
import { testRoster } from './wire-fixture.ts';

const { timing } = clusterTimes(200);
const config = coreConfig(testRoster(['fw1', 'fw2', 'fw3']), 'fw1', timing, 'quorum', null);
const SERVICE = config.services[0]?.name ?? '';
const NOW = 10_000;

/** fw1 about to open, with fw2's promise for the rounds that it asked in. */
function opening(): HostState {
  const state = initialState(config, 0);
  const s = state.services[SERVICE];
  assert.ok(s);
  const term = { n: 5, host: 'fw1' };
  const attempt = {
    ...{
      term,
      plannedBy: null,
      plannedId: 0,
      claimedAtMs: NOW - 300,
      suspectedAtMs: NOW - 400,
      granted: true,
    },
    ...{ notBeforeMs: 0, masterLives: false, released: true, readyAtMs: 0, readyId: 0, stalls: 0 },
    ...{ probeIds: { downlink: 0, uplink: 0 }, answeredBy: { downlink: false, uplink: false } },
    prepared: 'tested' as const,
    limitAtMs: NOW + 5_000,
  };
  const requests = [1, 2, 3].map((id) => ({ id, sentAtMs: NOW + 50 * id }));
  const right = { requests, leases: { fw1: NOW + 900 }, ownUntilMs: 0, lentUntilMs: 0 };
  const place = 'handover.opening' as const;
  return { ...state, nextId: 10, services: { [SERVICE]: { ...s, place, term, attempt, right } } };
}

function heard(state: HostState, round: number): { state: HostState; orders: Effect[] } {
  const message = { type: 'ACK', service: SERVICE, id: round, term: { n: 5, host: 'fw1' } } as const;
  const after = step(state, { type: 'message', from: 'fw2', link: 1, message }, NOW + 50 * round + 1);
  return { state: after.state, orders: after.effects.filter(({ type }) => type === 'gate') };
}

test('an order that opened the gate counts though a later one is under way, and none from before it was shut', () => {
  const first = heard(opening(), 1);
  const second = heard(first.state, 2);
  const [a, b] = [first.orders[0], second.orders[0]];
  assert.ok(a?.type === 'gate' && b?.type === 'gate' && a.untilMs !== null && b.id > a.id);
  const told = (id: number, openUntilMs: number | null) =>
    step(second.state, { type: 'gate-set', service: SERVICE, id, openUntilMs }, NOW + 110).state.services[
      SERVICE
    ];
  assert.equal(told(a.id, a.untilMs)?.place, 'service.serving');
  assert.equal(told(b.id, b.untilMs)?.place, 'service.serving');
  // Of those that failed only the latest says how the gate is.
  assert.equal(told(a.id, null)?.place, 'handover.opening');
  assert.equal(told(a.id - 1, a.untilMs)?.place, 'handover.opening');
  assert.equal(told(b.id + 1, b.untilMs)?.place, 'handover.opening');
});
