/** R27: two gateways and a witness, and the witness is gone: what a master does that is left alone, by configuration. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { SCENARIOS, scenario } from './scenario.ts';
import type { Host, World, WorldOptions } from './world.ts';

const CLUSTER: WorldOptions = { hosts: 2, witnesses: 1, policy: 'quorum' };
const SERVE: WorldOptions = { ...CLUSTER, alone: 'serve' };

/** The backup and the witness are dead, one after the other. */
function leftAlone(w: World, backup: Host): void {
  w.powerOff(w.host('w1'));
  w.pass(2000);
  assert.equal(w.masters().length, 1, 'two gateways are a majority of three');
  w.powerOff(backup);
}

function returned(w: World, host: Host): void {
  host.lan = host.wan = true;
  w.start(host);
}

scenario(
  'alone = "suspend": the gate shuts within a lease, and opens when a majority is there again',
  CLUSTER,
  (s) => {
    const { w, master, backup, sound } = s;
    leftAlone(w, backup);
    w.pass(w.times.timing.leaseMs + 10);
    assert.deepEqual(w.masters(), []);
    w.pass(5000);
    assert.deepEqual(w.masters(), []);
    assert.match(w.place(master) ?? '', /^(backup|handover)/, 'it let go, and claims in vain');
    assert.equal(master.uplinkRaised, false);
    returned(w, w.host('w1'));
    w.pass(5000);
    sound();
  },
);

scenario(
  'alone = "serve": the master goes on, forced, until a majority acknowledges it again',
  SERVE,
  (s) => {
    const { w, master, backup, sound } = s;
    const { intervalMs, promiseMs } = w.times.timing;
    leftAlone(w, backup);
    w.pass(3000);
    assert.deepEqual(w.masters(), [master.name]);
    // An interval's advert unanswered, the end of the promise, a round of probes.
    assert.ok(w.outageMs > 0 && w.outageMs < intervalMs + promiseMs + 150, `shut for ${w.outageMs} ms`);
    assert.ok(master.alarms.has('forced'));
    w.pass(60_000);
    assert.deepEqual(w.masters(), [master.name]);
    w.resetFigures();
    returned(w, w.host('w1'));
    w.pass(3000);
    assert.ok(!master.alarms.has('forced'), 'it has a majority, and is an ordinary master');
    assert.equal(w.outageMs, 0, 'which shuts no gate');
    // Or else the next lapse would find it without a majority's lease.
    w.powerOff(w.host('w1'));
    w.pass(3000);
    assert.ok(master.alarms.has('forced'));
    returned(w, backup);
    w.pass(5000);
    assert.ok(!master.alarms.has('forced'));
    sound();
  },
);

scenario('alone = "serve": a backup whose master died stays a backup without a majority', SERVE, (s) => {
  const { w, master, backup, sound } = s;
  w.powerOff(w.host('w1'));
  w.pass(2000);
  w.powerOff(master);
  w.pass(10_000);
  assert.deepEqual(w.masters(), []);
  assert.ok(!backup.alarms.has('forced'));
  returned(w, w.host('w1'));
  w.pass(3000);
  assert.deepEqual(w.masters(), [backup.name]);
  sound();
});

scenario('alone = "serve": while the backup is heard the master stays suspended', SERVE, (s) => {
  const { w, master, backup } = s;
  w.powerOff(w.host('w1'));
  w.pass(2000);
  // It speaks and does not hear: no acknowledgement, and no right.
  w.deaf.add(`${master.name}>${backup.name}`);
  w.pass(w.times.timing.leaseMs + w.times.timing.promiseMs + 500);
  assert.deepEqual(w.masters(), []);
  assert.ok(!master.alarms.has('forced'));
});

scenario(
  'alone = "serve": cut off on every link, the backup takes over with the witness’s vote; the first word ends the other',
  SERVE,
  (s) => {
    const { w, master, backup } = s;
    const pair = [`${master.name}>${backup.name}`, `${backup.name}>${master.name}`];
    w.powerOff(w.host('w1'));
    w.pass(1000);
    // The witness comes back on the backup's side of the split.
    for (const one of [...pair, `${master.name}>w1`, `w1>${master.name}`]) w.deaf.add(one);
    w.cutWan = true;
    w.pass(3000);
    assert.deepEqual(w.masters(), [master.name]);
    const [overlap] = w.judges.splice(1, 1);
    assert.ok(overlap);
    returned(w, w.host('w1'));
    w.pass(5000);
    assert.deepEqual(
      w.masters().sort(),
      [master.name, backup.name].sort(),
      'the price, as the specification says it',
    );
    w.deaf.clear();
    w.cutWan = false;
    w.pass(5000);
    assert.deepEqual(w.masters(), [backup.name]);
  },
);

scenario(
  'alone = "serve": asked to let go by a claimant with a majority, the forced one does, and the two never overlap',
  SERVE,
  (s) => {
    const { w, master, backup, sound } = s;
    w.powerOff(w.host('w1'));
    w.pass(1000);
    w.cutLan = w.cutWan = true;
    w.pass(3000);
    assert.deepEqual(w.masters(), [master.name]);
    // The downlink stays cut between the two alone; words pass over the uplinks once both are up.
    for (const one of [`${master.name}>${backup.name}`, `${backup.name}>${master.name}`]) w.oneWay.add(one);
    for (const one of [`${master.name}>w1`, `w1>${master.name}`]) w.oneWay.add(one);
    w.cutLan = w.cutWan = false;
    returned(w, w.host('w1'));
    w.pass(8000);
    assert.deepEqual(w.masters(), [backup.name]);
    assert.equal(w.overlapMs, 0);
    sound();
  },
);

for (const { name, run } of SCENARIOS) test(name, () => run());
