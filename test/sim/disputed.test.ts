/** A service that fails for its clients only, its master finding itself well: who complains, who is believed, what moves (R14). */
import assert from 'node:assert/strict';
import test from 'node:test';
import { type Host, SERVICE, World, type WorldOptions } from './world.ts';

const FAILS = { slowMs: 0, fails: true, says: null } as const;

function settled(options: WorldOptions) {
  const w = new World(options);
  w.startAll();
  w.pass(6000);
  const master = w.host(w.masters()[0] ?? assert.fail('nobody serves'));
  const backups = w.hosts.filter((host) => host !== master);
  const moves: string[] = [];
  let last = master.name;
  w.observe = () => {
    const [now, ...more] = w.masters();
    if (now === undefined || now === last || more.length > 0) return;
    last = now;
    moves.push(now);
  };
  return { w, master, backups, moves };
}

const sees = (host: Host, well: boolean): unknown =>
  well
    ? host.actuator.faults.delete('checkServiceRemote')
    : host.actuator.faults.set('checkServiceRemote', FAILS);
const disputes = (host: Host): boolean =>
  host.driver?.state.services[SERVICE]?.alarms.includes('service-disputed') === true;

for (const policy of ['available', 'quorum'] as const) {
  test(`${policy}: a lone complainer among several moves nothing, and says so; two that agree do, once`, () => {
    const { w, master, backups, moves } = settled({ hosts: 4, policy });
    const [lone, second, third] = backups as [Host, Host, Host];
    sees(lone, false);
    w.pass(30_000);
    assert.deepEqual([moves, w.masters()], [[], [master.name]]);
    assert.deepEqual(
      w.hosts.filter(disputes).map((host) => host.name),
      [lone.name],
    );
    sees(lone, true);
    w.pass(2000);
    assert.deepEqual(w.hosts.filter(disputes), [], 'the alarm ends with its cause');
    // One after the other, and never together: each alone is one complainer.
    for (const host of [second, third]) {
      sees(host, false);
      w.pass(4000);
      sees(host, true);
      w.pass(10_000);
    }
    assert.deepEqual(moves, []);
    for (const host of [second, third]) sees(host, false);
    w.pass(6000);
    assert.equal(moves.length, 1, 'both at once are believed');
    assert.ok([second.name, third.name].includes(moves[0] ?? ''), 'one of those that saw it');
    for (const host of w.hosts) sees(host, true);
    w.pass(20_000);
    assert.deepEqual([moves.length, w.masters()], [1, [moves[0] ?? '']]);
  });

  test(`${policy}: what fails whoever serves moves the service once, and not round the cluster`, () => {
    const { w, master, moves } = settled({ hosts: 3, policy });
    for (const host of w.hosts) sees(host, false);
    w.pass(40_000);
    assert.equal(moves.length, 1);
    assert.notEqual(moves[0], master.name);
    // It is mended; the next master's own fault is seen again.
    for (const host of w.hosts) sees(host, true);
    w.pass(5000);
    for (const host of w.hosts) sees(host, false);
    w.pass(20_000);
    assert.equal(moves.length, 2);
  });

  test(`${policy}: the only backup is believed, once`, () => {
    const { w, backups, moves } = settled({ hosts: 2, witnesses: policy === 'quorum' ? 1 : 0, policy });
    for (const host of w.hosts) sees(host, false);
    w.pass(30_000);
    assert.deepEqual(moves, [backups[0]?.name]);
  });
}

test('available: a view that comes and goes moves the service less and less often', () => {
  const { w, moves } = settled({ hosts: 3, policy: 'available' });
  const counts: number[] = [];
  for (let part = 0; part < 4; part++) {
    for (let i = 0; i < 17; i++) {
      for (const host of w.hosts) sees(host, false);
      w.pass(2000);
      for (const host of w.hosts) sees(host, true);
      w.pass(1000);
    }
    counts.push(moves.length - counts.reduce((sum, count) => sum + count, 0));
  }
  // Of 17 chances in each part: three hosts wait 2, 4, 8, ... seconds, each for itself.
  assert.ok((counts[0] ?? 0) >= 5, `${counts}`);
  assert.ok((counts[3] ?? 17) <= 4, `${counts}`);
});

test('a backup that comes to a master whose clients fare badly blames it', () => {
  const { w, master, backups, moves } = settled({ hosts: 3, policy: 'quorum' });
  // The service was well until it was handed to this host, whose rules are wrong.
  const [next, other] = backups as [Host, Host];
  master.enter(() => master.driver?.order({ kind: 'handover', service: null, to: next.name, force: false }));
  w.pass(1000);
  assert.deepEqual(moves, [next.name]);
  for (const host of [master, other]) sees(host, false);
  w.pass(10_000);
  assert.equal(moves.length, 2);
  assert.notEqual(moves[1], next.name);
});
