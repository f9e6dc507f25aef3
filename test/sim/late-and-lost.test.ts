/**
 * What comes late, is lost, or is only said: words of a release that do not arrive, a lent rest that is too short, a gate
 * that is read back after the right, a deadline or a word behind another, and a member that calls itself master.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { type Event, type Message, type ServiceState, step } from '../../src/core/index.ts';
import { NO_TIMERS } from '../../src/core/state.ts';
import { effectsOf, firstIn, type Seen, serviceOf, serving, told } from './moments.ts';
import { type Host, SERVICE, World } from './world.ts';

function hand(master: Host): void {
  assert.equal(master.driver?.order({ kind: 'handover', service: SERVICE, to: null, force: false }), null);
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

test('R9: an advert that came in time is no silence, however late the turn and whatever stands before it', () => {
  const { w, master } = serving({ hosts: 3, policy: 'quorum' });
  const [backup, third] = w.hosts.filter((host) => host !== master);
  assert.ok(backup && third);
  const it = () => serviceOf(backup.driver?.state);
  const untilAdvertMs = (it().known?.heardAtMs ?? 0) + w.times.timing.intervalMs - w.nowMs;
  w.pass(untilAdvertMs - 10);
  const seen: string[] = [];
  w.observe = (host, _nowMs, event, state) => {
    if (host === backup.name && event.type === 'message')
      seen.push(`${event.message.type} ${serviceOf(state).place}`);
  };
  backup.freeze();
  assert.equal(third.driver?.order({ kind: 'standby' }), null, 'whose REPORT goes to all');
  w.pass((it().timers.silence ?? 0) - w.nowMs + 5);
  backup.thaw();
  w.pass(1);
  assert.equal(seen[0], 'REPORT backup.watching');
  assert.ok(seen.includes('STATUS backup.watching'), seen.join(', '));
  assert.ok(seen.every((what) => what.endsWith(' backup.watching')));
  assert.equal(backup.place, 'backup.watching');
});

test('R9: an operator’s order that is read before an advert serves no deadline', () => {
  const { w, master } = serving({ hosts: 3, policy: 'quorum' });
  const backup = w.hosts.find((host) => host !== master) ?? assert.fail();
  const seen: string[] = [];
  w.observe = (host, _nowMs, event, state) => {
    if (host === backup.name) seen.push(`${event.type} ${serviceOf(state).place}`);
  };
  backup.freeze();
  w.pass((serviceOf(backup.driver?.state).timers.silence ?? 0) - w.nowMs + 5);
  seen.length = 0;
  assert.equal(backup.driver?.order({ kind: 'resume' }), null);
  assert.deepEqual(seen, ['operator backup.watching']);
  backup.thaw();
  w.pass(1);
  assert.ok(seen.includes('message backup.watching'));
  assert.equal(backup.place, 'backup.watching');
});

test('R9: a deadline that is over when it is set is due, and no stall', () => {
  const { w, master } = serving({ hosts: 3, policy: 'available' });
  const seen = firstIn(w, 'handover.claiming');
  w.powerOff(master);
  w.pass(2000);
  const { state, nowMs } = seen();
  const it = serviceOf(state);
  assert.ok(it.attempt !== null && it.term !== null);
  // The claim is older than a promise, which is all that an objection is worth.
  const attempt: ServiceState['attempt'] = {
    ...it.attempt,
    claimedAtMs: nowMs - 1000,
    notBeforeMs: nowMs - 900,
  };
  const services = { [SERVICE]: { ...it, attempt, timers: NO_TIMERS } };
  const objection: Message = {
    ...{ type: 'OBJECT', service: SERVICE, id: 1, reason: 'hearing' },
    ...{ term: it.term, restMs: 0, downlinkAgeMs: null },
  };
  const from =
    w.hosts.find(({ name }) => name !== master.name && name !== it.term?.host)?.name ?? assert.fail();
  const told = { type: 'message', from, link: 1, message: objection } as const;
  const due = step({ ...state, services }, told, nowMs).state;
  assert.equal(serviceOf(due).place, 'handover.claiming');
  assert.equal(effectsOf(due, { type: 'timer' }, nowMs).it.place, 'handover.raising');
});

test('R9: rounds that end behind the window’s time end it with its deadline, after the master’s word that stands behind them', () => {
  const { w, master } = serving({ hosts: 2, policy: 'available' });
  const backup = w.hosts.find((host) => host !== master);
  let seen: Seen | null = null;
  w.observe = (host, nowMs, _event, state) => {
    const it = state.services[SERVICE];
    const isReady = it?.place === 'handover.listening' && it.attempt?.prepared === 'tested';
    if (host === backup?.name && isReady) seen ??= { state, nowMs };
  };
  w.powerOff(master);
  w.pass(3000);
  const { state }: Seen = seen ?? assert.fail('the service is prepared beside the window');
  const { timers, attempt, known } = serviceOf(state);
  const lateMs = (timers.window ?? assert.fail()) + 5;
  let late = state;
  for (const side of ['downlink', 'uplink'] as const) {
    const id = attempt?.probeIds[side] ?? 0;
    assert.ok(id > 0, 'asked on both sides, and not told yet');
    const quiet: Event = { type: 'addresses-probed', service: SERVICE, side, id, answered: false };
    const after = step(late, quiet, lateMs);
    assert.ok(!after.effects.some((e) => e.type === 'gate'), side);
    late = after.state;
  }
  const lives: Message = {
    ...{ type: 'PROBED', service: SERVICE, id: 1, activity: 'service', serving: true },
    ...{ term: known?.term ?? assert.fail(), downlinkAgeMs: 1 },
  };
  const word: Event = { type: 'message', from: master.name, link: 0, message: lives };
  assert.equal(effectsOf(late, word, lateMs).it.place, 'handover.withdrawing');
  assert.ok(effectsOf(late, { type: 'timer' }, lateMs).opens, 'without that word it is over');
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

/** Where the service is so many intervals after an order to hand over whose search the master's lapse interrupted. */
function handedDespiteLapse(then: (w: World, master: Host) => void): {
  w: World;
  master: Host;
  lapses: number;
} {
  const { w, master } = serving({ hosts: 3, policy: 'quorum' });
  const { intervalMs, leaseMs } = w.times.timing;
  let lapses = 0;
  let cut = false;
  w.observe = (host, _now, _event, state, effects) => {
    if (host !== master.name) return;
    lapses += effects.filter((e) => e.type === 'log' && e.entry.data?.to === 'service.suspended').length;
    if (cut || state.services[SERVICE]?.place !== 'service.seeking') return;
    cut = true;
    for (const other of w.hosts) if (other !== master) w.deaf.add(`${other.name}>${master.name}`);
    w.at(leaseMs + 10, () => {
      then(w, master);
      w.deaf.clear();
    });
  };
  hand(master);
  w.pass(10 * intervalMs);
  return { w, master, lapses };
}

test('R12: a search for a successor outlives a lapse of the master', () => {
  const { w, master, lapses } = handedDespiteLapse(() => undefined);
  assert.equal(lapses, 1);
  assert.notDeepEqual(w.masters(), [master.name], 'the order was forgotten');
  assert.equal(w.masters().length, 1);
  assert.deepEqual(w.violations, []);
});

test('R12: a stop while the master is suspended waits for nobody, a search under way or not', () => {
  const { w, master } = handedDespiteLapse((_w, host) => {
    assert.equal(host.place, 'service.suspended');
    assert.equal(host.driver?.order({ kind: 'stop' }), null);
    assert.equal(host.place, 'service.releasing');
  });
  assert.notDeepEqual(w.masters(), [master.name]);
});

test('R12: who was asked and is dead is given up at its limit, however often the master lapses meanwhile', () => {
  const { w, master } = serving({ hosts: 4, policy: 'quorum' });
  const { leaseMs } = w.times.timing;
  const [dead, next] = w.hosts.filter((host) => host !== master);
  assert.ok(dead !== undefined && next !== undefined);
  dead.powerOff();
  master.enter(() => master.driver?.order({ kind: 'handover', service: SERVICE, to: null, force: false }));
  const asked = serviceOf(master.driver?.state).trial;
  assert.equal(asked?.to, dead.name, 'this test would show nothing');
  let lapses = 0;
  for (let i = 0; i < 30 && master.place?.startsWith('service'); i++) {
    for (const other of w.hosts) if (other !== master) w.deaf.add(`${other.name}>${master.name}`);
    w.pass(leaseMs + 10);
    if (master.place === 'service.suspended') lapses++;
    w.deaf.clear();
    w.pass(1000);
    const { trial } = serviceOf(master.driver?.state);
    if (w.nowMs < asked.untilMs - leaseMs)
      assert.equal(trial?.untilMs, asked.untilMs, 'a lapse gave more time');
  }
  assert.ok(lapses > 3, `${lapses}`);
  assert.equal(serviceOf(master.driver?.state).trial, null);
});
