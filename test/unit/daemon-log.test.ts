/** The operational log under the journal: each line with its priority, and nowhere else. */
import assert from 'node:assert/strict';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { createLog } from '../../src/daemon/log.ts';
import { isJournal, withPriority } from '../../src/daemon/log-priority.ts';
import { temporaryDir } from './cluster-files.ts';

test('a line begins with its priority where the journal reads, by the descriptor and not by the name alone', async (t) => {
  const path = join(temporaryDir(t), 'log');
  const fd = openSync(path, 'w');
  t.after(() => closeSync(fd));
  const { dev, ino } = fstatSync(fd, { bigint: true });
  const before = process.env.JOURNAL_STREAM;
  t.after(() => {
    if (before === undefined) delete process.env.JOURNAL_STREAM;
    else process.env.JOURNAL_STREAM = before;
  });
  for (const [stream, expected] of [
    [`${dev}:${ino}`, /^<4>\{"level":40,/],
    ['1:1', /^\{"level":40,/],
  ] as const) {
    process.env.JOURNAL_STREAM = stream;
    const { log, flush } = createLog('fw1', 'info', fd);
    log.warn({ alarm: 'stall' }, 'alarm');
    await flush();
    assert.match(readFileSync(path, 'utf8').trimEnd().split('\n').at(-1) ?? '', expected);
  }
  assert.equal(isJournal(fd, undefined), false);
  assert.equal(isJournal(9999, '1:1'), false);
});

test('levels are syslog’s priorities; what has none is information', () => {
  assert.deepEqual(
    ['60', '50', '40', '30', '20', 'x'].map((level) => withPriority(`{"level":${level}}`).slice(0, 3)),
    ['<2>', '<3>', '<4>', '<6>', '<7>', '<6>'],
  );
});
