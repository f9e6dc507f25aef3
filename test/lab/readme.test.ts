/** The README's two hosts, every line of it, from two bare hosts to a cluster that serves and outlives a loss of power. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { needsRoot } from '../netns/netns.ts';
import { boxesOf } from '../pages.ts';
import { FirstGuide } from './first-guide.ts';
import { cleanUpOnSignals, closeAll, Lab, removeWorkDirectory } from './lab.ts';
import { must, run, until } from './process.ts';
import { allFit } from './run.ts';
import { planHosts, SERVER, WAN } from './topology.ts';

const HOSTS = ['fw1', 'fw2'];
const LIMIT_MS = 30_000;

cleanUpOnSignals();

test('the README’s two hosts, every line of it', { skip: needsRoot() }, async (t) => {
  t.after(async () => {
    await closeAll();
    removeWorkDirectory();
  });
  const lab = await Lab.open({
    ...{ hosts: planHosts(2, false), policy: 'available', intervalMs: 200, timing: [] },
    ...{ answerBroadcasts: true, askMs: null },
  });
  const { cluster, topology } = lab;
  // The README's rules translate nothing: whoever is outside knows the way back.
  await must(topology.inside('server', ['ip', 'route', 'add', '10.77.1.0/24', 'via', WAN.roving]));
  const ping = ['ping', '-c', '1', '-W', '1', SERVER.address];
  const isServed = (): Promise<boolean> =>
    until(async () => (await run(topology.inside('client', ping))).code === 0, LIMIT_MS, 200);
  const guide = new FirstGuide(lab);
  await guide.begin();
  const blocks = boxesOf(import.meta.filename, 'README.md');
  const last = blocks.at(-1);
  for (const block of blocks) {
    if (block === last) {
      assert.equal(await cluster.settle(HOSTS, LIMIT_MS), 'fw1');
      assert.ok(await until(() => allFit(lab, 'fw1', HOSTS), LIMIT_MS), 'fw2 is fit');
      assert.ok(await isServed(), 'a client gets through');
    }
    await guide.follow(block);
  }
  assert.equal(await cluster.settle(HOSTS, LIMIT_MS), 'fw2', 'handed over');
  await cluster.powerOff('fw2');
  assert.ok(await until(async () => (await cluster.master(['fw1'])) === 'fw1', LIMIT_MS));
  assert.ok(await isServed(), 'a client gets through again');
  for (const command of ['init', 'host join', 'uplink provision', 'check', 'cluster bundle', 'explain'])
    assert.ok(guide.commands.has(command), command);
});
