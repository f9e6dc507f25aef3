/** Where conviction ends: an honest host is called no forger, and what nobody recorded cannot be found (P69). */
import assert from 'node:assert/strict';
import test from 'node:test';
import { at, blocksOf, NEW_RUN, story, UNHEARD, withBlocks } from './altered.ts';
import { judged } from './story.ts';
import { collusion } from './tamper-hosts.ts';

test('an honest host whose disk was restored says so, and is not called a forger', () => {
  const blocks = blocksOf('fw1');
  const from = at(blocks, 'a quiet hour, number 1');
  const gone = blocks.at(-1) ?? assert.fail();
  const kept = blocks.slice(0, from);
  const like = kept.at(-1)?.entries[0] ?? assert.fail();
  const said = new Map(like)
    .set(4, 12)
    .set(6, 'lost')
    .set(8, [
      ['run', Buffer.from(gone.run).toString('hex')],
      ['n', gone.first + 9],
    ]);
  const restored = withBlocks('fw1', [
    ...kept,
    ...Array.from({ length: 40 }, () => ({ ...gone, run: NEW_RUN, entries: [said] })),
  ]);
  const { ok, findings } = judged(restored, { roster: story.roster });
  assert.ok(ok, findings.map(({ text }) => text).join('\n'));
  assert.ok(
    findings.some(({ severity, text }) => severity === 'doubt' && /as the host said itself/.test(text)),
  );
});

test('not found, as the specification says: entries after the last head that anybody recorded', () => {
  const blocks = blocksOf('fw1');
  const { ok, findings } = judged(withBlocks('fw1', blocks.slice(0, at(blocks, UNHEARD))), {
    roster: story.roster,
  });
  assert.ok(ok && findings.length === 0);
});

test('not found, as the specification says: all hosts rewrite their logs together, and nothing outside holds against it', () => {
  const { ok, findings } = judged(collusion().logs, { roster: story.roster });
  assert.ok(ok, findings.map(({ text }) => text).join('\n'));
});
