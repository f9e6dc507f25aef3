/**
 * `portcullis audit` in unpractised hands: what is no log, half a log, another cluster's roster; copies of running hosts'
 * logs, taken one after the other. What is not whole never looks as if it were.
 */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { walk } from '../../src/audit/segment.ts';
import { portcullis } from '../unit/cli-harness.ts';
import { assertDocumented } from '../unit/printed-json.ts';
import { LIMITS, LogCluster, note, takeover } from './cluster.ts';

const directory = mkdtempSync(join(tmpdir(), 'portcullis-command-'));
const cluster = new LogCluster(['fw1', 'fw2', 'fw3'], { limits: { ...LIMITS, segmentBytes: 1500 } });
const other = new LogCluster(['fw1'], {}, 'other');
after(() => {
  for (const made of [cluster, other]) made.remove();
  rmSync(directory, { recursive: true, force: true });
});
await other.open();
await other.close();

const roster = ['--roster', cluster.rosterPath];
const at = (name: string): string => join(directory, name);

/** Copies of those hosts' logs as they are now, in that order. */
function copied(into: string, names: readonly string[]): string[] {
  return names.map((name) => {
    cpSync(cluster.logPath(name), at(`${into}/${name}`), { recursive: true });
    return at(`${into}/${name}`);
  });
}

await cluster.open();
await takeover(cluster, null, 'fw1', 1);
await cluster.gossip();
await cluster.gossip();
// Each host writes on, and records the others' heads, between one copy and the next.
const first: string[] = [];
const second: string[] = [];
for (const [copies, into] of [
  [first, 'first'],
  [second, 'second'],
] as const)
  for (const name of ['fw1', 'fw2', 'fw3']) {
    copies.push(...copied(into, [name]));
    await cluster.say(name, { service: null, kind: 'operator', text: 'written on' });
    await cluster.gossip();
    await cluster.gossip();
  }
for (let i = 0; i < 12; i++) await cluster.say('fw1', note(`number ${i} ${'x'.repeat(300)}`));
await cluster.close();
const logs = ['fw1', 'fw2', 'fw3'].map((name) => cluster.logPath(name));
const [fw1 = ''] = logs;

test('P80: copies of running hosts: one that others’ go beyond is not verified and it is said what to do; two of each settle it', async () => {
  const once = await portcullis(['audit', 'verify', ...first, ...roster]);
  assert.equal(once.status, 1);
  assert.match(once.out, /missing: fw1 entry \d+: .* fw2, entry \d+, holds its head, .* copy it again/);
  const [older = '', ...others] = first;
  const again = await portcullis(['audit', 'verify', fw1, ...others, ...roster]);
  assert.ok(!again.out.includes('missing: fw1'), 'a fuller copy of that log');
  const twice = await portcullis(['audit', 'verify', ...first, ...second, ...roster]);
  assert.equal(twice.status, 0, twice.out);
  assert.match(twice.out, /doubt: fw1 entry \d+: .* recorded after the earlier copy of fw2’s log/);
  // Who has cut its log shows the same short log twice.
  const cut = await portcullis(['audit', 'verify', ...first, older, ...second.slice(1), ...roster]);
  assert.equal(cut.status, 1);
  assert.match(cut.out, /missing: fw1/);
  const out = at('two-copies.html');
  const report = await portcullis(['audit', 'report', ...first, ...second, ...roster, '--out', out]);
  assert.equal(report.status, 0, report.err);
});

test('a report on logs that are not verified is written, and is no success', async () => {
  const out = at('not-verified.html');
  const report = await portcullis(['audit', 'report', ...first, ...roster, '--out', out]);
  assert.equal(report.status, 1);
  assert.match(report.err, /not verified[\s\S]*written nevertheless/);
  assert.match(readFileSync(out, 'utf8'), /<title>[^<]*NOT verified/);
});

test('verify says by whose word it judges, and which file it means', async () => {
  const shown = await portcullis(['audit', 'verify', ...logs, ...roster]);
  assert.match(shown.out, /^judged by roster version \d+ of cluster dmz, admin key SHA256:\S+: compare it/);
  const json = await portcullis(['audit', 'verify', ...logs, ...roster, '--json']);
  assertDocumented('audit verify', json.out);
  const { roster: by } = JSON.parse(json.out) as { roster: { cluster: string; adminGiven: boolean } };
  assert.deepEqual([by.cluster, by.adminGiven], ['dmz', false]);
  const foreign = await portcullis(['audit', 'verify', ...logs, '--roster', other.rosterPath]);
  assert.equal(foreign.status, 1);
  assert.ok(foreign.out.includes(`broken: ${fw1} entry 1: `), foreign.out);
  assert.match(foreign.err, /is it the roster of the cluster that wrote these logs/);
});

function file(name: string, bytes: Uint8Array): string {
  writeFileSync(at(name), bytes);
  return at(name);
}

test('what is no log, or not a whole one, is no success, whichever command reads it', async () => {
  const [segment = '', next = ''] = readdirSync(fw1).map((name) => join(fw1, name));
  const bytes = readFileSync(segment);
  const damaged = Buffer.from(bytes);
  damaged.fill(0xff, 400, 410);
  const gap = at('gap');
  cpSync(fw1, gap, { recursive: true });
  rmSync(join(gap, readdirSync(gap)[1] ?? ''));
  for (const [path, says] of [
    [file('empty', new Uint8Array()), /holds no entry/],
    [file('noise', Buffer.from('root:x:0:0:root:/root:/bin/bash\n'.repeat(50))), /holds no entry: .*byte 0/],
    [file('damaged', damaged), /does not hold together: /],
    [gap, /does not hold together: .* goes on with entry \d+ after entry \d+/],
  ] as const)
    for (const words of [
      ['show', path],
      ['export', path],
      ['merge', path, ...roster],
    ]) {
      const { status, err } = await portcullis(['audit', ...words]);
      assert.equal(status, 1, words.join(' '));
      assert.match(err, says);
    }
  const half = await portcullis(['audit', 'show', file('half', bytes.subarray(0, bytes.length - 10))]);
  assert.equal(half.status, 0, 'a copy taken while the host wrote');
  assert.match(half.err, /the last write is not whole/);
  assert.ok(half.out.split('\n').length > 2);
  const single = await portcullis(['audit', 'show', '--follow', next]);
  assert.equal(single.status, 2);
  assert.match(single.err, /a single segment cannot be followed/);
  const all = await portcullis(['audit', 'show', gap]);
  assert.match(all.out, /number 11/, 'what lies behind a gap is shown');
  assert.ok(!existsSync(at('nothing')));
});

test('a line of `show` has what its text does not say: the term, counts', async () => {
  const shown = await portcullis(['audit', 'show', fw1, ...roster, '--kind', 'transition']);
  assert.match(shown.out, /fw1#\d+ {2}transition {2}firewall {2}handover\.opening -> [^\n]* {2}term=1\/fw1/);
});

test('wherever a copy of a segment ends, it ends in a write that was cut off, and not in a fault', () => {
  const bytes = readFileSync(join(logs[1] ?? '', readdirSync(logs[1] ?? '')[0] ?? ''));
  const ends = new Set([...walk(bytes, null)].map(({ end }) => end));
  assert.ok(ends.size > 3 && bytes.indexOf('heads of fw1') > 0, 'a block with others’ signed words in it');
  for (let length = 1; length <= bytes.length; length++) {
    const steps = walk(bytes.subarray(0, length), null);
    let step = steps.next();
    while (step.done !== true) step = steps.next();
    assert.equal(step.value?.torn, ends.has(length) ? undefined : true, `${length} bytes`);
  }
});
