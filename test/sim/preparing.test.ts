/** Speculative uplinks: whom the driver tells when that an uplink may soon be wanted. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Policy } from '../../src/core/index.ts';
import { type Host, World } from './world.ts';

function settled(hosts: number, policy: Policy): { w: World; master: Host; backups: Host[] } {
  const w = new World({ hosts, policy });
  w.startAll();
  w.pass(5000);
  const master = w.host(w.masters()[0] ?? 'fw1');
  const backups = w.hosts.filter((h) => h !== master);
  for (const h of w.hosts) h.hints.length = 0;
  return { w, master, backups };
}

for (const policy of ['available', 'quorum'] as const)
  test(`a dead master: its successor is told before it raises, and only then not any more (${policy})`, () => {
    const { w, master, backups } = settled(3, policy);
    w.powerOff(master);
    w.pass(3000);
    const successor = w.host(w.masters()[0] ?? '');
    assert.ok(backups.includes(successor));
    const [first, ...rest] = successor.hints;
    assert.deepEqual(first, { wanted: true, place: 'backup.suspecting' });
    assert.deepEqual(rest, [{ wanted: false, place: 'handover.raising' }]);
    const [other] = backups.filter((h) => h !== successor);
    assert.equal(other?.hints.at(-1)?.wanted, false, 'who did not take over ends what it began');
  });

test('a master that answers: what was begun is taken back, and nothing is raised', () => {
  const { w, master, backups } = settled(2, 'available');
  const [backup] = backups;
  assert.ok(backup);
  w.freeze(master);
  for (let i = 0; i < 1000 && backup.hints.length === 0; i++) w.pass(1);
  w.thaw(master);
  w.pass(3000);
  assert.deepEqual(backup.hints.slice(0, 2), [
    { wanted: true, place: 'backup.suspecting' },
    { wanted: false, place: 'backup.watching' },
  ]);
  assert.deepEqual(w.masters(), [master.name]);
});

test('a host on standby prepares nothing, whoever dies', () => {
  const { w, master, backups } = settled(2, 'available');
  const [backup] = backups;
  backup?.driver?.order({ kind: 'standby' });
  w.pass(1000);
  w.powerOff(master);
  w.pass(3000);
  assert.deepEqual(w.masters(), []);
  assert.deepEqual(backup?.hints, []);
});
