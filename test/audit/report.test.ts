/**
 * Several logs as one story: the causal order (P75), who served when, and the report, looked at by a real browser: it reads without
 * a script and without a network, and a text out of a log cannot do anything in it (P74).
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { Members } from '../../src/audit/members.ts';
import { claimsOf, merge, type Told } from '../../src/audit/merge.ts';
import { relationsOf } from '../../src/audit/relation.ts';
import { tenuresOf } from '../../src/audit/tenure.ts';
import { entriesOf } from '../../src/cli/audit-reader.ts';
import { verdictOf } from '../../src/cli/audit-verify.ts';
import { portcullis } from '../unit/cli-harness.ts';
import { LogCluster, note, takeover, transition } from './cluster.ts';

const EVIL = `</td><script>document.title='owned'</script><img src=x onerror="document.title='owned'">\u001b[2J\u202e`;

/** Three hosts: fw1 serves, hands over to fw2, which dies; fw3 takes over. Their wall clocks are hours apart. */
const cluster = new LogCluster(['fw1', 'fw2', 'fw3']);
await cluster.open();
await takeover(cluster, null, 'fw1', 1);
await cluster.gossip();
await cluster.gossip();
await takeover(cluster, 'fw1', 'fw2', 2);
await cluster.gossip();
await cluster.gossip();
cluster.host('fw3').evidence.refused('fw1', 'gate');
await cluster.say('fw3', {
  service: 'firewall',
  kind: 'alarm',
  text: `untrusted raised: ${EVIL}`,
  data: { code: 'untrusted', on: true },
});
cluster.host('fw2').log.add({ kind: 'checkpoint' });
await cluster.settle();
// The power of fw2 is gone: its log ends without a word, and begins again.
await cluster.host('fw2').log.flush();
cluster.dead.add('fw2');
await takeover(cluster, null, 'fw3', 3);
await cluster.gossip(11_000);
cluster.dead.delete('fw2');
await cluster.host('fw2').restart(false);
await cluster.join();
await cluster.gossip();
await cluster.say('fw2', note('back again'));
await cluster.gossip();
await cluster.close();
const paths = ['fw1', 'fw2', 'fw3'].map((name) => cluster.logPath(name));
const options = { roster: cluster.rosterPath };
const directory = mkdtempSync(join(tmpdir(), 'portcullis-report-'));
after(() => {
  cluster.remove();
  rmSync(directory, { recursive: true, force: true });
});

function mergedBy(of: LogCluster, order: readonly number[]): Told[] {
  const members = new Members(of.roster);
  const logs = order.map((i) => of.logPath(`fw${i + 1}`));
  const claims = new Map();
  for (const log of logs) claimsOf(entriesOf(log, members), claims);
  const streams = new Map(
    logs.map((log, i) => [['fw1', 'fw2', 'fw3'][order[i] ?? 0] ?? '', entriesOf(log, members)]),
  );
  return [...merge(streams, claims)].map(({ told, contradiction }) => {
    assert.ok(!contradiction);
    return told;
  });
}

test('P75: the causal order holds although the hosts’ clocks are hours apart, whichever log is named first', async () => {
  const skewed = new LogCluster(['fw1', 'fw2', 'fw3'], {}, 'dmz', -7_200_000);
  try {
    await skewed.open();
    await takeover(skewed, null, 'fw1', 1);
    await skewed.gossip();
    await skewed.gossip();
    await takeover(skewed, 'fw1', 'fw2', 2);
    await skewed.gossip();
    await skewed.gossip();
    await skewed.close();
    const one = mergedBy(skewed, [0, 1, 2]);
    const place = (host: string, text: string): number => {
      const found = one.findIndex(({ entry, host: of }) => of === host && entry.text.includes(text));
      assert.ok(found >= 0, `${host} ${text}`);
      return found;
    };
    // By their clocks all of fw3's and fw2's log would come hours before fw1's.
    assert.ok(place('fw1', 'gate-open') < place('fw2', 'heads of'), 'fw2 had recorded that fw1 serves');
    assert.ok(place('fw2', 'heads of') < place('fw2', 'gate-open'));
    assert.ok(place('fw1', 'CLAIM') < place('fw3', 'promised term 1/fw1'), 'no promise before its claim');
    const again = mergedBy(skewed, [2, 0, 1]).map(({ entry, host }) => `${host}#${entry.n}`);
    assert.deepEqual(
      again,
      one.map(({ entry, host }) => `${host}#${entry.n}`),
    );
  } finally {
    skewed.remove();
  }
});

test('P75: logs that contradict each other’s order are told, and all their entries still come', () => {
  const told = (
    host: string,
    n: number,
    term: string | null,
    kind: 'message' | 'voted',
    text: string,
  ): Told => ({
    host,
    hash: new Uint8Array(32),
    entry: {
      n,
      kind,
      text,
      service: 's',
      wallMs: 0,
      monoUs: 0,
      event: null,
      detail: null,
      roster: null,
      heads: [],
      data: term === null ? {} : { term },
    },
  });
  const claim = (host: string, n: number): Told =>
    told(host, n, null, 'message', `to all: CLAIM s id=1 term=1/${host}`);
  const vote = (host: string, n: number, whose: string): Told => told(host, n, `1/${whose}`, 'voted', '');
  // Each promises before it claims, to a claim that comes after the other's promise.
  const a = [vote('a', 1, 'b'), claim('a', 2)];
  const b = [vote('b', 1, 'a'), claim('b', 2)];
  const merged = [
    ...merge(
      new Map([
        ['a', a.values()],
        ['b', b.values()],
      ]),
      claimsOf([...a, ...b]),
    ),
  ];
  assert.equal(merged.length, 4);
  assert.ok(merged.some(({ contradiction }) => contradiction));
});

test('who served when: handed over, shown by the successor’s log; died, and its end is open', async () => {
  const { chains, ok } = await verdictOf(paths, options);
  assert.ok(ok);
  const tenures = tenuresOf(chains).sort((a, b) => a.term.localeCompare(b.term));
  assert.deepEqual(
    tenures.map(({ host, term, to }) => [host, term, to === null]),
    [
      ['fw1', '1/fw1', false],
      ['fw2', '2/fw2', true],
      ['fw3', '3/fw3', true],
    ],
  );
  const relations = relationsOf(tenures, chains, new Members(cluster.roster));
  const between = (a: string, b: string) =>
    relations.find((relation) => [relation.a.host, relation.b.host].sort().join() === [a, b].sort().join());
  assert.equal(between('fw1', 'fw2')?.verdict, 'apart');
  assert.match(between('fw1', 'fw2')?.because ?? '', /heard fw1 release 1\/fw1/);
  assert.equal(between('fw2', 'fw3')?.verdict, 'open');
  assert.match(between('fw2', 'fw3')?.because ?? '', /does not say when it ended/);
});

test('two masters at once are found by the hosts’ monotonic clocks, compared over recorded words', async () => {
  const two = new LogCluster(['fw1', 'fw2']);
  try {
    await two.open();
    await two.gossip();
    await two.gossip();
    await two.say('fw1', transition('handover.releasing', 'handover.opening', 'silent', '1/fw1'));
    two.time.ms += 500;
    await two.say('fw2', transition('handover.releasing', 'handover.opening', 'silent', '2/fw2'));
    two.time.ms += 700;
    await two.say('fw1', transition('service.serving', 'service.releasing', 'deposed', '1/fw1'));
    two.time.ms += 50;
    await two.say('fw2', transition('service.serving', 'service.releasing', 'ordered', '2/fw2'));
    two.time.ms += 300;
    await two.say('fw1', transition('handover.releasing', 'handover.opening', 'silent', '3/fw1'));
    await two.gossip();
    await two.gossip();
    await two.close();
    const { chains } = await verdictOf([two.logPath('fw1'), two.logPath('fw2')], { roster: two.rosterPath });
    const relations = relationsOf(tenuresOf(chains), chains, new Members(two.roster));
    const of = (a: string, b: string) =>
      relations.find((one) => [one.a.term, one.b.term].sort().join() === `${a},${b}`);
    assert.equal(of('1/fw1', '2/fw2')?.verdict, 'overlap', JSON.stringify(of('1/fw1', '2/fw2')));
    const [, least, most] = /for ([\d.]+) ms to ([\d.]+) ms/.exec(of('1/fw1', '2/fw2')?.because ?? '') ?? [];
    assert.ok(
      Number(least) <= 701 && Number(most) >= 701 && Number(most) - Number(least) < 10,
      `${least} ${most}`,
    );
    assert.equal(of('2/fw2', '3/fw1')?.verdict, 'apart');
  } finally {
    two.remove();
  }
});

test('the commands: merge, show with filters, export for pipelines and the journal, checkpoint held against a log', async () => {
  const roster = ['--roster', cluster.rosterPath];
  const merged = await portcullis(['audit', 'merge', ...paths, ...roster, '--kind', 'transition']);
  assert.equal(merged.status, 0, merged.err);
  assert.match(merged.out, /fw1#\d+ {2}transition {2}firewall {2}handover\.opening -> service\.serving/);
  const shown = await portcullis(['audit', 'show', paths[2] ?? '', ...roster, '--kind', 'alarm']);
  assert.ok(!shown.out.includes('\u001b') && !shown.out.includes('\u202e'));
  assert.match(shown.out, /\\u001b\[2J\\u202e/);
  const json = await portcullis(['audit', 'export', paths[0] ?? '', ...roster]);
  for (const line of json.out.trim().split('\n')) {
    const { n, hash } = JSON.parse(line) as { n: number; hash: string };
    assert.ok(n >= 1 && /^[0-9a-f]{64}$/.test(hash));
  }
  const journal = await portcullis(['audit', 'export', paths[2] ?? '', ...roster, '--format', 'journal']);
  const records = journal.out.trim().split('\n\n');
  assert.equal(records.length, json.out === '' ? 0 : [...entriesOf(paths[2] ?? '', null)].length);
  for (const record of records) {
    assert.match(record, /^MESSAGE_ID=[0-9a-f]{32}$/m);
    assert.match(record, /^PORTCULLIS_HASH=[0-9a-f]{64}$/m);
    for (const line of record.split('\n')) assert.match(line, /^[A-Z_][A-Z0-9_]{0,63}=/);
  }
  const paper = await portcullis(['audit', 'checkpoint', paths[1] ?? '', ...roster]);
  assert.ok(paper.status === 0 && paper.out.length < 700, `${paper.out.length}`);
  for (const [words, status] of [
    [['verify', ...paths, ...roster], 0],
    [['verify', ...paths, ...roster, '--complete'], 0],
    [['verify', paths[0] ?? '', ...roster, '--complete'], 1],
    [['show', paths[0] ?? '', '--kind', 'nonsense'], 2],
    [['verify', join(directory, 'nothing'), ...roster], 1],
    [['merge', paths[0] ?? '', paths[0] ?? '', ...roster], 1],
  ] as const)
    assert.equal((await portcullis(['audit', ...words])).status, status, words.join(' '));
});

const chromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => existsSync(path));

/** Chromium without a window, on a page of this machine, and with no way to any network. */
function browse(page: string, ...words: string[]): { out: Buffer; err: string } {
  const profile = mkdtempSync(join(directory, 'profile-'));
  const fixed = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--no-first-run',
    '--proxy-server=127.0.0.1:9',
  ];
  const run = spawnSync(
    chromium ?? '',
    [...fixed, `--user-data-dir=${profile}`, ...words, `file://${page}`],
    {
      timeout: 120_000,
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  return { out: run.stdout, err: run.stderr.toString() };
}

test('the report in headless Chromium: whole, dark and on paper, without a script, and hostile text stays text', {
  skip: chromium === undefined ? 'needs chromium' : false,
}, async () => {
  const out = join(directory, 'report.html');
  const made = await portcullis(['audit', 'report', ...paths, '--roster', cluster.rosterPath, '--out', out]);
  assert.equal(made.status, 0, made.err);
  const page = readFileSync(out, 'utf8');
  assert.ok(
    !/<(script|link|img|iframe|object|embed|a|base)\b|<[^>]*\b(src|href|on\w+)=|url\(/i.test(page),
    'nothing to run or load',
  );
  const dom = browse(out, '--dump-dom').out.toString();
  assert.match(dom, /<title>Event log of dmz: verified<\/title>/, 'no script has changed the title');
  assert.match(dom, /&lt;\/td&gt;&lt;script&gt;/);
  for (const part of [
    'Changes of master',
    'Who was master when',
    'Did two hosts ever serve at once',
    'Evidence',
    'Takeovers',
    'Alarms',
    'Refused messages',
    'Membership and keys',
    'Gaps in the evidence',
  ])
    assert.ok(dom.includes(part), part);
  assert.equal(dom.match(/<rect [^>]*class="bar/g)?.length, 3);
  for (const [name, ...words] of [['light.png'], ['dark.png', '--force-dark-mode']] as const) {
    const shot = join(directory, name);
    browse(out, '--window-size=1200,2600', `--screenshot=${shot}`, ...words);
    const png = readFileSync(shot);
    assert.equal(png.subarray(1, 4).toString(), 'PNG');
    assert.ok(png.length > 40_000, `${name}: ${png.length} bytes, which is an empty page`);
  }
  const pdf = join(directory, 'report.pdf');
  browse(out, `--print-to-pdf=${pdf}`, '--no-pdf-header-footer');
  assert.equal(readFileSync(pdf).subarray(0, 5).toString(), '%PDF-');
  if (process.env.KEEP_REPORT !== undefined) spawnSync('cp', ['-r', directory, process.env.KEEP_REPORT]);
});
