/** The writer: bursts, disks that fail, heads that are durable, retention (P66, P70, P71). */
import assert from 'node:assert/strict';
import { readdirSync, renameSync } from 'node:fs';
import test, { type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type LogDisk, nodeDisk } from '../../src/daemon/log-disk.ts';
import type { ShownHead } from '../../src/wire/head.ts';
import { temporaryDir } from '../unit/cluster-files.ts';
import { note } from './cluster.ts';
import { SimDisk } from './sim-disk.ts';
import { assertSound, entriesOf, filesOf, identity, logOn, roster } from './written.ts';

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

test('a takeover does not wait for its entries: they are signed and written after the turn that tells them', async () => {
  const disk = new SimDisk();
  let signatures = 0;
  const heads: ShownHead[] = [];
  const log = logOn(disk, {
    sign: (message) => {
      signatures++;
      return identity.sign(message);
    },
    onDurable: (head) => void heads.push(head),
  });
  await log.open();
  const [signed, durable] = [signatures, heads.at(-1)?.n ?? 0];
  for (let i = 0; i < 20; i++) log.append(note(`entry ${i}`));
  await Promise.resolve();
  assert.deepEqual([signatures, heads.at(-1)?.n], [signed, durable]);
  await log.flush();
  assert.deepEqual([signatures, heads.at(-1)?.n], [signed + 1, durable + 20]);
});

test('a file that somebody takes away while it is written is trouble, and none that grows unseen; put back, it goes on', async (t) => {
  const directory = `${temporaryDir(t)}/log`;
  const disk = nodeDisk(directory);
  const troubles: (string | null)[] = [];
  const log = logOn(disk, { onTrouble: (error) => void troubles.push(error) });
  await log.open();
  log.append(note('before'));
  await log.flush();
  const [name = ''] = readdirSync(directory);
  renameSync(`${directory}/${name}`, `${directory}/aside`);
  for (const text of ['while it is away', 'more']) {
    log.append(note(text));
    await log.flush();
    assert.ok(log.status().failing, text);
  }
  assert.match(troubles.join(), /000001\.log was removed or replaced while it was written$/);
  assert.deepEqual(readdirSync(directory), ['aside'], 'nothing is begun in its place');
  renameSync(`${directory}/aside`, `${directory}/${name}`);
  await log.close(60_000);
  assert.equal(troubles.at(-1), null);
  const texts = (await entriesOf(disk)).map(({ text }) => text);
  assert.deepEqual(texts.slice(1, 4), ['before', 'while it is away', 'more']);
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
