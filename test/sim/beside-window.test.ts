/** R11: what runs beside the conflict window, what waits for its end, and that all of it is taken back when a master is found. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Place, Policy } from '../../src/core/index.ts';
import { worldSteps } from './timing.ts';
import { type Host, SERVICE, World } from './world.ts';

interface Settled {
  readonly w: World;
  readonly master: Host;
  readonly backup: Host;
  /** Where the backup was when it ordered each procedure. */
  readonly orders: { readonly procedure: string; readonly place: Place; readonly atMs: number }[];
  /** Where it went, and when. */
  readonly ways: { readonly place: Place; readonly atMs: number }[];
}

function settled(policy: Policy, preparesEarly: boolean): Settled {
  const w = new World({ hosts: policy === 'quorum' ? 3 : 2, policy, preparesEarly });
  w.startAll();
  w.pass(5000);
  const master = w.host(w.masters()[0] ?? assert.fail('nobody serves'));
  const backup = w.hosts.find((h) => h !== master) ?? assert.fail();
  const orders: Settled['orders'] = [];
  const ways: Settled['ways'] = [];
  w.observe = (host, nowMs, _event, state, effects) => {
    const place = state.services[SERVICE]?.place;
    if (host !== backup.name || place === undefined) return;
    if (ways.at(-1)?.place !== place) ways.push({ place, atMs: nowMs });
    for (const effect of effects)
      if (effect.type === 'run') orders.push({ procedure: effect.procedure, place, atMs: nowMs });
  };
  w.resetFigures();
  return { w, master, backup, orders, ways };
}

function until(w: World, limitMs: number, holds: () => boolean): void {
  for (let ms = 0; !holds(); ms++) {
    assert.ok(ms < limitMs, 'it never came to that');
    w.pass(1);
  }
}

const ordered = ({ orders }: Settled, procedure: string) => orders.filter((o) => o.procedure === procedure);
const inPlace = ({ ways }: Settled, place: Place) => ways.find((way) => way.place === place);

for (const policy of ['available', 'quorum'] as const)
  test(`the built-in activateService is ordered with the window, and the gate opens at its end: ${policy}`, () => {
    const all = settled(policy, true);
    const { w, master, backup } = all;
    w.powerOff(master);
    until(w, 3000, () => backup.configured);
    assert.equal(w.active(backup), false, 'behind a shut gate');
    w.pass(2000);
    assert.deepEqual(w.masters(), [backup.name]);
    const [activated, ...more] = ordered(all, 'activateService');
    assert.equal(activated?.place, 'handover.listening');
    assert.deepEqual(more, []);
    const windowMs = (inPlace(all, 'handover.opening')?.atMs ?? 0) - (activated?.atMs ?? 0);
    if (policy === 'available') {
      assert.ok(windowMs <= w.times.timing.conflictWindowMs + 1, `the window alone: ${windowMs} ms`);
      assert.equal(inPlace(all, 'handover.preparing'), undefined, 'nothing is left to wait for');
    } else {
      // The window is over before the service is in place.
      const { activateServiceMs, checkServiceLocalMs } = worldSteps(w.times.timing);
      const preparedMs = activateServiceMs + checkServiceLocalMs;
      assert.ok(preparedMs < w.times.timing.conflictWindowMs);
      assert.ok(windowMs <= preparedMs + 1, `preparing alone: ${windowMs} ms`);
    }
    assert.equal(w.overlapMs, 0);
  });

test('a program in its place waits until nobody was found', () => {
  const all = settled('available', false);
  const { w, master, backup } = all;
  w.powerOff(master);
  w.pass(3000);
  assert.deepEqual(w.masters(), [backup.name]);
  const places = ordered(all, 'activateService').map((o) => o.place);
  assert.deepEqual(places, ['handover.preparing']);
});

for (const preparesEarly of [true, false])
  test(`a master that lives is found: ${preparesEarly ? 'what was prepared is taken back' : 'no program was run'}`, () => {
    const all = settled('available', preparesEarly);
    const { w, master, backup } = all;
    w.cutLan = true;
    until(w, 3000, () => w.place(backup) === 'handover.withdrawing');
    w.pass(200);
    assert.equal(ordered(all, 'activateService').length, preparesEarly ? 1 : 0);
    assert.equal(ordered(all, 'deactivateService').length, 1);
    assert.equal(backup.configured, false);
    assert.equal(backup.uplinkRaised, false);
    assert.deepEqual(w.masters(), [master.name]);
    assert.equal(w.overlapMs, 0);
    assert.equal(w.outageMs, 0);
  });

test('what its test does not find beside the window is ordered again after it', () => {
  const all = settled('available', true);
  const { w, master, backup } = all;
  backup.actuator.faults.set('activateService', { slowMs: 0, fails: true, says: null });
  w.powerOff(master);
  until(w, 3000, () => ordered(all, 'checkServiceLocal').length > 0);
  backup.actuator.faults.delete('activateService');
  w.pass(2000);
  assert.deepEqual(
    ordered(all, 'activateService').map((o) => o.place),
    ['handover.listening', 'handover.preparing'],
  );
  assert.deepEqual(w.masters(), [backup.name]);
});

test('preparing that takes longer than the window is waited for, and not begun again', () => {
  const all = settled('available', true);
  const { w, master, backup } = all;
  backup.actuator.faults.set('activateService', { slowMs: 200, fails: false, says: null });
  w.powerOff(master);
  w.pass(3000);
  assert.equal(ordered(all, 'activateService').length, 1);
  const beganMs = inPlace(all, 'handover.listening')?.atMs ?? 0;
  const openMs = (inPlace(all, 'handover.opening')?.atMs ?? 0) - beganMs;
  assert.ok(openMs > 200 && openMs < 230, `from the next hop's answer to the gate: ${openMs} ms`);
  assert.deepEqual(w.masters(), [backup.name]);
});

test('a stall orders it again: what was slept through may be gone', () => {
  const all = settled('available', true);
  const { w, master, backup } = all;
  w.powerOff(master);
  until(w, 3000, () => w.place(backup) === 'handover.listening' && backup.configured);
  w.freeze(backup);
  w.pass(300);
  w.thaw(backup);
  w.pass(2000);
  assert.deepEqual(
    ordered(all, 'activateService').map((o) => o.place),
    ['handover.listening', 'handover.listening'],
  );
  assert.deepEqual(w.masters(), [backup.name]);
});

test('a master that nobody heard is asked nothing; one that was heard lets go first', () => {
  const silent = settled('available', true);
  const said: string[] = [];
  const observe = silent.w.observe;
  silent.w.observe = (host, nowMs, event, state, effects) => {
    observe?.(host, nowMs, event, state, effects);
    for (const e of effects) if (e.type === 'send' && host === silent.backup.name) said.push(e.message.type);
  };
  silent.w.powerOff(silent.master);
  silent.w.pass(2000);
  assert.deepEqual(silent.w.masters(), [silent.backup.name]);
  assert.ok(said.includes('CLAIM') && !said.includes('RELEASE'));

  const heard = settled('available', true);
  heard.master.lanMute = true;
  heard.w.pass(3000);
  assert.deepEqual(heard.w.masters(), [heard.backup.name]);
  assert.equal(heard.w.overlapMs, 0);
});
