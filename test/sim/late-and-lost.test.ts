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

/** The end of the address probes that a suspended host began on that side. */
function probed(state: HostState, side: 'downlink' | 'uplink', answered = false): Event {
  const id = serviceOf(state).suspicion?.probeIds[side] ?? assert.fail('no round is under way');
  return { type: 'addresses-probed', service: SERVICE, side, id, answered };
}

/** The round's time is over, and nobody has answered on either side. */
function silent(lapsed: HostState): HostState {
  const endMs = serviceOf(lapsed).timers.window ?? assert.fail();
  const timed = step(lapsed, { type: 'timer' }, endMs).state;
  const one = step(timed, probed(lapsed, 'uplink'), endMs + 1).state;
  return step(one, probed(lapsed, 'downlink'), endMs + 2).state;
}

test('R8: what has not come back of a round is no silence, however late it comes', () => {
  const { w, state } = serving({ hosts: 2, policy: 'available' });
  const lapsed = suspended(state, w.nowMs + 1000);
  const endMs = serviceOf(lapsed).timers.window ?? assert.fail();
  const timed = step(lapsed, { type: 'timer' }, endMs);
  assert.equal(serviceOf(timed.state).gate.untilMs, null, 'neither side is told of yet');
  const one = step(timed.state, probed(lapsed, 'uplink'), endMs + 30);
  assert.equal(serviceOf(one.state).gate.untilMs, null, 'one side is told of');
  const old = step(one.state, { ...probed(lapsed, 'downlink'), id: 1 } as Event, endMs + 31);
  assert.equal(serviceOf(old.state).gate.untilMs, null, 'the end of an older round');
  assert.ok(effectsOf(old.state, probed(lapsed, 'downlink'), endMs + 32).opens, 'both are silent');
  const answered = effectsOf(old.state, probed(lapsed, 'downlink', true), endMs + 32);
  assert.ok(!answered.opens);
  assert.ok(
    answered.says.some((m) => m.type === 'PROBE'),
    'the round begins anew',
  );
});

test('R8: a round that begins anew finds the gate shut, also one that was just ordered open', () => {
  const { w, state } = serving({ hosts: 2, policy: 'available' });
  const opening = silent(suspended(state, w.nowMs + 1000));
  const { untilMs } = serviceOf(opening).gate;
  assert.ok(untilMs !== null, 'the round is over, the gate is ordered open');
  const late = step(opening, { type: 'timer' }, untilMs + w.times.timing.intervalMs);
  assert.ok(late.effects.some((e) => e.type === 'gate' && e.untilMs === null));
  assert.equal(serviceOf(late.state).gate.untilMs, null);
});

test('R8: who wakes beside another master stays shut while its Linux side is slow and no word comes', () => {
  const { w, master } = serving({ hosts: 2, policy: 'available' });
  const other = w.hosts.find((host) => host !== master) ?? assert.fail();
  master.freeze();
  w.pass(3000);
  assert.deepEqual(w.masters(), [other.name]);
  // Longer than the round of probes and the promise together, but not than the suspension.
  const order = master.actuator.probeAddresses.bind(master.actuator);
  master.actuator.probeAddresses = (side, ended) =>
    order(side, (is) =>
      w.at(
        150,
        master.alive(() => ended(is)),
      ),
    );
  for (const [a, b] of [
    [master, other],
    [other, master],
  ] as const)
    w.deaf.add(`${a.name}>${b.name}`);
  w.at(900, () => w.deaf.clear());
  let both = 0;
  const changed = master.changed;
  master.changed = () => {
    if (master.active(w.nowMs) && other.active(w.nowMs)) both++;
    changed();
  };
  master.thaw();
  w.pass(5000);
  assert.equal(both, 0, 'both were active at once');
  assert.deepEqual(w.masters(), [other.name]);
});

test('R8: what a suspended host reads of its gate after its right begins the round anew, too', () => {
  const { w, state } = serving({ hosts: 2, policy: 'available' });
  const opening = silent(suspended(state, w.nowMs + 1000));
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
