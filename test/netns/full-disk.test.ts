/** P70 on a real file system: what the event log does when the kernel says that it is read-only, or full. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { programArgs } from '../programs.ts';
import { temporaryDir } from '../unit/cluster-files.ts';
import { needsRoot } from './netns.ts';

interface Told {
  readonly troubles: (string | null)[];
  readonly full: { failing: boolean; lost: number };
  readonly readOnly: boolean;
  readonly appended: number;
  readonly written: number;
  readonly stated: number[];
  /** How long an entry took to be queued: the slowest but ten. */
  readonly slowestMs: number;
  readonly status: { lost: number; failing: boolean };
}

test('P70: a file system that is read-only at the start, or full: an alarm each, losses stated, nothing waits, and the log goes on', {
  skip: needsRoot(),
}, (t) => {
  const run = spawnSync(
    '/usr/bin/unshare',
    ['-m', process.execPath, ...programArgs('test/netns/full-disk.ts'), temporaryDir(t)],
    { encoding: 'utf8', timeout: 60_000 },
  );
  assert.equal(run.status, 0, run.stderr);
  const told = JSON.parse(run.stdout) as Told;
  const codes = told.troubles.map((error) => /ENOSPC|EROFS/.exec(error ?? 'null')?.[0] ?? error);
  assert.deepEqual(codes, ['EROFS', null, 'ENOSPC', null]);
  assert.ok(told.readOnly && told.full.failing && told.full.lost > 0, run.stdout);
  assert.equal(
    told.stated.reduce((sum, count) => sum + count, 0),
    told.status.lost,
  );
  assert.equal(told.written + told.status.lost, told.appended, 'each entry is there, or counted');
  // Queueing costs microseconds, and a stall of a busy machine hits a few of so many.
  assert.ok(told.slowestMs < 100, `${told.slowestMs} ms`);
});
