/**
 * Services that stand together, simulated: on one host all or none, whatever fails of one member. The core knows the group as one
 * service; what joins and parts its orders is the daemon's own.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Many } from './many.ts';
import { Chance } from './random.ts';

const GROUP = 's00';

function world(seed = 1): Many {
  const w = new Many({ hosts: 3, services: 2, members: 3, policy: 'quorum', seed });
  w.startAll();
  w.pass(5000);
  return w;
}

/** The one host that has all of the group, while no other has any of it. */
function masterOf(w: Many, service = GROUP): string {
  const [master, ...others] = w.masters(service);
  assert.deepEqual(others, []);
  assert.ok(master !== undefined, w.describe());
  for (const member of w.membersOf(service)) assert.deepEqual(w.holders(member), [master], member);
  return master;
}

/** Who, of those that are up, ever had the gate of some member open from now on. */
function watchGates(w: Many): Set<string> {
  const seen = new Set<string>();
  w.observe = () => {
    for (const member of w.membersOf(GROUP)) for (const host of w.holders(member)) seen.add(host);
  };
  return seen;
}

test('a group is on one host, and goes as a whole when that one dies', () => {
  const w = world();
  const first = masterOf(w);
  w.powerOff(first);
  w.pass(5000);
  assert.notEqual(masterOf(w), first);
  assert.equal(w.overlaps.size, 0);
});

test('a successor that cannot prepare one member rolls the whole group back, none of it opened; the next one takes it', () => {
  const w = world();
  const first = masterOf(w);
  const [second, third] = w.names.filter((name) => name !== first);
  // Only the host that would be next is broken; whoever that is, the other one must have it in the end.
  for (const broken of [second, third]) {
    const again = world();
    const master = masterOf(again);
    again.isBroken = (host, member, what) =>
      host === broken && member === `${GROUP}-2` && what === 'checkServiceLocal';
    const seen = watchGates(again);
    again.powerOff(master);
    again.pass(30_000);
    assert.notEqual(masterOf(again), broken);
    assert.ok(broken !== undefined && !seen.has(broken), 'nothing of it was opened there');
  }
});

test('one member’s gate stays shut: the others’ are shut again, and the group is served elsewhere', () => {
  const w = world();
  const first = masterOf(w);
  for (const broken of w.names.filter((name) => name !== first)) {
    const again = world();
    again.isBroken = (host, member, what) => host === broken && member === `${GROUP}-1` && what === 'gate';
    again.powerOff(masterOf(again));
    again.pass(60_000);
    assert.notEqual(masterOf(again), broken, again.describe());
    assert.equal(again.overlaps.size, 0);
  }
});

test('a member that fails in service takes the whole group along, and no other service', () => {
  const w = world();
  const first = masterOf(w);
  const other = masterOf(w, 's01');
  w.isBroken = (host, member, what) =>
    host === first && member === `${GROUP}-2` && what === 'checkServiceLocal';
  w.pass(20_000);
  assert.notEqual(masterOf(w), first);
  assert.equal(masterOf(w, 's01'), other);
});

test('random faults of hosts and members: a member is never open on two hosts, and in the end each group is whole', () => {
  for (let seed = 1; seed <= 12; seed++) {
    const chance = new Chance(seed);
    const w = world(seed);
    const whats = ['activateService', 'checkServiceLocal', 'gate', 'activateUplink'] as const;
    for (let i = 0; i < 20; i++) {
      const [name, member, what] = [
        chance.pick(w.names),
        chance.pick(w.membersOf(GROUP)),
        chance.pick(whats),
      ];
      const up = w.machines.filter(({ state }) => state !== null).length;
      w.isBroken = () => false;
      if (w.machine(name).state === null) w.start(name);
      else if (chance.is(0.3) && up === w.machines.length) w.powerOff(name);
      else w.isBroken = (host, of, broken) => host === name && of === member && broken === what;
      w.pass(chance.logBetween(20, 4000));
    }
    w.isBroken = () => false;
    for (const { name, state } of w.machines) if (state === null) w.start(name);
    w.pass(90_000);
    for (const service of w.services) masterOf(w, service);
    assert.deepEqual([...w.overlaps], [], `seed ${seed}`);
  }
});
