/**
 * The roster while the cluster runs (R21, P49 to P56): hosts come and go, keys change, and at no time do two serve.
 * Every change goes in at one host, as an operator's push does.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { appendVersion, type Roster, signRosterBody } from '../../src/trust/roster.ts';
import type { RosterBody } from '../../src/trust/roster-body.ts';
import * as edit from '../../src/trust/roster-edit.ts';
import { bodyAfter } from '../../src/trust/roster-rules.ts';
import { admin, memberBody, testIdentity } from '../unit/wire-fixture.ts';
import { simulatedIdentity } from './crypto.ts';
import { type Host, World, type WorldOptions } from './world.ts';

const INTERVAL_MS = 200;

function next(roster: Roster, body: RosterBody, signer = admin): Roster {
  const result = appendVersion(roster, signRosterBody(body, signer));
  return result.ok ? result.roster : assert.fail(result.reason);
}
const fileOf = (roster: Roster) => Uint8Array.from(Buffer.concat(roster.versions));

function running(options: Partial<WorldOptions> = {}): World {
  const w = new World({ hosts: 2, witnesses: 1, policy: 'quorum', intervalMs: INTERVAL_MS, ...options });
  w.startAll();
  w.pass(4000);
  assert.equal(w.masters().length, 1);
  w.resetFigures();
  return w;
}
const masterOf = (w: World): Host => w.host(w.masters()[0] ?? assert.fail('nobody serves'));
const othersOf = (w: World, host: Host): Host[] => w.hosts.filter((h) => h !== host);
const versionOf = (host: Host): number | undefined => host.driver?.rosters.roster.version;
const settledOf = (host: Host): number | undefined => host.driver?.rosters.settled;
const setsOf = (host: Host) => host.driver?.state.config.membership.voterSets.map((set) => set.toSorted());

function push(w: World, host: Host, roster: Roster): void {
  const merge = host.driver?.offerRoster(fileOf(roster));
  assert.equal(merge?.kind, 'taken');
  w.pass(0);
}
function unharmed(w: World, outageMs = 0): void {
  assert.equal(w.overlapMs, 0, 'two served');
  assert.ok(w.outageMs <= outageMs, `nobody served for ${w.outageMs} ms`);
  assert.deepEqual(w.violations, []);
}

test('P50: what is pushed to one host reaches all within two adverts, and is settled a promise later', () => {
  const w = running({ hosts: 3, witnesses: 2 });
  const before = w.roster.version;
  const newer = next(w.roster, edit.addMember(w.roster, memberBody('fw9', 9), before));
  w.addHost('fw9', newer).up = false;
  push(w, w.host('w2'), newer);
  w.pass(INTERVAL_MS / 2);
  const hosts = w.hosts.filter((host) => host.up);
  for (const host of hosts) assert.equal(versionOf(host), before + 1, host.name);
  for (const host of hosts)
    assert.equal(setsOf(host)?.length, 2, `${host.name} counts both majorities until it is settled`);
  w.pass(4 * INTERVAL_MS);
  for (const host of hosts) {
    assert.equal(settledOf(host), before + 1, `${host.name}: a majority of the former voters has shown it`);
    assert.deepEqual(setsOf(host), [newer.members.map((m) => m.name).toSorted()]);
    const { confirmed, unreached } = host.driver?.rosters.confirmations() ?? assert.fail();
    assert.deepEqual([confirmed.length, unreached], [5, ['fw9']], 'whom the roster has and nobody heard');
  }
  unharmed(w);
});

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

test('P51: a host that was away fetches every version in between, rotations too, from whoever has it', () => {
  const w = running();
  const master = masterOf(w);
  const away = w.host(master.name === 'fw1' ? 'fw2' : 'fw1');
  w.kill(away);
  const admin2 = testIdentity('admin 2');
  let newer = next(w.roster, edit.rotateAdmin(w.roster, admin2.publicKey, admin2.sign));
  for (let i = 0; i < 20; i++) newer = next(newer, bodyAfter(newer), admin2);
  push(w, master, newer);
  w.pass(1000);
  away.start();
  w.pass(4000);
  assert.equal(versionOf(away), newer.version);
  assert.deepEqual(away.roster.versions, newer.versions);
  assert.equal(away.place, 'backup.watching');
  unharmed(w);
});

test('P51: fetched over a bad network, in chunks, all the same', () => {
  const w = running();
  const fat = next(w.roster, {
    ...bodyAfter(w.roster),
    revoked: Array.from({ length: 256 }, (_, i) =>
      Uint8Array.from({ length: 32 }, (_v, at) => (at === 0 ? i : 7)),
    ),
  });
  w.loss = 0.3;
  push(w, w.host('w1'), fat);
  w.pass(10_000);
  for (const host of w.hosts) assert.equal(versionOf(host), fat.version, host.name);
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

test('P54: whenever all lose power while they store a version, it is the new one everywhere or nowhere, and one serves', () => {
  for (const dieMs of [0, 4, 9, 11, 16, 21, 29, 40]) {
    const w = running({ hosts: 3 });
    const hosts = [...w.hosts];
    hosts.forEach((host, i) => {
      host.storeMs = 10 + 5 * i;
    });
    const newer = next(w.roster, edit.addMember(w.roster, memberBody('fw9', 9), w.roster.version));
    w.addHost('fw9', newer).up = false;
    push(w, w.host('fw2'), newer);
    w.pass(dieMs);
    const had = hosts.filter((host) => host.roster.version === newer.version).length;
    for (const host of hosts) host.powerOff();
    w.pass(500);
    for (const host of hosts) {
      host.lan = true;
      host.wan = true;
      host.start();
    }
    w.pass(6000);
    const version = had > 0 ? newer.version : w.roster.version;
    for (const host of hosts) assert.equal(versionOf(host), version, `${host.name}, ${dieMs} ms`);
    assert.equal(w.masters().length, 1, `${dieMs} ms, ${had} had stored it`);
    assert.equal(w.overlapMs, 0);
    assert.deepEqual(w.violations, []);
    assert.equal(had > 0, dieMs >= 15, 'the first to store it takes 15 ms');
  }
});

test('P52: forked rosters: the first stays, both are shown as proof, a higher version ends it', () => {
  const w = running();
  const one = next(w.roster, edit.changeMember(w.roster, 'fw1', { priority: 1 }, w.roster.version));
  const two = next(w.roster, edit.changeMember(w.roster, 'fw1', { priority: 2 }, w.roster.version));
  w.cutLan = true;
  w.cutWan = true;
  push(w, w.host('fw1'), one);
  push(w, w.host('fw2'), two);
  w.cutLan = false;
  w.cutWan = false;
  w.pass(3000);
  assert.equal(w.host('fw1').roster.body.members[0]?.priority, 1);
  assert.equal(w.host('fw2').roster.body.members[0]?.priority, 2);
  for (const name of ['fw1', 'fw2']) {
    const proofs = w.host(name).rosterNews.filter((news) => news.kind === 'forked');
    assert.equal(proofs.length, 1, `${name} keeps the proof once`);
    assert.ok(w.host(name).alarms.has('roster-forked'));
  }
  assert.equal(w.overlapMs, 0);
  const higher = next(two, edit.changeMember(two, 'fw1', { priority: 3 }, two.version));
  push(w, w.host('w1'), higher);
  w.pass(3000);
  for (const host of w.hosts) assert.equal(host.roster.version, higher.version, host.name);
  assert.equal(w.masters().length, 1);
  assert.equal(w.overlapMs, 0);
});

test('an older roster is refused, and so is one of another cluster', () => {
  const w = running();
  const { driver } = w.host('fw1');
  assert.equal(driver?.offerRoster(fileOf(w.roster)).kind, 'same');
  const older = w.roster.versions.slice(0, 3);
  assert.equal(driver?.offerRoster(Uint8Array.from(Buffer.concat(older))).kind, 'older');
  assert.equal(driver?.offerRoster(new Uint8Array(50)).kind, 'refused');
});

test('a voter with the newer roster promises nothing to a master with the older one', () => {
  const w = running({ hosts: 2, witnesses: 1 });
  const master = masterOf(w);
  const backup = w.host(master.name === 'fw1' ? 'fw2' : 'fw1');
  // The master hears nobody's rosters, as their words about it are lost: all it gets are answers.
  const newer = next(w.roster, edit.changeMember(w.roster, 'w1', { priority: 1 }, w.roster.version));
  const refuse = master.driver;
  assert.ok(refuse);
  for (const other of othersOf(w, master)) w.deaf.add(`${other.name}>${master.name}`);
  push(w, backup, newer);
  w.pass(30);
  for (const other of othersOf(w, master)) w.deaf.delete(`${other.name}>${master.name}`);
  w.pass(3000);
  assert.equal(versionOf(master), newer.version, 'it fetched it as soon as it heard of it');
  assert.equal(w.masters().length, 1);
  assert.equal(w.overlapMs, 0);
});

/**
 * Two changes of voters on top of each other while the cluster is divided: the master and a former majority know
 * neither. Without joint majorities until settled, the other side would count itself one.
 */
test('a partition during two changes: no two masters', () => {
  const w = running({ hosts: 3, witnesses: 0 });
  const master = masterOf(w);
  const [left, right] = othersOf(w, master);
  assert.ok(left && right);
  const five = next(w.roster, edit.addMember(w.roster, memberBody('fw8', 8), w.roster.version));
  const six = next(five, edit.addMember(five, memberBody('fw9', 9), w.roster.version));
  const fw8 = w.addHost('fw8', six);
  const fw9 = w.addHost('fw9', six);
  fw8.start();
  fw9.start();
  const there = [right, fw8, fw9];
  const cut = () => {
    for (const a of [master, left])
      for (const b of there) {
        w.deaf.add(`${a.name}>${b.name}`);
        w.deaf.add(`${b.name}>${a.name}`);
      }
  };
  cut();
  push(w, right, six);
  w.pass(10_000);
  assert.equal(w.overlapMs, 0);
  assert.deepEqual(w.masters(), [master.name], 'the side with the former majority serves on');
  w.deaf.clear();
  w.pass(5000);
  assert.equal(w.overlapMs, 0);
  assert.equal(w.masters().length, 1);
  for (const host of w.hosts) assert.equal(versionOf(host), six.version, host.name);
});
