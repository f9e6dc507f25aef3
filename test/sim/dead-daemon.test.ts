/** A daemon that is dead while its kernel serves on until the lease ends: nobody acts beside it, and no promise is over before. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { HostClock } from './kernel.ts';
import { effectsOf, type Seen, serviceOf, serving } from './moments.ts';
import { SERVICE } from './world.ts';

/** A dumb downlink, a claim, and while the uplink comes up slowly the master's daemon is killed: for how long both act, in ms. */
function killedAfterClaim(afterMs: number): number {
  const { w, master } = serving({ hosts: 2, policy: 'available' });
  const backup = w.hosts.find((host) => host !== master) ?? assert.fail();
  backup.actuator.faults.set('activateUplink', { fails: false, says: null, slowMs: 250 });
  let claimed = false;
  w.observe = (host, _nowMs, _event, state) => {
    if (claimed || host !== backup.name || serviceOf(state).place !== 'handover.raising') return;
    claimed = true;
    w.at(afterMs, () => w.kill(master));
  };
  master.lanMute = true;
  w.pass(5000);
  assert.ok(claimed);
  assert.deepEqual(w.masters(), [backup.name]);
  return w.overlapMs;
}

test('T22: a daemon that died before it could answer the window’s PROBE: its kernel’s rest of a lease is waited for', () => {
  for (const afterMs of [0, 50, 100, 150, 200, 240, 255, 265]) {
    const overlapMs = killedAfterClaim(afterMs);
    assert.equal(overlapMs, 0, `killed ${afterMs} ms after the claim`);
  }
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

/** How long the gate of a master that dies now stands open after the first promise of another voter is over, in true time; ms. */
function openAfterPromise(kernelRate: number, phaseMs: number): number {
  const clocks = [0, 1, 2].map(() => new HostClock(0, 1.01, kernelRate));
  const { w, master } = serving({ hosts: 3, policy: 'quorum', clocks });
  w.pass(phaseMs);
  master.kill();
  const others = w.hosts.filter((host) => host !== master);
  const free = others.map((h) => h.clock.trueMs(serviceOf(h.driver?.state).voter.untilMs));
  return master.gateUntilMs - Math.min(...free);
}

test('C1: a slewed kernel shuts the gate of a killed master before any promise is over', () => {
  const phases = [0, 20, 70, 110, 150, 190];
  for (const kernelRate of [0.9, 1, 1.1])
    for (const phaseMs of phases) {
      const ms = openAfterPromise(kernelRate, phaseMs);
      assert.ok(ms < 0, `rate ${kernelRate}, ${phaseMs} ms after an advert: open for ${ms} ms more`);
    }
  // The margin is not more than that: a kernel that is slower than `max_drift` says outlasts a promise.
  assert.ok(phases.some((phaseMs) => openAfterPromise(0.85, phaseMs) > 0));
});
