/** How a roster spreads while the cluster runs (R21, P50 to P52, P54): over bad networks, forks, power cuts and partitions. */
import assert from 'node:assert/strict';
import test from 'node:test';
import * as edit from '../../src/trust/roster-edit.ts';
import { bodyAfter } from '../../src/trust/roster-rules.ts';
import { memberBody, testIdentity } from '../unit/wire-fixture.ts';
import {
  fileOf,
  INTERVAL_MS,
  masterOf,
  next,
  othersOf,
  push,
  running,
  setsOf,
  settledOf,
  unharmed,
  versionOf,
} from './roster-world.ts';

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
  }
  // A witness has next to nothing to say to a backup: what it stores is shown by the next measurement of their clocks (P20).
  w.pass(8 * INTERVAL_MS);
  for (const host of hosts) {
    const { confirmed, unreached } = host.driver?.rosters.confirmations() ?? assert.fail();
    assert.deepEqual([confirmed.length, unreached], [5, ['fw9']], 'whom the roster has and nobody heard');
  }
  unharmed(w);
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
