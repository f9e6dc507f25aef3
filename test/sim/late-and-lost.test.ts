/**
 * What comes late, is lost, or is only said: words of a release that do not arrive, a lent rest that is too short, a gate
 * that is read back after the right, a round that was slept through, and a member that calls itself master.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { type Event, type HostState, type Message, type ServiceState, step } from '../../src/core/index.ts';
import { type Host, SERVICE, World, type WorldOptions } from './world.ts';

type Seen = { readonly state: HostState; readonly nowMs: number };

function serviceOf(state: HostState | undefined): ServiceState {
  return state?.services[SERVICE] ?? assert.fail('the host runs, and has the service');
}

function serving(options: Pick<WorldOptions, 'hosts' | 'policy'> & Partial<WorldOptions>) {
  const w = new World(options);
  w.startAll();
  w.pass(20 * w.times.timing.intervalMs);
  const master = w.host(w.masters()[0] ?? assert.fail('nobody serves'));
  w.resetFigures();
  return { w, master, state: master.driver?.state ?? assert.fail() };
}

function hand(master: Host): void {
  assert.equal(master.driver?.order({ kind: 'handover', service: SERVICE, to: null, force: false }), null);
}

/** The host's state as it is in `place` for the first time from now on. */
function firstIn(w: World, place: string): () => Seen {
  let seen: Seen | null = null;
  w.observe = (_host, nowMs, _event, state) => {
    if (seen === null && state.services[SERVICE]?.place === place) seen = { state, nowMs };
  };
  return () => seen ?? assert.fail(`nobody was in ${place}`);
}

function effectsOf(state: HostState, event: Event, nowMs: number) {
  const after = step(state, event, nowMs);
  const runs = after.effects.flatMap((e) => (e.type === 'run' ? [e.procedure] : []));
  const says = after.effects.flatMap((e) => (e.type === 'send' ? [e.message] : []));
  const opens = after.effects.some((e) => e.type === 'gate' && e.untilMs !== null);
  return { it: serviceOf(after.state), runs, says, opens };
}

function told(state: HostState, from: string, message: Message, nowMs: number) {
  return effectsOf(state, { type: 'message', from, link: 1, message }, nowMs);
}

/** Slept for so long that the right has lapsed. */
function suspended(state: HostState, nowMs: number): HostState {
  const { state: after } = step(state, { type: 'timer' }, nowMs);
  assert.equal(serviceOf(after).place, 'service.suspended');
  return after;
}

for (const intervalMs of [200, 1000])
  test(`R15: RELEASED is said three times, however soon the host is down, at ${intervalMs} ms`, () => {
    const { w, master } = serving({ hosts: 3, policy: 'quorum', intervalMs });
    let copies = 0;
    w.observe = (host, _now, _event, _state, effects) => {
      if (host !== master.name) return;
      copies += effects.filter((e) => e.type === 'send' && e.message.type === 'RELEASED').length;
    };
    hand(master);
    w.pass(10 * intervalMs);
    assert.equal(copies, 3);
    assert.equal(master.place, 'backup.watching');
  });

for (const policy of ['available', 'quorum'] as const)
  test(`R15, ${policy}: that the first RELEASED is lost costs a probe's time-out`, () => {
    const { w, master } = serving({ hosts: 3, policy, intervalMs: 1000 });
    let lost = false;
    w.observe = (host, _now, _event, state) => {
      if (lost || host !== master.name || state.services[SERVICE]?.place !== 'service.releasing') return;
      lost = true;
      for (const other of w.hosts) if (other !== master) w.deaf.add(`${host}>${other.name}`);
      w.at(2, () => w.deaf.clear());
    };
    hand(master);
    w.pass(12_000);
    assert.ok(lost);
    assert.equal(w.masters().length, 1);
    assert.ok(w.outageMs < 2 * w.times.timing.probeTimeoutMs + 5, `${w.outageMs} ms`);
  });

/** Holds the master's gate open for so long that `restMs` of what it lends is left when RELEASED comes. */
function lend(w: World, master: Host, restMs: number, opening: (host: Host) => void = () => undefined): void {
  let held = false;
  w.observe = (host, nowMs, _event, state) => {
    const it = state.services[SERVICE];
    if (it?.place === 'handover.opening') opening(w.host(host));
    if (held || host !== master.name || it?.place !== 'service.shutting') return;
    held = true;
    const successor = w.host(it.handingTo?.host ?? '').driver?.state.services[SERVICE];
    const shutMs =
      ((successor?.attempt?.readyAtMs ?? nowMs) + (it.handingTo?.leaseUntilMs ?? 0) - restMs) / 2;
    const order = master.actuator.gate.bind(master.actuator);
    master.actuator.gate = (untilMs, done) =>
      untilMs === null ? w.at(shutMs - nowMs, () => order(untilMs, done)) : order(untilMs, done);
  };
  hand(master);
}

for (const restMs of [-5, 5, 9, 14])
  test(`R12: of what the master lent ${restMs} ms are left: a majority is asked beside it`, () => {
    const { w, master } = serving({ hosts: 3, policy: 'quorum' });
    lend(w, master, restMs);
    w.pass(8000);
    assert.equal(w.masters().length, 1);
    assert.notEqual(w.masters()[0], master.name);
    assert.ok(w.outageMs < 10, `${w.outageMs} ms`);
  });

test('R12: nothing is left of it and the round is lost: it is asked again', () => {
  const { w, master } = serving({ hosts: 3, policy: 'quorum' });
  let lost = false;
  lend(w, master, -5, (host) => {
    if (lost) return;
    lost = true;
    for (const other of w.hosts) if (other !== host) w.deaf.add(`${host.name}>${other.name}`);
    w.at(3, () => w.deaf.clear());
  });
  w.pass(8000);
  assert.ok(lost);
  assert.ok(w.outageMs < 2 * w.times.timing.probeTimeoutMs + 5, `${w.outageMs} ms`);
});

for (const policy of ['quorum', 'available'] as const)
  test(`R8, ${policy}: a gate that is read back after the right makes no master`, () => {
    const w = new World({ hosts: 3, policy });
    const seen = firstIn(w, 'handover.opening');
    w.startAll();
    w.pass(4000);
    const { state, nowMs } = seen();
    const { id, untilMs } = serviceOf(state).gate;
    assert.ok(untilMs !== null);
    const read: Event = { type: 'gate-set', service: SERVICE, id, openUntilMs: untilMs };
    const { it, runs, says } = effectsOf(state, read, untilMs + 40);
    assert.equal(it.place, 'handover.opening');
    assert.ok(!runs.includes('announceTakeoverDownlink'));
    assert.ok(!says.some((m) => m.type === 'STATUS' && m.phase === 'serving'));
    assert.equal(effectsOf(state, read, nowMs + 1).it.place, 'service.serving', 'in time it does');
  });

test('R8: a suspended host that slept through its round of probes begins it anew', () => {
  const { w, state } = serving({ hosts: 2, policy: 'available' });
  const lapsed = suspended(state, w.nowMs + 1000);
  const endMs = serviceOf(lapsed).timers.window ?? assert.fail();
  const { it, opens, says } = effectsOf(lapsed, { type: 'timer' }, endMs + w.times.timing.intervalMs);
  assert.equal(it.place, 'service.suspended');
  assert.ok(!opens);
  assert.ok(says.some((m) => m.type === 'PROBE'));
});

test('R8: what a suspended host reads of its gate after its right begins the round anew, too', () => {
  const { w, state } = serving({ hosts: 2, policy: 'available' });
  const lapsed = suspended(state, w.nowMs + 1000);
  const opening = step(lapsed, { type: 'timer' }, serviceOf(lapsed).timers.window ?? assert.fail()).state;
  const { id, untilMs } = serviceOf(opening).gate;
  assert.ok(untilMs !== null, 'the round is over, the gate is ordered open');
  const read: Event = { type: 'gate-set', service: SERVICE, id, openUntilMs: untilMs };
  const { it, says } = effectsOf(opening, read, untilMs + 1);
  assert.equal(it.place, 'service.suspended');
  assert.ok(says.some((m) => m.type === 'PROBE'));
});

test('R13: a suspended host draws nobody’s traffic when it hears another master', () => {
  const { w, master, state } = serving({ hosts: 2, policy: 'available' });
  const other = w.hosts.find((host) => host !== master)?.name ?? '';
  const term = { n: 9, host: master.name };
  const services = { [SERVICE]: { ...serviceOf(state), term, known: { term, heardAtMs: w.nowMs } } };
  const lapsed = suspended({ ...state, services }, w.nowMs + 1000);
  const probed = { type: 'PROBED', service: SERVICE, id: 1, activity: 'service', serving: true } as const;
  const word: Message = { ...probed, term: { n: 8, host: other }, downlinkAgeMs: 1 };
  const { runs, it } = told(lapsed, other, word, w.nowMs + 1002);
  assert.ok(!runs.includes('announceTakeoverDownlink'));
  assert.ok(it.alarms.includes('two-masters'));
});

test('R19: a stall does not forget who answers for the service', () => {
  const { w, master } = serving({ hosts: 2, policy: 'available' });
  const backup = w.hosts.find((host) => host !== master);
  let seen: Seen | null = null;
  w.observe = (host, nowMs, _event, state) => {
    if (host === backup?.name && state.services[SERVICE]?.suspicion?.signOfLife === true)
      seen ??= { state, nowMs };
  };
  w.kill(master);
  w.pass(300);
  const { state, nowMs } = seen ?? assert.fail('the dead daemon’s kernel answers');
  const late = effectsOf(state, { type: 'timer' }, nowMs + 80);
  assert.equal(late.it.suspicion?.unanswered, 0, 'the silence is proved anew');
  assert.equal(late.it.suspicion?.signOfLife, true);
});

test('R15: a RELEASED of an older term lets nobody go', () => {
  const { w, master } = serving({ hosts: 2, policy: 'available' });
  const seen = firstIn(w, 'handover.listening');
  w.powerOff(master);
  w.pass(2000);
  const { state, nowMs } = seen();
  const { term } = serviceOf(state).known ?? assert.fail();
  const released = (n: number): Message => ({
    ...{ type: 'RELEASED', service: SERVICE, term: { n, host: master.name } },
    ...{ successor: null, id: 0, restMs: 0 },
  });
  assert.equal(told(state, master.name, released(term.n - 1), nowMs + 1).it.attempt?.released, false);
  assert.equal(told(state, master.name, released(term.n), nowMs + 1).it.attempt?.released, true);
});

test('R13: a member that says it serves deposes nobody who has a majority, and everybody who has none', () => {
  const { w, master, state } = serving({ hosts: 3, policy: 'quorum' });
  const liar = w.hosts.find((host) => host !== master)?.name ?? '';
  const it = serviceOf(state);
  const says: Message = {
    ...{ type: 'STATUS', service: SERVICE, id: 9_000, phase: 'serving', tableSeq: 1 },
    ...{ digest: state.config.services[0]?.digest ?? '', term: { n: (it.term?.n ?? 0) + 1, host: liar } },
  };
  const after = told(state, liar, says, w.nowMs);
  assert.equal(after.it.place, 'service.serving');
  assert.deepEqual(after.it.known?.term, it.term, 'nor is it believed to be master');
  assert.ok(after.it.alarms.includes('two-masters'));
  const right = { ...it.right, leases: {}, lentUntilMs: 0 };
  const lapsed = { ...state, services: { [SERVICE]: { ...it, right, place: 'service.suspended' as const } } };
  assert.equal(told(lapsed, liar, says, w.nowMs).it.place, 'service.releasing');
  const own = { ...right, ownUntilMs: w.nowMs + 100 };
  const forced = { ...state, services: { [SERVICE]: { ...it, right: own, forced: true } } };
  const lower = { ...says, term: { n: 0, host: liar } } as Message;
  assert.equal(
    told(forced, liar, lower, w.nowMs).it.place,
    'service.releasing',
    'by an order alone: it yields',
  );
});
