/**
 * P77, P79 with real daemons: two gateways and a witness, one gateway as the software before this one. The service goes over to it
 * and comes back, planned and after a death; then the admin raises the floor, and the old one lets go and says why.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import type { Status } from '../../src/daemon/status.ts';
import { makeCluster, temporaryDir } from '../unit/cluster-files.ts';
import { needsRoot } from './netns.ts';
import { addressOf, masterOf, type Name, RULES, Site } from './site.ts';

const OLD = 'protocol = 1\n';
const WHY = /protocol is 1, and the roster lets nobody take part who speaks less than 2/;

test('P77, P79: hosts of protocol 1 and 2 in one cluster, until the floor is raised', {
  skip: needsRoot(),
}, async (t: TestContext) => {
  const dir = temporaryDir(t);
  const place = (name: Name, role: string) => ({ name, role, addresses: `${addressOf(name)}:7946` });
  await makeCluster(dir, [place('fw1', 'gateway'), place('fw2', 'gateway'), place('w', 'witness')]);
  writeFileSync(join(dir, 'rules.v4'), RULES);
  const site = new Site(dir);
  t.after(() => site.net.close());
  writeFileSync(join(dir, 'first.cose'), readFileSync(join(dir, 'roster.cose')));
  site.start('fw1', 'first.cose');
  site.start('w', 'first.cose');
  const old = site.start('fw2', 'first.cose', OLD);

  const serves = async (name: Name): Promise<void> => {
    await site.status('w', (status) => masterOf(status) === name);
  };
  const handOver = (from: Name): void => {
    const done = site.cli(from, 'handover', '--config', site.config(from));
    assert.equal(done.status, 0, done.stderr);
  };
  /** That host waits, and the master has heard from it that it would take over. */
  const backup = async (name: Name): Promise<void> => {
    const watching = await site.status(name, (s) => s.services[0]?.substate === 'watching');
    const isFit = ({ services }: Status): boolean =>
      services[0]?.table.some((row) => row.host === name && row.fit) === true;
    await site.status(masterOf(watching) ?? assert.fail(name), isFit);
  };

  // A master needs only one of the others; the third may not have spoken yet.
  const first = await site.status(
    'w',
    (status) => masterOf(status) !== undefined && status.peers.every(({ session }) => session),
  );
  assert.deepEqual(
    first.peers.map((peer) => [peer.host, peer.protocol]),
    [
      ['fw1', 2],
      ['fw2', 1],
    ],
  );
  if (masterOf(first) === 'fw2') {
    await backup('fw1');
    handOver('fw2');
    await serves('fw1');
  }

  await backup('fw2');
  handOver('fw1');
  await serves('fw2');
  // The old one dies with the service on it: the new one takes over, by the witness's promise.
  await backup('fw1');
  const ended = once(old, 'exit');
  old.kill('SIGKILL');
  await ended;
  await serves('fw1');
  site.start('fw2', 'first.cose', OLD);
  await backup('fw2');
  handOver('fw1');
  await serves('fw2');
  await backup('fw1');

  site.edit('floor', '2');
  const pushed = site.push('w');
  assert.equal(pushed.status, 0, pushed.stderr);
  await serves('fw1');
  const alarm = ({ alarms }: Status, code: string) => alarms.find((one) => one.code === code)?.detail ?? '';
  await site.status(
    'fw2',
    (status) =>
      status.services[0]?.state === 'backup' &&
      WHY.test(alarm(status, 'roster-trouble')) &&
      /lets this host take part no more/.test(alarm(status, 'expelled')),
  );
  assert.match(site.net.ip(site.place('fw2'), 'link', 'show', 'up0'), /state DOWN/);
  const refused = await site.status('w', (status) => (status.counters['refused:protocol'] ?? 0) > 0);
  assert.equal(masterOf(refused), 'fw1', 'it is still heard, and counts for nothing');

  site.configure('fw2', 'roster.cose', OLD);
  const checked = site.cli('fw2', 'check', '--config', site.config('fw2'));
  assert.equal(checked.status, 1);
  assert.match(checked.stderr, WHY);
  assert.match(checked.stderr, /hint: remove it or set it to 2, and restart the daemon/);
});
