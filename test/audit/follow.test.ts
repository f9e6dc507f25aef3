/** `audit show --follow`, as a process of its own, on a log that is being written. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { programArgs } from '../programs.ts';
import { LIMITS, LogCluster, note } from './cluster.ts';

/** The command on fw1's log, which goes on in a new segment after some entries. */
class Following {
  readonly cluster: LogCluster;
  readonly path: string;
  readonly child: ChildProcess;
  out = '';
  err = '';

  constructor(t: TestContext, cluster: LogCluster, path = cluster.logPath('fw1')) {
    this.cluster = cluster;
    this.path = path;
    const words = ['audit', 'show', this.path, '--follow', '--kind', 'note'];
    this.child = spawn(process.execPath, [...programArgs('src/cli/main.ts'), ...words]);
    this.child.stdout?.on('data', (chunk: Buffer) => {
      this.out += chunk.toString();
    });
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.err += chunk.toString();
    });
    t.after(() => {
      this.child.kill('SIGKILL');
      this.cluster.remove();
    });
  }

  /** Paths of the segments, the newest last. */
  get segments(): string[] {
    return readdirSync(this.path)
      .sort()
      .map((name) => join(this.path, name));
  }

  async say(from: number, to: number): Promise<void> {
    for (let i = from; i <= to; i++) await this.cluster.say('fw1', note(`number ${i} ${'x'.repeat(200)}`));
  }

  get numbers(): number[] {
    return [...this.out.matchAll(/number (\d+)/g)].map(([, digits]) => Number(digits));
  }

  async until(what: string, holds: () => boolean): Promise<void> {
    for (let i = 0; i < 2400 && !holds(); i++) await sleep(25);
    assert.ok(holds(), `${what}: ${this.out} ${this.err}`);
  }

  /** Resolves with the exit status; fails when the process does not end by itself. */
  async ended(): Promise<number | null> {
    if (this.child.exitCode === null) await once(this.child, 'exit', { signal: AbortSignal.timeout(60_000) });
    return this.child.exitCode;
  }
}

/** Begun, with some entries written and shown. */
async function following(t: TestContext): Promise<Following> {
  const cluster = new LogCluster(['fw1'], { limits: { ...LIMITS, segmentBytes: 3000 } });
  await cluster.open();
  const made = new Following(t, cluster);
  await made.say(1, 3);
  await made.until('the first entries', () => made.numbers.length === 3);
  return made;
}

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

test('what is written is shown once, over restarts of the writer and into new segments; who stops reading ends it', async (t) => {
  const made = await following(t);
  await made.say(4, 30);
  assert.ok(made.segments.length >= 3, 'the log went on in new segments');
  await made.until('all segments', () => made.numbers.length >= 30);
  await made.cluster.host('fw1').restart();
  await made.say(31, 40);
  await made.until('the next run', () => made.numbers.length >= 40);
  assert.deepEqual(made.numbers, upTo(40), 'in order, and nothing twice');
  assert.equal(made.err, '');
  made.child.stdout?.destroy();
  await made.say(41, 41);
  assert.equal(await made.ended(), 0, made.err);
  await made.cluster.close();
});

test('a write that is not whole yet is waited for, and then shown', async (t) => {
  const { cluster, segments } = await following(t);
  await cluster.host('fw1').log.flush();
  const bytes = readFileSync(segments[0] ?? '');
  const path = join(cluster.directory, 'copy');
  const segment = join(path, '000000000000001.log');
  mkdirSync(path);
  writeFileSync(segment, bytes.subarray(0, bytes.length - 100));
  const made = new Following(t, cluster, path);
  await made.until('what is whole', () => made.numbers.length === 2);
  await sleep(600);
  assert.equal(made.err, '');
  appendFileSync(segment, bytes.subarray(bytes.length - 100));
  await made.until('the rest', () => made.numbers.length === 3);
});

test('a log that becomes shorter, or is written anew, while it is followed: said, and a failure', async (t) => {
  for (const spoil of [
    (path: string) => truncateSync(path, 300),
    (path: string) => {
      const bytes = readFileSync(path);
      appendFileSync(path, bytes.subarray(0, 300));
    },
  ]) {
    const made = await following(t);
    await made.cluster.close();
    spoil(made.segments.at(-1) ?? '');
    assert.equal(await made.ended(), 1);
    assert.match(made.err, /is shorter than it was|does not hold together/);
  }
});
