/** A host whose right has lapsed, and that looks whether anybody else serves: rounds that were slept through, that end late, or are read late. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { type Event, type HostState, type Message, step } from '../../src/core/index.ts';
import { effectsOf, serviceOf, serving, told } from './moments.ts';
import { SERVICE } from './world.ts';

/** Slept for so long that the right has lapsed. */
function suspended(state: HostState, nowMs: number): HostState {
  const { state: after } = step(state, { type: 'timer' }, nowMs);
  assert.equal(serviceOf(after).place, 'service.suspended');
  return after;
}

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
  master.actuator.probeAddresses = (side, ended, waitMs) =>
    order(
      side,
      (is) =>
        w.at(
          150,
          master.alive(() => ended(is)),
        ),
      waitMs,
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
