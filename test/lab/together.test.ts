/** Services that stand together, end to end: what fails for one of them moves all, and no other. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { needsRoot } from '../netns/netns.ts';
import { cleanUpOnSignals, Lab } from './lab.ts';
import { Placer } from './placing.ts';
import { must } from './process.ts';
import { planServices } from './services.ts';
import { planHosts } from './topology.ts';

cleanUpOnSignals();

test('a group goes as a whole when one of its services fails; a service beside it stays', {
  skip: needsRoot(),
}, async () => {
  const plans = planServices(3).map((plan, i) => (i === 1 ? { ...plan, together: ['s1'] } : plan));
  const lab = await Lab.open({
    ...{ hosts: planHosts(2, true), policy: 'quorum', intervalMs: 250, timing: [] },
    ...{ answerBroadcasts: false, services: plans, askMs: null },
  });
  try {
    for (const { name } of lab.options.hosts) lab.cluster.start(name);
    const names = plans.map(({ name }) => name);
    const placer = new Placer(lab.cluster, names);
    const before = await placer.settled(lab.gateways, 60_000);
    const at = before.get('s1') ?? assert.fail('nobody serves');
    assert.equal(before.get('s2'), at, 'both where the first is');
    await must(['ip', '-n', lab.topology.ns(at), 'addr', 'del', '10.77.1.151/24', 'dev', 'eth0']);
    const other = lab.gateways.find((host) => host !== at) ?? assert.fail('no other host');
    const endMs = performance.now() + 20_000;
    let after = before;
    while (performance.now() < endMs && !(after.get('s1') === other && after.get('s2') === other))
      after = await placer.now(lab.gateways);
    assert.deepEqual([after.get('s1'), after.get('s2')], [other, other], 's2 failed, s1 goes with it');
    after = await placer.settled(lab.gateways, 20_000);
    assert.equal(after.get('s3'), before.get('s3'), 'who stands alone stays');
    const status = await lab.cluster.status(other, 2_000);
    assert.deepEqual(
      status?.services.map(({ name, together }) => [name, together]),
      [
        ['s1', ['s1', 's2']],
        ['s2', ['s1', 's2']],
        ['s3', []],
      ],
    );
    const gone = await must(['ip', '-n', lab.topology.ns(at), 'addr']);
    assert.doesNotMatch(gone, /10\.77\.[12]\.15[01]\//, 'nothing of the group is left where it was');
  } finally {
    await lab.close();
  }
});
