/** What the checker found in the core, each once more in the few steps that matter. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { type HostState, type Message, type ServiceState, step } from '../../src/core/index.ts';
import { clusterOf } from './plans.ts';
import { startPoint } from './starts.ts';
import { hostAt, NO_FAULTS, type Node, SERVICE } from './world.ts';

const HOSTS = { hosts: 2, witnesses: 0, policy: 'available' } as const;

function settled(): Node {
  return startPoint(clusterOf(HOSTS), 'advert', NO_FAULTS);
}

function stateOf(node: Node, host: number, patch: (s: ServiceState) => Partial<ServiceState>): HostState {
  const { state } = hostAt(node, host);
  const s = state?.services[SERVICE];
  assert.ok(state && s, 'the host runs');
  return { ...state, services: { [SERVICE]: { ...s, ...patch(s) } } };
}

const advert = (host: string): Message => ({
  type: 'STATUS',
  service: SERVICE,
  id: 1,
  term: { n: 1, host },
  phase: 'serving',
  digest: 'd',
  tableSeq: 1,
});

function knownAfter(node: Node, state: HostState, from: string) {
  const event = { type: 'message', from, link: 1, message: advert(from) } as const;
  return step(state, event, node.nowMs).state.services[SERVICE];
}

test('a former master hears the one that claimed without having heard of its term', () => {
  const node = settled();
  const nowMs = node.nowMs;
  const own = stateOf(node, 1, () => ({ known: { term: { n: 2, host: 'b' }, heardAtMs: nowMs } }));
  assert.deepEqual(knownAfter(node, own, 'a')?.known?.term, { n: 1, host: 'a' });
});

test('a backup hears a master in a lower term once the higher one is silent or has let go, and not before', () => {
  const node = settled();
  const nowMs = node.nowMs;
  const higher = { n: 2, host: 'c' };
  const heard = (heardAtMs: number, more: { released?: null }) =>
    knownAfter(
      node,
      stateOf(node, 1, () => ({ known: { term: higher, heardAtMs, ...more } })),
      'a',
    )?.known?.term.host;
  assert.equal(heard(nowMs, {}), 'c');
  assert.equal(heard(nowMs - 211, {}), 'a');
  assert.equal(heard(nowMs, { released: null }), 'a');
});

test('a serving master lets go for no lower term, however long it has served', () => {
  const node = settled();
  const serving = stateOf(node, 0, (s) => ({
    term: { n: 2, host: 'a' },
    known: { term: { n: 2, host: 'a' }, heardAtMs: (s.known?.heardAtMs ?? 0) - 10_000 },
  }));
  const s = knownAfter(node, serving, 'b');
  assert.equal(s?.place, 'service.serving');
  assert.deepEqual(s?.known?.term, { n: 2, host: 'a' });
});
