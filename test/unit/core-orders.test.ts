/** An operator's order on a host with several services: it is for the services that it was judged for, and for no other. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { type HostState, initialState, step } from '../../src/core/index.ts';
import { NO_RIGHT } from '../../src/core/lease.ts';
import { refusal } from '../../src/core/orders.ts';
import type { ServiceState } from '../../src/core/state.ts';
import { clusterTimes, coreConfig } from '../sim/cluster.ts';
import { testRoster } from './wire-fixture.ts';

const base = coreConfig(
  testRoster(['fw1', 'fw2', 'fw3']),
  'fw1',
  clusterTimes(200).timing,
  'available',
  null,
);
const CONFIG = {
  ...base,
  services: ['mail', 'web'].flatMap((name) => base.services.map((service) => ({ ...service, name }))),
};

/** fw1 watches fw2 for `web`, and for `mail` it does what is given here. */
function hosted(mail: Partial<ServiceState>): HostState {
  const state = initialState(CONFIG, 0);
  const watching = {
    place: 'backup.watching',
    known: { term: { n: 3, host: 'fw2' }, heardAtMs: 0 },
  } as const;
  const [first, second] = [state.services.mail, state.services.web];
  assert.ok(first !== undefined && second !== undefined);
  return {
    ...state,
    services: { mail: { ...first, ...watching, ...mail }, web: { ...second, ...watching } },
  };
}

/** Where both services are after `handover --force` for that one, or for all (null). */
function forced(state: HostState, service: string | null): (string | undefined)[] {
  const order = { kind: 'handover', service, to: null, force: true } as const;
  assert.equal(refusal(state, order, 10), null);
  const { services } = step(state, { type: 'operator', order }, 10).state;
  return ['mail', 'web'].map((name) => services[name]?.place);
}

const TERM = { n: 4, host: 'fw1' };
const SERVING: Partial<ServiceState> = {
  ...{ place: 'service.serving', term: TERM, known: { term: TERM, heardAtMs: 0 } },
  right: { ...NO_RIGHT, ownUntilMs: 1e6 },
};

test('handover --force on a master takes no other service from its own master', () => {
  assert.deepEqual(forced(hosted(SERVING), null), ['service.serving', 'backup.watching']);
  assert.deepEqual(forced(hosted(SERVING), 'web'), ['service.serving', 'handover.claiming'], 'by its name');
});

test('handover to a host that was not heard of for 15 intervals is refused: what it said last is no evidence', () => {
  const said = {
    fit: true,
    standby: false,
    downlink: true,
    activity: 'backup',
    sameDigest: true,
    load: 0,
  } as const;
  const report = { ...said, atMs: 100, burdened: false, fitSinceMs: 0, tableTerm: null, tableSeq: 0 };
  const state = hosted({ ...SERVING, reports: { fw2: report } });
  const order = { kind: 'handover', service: 'mail', to: 'fw2', force: false } as const;
  assert.equal(refusal(state, order, 100 + 15 * 200), null);
  assert.match(String(refusal(state, order, 101 + 15 * 200)), /fw2 has not been heard of late/);
  assert.match(String(refusal(state, { ...order, to: 'fw3' }, 100)), /fw3 has not reported since/);
  assert.equal(refusal(state, { ...order, force: true }, 1e6), null);
  const unfit = hosted({ ...SERVING, reports: { fw2: { ...report, fit: false } } });
  assert.match(String(refusal(unfit, order, 100)), /fw2 does not say that it is fit/);
});

test('an order that comes while the master is suspended is not taken for a second one: it may be repeated', () => {
  const order = { kind: 'handover', service: 'mail', to: null, force: false } as const;
  assert.match(String(refusal(hosted({ ...SERVING, place: 'service.suspended' }), order, 10)), /try again/);
  assert.match(
    String(refusal(hosted({ ...SERVING, place: 'service.seeking' }), order, 10)),
    /under way already/,
  );
});

test('handover --force on a host that serves nothing is for all of its services', () => {
  assert.deepEqual(forced(hosted({}), null), ['handover.claiming', 'handover.claiming']);
  assert.deepEqual(forced(hosted({}), 'web'), ['backup.watching', 'handover.claiming']);
});

test('that nobody took over is told for as long as it is news: until the pause is over, and no longer than the service is here', () => {
  const order = { kind: 'handover', service: 'mail', to: null, force: false } as const;
  const { state } = step(hosted(SERVING), { type: 'operator', order }, 10);
  const alarms = (after: HostState): readonly string[] | undefined => after.services.mail?.alarms;
  assert.deepEqual(alarms(state), ['no-successor']);
  const pausing = step(state, { type: 'timer' }, 900).state;
  assert.deepEqual(alarms(pausing), ['no-successor']);
  assert.deepEqual(alarms(step(pausing, { type: 'timer' }, 1100).state), []);
  const standby = step(pausing, { type: 'operator', order: { kind: 'standby' } }, 950).state;
  assert.deepEqual(alarms(step(standby, { type: 'timer' }, 5000).state), ['no-successor'], 'still wanted');
});

test('T14: a claim by order beside a master that was asked nothing waits for its objection; two hosts alone', () => {
  const two = coreConfig(testRoster(['fw1', 'fw2']), 'fw1', clusterTimes(200).timing, 'available', null);
  const state = initialState(two, 0);
  const [service] = Object.values(state.services);
  assert.ok(service !== undefined);
  const watching: ServiceState = {
    ...{ ...service, place: 'backup.watching' },
    known: { term: { n: 3, host: 'fw2' }, heardAtMs: 0 },
  };
  const order = { kind: 'handover', service: null, to: null, force: true } as const;
  const ordered = step(
    { ...state, services: { [service.service]: watching } },
    { type: 'operator', order },
    10,
  );
  assert.equal(ordered.state.services[service.service]?.place, 'handover.claiming');
  assert.ok(!ordered.effects.some(({ type }) => type === 'run'), 'no uplink is raised yet');
  const { slotMs } = two.timing;
  const waited = step(ordered.state, { type: 'timer' }, 10 + slotMs).state;
  assert.equal(waited.services[service.service]?.place, 'handover.raising');
});
