/** What the endurance runs rest on: a process that grows is seen growing, one that does not is not, and the real numbers are read. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import {
  cpuPercent,
  type Footprint,
  FootprintSampler,
  footprint,
  growths,
  memoryAlone,
  type Use,
} from './footprint.ts';
import { until } from './process.ts';

const NOBODY: Use = { pid: 0, cpuMs: 0, pssKiB: 0, ownKiB: 0, descriptors: 0, processes: 0 };

function look(minute: number, network: Partial<Use>): Footprint {
  const use = { ...NOBODY, pid: 7, processes: 1, ...network };
  return { atMs: minute * 60_000, host: 'fw1', network: use, actuator: NOBODY };
}

test('what grows steadily is told per hour, beside a single leap and whatever the first minutes were', () => {
  const samples = Array.from({ length: 31 }, (_, minute) =>
    look(minute, {
      ownKiB: (minute < 5 ? 10_000 * minute : 60_000 + 10 * minute) + (minute === 20 ? 30_000 : 0),
      descriptors: 30 + Math.floor(minute / 3),
    }),
  );
  const [found, ...more] = growths(samples, 5 * 60_000);
  assert.equal(more.length, 0);
  assert.equal(found?.part, 'network');
  assert.equal(found?.minutes, 25);
  assert.equal(found?.ownKiBPerHour, 600);
  assert.ok(Math.abs((found?.descriptorsPerHour ?? 0) - 20) <= 1);
  assert.equal(found?.ownKiBMost, 90_200);
});

test('a process that was started anew is judged by itself, and the percentage of two is none', () => {
  const samples = [0, 1, 2, 3, 4, 5].map((minute) =>
    look(minute, { pid: minute < 3 ? 7 : 8, ownKiB: minute < 3 ? 70_000 : 50_000, cpuMs: 600 * minute }),
  );
  assert.deepEqual(
    growths(samples).map(({ pid, ownKiBPerHour }) => [pid, ownKiBPerHour]),
    [
      [7, 0],
      [8, 0],
    ],
  );
  const [first, second, , fourth] = samples;
  assert.ok(first !== undefined && second !== undefined && fourth !== undefined);
  assert.equal(cpuPercent(first, second, 'network'), 1);
  assert.ok(Number.isNaN(cpuPercent(first, fourth, 'network')));
});

/** Opens a file and keeps it, and takes memory and time, at each line that it is sent; named as the daemon is. */
const GREEDY = `const kept = [];
process.stdin.on('data', () => {
  kept.push(require('fs').openSync('/dev/null'), Buffer.alloc(8 << 20, 1));
  const { user } = process.cpuUsage();
  while (process.cpuUsage().user - user < 100_000);
  console.log('done');
});
console.log('ready');`;

test('a real process: its memory, descriptors and time are seen to grow, those of a calm one are not', async () => {
  const children = ['daemon', 'calm'].map((name) => spawn(process.execPath, ['-e', GREEDY, name]));
  const [greedy] = children as [ChildProcess, ...ChildProcess[]];
  try {
    await Promise.all(children.map(({ stdout }) => once(stdout, 'data')));
    const topology = { pids: async () => children.flatMap(({ pid }) => pid ?? []) };
    const sampler = new FootprintSampler(topology, ['fw1'], 60_000);
    const before = await footprint(topology, 'fw1');
    const done = once(greedy.stdout ?? greedy, 'data');
    greedy.stdin?.write('more\n');
    await done;
    const after = await footprint(topology, 'fw1');
    assert.deepEqual([after.network.pid, after.network.processes], [greedy.pid, 1]);
    assert.equal(after.network.descriptors, before.network.descriptors + 1);
    assert.equal(after.actuator.descriptors, before.actuator.descriptors);
    const grownKiB = after.network.pssKiB - before.network.pssKiB;
    assert.ok(grownKiB > 7_000 && grownKiB < 20_000, `${grownKiB} KiB`);
    if (process.getuid?.() === 0) {
      const aloneKiB = await memoryAlone(topology, 'fw1');
      const pssKiB = after.network.pssKiB + after.actuator.pssKiB;
      assert.ok(
        aloneKiB >= 0.98 * pssKiB && aloneKiB < 3 * pssKiB,
        `${aloneKiB} KiB alone, ${pssKiB} in parts`,
      );
    }
    const usedMs = after.network.cpuMs - before.network.cpuMs;
    assert.ok(usedMs > 90 && usedMs < 2_000, `${usedMs} ms`);
    assert.equal((await sampler.stop()).length, 1);
    for (const child of children) child.kill('SIGKILL');
    assert.ok(await until(async () => (await footprint(topology, 'fw1')).network.processes === 0, 5_000));
  } finally {
    for (const child of children) child.kill('SIGKILL');
  }
});
