/**
 * The cluster end to end: real daemons, real traffic, real faults, judged at the switch ports. What must hold is each
 * scenario's own expectation (one master at the end, no two hosts acting, no frame of a standby host in the uplink, the
 * TCP transfer whole); no test here asserts how long something took.
 */
import assert from 'node:assert/strict';
import test, { suite } from 'node:test';
import { needsRoot } from '../netns/netns.ts';
import { Capture } from './capture.ts';
import { testCases } from './cases.ts';
import { Faults } from './faults.ts';
import { judge } from './judge.ts';
import { workDirectory } from './lab.ts';
import { Household, must, sleep } from './process.ts';
import { planHosts, Topology } from './topology.ts';
import { startAsking } from './traffic.ts';

const skip = needsRoot();
test('the judge sees two hosts that answer for the roving address, and no longer when one stops', {
  skip,
}, async () => {
  const topology = new Topology(planHosts(2, false));
  const household = new Household();
  const capture = new Capture(topology, household, workDirectory());
  try {
    await topology.open(false);
    await capture.start();
    startAsking(topology, household);
    for (const host of ['fw1', 'fw2'])
      await must(['ip', '-n', topology.ns(host), 'addr', 'add', '10.77.1.1/24', 'dev', 'eth0']);
    await sleep(1_000);
    await must(['ip', '-n', topology.ns('fw2'), 'addr', 'del', '10.77.1.1/24', 'dev', 'eth0']);
    const healedMs = performance.timeOrigin + performance.now();
    await sleep(1_000);
    const { frames, carriers } = await capture.stop();
    const rest = { carriers, words: [], macs: topology.macs, gateways: ['fw1', 'fw2'] };
    const times = { leaseMs: 300, handoverSilenceMs: 1_600, fromMs: 0, endMs: healedMs + 1_000 };
    const all = judge({ ...rest, ...times, frames });
    assert.equal(all.masters, 2);
    assert.ok(all.overlapMs > 200, `two hosts answered for a second, and the judge saw ${all.overlapMs} ms`);
    const after = judge({ ...rest, ...times, frames: frames.filter((frame) => frame.atMs > healedMs) });
    assert.deepEqual([after.masters, after.overlapMs, after.endMasters], [1, 0, ['fw1']]);
  } finally {
    await household.endAll();
    await topology.close();
  }
});

test('a muted port loses its frames both ways and keeps its carrier', { skip }, async () => {
  const topology = new Topology(planHosts(2, false));
  try {
    await topology.open(true);
    const faults = new Faults(topology);
    const reaches = async (): Promise<boolean> =>
      must(topology.inside('client', ['ping', '-c', '1', '-W', '1', '10.77.1.11'])).then(
        () => true,
        () => false,
      );
    assert.equal(await reaches(), true);
    await faults.mute('lan', 'fw1');
    assert.equal(await reaches(), false);
    assert.match(await must(['ip', '-n', topology.ns('fw1'), 'link', 'show', 'eth0']), /LOWER_UP/);
    await faults.unmute('lan', 'fw1');
    assert.equal(await reaches(), true);
  } finally {
    await topology.close();
  }
});

suite('scenarios', () => {
  testCases([
    ['idle', 3],
    ['power', 2],
    ['power', 3],
    ['stop', 3],
    ['kill9', 2],
    ['downmute', 2],
    ['upcut', 2],
  ]);
});
