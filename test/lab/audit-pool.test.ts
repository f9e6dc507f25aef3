/** Verification on several cores: worker threads run what is compiled, as these tests are, and say what one thread says. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { Members } from '../../src/audit/members.ts';
import { logAt } from '../../src/cli/audit-files.ts';
import { summarizeAll } from '../../src/cli/audit-pool.ts';
import { LIMITS, LogCluster, note, takeover } from '../audit/cluster.ts';

test('workers find what one thread finds, in every segment and in the order given, faults too', async () => {
  assert.ok(import.meta.url.endsWith('.js'), 'from sources there are no workers to test');
  const cluster = new LogCluster(['fw1', 'fw2'], { limits: { ...LIMITS, segmentBytes: 600 } });
  try {
    await cluster.open();
    await takeover(cluster, null, 'fw1', 1);
    for (let i = 0; i < 20; i++) await cluster.say('fw2', note(`entry ${i}`));
    await cluster.gossip();
    await cluster.close();
    const spoilt = join(cluster.logPath('fw2'), readdirSync(cluster.logPath('fw2'))[2] ?? '');
    const bytes = readFileSync(spoilt);
    bytes[60] = (bytes[60] ?? 0) ^ 1;
    writeFileSync(spoilt, bytes);
    const logs = ['fw1', 'fw2'].map((name) => logAt(cluster.logPath(name)));
    assert.ok(logs.every(({ segments }) => segments.length > 2));
    const members = new Members(cluster.roster);
    const alone = await summarizeAll(logs, members, 1);
    const together = await summarizeAll(logs, members, 3);
    assert.deepEqual(together, alone);
    assert.ok(together[1]?.segments.some(({ fault }) => fault !== null));
    await assert.rejects(
      summarizeAll([{ path: 'x', segments: ['/nowhere/1', '/nowhere/2'] }], members, 2),
      /nowhere/,
    );
  } finally {
    cluster.remove();
  }
});
