/** What a host keeps of others: records of their heads, its own losses that they tell it of, refusals (P66, P68, P69). */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { LogDraft } from '../../src/daemon/event-log.ts';
import { EvidenceKeeper } from '../../src/daemon/evidence.ts';
import { nodeDisk } from '../../src/daemon/log-disk.ts';
import { LogCluster, note } from './cluster.ts';
import { entriesOf, filesOf } from './written.ts';

test('P66, P68: hosts record each other’s heads once there is news, weighty news soon, and idle hosts nothing for ever', async () => {
  const cluster = new LogCluster(['fw1', 'fw2', 'fw3']);
  try {
    await cluster.open();
    const records = async (): Promise<number> => {
      const entries = await entriesOf(nodeDisk(cluster.logPath('fw1')));
      return entries.filter(({ kind }) => kind === 'witness').length;
    };
    await cluster.gossip();
    await cluster.gossip();
    const first = await records();
    assert.equal(first, 1, 'the others’ starts, in one entry');
    for (let i = 0; i < 60; i++) await cluster.gossip(5000);
    assert.equal(await records(), first, 'five minutes with nothing to say');
    await cluster.say('fw2', note('light'));
    await cluster.gossip();
    assert.equal(await records(), first, 'light news waits');
    for (let i = 0; i < 13; i++) await cluster.gossip(5000);
    assert.equal(await records(), first + 1);
    await cluster.say('fw2', { service: null, kind: 'operator', text: 'weighty' });
    await cluster.gossip();
    await cluster.gossip();
    assert.equal(await records(), first + 2);
    await cluster.close();
  } finally {
    cluster.remove();
  }
});

/** A log that only listens. */
class Ears {
  drafts: LogDraft[] = [];
  readonly heads = new Map();
  readonly isOpen = true;
  previous: { run: Uint8Array; position: { n: number } } | null = null;
  add(draft: LogDraft): void {
    this.drafts.push(draft);
  }
}

test('P68: a peer with weighty news in every word does not fill this host’s log', () => {
  let nowMs = 0;
  const log = new Ears();
  const evidence = new EvidenceKeeper({ log, run: new Uint8Array(16), now: () => nowMs, checkpointMs: 1e12 });
  for (let n = 1; n <= 36_000; n++) {
    nowMs += 100;
    const head = { run: new Uint8Array(16).fill(1), n, hash: new Uint8Array(32), weighty: n, news: n };
    evidence.headHeard('fw2', { head, word: new Uint8Array(300) });
    if (n % 10 === 0) evidence.tick();
  }
  assert.ok(log.drafts.length > 300 && log.drafts.length < 450, `${log.drafts.length} in an hour`);
});

test('P69: who is told of an entry that its log does not reach says so once; what it reaches is no loss', () => {
  const log = new Ears();
  const run = new Uint8Array(16).fill(1);
  log.previous = { run, position: { n: 50 } };
  const evidence = new EvidenceKeeper({
    log,
    run: new Uint8Array(16).fill(2),
    now: () => 0,
    checkpointMs: 1e12,
  });
  const held = (n: number, of = run) => evidence.headHeld('fw2', { run: of, n, hash: new Uint8Array(32) });
  held(50);
  held(49);
  held(70, new Uint8Array(16).fill(2));
  assert.equal(log.drafts.length, 0);
  held(51);
  held(51);
  assert.equal(log.drafts.length, 1);
  assert.equal(log.drafts[0]?.kind, 'lost');
  assert.equal(log.drafts[0]?.data?.n, 51);
});

test('P69: a host that comes back with an older disk is told by the others, through the handshake, and says what is gone', async () => {
  const cluster = new LogCluster(['fw1', 'fw2']);
  try {
    await cluster.open();
    const disk = nodeDisk(cluster.logPath('fw1'));
    const old = await filesOf(disk);
    await cluster.say('fw1', { service: null, kind: 'operator', text: 'that will be gone' });
    await cluster.gossip();
    await cluster.gossip();
    await cluster.host('fw1').log.close(5000);
    for (const name of (await filesOf(disk)).keys()) await disk.remove(name);
    for (const [name, bytes] of old) {
      const file = await disk.create(name);
      await file.append(bytes);
      await file.sync();
      await file.close();
    }
    await cluster.host('fw1').restart(false);
    await cluster.join();
    await cluster.gossip();
    const lost = (await entriesOf(disk)).filter(({ kind }) => kind === 'lost');
    assert.equal(lost.length, 1);
    assert.equal(lost[0]?.data.holder, 'fw2');
    await cluster.close();
  } finally {
    cluster.remove();
  }
});

test('refusals are counted by host and code, and told every 10 s, never one by one', () => {
  let nowMs = 0;
  const log = new Ears();
  const evidence = new EvidenceKeeper({ log, run: new Uint8Array(16), now: () => nowMs, checkpointMs: 1e12 });
  for (let i = 0; i < 100_000; i++)
    evidence.refused(i % 2 === 0 ? null : 'fw2', i % 2 === 0 ? 'size' : 'gate');
  evidence.tick();
  assert.deepEqual(log.drafts, []);
  nowMs += 10_000;
  evidence.tick();
  evidence.tick();
  assert.deepEqual(
    log.drafts.map(({ data }) => data),
    [{ 'nobody size': 50_000, 'fw2 gate': 50_000 }],
  );
});

test('what the kernel’s filter dropped is told as what is new since, also after the filter was made anew', () => {
  let nowMs = 0;
  const log = new Ears();
  const evidence = new EvidenceKeeper({ log, run: new Uint8Array(16), now: () => nowMs, checkpointMs: 1e12 });
  const pass = (stranger: number, hops: number): void => {
    evidence.filtered({ stranger, hops, rate: 0 });
    nowMs += 10_000;
    evidence.tick();
  };
  pass(0, 0);
  assert.deepEqual(log.drafts, []);
  pass(300, 1);
  pass(300, 1);
  pass(301, 1);
  pass(7, 0);
  assert.deepEqual(
    log.drafts.map(({ text, data }) => [text, data]),
    [
      ['301 messages were refused', { 'filtered:stranger': 300, 'filtered:hops': 1 }],
      ['1 message was refused', { 'filtered:stranger': 1 }],
      ['7 messages were refused', { 'filtered:stranger': 7 }],
    ],
  );
});

test('P73: a run has its first checkpoint soon, and the next ones as configured', () => {
  for (const [checkpointMs, wanted] of [
    [86_400_000, [600, 87_000]],
    [300_000, [300, 600]],
  ] as const) {
    let nowMs = 0;
    const log = new Ears();
    const evidence = new EvidenceKeeper({ log, run: new Uint8Array(16), now: () => nowMs, checkpointMs });
    const made: number[] = [];
    for (; made.length < 2 && nowMs < 1e8; nowMs += 1000) {
      evidence.tick();
      if (log.drafts.splice(0).length > 0) made.push(nowMs / 1000);
    }
    assert.deepEqual(made, wanted);
  }
});
