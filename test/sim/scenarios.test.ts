/** Takeover scenarios in virtual time, judged by the modelled gates: who serves, for how long nobody, ever two. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { type Policy, step } from '../../src/core/index.ts';
import { type Host, World } from './world.ts';

function settled(
  hosts: number,
  policy: Policy,
  more: { witnesses?: number; preemptDelayMs?: number; seed?: number } = {},
): World {
  const w = new World({ hosts, policy, ...more });
  w.startAll();
  w.pass(4000);
  assert.equal(
    w.masters().length,
    1,
    `one master after the start: ${w.hosts.map((h) => `${h.name} ${w.place(h)}`).join(', ')}`,
  );
  w.pass(Math.floor(w.random() * 200));
  w.resetFigures();
  return w;
}

function master(w: World): Host {
  return w.host(w.masters()[0] ?? 'fw1');
}

/** One master, never two, no standby's uplink up; and the service back within `limitMs`. */
function sound(w: World, limitMs: number, overlapMs = 0): void {
  const places = w.hosts.map((h) => `${h.name} ${w.place(h)}`).join(', ');
  assert.equal(w.masters().length, 1, `one master at the end: ${places}`);
  assert.ok(w.overlapMs <= overlapMs, `overlap ${w.overlapMs} ms`);
  assert.ok(w.outageMs <= limitMs, `outage ${w.outageMs} ms, allowed ${limitMs}`);
  assert.equal(w.standbyUplinkMs, 0, 'an uplink was up in a wrong place');
}

const CLUSTERS = [
  { name: '2 hosts, available', hosts: 2, policy: 'available' as const, powerMs: 400, leaseMs: 900 },
  { name: '3 hosts, available', hosts: 3, policy: 'available' as const, powerMs: 450, leaseMs: 900 },
  { name: '3 hosts, quorum', hosts: 3, policy: 'quorum' as const, powerMs: 550, leaseMs: 900 },
  {
    name: '2 hosts and a witness, quorum',
    hosts: 2,
    witnesses: 1,
    policy: 'quorum' as const,
    powerMs: 550,
    leaseMs: 900,
  },
];

for (const { name, hosts, policy, powerMs, leaseMs, witnesses = 0 } of CLUSTERS) {
  const begin = (seed = 1) => settled(hosts, policy, { witnesses, seed });

  test(`idle: ${name}`, () => {
    const w = begin();
    const before = w.masters();
    w.pass(20_000);
    sound(w, 0);
    assert.deepEqual(w.masters(), before);
  });

  test(`power: ${name}`, () => {
    for (let seed = 1; seed <= 5; seed++) {
      const w = begin(seed);
      const old = master(w);
      w.powerOff(old);
      w.pass(3000);
      sound(w, powerMs);
      assert.notEqual(w.masters()[0], old.name);
      old.lan = old.wan = true;
      w.start(old);
      w.pass(5000);
      sound(w, powerMs);
    }
  });

  test(`kill -9: ${name}`, () => {
    const w = begin();
    w.kill(master(w));
    w.pass(4000);
    sound(w, leaseMs);
  });

  test(`hang for 10 s: ${name}`, () => {
    const w = begin();
    const old = master(w);
    w.freeze(old);
    w.pass(10_000);
    w.thaw(old);
    w.pass(5000);
    sound(w, leaseMs);
    assert.notEqual(w.masters()[0], old.name);
  });

  test(`stop: ${name}`, () => {
    const w = begin();
    const old = master(w);
    old.driver?.order({ kind: 'stop' });
    w.pass(4000);
    sound(w, 10);
    assert.ok(old.stopped);
  });

  test(`handover by command: ${name}`, () => {
    const w = begin();
    const old = master(w);
    assert.equal(old.driver?.order({ kind: 'handover', service: null, to: null, force: false }), null);
    w.pass(4000);
    sound(w, 10);
    assert.notEqual(w.masters()[0], old.name);
  });

  test(`downcut and return: ${name}`, () => {
    const w = begin();
    const old = master(w);
    old.lan = false;
    w.linkChanged(old, 'downlink');
    w.pass(3000);
    sound(w, powerMs + 50);
    old.lan = true;
    w.linkChanged(old, 'downlink');
    w.pass(3000);
    sound(w, powerMs + 50);
  });

  test(`downmute: ${name}`, () => {
    const w = begin();
    const old = master(w);
    old.lanMute = true;
    w.pass(6000);
    sound(w, 1500);
    assert.notEqual(w.masters()[0], old.name);
  });

  test(`upcut: ${name}`, () => {
    const w = begin();
    const old = master(w);
    old.wan = false;
    w.linkChanged(old, 'uplink');
    w.pass(4000);
    sound(w, 400);
    assert.notEqual(w.masters()[0], old.name);
  });

  test(`service failure: ${name}`, () => {
    const w = begin();
    const old = master(w);
    old.rulesFlushed = true;
    w.pass(4000);
    sound(w, 400);
    assert.notEqual(w.masters()[0], old.name);
  });

  test(`split of cluster words on the LAN, and its end: ${name}`, () => {
    const w = begin();
    w.cutLan = true;
    w.pass(8000);
    if (policy === 'available') sound(w, 0);
    assert.equal(w.overlapMs, 0);
    w.cutLan = false;
    w.pass(5000);
    assert.equal(w.masters().length, 1);
  });

  test(`the master is not heard by one host: ${name}`, () => {
    const w = begin();
    const old = master(w);
    for (const h of w.hosts) if (h !== old) w.oneWay.add(`${old.name}>${h.name}`);
    w.pass(8000);
    if (policy === 'available') sound(w, 0);
    assert.equal(w.overlapMs, 0);
    w.oneWay.clear();
    w.pass(5000);
    assert.equal(w.masters().length, 1);
  });

  test(`10 % loss for 30 s: ${name}`, () => {
    const w = begin();
    w.loss = 0.1;
    w.pass(30_000);
    w.loss = 0;
    w.pass(2000);
    assert.equal(w.overlapMs, 0);
    assert.equal(w.masters().length, 1);
  });

  test(`nobody's uplink works for 20 s: ${name}`, () => {
    const w = begin();
    const old = master(w);
    w.nextHop = false;
    w.pass(20_000);
    assert.equal(w.masters()[0], old.name, 'the service does not go round the cluster');
    w.nextHop = true;
    w.pass(3000);
    sound(w, 10);
  });

  test(`the first successor's uplink is dead: ${name}`, () => {
    const w = begin();
    const old = master(w);
    const first = w.hosts.find((h) => h !== old && h.name.startsWith('fw'));
    assert.ok(first);
    first.wan = false;
    w.powerOff(old);
    w.pass(6000);
    if (hosts === 2) assert.equal(w.masters().length, 0);
    else sound(w, 4000);
  });

  test(`all start again at once: ${name}`, () => {
    const w = begin();
    for (const h of w.hosts) w.kill(h);
    w.pass(100);
    w.startAll();
    w.pass(6000);
    assert.equal(w.masters().length, 1);
    assert.equal(w.overlapMs, 0);
  });

  test(`lonely: no host outside the cluster on the downlink: ${name}`, () => {
    const w = begin();
    w.foreigners = false;
    w.pass(5000);
    sound(w, 0);
    w.foreigners = true;
    w.pass(1000);
    sound(w, 0);
  });

  test(`power loss while somebody answers for the roving addresses: ${name}`, () => {
    const w = begin();
    w.attacker = true;
    w.powerOff(master(w));
    w.pass(5000);
    sound(w, 2000);
  });
}

test('whoever answers for the roving addresses is asked again at the pace of the probes, not of the answers', () => {
  const w = settled(2, 'available');
  w.attacker = true;
  const old = master(w);
  const other = w.hosts.find((h) => h !== old);
  w.powerOff(old);
  for (let ms = 0; ms < 2000 && other !== undefined && w.place(other) !== 'handover.waiting'; ms++) w.pass(1);
  let state = other?.driver?.state;
  assert.ok(state !== undefined && other !== undefined);
  const rounds = (effects: readonly { type: string }[]) =>
    effects.filter((e) => e.type === 'probe-addresses').length;
  let asked = 0;
  for (const side of ['downlink', 'uplink'] as const) {
    const id = state.services.firewall?.attempt?.probeIds[side] ?? 0;
    const event = { type: 'addresses-probed', service: 'firewall', side, id, answered: true } as const;
    const done = step(state, event, w.nowMs);
    state = done.state;
    asked += rounds(done.effects);
  }
  assert.equal(state.services.firewall?.place, 'handover.waiting');
  assert.equal(asked, 0, 'an answer does not start the next round');
  const next = step(state, { type: 'timer' }, state.services.firewall?.timers.probe ?? 0);
  assert.equal(rounds(next.effects), 2, 'the next PROBE does, on both sides');
});

test('split on both sides, available: two masters, ended at the first word heard', () => {
  const w = settled(2, 'available');
  w.cutLan = w.cutWan = true;
  // Port isolation: neither hears the other's answers either.
  w.pass(5000);
  w.cutLan = w.cutWan = false;
  w.pass(3000);
  assert.equal(w.masters().length, 1);
});

test('preemption: the preferred host gets the service back by a planned handover', () => {
  const w = settled(2, 'available', { preemptDelayMs: 3000 });
  const first = master(w);
  w.powerOff(first);
  w.pass(3000);
  w.resetFigures();
  first.lan = first.wan = true;
  w.start(first);
  w.pass(15_000);
  assert.deepEqual(w.masters(), [first.name]);
  assert.ok(w.outageMs <= 10, `outage ${w.outageMs}`);
});

test('standby hands over and stays out; resume comes back as a backup', () => {
  const w = settled(2, 'available');
  const old = master(w);
  old.driver?.order({ kind: 'standby' });
  w.pass(3000);
  sound(w, 10);
  assert.notEqual(w.masters()[0], old.name);
  const other = master(w);
  w.powerOff(other);
  w.pass(3000);
  assert.equal(w.masters().length, 0, 'a host on standby takes nothing over');
  old.driver?.order({ kind: 'resume' });
  w.pass(2000);
  assert.deepEqual(w.masters(), [old.name]);
});

test('sixteen hosts: one master, and one successor', () => {
  const w = settled(16, 'quorum');
  w.powerOff(master(w));
  w.pass(3000);
  sound(w, 700);
});

test('a master that looks for a successor goes on renewing, at every phase of its interval', () => {
  for (let phaseMs = 0; phaseMs < 200; phaseMs += 20) {
    const w = settled(3, 'quorum');
    const old = master(w);
    // The successor's uplink takes longer to come up than a lease lasts.
    for (const h of w.hosts)
      h.actuator.faults.set('activateUplink', { slowMs: 600, fails: false, says: null });
    w.pass(phaseMs);
    old.driver?.order({ kind: 'handover', service: null, to: null, force: false });
    w.pass(400);
    assert.equal(old.place, 'service.seeking', `${phaseMs} ms into the interval`);
    w.pass(1000);
    sound(w, 10);
    assert.notEqual(w.masters()[0], old.name, `${phaseMs} ms into the interval`);
  }
});
