/** Members that come, go and change their keys while the cluster runs (R21, P53): at no time do two serve. */
import assert from 'node:assert/strict';
import test from 'node:test';
import * as edit from '../../src/trust/roster-edit.ts';
import { memberBody } from '../unit/wire-fixture.ts';
import { simulatedIdentity } from './crypto.ts';
import { masterOf, next, othersOf, push, running, setsOf, unharmed, versionOf } from './roster-world.ts';

test('a host is added while the cluster serves, joins, and can take over', () => {
  const w = running();
  const newer = next(w.roster, edit.addMember(w.roster, memberBody('fw3', 9), w.roster.version));
  const fw3 = w.addHost('fw3', newer);
  fw3.start();
  w.pass(1000);
  assert.equal(w.masters().length, 1);
  push(w, w.host('w1'), newer);
  w.pass(5000);
  unharmed(w);
  assert.equal(fw3.place, 'backup.watching');
  const master = masterOf(w);
  assert.deepEqual(setsOf(master), [['fw1', 'fw2', 'fw3', 'w1']]);
  for (const host of w.hosts)
    if (host !== master && host.name.startsWith('fw') && host !== fw3) host.powerOff();
  w.powerOff(master);
  w.pass(3000);
  // Two of four are no majority; the promise holds nobody else.
  assert.deepEqual(w.masters(), []);
  assert.equal(w.overlapMs, 0);
});

test('a host that was added takes over when the master dies', () => {
  const w = running({ hosts: 2, witnesses: 1 });
  const newer = next(w.roster, edit.addMember(w.roster, memberBody('fw3', 9), w.roster.version));
  const fw3 = w.addHost('fw3', newer);
  fw3.start();
  push(w, w.host('fw1'), newer);
  w.pass(5000);
  const master = masterOf(w);
  const backup = w.host(master.name === 'fw1' ? 'fw2' : 'fw1');
  backup.driver?.order({ kind: 'standby' });
  w.pass(1000);
  w.powerOff(master);
  w.pass(3000);
  assert.deepEqual(w.masters(), ['fw3']);
  assert.equal(w.overlapMs, 0);
});

test('a backup is removed: it stays harmless, with an alarm; the others go on and do not ask it', () => {
  const w = running({ hosts: 3, witnesses: 0 });
  const master = masterOf(w);
  const [gone, stays] = othersOf(w, master);
  assert.ok(gone && stays);
  const newer = next(w.roster, edit.removeMember(w.roster, gone.name, w.roster.version));
  push(w, gone, newer);
  w.pass(3000);
  unharmed(w);
  assert.ok(gone.alarms.has('expelled'));
  assert.deepEqual(w.masters(), [master.name]);
  assert.deepEqual(
    setsOf(master),
    [[master.name, stays.name].toSorted()],
    'two of the three former voters have it',
  );
  w.powerOff(gone);
  w.pass(2000);
  unharmed(w);
});

test('P53: the master is revoked: told, it lets go at once and stays harmless; another serves', () => {
  const w = running();
  const master = masterOf(w);
  const newer = next(w.roster, edit.revokeMember(w.roster, master.name, w.roster.version));
  push(w, master, newer);
  w.pass(50);
  assert.ok(!w.active(master), 'the gate is shut at once');
  w.pass(3000);
  assert.equal(w.overlapMs, 0);
  assert.ok(master.alarms.has('expelled'));
  assert.deepEqual(
    w.masters(),
    othersOf(w, master)
      .filter((h) => h.name !== 'w1')
      .map((h) => h.name),
  );
  assert.ok(!master.uplinkRaised);
  w.pass(5000);
  assert.equal(w.overlapMs, 0);
  assert.ok(!w.active(master));
});

test('P53: the master hears at once that it is revoked, whoever was told first', () => {
  const w = running({ hosts: 3, witnesses: 0 });
  const master = masterOf(w);
  const newer = next(w.roster, edit.revokeMember(w.roster, master.name, w.roster.version));
  push(w, othersOf(w, master)[0] ?? assert.fail(), newer);
  w.pass(30);
  assert.ok(!w.active(master), 'long before its lease is over');
  assert.ok(master.alarms.has('expelled'));
  w.pass(3000);
  assert.equal(w.masters().length, 1);
  assert.equal(w.overlapMs, 0);
});

test('P53: a revoked master that is never told is followed after one lease, whatever it signs', () => {
  const w = running();
  const master = masterOf(w);
  const others = othersOf(w, master);
  const newer = next(w.roster, edit.revokeMember(w.roster, master.name, w.roster.version));
  // Its ears are shut, as a thief's would be: it goes on as it was.
  for (const other of others) w.deaf.add(`${other.name}>${master.name}`);
  push(w, others[0] ?? assert.fail(), newer);
  w.pass(3000);
  const serving = w.masters().filter((name) => name !== master.name);
  assert.equal(serving.length, 1, 'the others do not wait for it');
  assert.ok(!w.active(master), 'without acknowledgements its kernel has shut its gate');
  assert.equal(w.overlapMs, 0);
});

test('`available`: a revoked master that goes on is followed all the same', () => {
  const w = running({ policy: 'available', witnesses: 0 });
  const master = masterOf(w);
  const [other] = othersOf(w, master);
  assert.ok(other);
  w.deaf.add(`${other.name}>${master.name}`);
  const newer = next(w.roster, edit.revokeMember(w.roster, master.name, w.roster.version));
  push(w, other, newer);
  w.pass(4000);
  assert.ok(w.active(other), 'only the switch port ends the duel with a thief (M8); the service goes on');
});

test('a key is exchanged without a word lost: both keys, the new one, the old one dropped', () => {
  const w = running();
  const master = masterOf(w);
  const backup = w.host(master.name === 'fw1' ? 'fw2' : 'fw1');
  const fresh = simulatedIdentity(`${backup.name} new`, false);
  const both = next(w.roster, edit.rekeyMember(w.roster, backup.name, fresh.publicKey, w.roster.version));
  push(w, w.host('w1'), both);
  w.pass(1000);
  unharmed(w);
  assert.equal(backup.place, 'backup.watching', 'it is understood under the old key');
  assert.equal(versionOf(backup), both.version);
  w.kill(backup);
  backup.identity = fresh;
  w.pass(100);
  backup.start();
  w.pass(4000);
  unharmed(w);
  assert.equal(backup.place, 'backup.watching', 'and under the new one');
  assert.deepEqual([...backup.alarms, ...master.alarms], []);
  const done = next(both, edit.dropOldKey(both, backup.name, both.version));
  push(w, master, done);
  w.pass(2000);
  unharmed(w);
  assert.ok(!backup.alarms.has('expelled'));
  w.powerOff(master);
  w.pass(3000);
  assert.deepEqual(w.masters(), [backup.name], 'it votes and serves');
  assert.equal(w.overlapMs, 0);
});

test('a host that never changed its key is out when the old key is dropped', () => {
  const w = running();
  const master = masterOf(w);
  const fresh = simulatedIdentity(`${master.name} new`, false);
  const both = next(w.roster, edit.rekeyMember(w.roster, master.name, fresh.publicKey, w.roster.version));
  const done = next(both, edit.dropOldKey(both, master.name, both.version));
  push(w, master, done);
  w.pass(4000);
  assert.ok(master.alarms.has('expelled'));
  assert.ok(!w.active(master));
  assert.equal(w.masters().length, 1);
  assert.equal(w.overlapMs, 0);
});

test('a master that a newer roster makes a witness lets go, and comes to its end', () => {
  const w = running({ hosts: 3, witnesses: 0 });
  const master = masterOf(w);
  const { version } = w.roster;
  const newer = next(w.roster, edit.changeMember(w.roster, master.name, { role: 'witness' }, version));
  push(w, master, newer);
  w.pass(5000);
  assert.deepEqual([master.uplinkRaised, master.configured], [false, false]);
  assert.equal(w.masters().length, 1);
  assert.notEqual(w.masters()[0], master.name);
  unharmed(w, 500);
});
