/**
 * Did two hosts ever serve at once? What the logs answer where a master died, was paused, or began anew: by promises, by
 * bounds, or by naming what is not shown.
 */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { Members } from '../../src/audit/members.ts';
import { type Relation, relationsOf } from '../../src/audit/relation.ts';
import { type Tenure, tenuresOf } from '../../src/audit/tenure.ts';
import { verdictOf } from '../../src/cli/audit-verify.ts';
import type { JournalEntry } from '../../src/driver/ports.ts';
import { LogCluster, transition } from './cluster.ts';

const LEASE_MS = 400;

async function begun(t: TestContext, names: readonly string[], policy: string): Promise<LogCluster> {
  const cluster = new LogCluster(names);
  t.after(() => cluster.remove());
  await cluster.open();
  const data = { policy, leaseMs: LEASE_MS, intervalMs: 200, slackMs: '50.5' };
  for (const { log } of cluster.hosts.values())
    log.add({ kind: 'configured', service: 'firewall', text: `policy ${policy}`, data });
  await cluster.gossip();
  await cluster.gossip();
  return cluster;
}

async function judged(cluster: LogCluster): Promise<{ tenures: Tenure[]; relations: Relation[] }> {
  await cluster.close();
  const paths = [...cluster.hosts.keys()].map((name) => cluster.logPath(name));
  const { chains } = await verdictOf(paths, { roster: cluster.rosterPath });
  const tenures = tenuresOf(chains);
  return { tenures, relations: relationsOf(tenures, chains, new Members(cluster.roster)) };
}

const serve = (term: string): JournalEntry[] => [
  transition('handover.releasing', 'handover.opening', 'silent', term),
  transition('handover.opening', 'service.serving', 'gate-open', term),
];

const suspects = (cause = 'silence'): JournalEntry[] => [
  transition('backup.watching', 'backup.suspecting', cause),
];
const claims = (term: string, cause = 'may-claim'): JournalEntry[] => [
  transition('backup.suspecting', 'handover.claiming', cause, term),
];

const word = (text: string, type: string, from?: string): JournalEntry => ({
  service: 'firewall',
  kind: 'message',
  text,
  data: { type, ...(from === undefined ? {} : { from }) },
});

const forced: JournalEntry = {
  service: 'firewall',
  kind: 'alarm',
  text: 'forced raised',
  data: { code: 'forced', on: true },
};

/** fw1 serves and loses its power; fw2 takes over after a while and a claim for that cause. */
async function taken(cluster: LogCluster, { granted, cause }: { granted: boolean; cause?: string }) {
  await cluster.say('fw1', ...serve('1/fw1'));
  await cluster.gossip();
  cluster.dead.add('fw1');
  cluster.time.ms += 1000;
  await cluster.say('fw2', ...suspects(), ...claims('2/fw2', cause));
  if (cause === 'forced') await cluster.say('fw2', forced);
  if (granted) {
    await cluster.say('fw3', {
      service: 'firewall',
      kind: 'voted',
      text: 'promised term 2/fw2 to fw2',
      data: { term: '2/fw2' },
    });
    await cluster.say('fw2', word('from fw3 on 1: GRANT firewall id=1 term=2/fw2', 'GRANT', 'fw3'));
  }
  await cluster.say(
    'fw2',
    transition('handover.listening', 'handover.preparing', 'quiet', '2/fw2'),
    ...serve('2/fw2'),
  );
  await cluster.gossip(11_000);
}

async function back(cluster: LogCluster, name: string): Promise<void> {
  cluster.dead.delete(name);
  await cluster.host(name).restart(false);
  await cluster.join();
  await cluster.say(name, transition('init.cleaning', 'init.linking', 'harmless'));
  await cluster.gossip();
  await cluster.gossip();
}

test('a master died under `available`: not shown, and it is said what bounds its end and what the next one had looked at', async (t) => {
  const cluster = await begun(t, ['fw1', 'fw2'], 'available');
  await taken(cluster, { granted: false });
  await back(cluster, 'fw1');
  const { relations } = await judged(cluster);
  assert.equal(relations.length, 1);
  const [{ verdict, because } = assert.fail()] = relations;
  assert.equal(verdict, 'open');
  assert.match(because, /fw1 does not say when it ended: the run ended unsaid before entry \d+/);
  assert.match(because, /its next run read back in entry \d+ that it was harmless/);
  assert.match(because, /its kernel let it serve for 400 ms at most/);
  assert.match(because, /fw2 began after it had heard nothing of it for 25[0-9] ms/);
  assert.match(because, /in entry \d+, it had found nobody answering for the service’s addresses/);
});

test('a master died and was harmless again before the next one began: one after the other', async (t) => {
  const cluster = await begun(t, ['fw1', 'fw2'], 'available');
  await cluster.say('fw1', ...serve('1/fw1'));
  await cluster.gossip();
  await cluster.host('fw1').log.flush();
  await back(cluster, 'fw1');
  await cluster.say('fw2', ...claims('2/fw2'), ...serve('2/fw2'));
  await cluster.gossip();
  const { relations, tenures } = await judged(cluster);
  assert.equal(tenures[0]?.to, null);
  assert.deepEqual(
    relations.map(({ verdict }) => verdict),
    ['apart'],
  );
});

test('a master died under `quorum`: a majority’s promises, in the voters’ own logs, show that its right was over', async (t) => {
  const cluster = await begun(t, ['fw1', 'fw2', 'fw3'], 'quorum');
  await taken(cluster, { granted: true });
  await back(cluster, 'fw1');
  const { relations } = await judged(cluster);
  const [{ verdict, because } = assert.fail()] = relations;
  assert.equal(verdict, 'apart', because);
  assert.match(because, /a majority had promised 2\/fw2 to fw2 .* fw2 itself, fw3 \(entry \d+\)$/);
});

for (const [what, policy, taking] of [
  ['a forced takeover', 'quorum', { granted: true, cause: 'forced' }],
  ['no promise but its own', 'quorum', { granted: false }],
  ['promises under `available`', 'available', { granted: true }],
] as const)
  test(`${what}: no majority speaks for the end of the one before`, async (t) => {
    const cluster = await begun(t, ['fw1', 'fw2', 'fw3'], policy);
    await taken(cluster, taking);
    const { relations } = await judged(cluster);
    assert.deepEqual(
      relations.map(({ verdict }) => verdict),
      ['open'],
    );
  });

test('a master that went on alone before it died: no majority speaks for its end either', async (t) => {
  const cluster = await begun(t, ['fw1', 'fw2', 'fw3'], 'quorum');
  await cluster.say('fw1', ...serve('1/fw1'));
  await cluster.say('fw1', transition('service.serving', 'service.suspended', 'lapsed', '1/fw1'), forced);
  await cluster.say('fw1', transition('service.suspended', 'service.serving', 'renewed', '1/fw1'));
  cluster.dead.add('fw1');
  cluster.time.ms += 1000;
  await cluster.say('fw2', ...claims('2/fw2'));
  const data = { term: '2/fw2' };
  await cluster.say('fw3', { service: 'firewall', kind: 'voted', text: 'promised term 2/fw2 to fw2', data });
  await cluster.say('fw2', word('from fw3 on 1: GRANT firewall id=1 term=2/fw2', 'GRANT', 'fw3'));
  await cluster.say('fw2', ...serve('2/fw2'));
  await cluster.gossip(11_000);
  const { relations, tenures } = await judged(cluster);
  assert.deepEqual(
    tenures.map((tenure) => [tenure.term, tenure.forced]),
    [
      ['1/fw1', false],
      ['1/fw1', true],
      ['2/fw2', false],
    ],
  );
  assert.equal(relations.at(-1)?.verdict, 'open');
});

test('a master that was paused says late that its right had lapsed: by then the kernel had long shut its gate', async (t) => {
  const cluster = await begun(t, ['fw1', 'fw2'], 'available');
  for (const lapsed of ['ended 2500 ms before', '']) {
    const [one, two] = lapsed === '' ? ['3/fw1', '4/fw2'] : ['1/fw1', '2/fw2'];
    await cluster.say('fw1', ...serve(one));
    await cluster.gossip();
    await cluster.gossip();
    cluster.time.ms += 1500;
    await cluster.say('fw2', ...claims(two), ...serve(two));
    cluster.time.ms += 1500;
    const suspended = transition('service.serving', 'service.suspended', 'lapsed', one);
    await cluster.say('fw1', { ...suspended, data: { ...suspended.data, detail: lapsed } });
    await cluster.gossip();
    cluster.time.ms += 5000;
    await cluster.say('fw2', transition('service.seeking', 'service.shutting', 'ready', two));
    await cluster.say('fw2', transition('service.shutting', 'service.releasing', 'shut', two));
    await cluster.gossip();
    await cluster.gossip();
  }
  const { relations } = await judged(cluster);
  const of = (a: string, b: string) =>
    relations.find((one) => [one.a.term, one.b.term].sort().join() === `${a},${b}`)?.verdict;
  assert.equal(of('1/fw1', '2/fw2'), 'apart');
  assert.equal(of('3/fw1', '4/fw2'), 'overlap', 'one that says nothing of it served until then');
});

test('a host whose wall clock is years off does not hide that it served beside another', async (t) => {
  const cluster = new LogCluster(['fw1', 'fw2'], {}, 'dmz', -1e11);
  t.after(() => cluster.remove());
  await cluster.open();
  await cluster.gossip();
  await cluster.gossip();
  for (let n = 1; n < 20; n += 2) {
    for (const [host, term] of [
      ['fw1', `${n}/fw1`],
      ['fw2', `${n + 1}/fw2`],
    ] as const) {
      await cluster.say(host, ...serve(term));
      cluster.time.ms += 100;
      // The tenth of fw1 goes on while fw2 serves.
      if (term !== '9/fw1')
        await cluster.say(host, transition('service.serving', 'service.releasing', 'ordered', term));
    }
    if (n === 9)
      await cluster.say('fw1', transition('service.serving', 'service.releasing', 'ordered', '9/fw1'));
    await cluster.gossip();
    await cluster.gossip();
  }
  const { relations } = await judged(cluster);
  const overlaps = relations.filter(({ verdict }) => verdict === 'overlap');
  assert.deepEqual(
    overlaps.map(({ a, b }) => [a.term, b.term]),
    [['9/fw1', '10/fw2']],
  );
});
