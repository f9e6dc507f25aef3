/** The event log: whole lines, numbers without repetition, rotation, and what a crash or a full disk does to it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { FileJournal, type JournalOptions } from '../../src/daemon/journal.ts';
import { LineSink } from '../../src/daemon/log.ts';
import { temporaryDir } from './cluster-files.ts';

const QUIET = { host: 'fw1', now: () => 1, onTrouble: () => undefined };

function entry(text: string) {
  return { service: 'firewall', kind: 'note', text } as const;
}

function lines(path: string): { n: number; text: string }[] {
  const whole = readFileSync(path, 'utf8');
  assert.ok(whole === '' || whole.endsWith('\n'), 'no torn line');
  return whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { n: number; text: string });
}

async function written(options: JournalOptions, texts: readonly string[]): Promise<void> {
  const journal = await FileJournal.open(options);
  for (const text of texts) journal.append(entry(text));
  await journal.close(5000);
}

test('entries are whole JSON lines, in order, and numbers go on after a restart', async (t) => {
  const path = join(temporaryDir(t), 'events.jsonl');
  await written({ ...QUIET, path }, ['a', 'b\n"c"']);
  await written({ ...QUIET, path }, ['d']);
  assert.deepEqual(
    lines(path).map(({ n, text }) => [n, text]),
    [
      [1, 'a'],
      [2, 'b\n"c"'],
      [3, 'd'],
    ],
  );
});

test('a line that a crash tore is cut off, and the log goes on', async (t) => {
  const path = join(temporaryDir(t), 'events.jsonl');
  await written({ ...QUIET, path }, ['a', 'b']);
  appendFileSync(path, '{"time":"2026-01-01T00:00:00Z","n":3,"te');
  await written({ ...QUIET, path }, ['c']);
  assert.deepEqual(
    lines(path).map(({ n, text }) => [n, text]),
    [
      [1, 'a'],
      [2, 'b'],
      [3, 'c'],
    ],
  );
});

test('rotation keeps so many files and loses no entry that they have room for', async (t) => {
  const path = join(temporaryDir(t), 'events.jsonl');
  // Closed after each ten, so that how they fall into batches does not depend on how fast the disk is.
  for (let ten = 0; ten < 8; ten++) {
    const texts = Array.from({ length: 10 }, (_, i) => `entry ${ten * 10 + i}`);
    await written({ ...QUIET, path, rotateBytes: 2000, keep: 2 }, texts);
  }
  const kept = [`${path}.2`, `${path}.1`, path].flatMap((file) => lines(file).map(({ n }) => n));
  assert.ok(!existsSync(`${path}.3`));
  assert.equal(kept.at(-1), 80);
  assert.ok((kept[0] ?? 0) > 1, 'the oldest file is gone');
  kept.forEach((n, i) => {
    if (i > 0) assert.equal(n, (kept[i - 1] ?? 0) + 1);
  });
});

test('an overlong entry is cut to a whole, bounded line', async (t) => {
  const path = join(temporaryDir(t), 'events.jsonl');
  await written({ ...QUIET, path }, ['x'.repeat(100_000)]);
  assert.ok(readFileSync(path).length < 2000);
  assert.equal(lines(path).length, 1);
});

test('a full disk costs entries and an alarm; appending neither waits nor throws, and memory is bounded', async () => {
  const trouble: (string | null)[] = [];
  const journal = await FileJournal.open({
    ...QUIET,
    path: '/dev/full',
    onTrouble: (error) => trouble.push(error),
  });
  for (let i = 0; i < 30_000; i++) journal.append(entry('x'));
  for (let i = 0; i < 100 && trouble.length === 0; i++) await sleep(10);
  assert.match(trouble[0] ?? '', /ENOSPC/);
  assert.deepEqual(journal.status(), { entries: 30_000, lost: 20_000, failing: true });
  await journal.close(5000);
});

test('when the disk has room again, the log goes on with whole lines and tells the gap', {
  skip: skipReason(),
}, async (t) => {
  const dir = join(temporaryDir(t), 'small');
  mkdirSync(dir);
  mount(['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', dir]);
  try {
    await fillAndMend(dir);
  } finally {
    spawnSync('/usr/bin/umount', [dir]);
  }
});

test('the operational log: a full disk and a reader that has stopped cost lines, never the process', async () => {
  const { openSync } = await import('node:fs');
  const full = new LineSink(openSync('/dev/full', 'w'));
  for (let i = 0; i < 50_000; i++) full.write(`${'x'.repeat(100)}\n`);
  assert.ok(full.dropped > 30_000, 'what waits is bounded');
  await full.flush(50);
});

test('the operational log: what is written arrives whole and in order', async (t) => {
  const { openSync } = await import('node:fs');
  const path = join(temporaryDir(t), 'log');
  const sink = new LineSink(openSync(path, 'w'));
  for (let i = 0; i < 5000; i++) sink.write(`${i}\n`);
  await sink.flush(10_000);
  assert.equal(readFileSync(path, 'utf8'), Array.from({ length: 5000 }, (_, i) => `${i}\n`).join(''));
});

test('a log that is no log of ours is kept, and numbers begin anew', async (t) => {
  const path = join(temporaryDir(t), 'events.jsonl');
  writeFileSync(path, 'something else\n');
  await written({ ...QUIET, path }, ['a']);
  const text = readFileSync(path, 'utf8');
  assert.ok(text.startsWith('something else\n'));
  assert.match(text, /"n":1,/);
});

function mount(args: readonly string[]): void {
  const result = spawnSync('/usr/bin/mount', args, { encoding: 'utf8' });
  assert.equal(result.status, 0, result.stderr);
}

function skipReason(): string | false {
  return process.getuid?.() === 0 ? false : 'needs root to mount a small file system';
}

async function fillAndMend(dir: string): Promise<void> {
  const path = join(dir, 'events.jsonl');
  const trouble: (string | null)[] = [];
  const journal = await FileJournal.open({ ...QUIET, path, onTrouble: (error) => trouble.push(error) });
  for (let i = 0; i < 20_000; i++) journal.append(entry(`entry ${i}`));
  for (let i = 0; i < 200 && trouble.length === 0; i++) await sleep(10);
  assert.match(trouble[0] ?? '', /ENOSPC/);
  lines(path); // whole lines only, though the disk ended within one
  mount(['-o', 'remount,size=64m', dir]);
  for (let i = 0; i < 500 && trouble.length < 2; i++) await sleep(10);
  assert.equal(trouble[1], null);
  journal.append(entry('after'));
  await journal.close(5000);
  const after = lines(path);
  assert.equal(after.at(-1)?.text, 'after');
  assert.ok(after.some(({ text }) => /^\d+ entries were lost/.test(text)));
  assert.equal(new Set(after.map(({ n }) => n)).size, after.length, 'no number twice');
}
