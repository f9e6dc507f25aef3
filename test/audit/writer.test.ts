/** The writer and what it keeps of others: bursts, disks that fail, heads that are durable, records of heads, retention. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { chainOf } from '../../src/audit/chain.ts';
import { decodeEntry, type Entry } from '../../src/audit/entry.ts';
import { Members } from '../../src/audit/members.ts';
import { segmentFirst, walk } from '../../src/audit/segment.ts';
import { summarize } from '../../src/audit/summary.ts';
import { EventLog, type EventLogOptions, type LogDraft } from '../../src/daemon/event-log.ts';
import { EvidenceKeeper } from '../../src/daemon/evidence.ts';
import { type LogDisk, nodeDisk } from '../../src/daemon/log-disk.ts';
import { Chronicle } from '../../src/driver/chronicle.ts';
import { thumbprint } from '../../src/trust/fingerprint.ts';
import type { ShownHead } from '../../src/wire/head.ts';
import { temporaryDir } from '../unit/cluster-files.ts';
import { seededBytes, testIdentity, testRoster } from '../unit/wire-fixture.ts';
import { LIMITS, LogCluster, note } from './cluster.ts';
import { SimDisk } from './sim-disk.ts';

const roster = testRoster(['fw1', 'fw2']);
const members = new Members(roster);
const identity = testIdentity('fw1');

function logOn(disk: LogDisk, options: Partial<EventLogOptions> = {}): EventLog {
  return new EventLog({
    disk,
    clusterId: roster.clusterId,
    kid: thumbprint(identity.publicKey),
    sign: identity.sign,
    keys: members.keys,
    run: seededBytes('run')(16),
    roster,
    limits: LIMITS,
    now: () => performance.now(),
    wall: Date.now,
    onTrouble: () => undefined,
    ...options,
  });
}

async function filesOf(disk: LogDisk): Promise<Map<string, Uint8Array>> {
  const names = (await disk.list()).map(({ name }) => name).filter((name) => segmentFirst(name) !== null);
  return new Map(await Promise.all(names.map(async (name) => [name, await disk.read(name, 1e9)] as const)));
}

async function entriesOf(disk: LogDisk): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (const bytes of (await filesOf(disk)).values())
    for (const { block } of walk(bytes, null))
      for (const item of block.entries) entries.push(decodeEntry(item) ?? assert.fail());
  return entries;
}

/** The log verifies, with no finding at all. */
async function assertSound(disk: LogDisk): Promise<void> {
  const segments = [...(await filesOf(disk))].map(([name, bytes]) =>
    summarize(name, bytes, roster.clusterId, members.keys),
  );
  const { findings } = chainOf({ path: 'log', segments }, members);
  assert.deepEqual(
    findings.filter(({ text }) => !text.startsWith('begins with')),
    [],
  );
}

function onDisk(t: TestContext): LogDisk {
  return nodeDisk(`${temporaryDir(t)}/log`);
}

test('a burst of 10,000 entries is lost nowhere, and comes in its order under few signatures', async (t) => {
  const disk = onDisk(t);
  let signatures = 0;
  const log = logOn(disk, {
    sign: (message) => {
      signatures++;
      return identity.sign(message);
    },
  });
  await log.open();
  for (let i = 0; i < 10_000; i++) log.append(note(`entry ${i}`));
  await log.close(60_000);
  const texts = (await entriesOf(disk)).map(({ text }) => text).filter((text) => text.startsWith('entry'));
  assert.deepEqual(
    texts,
    Array.from({ length: 10_000 }, (_, i) => `entry ${i}`),
  );
  assert.ok(signatures < 200, String(signatures));
  assert.equal(log.status().lost, 0);
  await assertSound(disk);
});

/** A disk that refuses, with that error, while `broken` says so. */
class FailingDisk extends SimDisk {
  broken: string | null = null;

  #refuse(): void {
    if (this.broken !== null) throw Object.assign(new Error(this.broken), { code: this.broken });
  }

  override async create(name: string) {
    this.#refuse();
    return this.#wrapped(await super.create(name));
  }

  override async open(name: string) {
    return this.#wrapped(await super.open(name));
  }

  #wrapped(file: Awaited<ReturnType<SimDisk['open']>>) {
    return {
      ...file,
      append: async (bytes: Uint8Array) => {
        // A full disk takes a part of it.
        if (this.broken !== null) await file.append(bytes.subarray(0, 10));
        this.#refuse();
        await file.append(bytes);
      },
      sync: async () => {
        this.#refuse();
        await file.sync();
      },
    };
  }
}

for (const code of ['ENOSPC', 'EROFS', 'EIO'])
  test(`P70: while the disk says ${code} entries are counted, then stated; nothing waits, and the log holds`, async () => {
    const disk = new FailingDisk();
    const troubles: (string | null)[] = [];
    const heads: ShownHead[] = [];
    const log = logOn(disk, {
      onTrouble: (error) => void troubles.push(error),
      onDurable: (head) => void heads.push(head),
    });
    await log.open();
    const before = heads.at(-1)?.n ?? 0;
    disk.broken = code;
    for (let i = 0; i < 25_000; i++) log.append(note(`entry ${i}`));
    await log.flush();
    assert.equal(heads.at(-1)?.n, before, 'P66: no head is shown that is not durable');
    assert.ok(troubles.at(-1)?.includes(code) && log.status().failing);
    const { lost } = log.status();
    assert.ok(lost >= 5000, String(lost));
    disk.broken = null;
    await sleep(1100);
    await log.flush();
    log.append(note('after'));
    await log.flush();
    assert.equal(troubles.at(-1), null);
    const entries = await entriesOf(disk);
    const stated = entries.filter(({ kind }) => kind === 'lost');
    assert.deepEqual(
      stated.map(({ data }) => data.count),
      [lost],
    );
    assert.equal(entries.at(-1)?.text, 'after');
    assert.equal(entries.filter(({ text }) => text.startsWith('entry ')).length + lost, 25_000);
    await assertSound(disk);
  });

test('a log that cannot be opened at all holds up nothing, and begins when it can', async () => {
  const disk = new FailingDisk();
  disk.broken = 'EACCES';
  const log = logOn(disk);
  await log.open();
  assert.ok(log.status().failing && log.isOpen);
  log.append(note('early'));
  disk.broken = null;
  await sleep(1100);
  await log.flush();
  assert.ok((await entriesOf(disk)).some(({ text }) => text === 'early'));
  await assertSound(disk);
});

test('P71: segments end by size and by age, the oldest go, what went is said, and the rest verifies', async () => {
  const disk = new SimDisk();
  let wall = 1_000_000;
  const limits = { segmentBytes: 2000, segmentAgeMs: 60_000, keepBytes: 9000, keepAgeMs: null };
  const log = logOn(disk, { limits, wall: () => wall });
  await log.open();
  for (let i = 0; i < 40; i++) {
    log.append(note(`entry ${i} ${'x'.repeat(100)}`));
    await log.flush();
  }
  wall += 61_000;
  log.append(note('an hour later'));
  await log.close(5000);
  const entries = await entriesOf(disk);
  const begun = entries.filter(({ kind }) => kind === 'segment');
  assert.ok(
    begun.some(({ data }) => data.reason === 'size') && begun.some(({ data }) => data.reason === 'age'),
  );
  assert.ok(begun.every((entry) => entry.roster?.version === roster.version));
  const retired = entries.filter(({ kind }) => kind === 'retired');
  assert.ok(retired.length > 0 && (entries[0]?.n ?? 0) > 1);
  assert.equal(retired.at(-1)?.data.last, (entries[0]?.n ?? 0) - 1);
  const size = [...(await filesOf(disk)).values()].reduce((sum, bytes) => sum + bytes.length, 0);
  assert.ok(size <= limits.keepBytes, String(size));
  await assertSound(disk);
});

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

test('P67: a step’s entries name its event, how long procedures took, and the words that were heard and said', () => {
  const chronicle = new Chronicle();
  chronicle.started('activateUplink', 7, 1000);
  chronicle.ended('activateUplink', 7, 'unknown', 'no carrier', 1034.4);
  const ended = {
    type: 'procedure-ended',
    service: 'firewall',
    procedure: 'activateUplink',
    id: 7,
    verdict: 'unknown',
  } as const;
  const [entry, ...rest] = chronicle.entries(ended, [], 1034.4);
  assert.deepEqual(rest, []);
  assert.deepEqual(entry, {
    service: 'firewall',
    kind: 'procedure',
    text: 'activateUplink: unknown',
    data: { procedure: 'activateUplink', verdict: 'unknown', tookMs: 34 },
    detail: 'no carrier',
  });
  const claim = { type: 'CLAIM', service: 'firewall', id: 3, term: { n: 4, host: 'fw2' } } as const;
  const heard = { type: 'message', from: 'fw2', link: 1, message: claim } as const;
  const grant = { type: 'GRANT', service: 'firewall', id: 3, term: claim.term } as const;
  const voted = { service: 'firewall', kind: 'voted', text: 'promised' } as const;
  const effects = [
    { type: 'log', entry: voted },
    { type: 'send', to: 'fw2', message: grant },
  ] as const;
  const told = chronicle.entries(heard, effects, 2000);
  assert.deepEqual(
    told.map(({ kind }) => kind),
    ['message', 'voted', 'message'],
  );
  assert.match(told[0]?.text ?? '', /^from fw2 on 1: CLAIM firewall id=3 term=4\/fw2$/);
  assert.equal(told[1]?.event, told[0]?.text);
  assert.match(told[2]?.text ?? '', /^to fw2: GRANT/);
  const copy = chronicle.entries({ ...heard, link: 2 }, [], 2001);
  assert.deepEqual(copy, [], 'the copy over another link is not told again');
});

test('P67: a member that claims without end is told 50 times at once and twice a second, and the rest is counted', () => {
  const chronicle = new Chronicle();
  let told = 0;
  let untold = 0;
  for (let i = 0; i < 20_000; i++) {
    const message = { type: 'CLAIM', service: 'firewall', id: i, term: { n: i, host: 'fw2' } } as const;
    for (const { data } of chronicle.entries({ type: 'message', from: 'fw2', link: 1, message }, [], i)) {
      told++;
      untold += Number(data?.untold ?? 0);
    }
  }
  assert.ok(told >= 80 && told <= 100, String(told));
  assert.ok(untold > 19_000, String(untold));
});
