/** Lines of the core that could be broken without a test that fails: each in a few steps, at the very edge that it draws. */
import assert from 'node:assert/strict';
import test from 'node:test';
import {
  type CoreConfig,
  type Effect,
  type HostState,
  initialState,
  type Message,
  type ServiceState,
  step,
} from '../../src/core/index.ts';
import { DIGEST } from './cluster.ts';
import { SERVICE, World } from './world.ts';

const OTHER_DIGEST = 'e'.repeat(64);

function serviceOf(state: HostState | undefined): ServiceState {
  return state?.services[SERVICE] ?? assert.fail('the host runs, and has the service');
}

function sent(effects: readonly Effect[], type: Message['type']): Message[] {
  return effects.flatMap((e) => (e.type === 'send' && e.message.type === type ? [e.message] : []));
}

function told(state: HostState, from: string, message: Message, nowMs: number, link = 1) {
  return step(state, { type: 'message', from, link, message }, nowMs);
}

function report(digest: string): Message {
  const self = { activity: 'backup', fit: true, standby: false, downlink: true } as const;
  return {
    type: 'REPORT',
    service: SERVICE,
    ...self,
    digest,
    tableTerm: null,
    tableSeq: 0,
    load: 0,
    burdened: false,
  };
}

function claim(n: number, host: string): Message {
  return { type: 'CLAIM', service: SERVICE, id: 900, term: { n, host } };
}

function serving(hosts: number, policy: 'quorum' | 'available') {
  const w = new World({ hosts, policy });
  w.startAll();
  // Reports come each five intervals, the table after them.
  w.pass(6000);
  const master = w.host(w.masters()[0] ?? assert.fail('nobody serves'));
  const backups = w.hosts.filter((h) => h !== master);
  return { w, master, backup: backups[0] ?? assert.fail(), other: backups.at(-1) ?? assert.fail() };
}

test('R2, R18: under `available` who hears the master answers a claim, but not that of a host on another configuration', () => {
  const { w, backup, other } = serving(3, 'available');
  const { state } = backup.driver ?? assert.fail();
  const n = (serviceOf(state).known?.term.n ?? 0) + 1;
  const answers = (from: HostState) => {
    const after = told(from, other.name, claim(n, other.name), w.nowMs);
    assert.deepEqual(
      serviceOf(after.state).rival?.term,
      { n, host: other.name },
      'the claim is noted all the same',
    );
    return sent(after.effects, 'OBJECT').map((m) => m.type === 'OBJECT' && m.reason);
  };
  assert.deepEqual(answers(state), ['hearing']);
  assert.deepEqual(answers(told(state, other.name, report(OTHER_DIGEST), w.nowMs).state), []);
  const { [other.name]: _, ...reports } = serviceOf(state).reports;
  const unheard = { ...state, services: { [SERVICE]: { ...serviceOf(state), reports } } };
  assert.deepEqual(answers(unheard), [], 'nor that of one whose configuration is not known');
});

test('R10: the silent master, first in the table and fit by its last report, is not waited for', () => {
  const { w, master, backup } = serving(2, 'available');
  const before = serviceOf(backup.driver?.state);
  const first = before.table?.rows[0]?.host;
  assert.deepEqual(
    [first, before.reports[master.name]?.fit],
    [master.name, true],
    'or the test shows nothing',
  );
  let waited = false;
  w.observe = (host, _nowMs, _event, state) => {
    if (host === backup.name) waited ||= serviceOf(state).suspicion?.clearedAtMs != null;
  };
  w.powerOff(master);
  w.pass(1000);
  assert.deepEqual(w.masters(), [backup.name]);
  assert.equal(waited, false, 'it claims in the very step that allows it');
});

test('R12, R15, R16: RELEASED and WITHDRAW are said three times, a probe’s time-out apart', () => {
  const { w, master, backup } = serving(2, 'available');
  const { probeTimeoutMs } = w.config(master.name).timing;
  // Taking everything down lasts longer than the three copies.
  const slow = { slowMs: 10 * probeTimeoutMs, fails: false, says: null };
  for (const host of w.hosts) host.actuator.faults.set('deactivateUplink', slow);
  const said: { readonly type: string; readonly atMs: number }[] = [];
  w.observe = (_host, nowMs, _event, _state, effects) => {
    for (const type of ['RELEASED', 'WITHDRAW'] as const)
      for (const message of sent(effects, type)) said.push({ type: message.type, atMs: nowMs });
  };
  const copies = (type: string) => {
    const times = said.splice(0).filter((s) => s.type === type);
    return times.map(({ atMs }) => Math.round((atMs - (times[0]?.atMs ?? 0)) / probeTimeoutMs));
  };
  // The one that follows cannot raise its uplink, and takes its claim back.
  backup.wan = false;
  master.rulesFlushed = true;
  w.pass(500);
  assert.deepEqual(copies('RELEASED'), [0, 1, 2]);
  w.powerOff(master);
  w.pass(1500);
  assert.deepEqual(copies('WITHDRAW'), [0, 1, 2]);
});

test('R14: who doubts the master is believed if it was heard elsewhere for two intervals, and not here since the check began', () => {
  const { w, master, backup } = serving(2, 'available');
  const { state } = master.driver ?? assert.fail();
  const s = serviceOf(state);
  const { intervalMs } = state.config.timing;
  const askers = [{ host: backup.name, id: 7, kind: 'blame' as const }];
  // Its check began a moment ago; no deadline is near.
  const startedAtMs = w.nowMs - 5;
  const check = { ...s.checks.checkDownlink, runningId: 99, startedAtMs };
  const placeAfter = (hereMs: number, elsewhereMs: number, verdict: 'unknown' | 'confirmed' = 'unknown') => {
    const peers = { [backup.name]: { trusted: true, heardOn: { 1: hereMs, 2: elsewhereMs } } };
    const services = { [SERVICE]: { ...s, askers, checks: { ...s.checks, checkDownlink: check } } };
    const ended = { service: SERVICE, procedure: 'checkDownlink', id: 99, verdict } as const;
    const after = step({ ...state, peers, services }, { type: 'procedure-ended', ...ended }, w.nowMs);
    return serviceOf(after.state).place;
  };
  const longAgoMs = w.nowMs - 2 * intervalMs;
  assert.equal(placeAfter(startedAtMs - 1, w.nowMs), 'service.releasing');
  assert.equal(
    placeAfter(startedAtMs, w.nowMs),
    'service.serving',
    'heard on the downlink as the check began',
  );
  assert.equal(placeAfter(startedAtMs - 1, longAgoMs), 'service.releasing', 'two intervals are still new');
  assert.equal(placeAfter(startedAtMs - 1, longAgoMs - 1), 'service.serving', 'and not a millisecond more');
  assert.equal(placeAfter(startedAtMs - 1, w.nowMs, 'confirmed'), 'service.serving');
});

test('a check that is asked for while it runs runs once more, and only once', () => {
  const { w, backup } = serving(2, 'available');
  let { state } = backup.driver ?? assert.fail();
  const record = () => serviceOf(state).checks.checkDownlink;
  const took = (event: Parameters<typeof step>[1], atMs: number): number => {
    const after = step(state, event, atMs);
    state = after.state;
    return after.effects.filter((e) => e.type === 'run' && e.procedure === 'checkDownlink').length;
  };
  const end = (atMs: number): number => {
    const ended = { service: SERVICE, procedure: 'checkDownlink', id: record().runningId } as const;
    return took({ type: 'procedure-ended', ...ended, verdict: 'confirmed' }, atMs);
  };
  if (record().runningId !== 0) end(w.nowMs);
  const changed = { type: 'link-changed', service: SERVICE, side: 'downlink' } as const;
  assert.equal(took(changed, w.nowMs), 1);
  assert.equal(took(changed, w.nowMs + 1) + took(changed, w.nowMs + 2), 0, 'not two at a time');
  assert.equal(end(w.nowMs + 3), 1, 'what changed meanwhile is looked at');
  assert.equal(record().startedAtMs, w.nowMs + 3);
  assert.equal(end(w.nowMs + 4), 0);
  assert.equal(record().runningId, 0);
});

test('R2: after a reload that changes the own digest nobody is promised before it said that it has the same', () => {
  const config = new World({ hosts: 3, policy: 'quorum' }).config('fw1');
  const digested = (digest: string): CoreConfig => ({
    ...config,
    services: config.services.map((service) => ({ ...service, digest })),
  });
  const start = step(initialState(config, 0), { type: 'started' }, 0).state;
  const heard = told(start, 'fw2', report(DIGEST), 1000).state;
  const reloaded = (to: CoreConfig) => step(heard, { type: 'configured', config: to }, 1001).state;
  const grants = (state: HostState) =>
    sent(told(state, 'fw2', claim(1, 'fw2'), 1002).effects, 'GRANT').length;
  assert.equal(grants(heard), 1);
  assert.equal(grants(reloaded({ ...config })), 1, 'a reload of something else changes nothing');
  const other = reloaded(digested(OTHER_DIGEST));
  assert.equal(grants(other), 0);
  assert.equal(grants(told(other, 'fw2', report(DIGEST), 1001).state), 0, 'it differs now');
  assert.equal(grants(told(other, 'fw2', report(OTHER_DIGEST), 1001).state), 1);
});
