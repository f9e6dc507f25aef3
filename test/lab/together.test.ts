/** Services of one cluster that come, go and stand together, end to end: whom it concerns moves, and no other. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import test, { after } from 'node:test';
import { needsRoot } from '../netns/netns.ts';
import { configuration } from './host-files.ts';
import { cleanUpOnSignals, Lab, removeWorkDirectory } from './lab.ts';
import { Placer, type Placing } from './placing.ts';
import { must, until } from './process.ts';
import { planServices, type ServicePlan } from './services.ts';
import { planHosts } from './topology.ts';

cleanUpOnSignals();
after(() => removeWorkDirectory());

test('a group goes as a whole when one of its services fails; services come and go beside it', {
  skip: needsRoot(),
}, async () => {
  const plans = planServices(3).map((plan, i) => (i === 1 ? { ...plan, together: ['s1'] } : plan));
  const lab = await Lab.open({
    // A lease that outlasts what a busy machine keeps its processes waiting: who lapses has moved, too.
    ...{ hosts: planHosts(2, true), policy: 'quorum', intervalMs: 250, timing: ['lease = "2s"'] },
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
    await comeAndGo(lab, plans, other, after);
  } finally {
    await lab.close();
  }
});

/** A reload brings a service on all hosts, another one takes it away: those that are there notice nothing. */
async function comeAndGo(
  lab: Lab,
  plans: readonly ServicePlan[],
  host: string,
  places: Placing,
): Promise<void> {
  const { cluster, options, gateways } = lab;
  const reload = async (services: readonly ServicePlan[]): Promise<void> => {
    for (const plan of options.hosts) {
      await writeFile(
        cluster.config(plan.name),
        configuration(cluster.directory, plan, { ...options, services }),
      );
      const pid =
        (await cluster.status(plan.name, 2_000))?.pid ?? assert.fail(`${plan.name} does not answer`);
      process.kill(pid, 'SIGHUP');
    }
  };
  const of = async (): Promise<readonly (readonly [string, unknown])[]> =>
    ((await cluster.status(host, 2_000))?.services ?? []).map((s) => [s.name, s.term] as const);
  const before = await of();
  // Of each where it is served: a backup that looks after a late advert has changes of place, too, and moves nothing.
  const changed = async (): Promise<readonly (readonly [string, number])[]> => {
    const found: (readonly [string, number])[] = [];
    for (const { name } of plans) {
      const status = await cluster.status(places.get(name) ?? assert.fail(`nobody serves ${name}`), 2_000);
      const counted = Object.entries(status?.counters ?? assert.fail(`who serves ${name} does not answer`));
      found.push(...counted.filter(([counter]) => counter.startsWith(`transition:${name}:`)));
    }
    return found;
  };
  const moves = await changed();
  assert.notDeepEqual(moves, [], 'the counters have these names');
  const [, , , fourth = assert.fail('no plan')] = planServices(4);
  await reload([fourth, ...plans]);
  const placing = await new Placer(
    cluster,
    [...plans, fourth].map(({ name }) => name),
  ).settled(gateways, 20_000);
  assert.notEqual(placing.get(fourth.name), null, 'the new one is served');
  const during = await of();
  assert.deepEqual(during.slice(1), before, 'the same terms as before');
  await reload(plans);
  assert.ok(await until(async () => (await of()).length === plans.length, 10_000, 100));
  assert.deepEqual(await of(), before);
  assert.deepEqual(await changed(), moves, 'none of them left its place meanwhile');
  const where = lab.topology.ns(placing.get(fourth.name) ?? '');
  const isGone = async (): Promise<boolean> =>
    !(await must(['ip', '-n', where, 'addr'])).includes(`${fourth.lan}/`);
  assert.ok(await until(isGone, 10_000, 100), 'and nothing is left of it');
}
