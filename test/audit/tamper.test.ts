/**
 * Logs altered by whoever owns the hosts' private keys and can sign whole chains anew (forge.ts shares no code with the
 * writer). For each manipulation: who is convicted, by whose log, and at which entry (P65, P68, P69, P71, P72, P73). The
 * manipulations are in tamper-*.ts, by idea; the table in spec/protocol.md is their list. What cannot be found, and who
 * must not be convicted, is in tamper-limits.test.ts.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { readText } from '../unit/vectors.ts';
import { blocksOf, fileOf, other, story, withBlocks, withFile } from './altered.ts';
import { takeApart } from './forge.ts';
import { judged } from './story.ts';
import { BLOCKS } from './tamper-blocks.ts';
import type { Case } from './tamper-case.ts';
import { HOSTS } from './tamper-hosts.ts';
import { SEGMENTS } from './tamper-segments.ts';
import { SIGNERS } from './tamper-signers.ts';
import { STAMPS } from './tamper-stamps.ts';

const CASES: readonly Case[] = [...BLOCKS, ...SIGNERS, ...SEGMENTS, ...HOSTS, ...STAMPS];

test('what is to be altered is sound to begin with, and the forger’s tools make of it exactly what it was', () => {
  for (const from of [story, other]) {
    const { ok, findings } = judged(from.logs, { roster: from.roster });
    assert.deepEqual(findings, []);
    assert.ok(ok);
  }
  // Compared as a whole: the differences of two long arrays take minutes to print.
  for (const host of ['fw1', 'fw2', 'fw3']) {
    const again = withBlocks(host, blocksOf(host)).get(host)?.values().next().value ?? assert.fail();
    assert.equal(Buffer.compare(again, fileOf(host)), 0, host);
  }
});

for (const { name, make, host, severity, text } of CASES)
  test(`found: ${name}`, () => {
    const { logs, roster = story.roster, ...question } = make();
    const { ok, findings } = judged(logs, { roster, ...question });
    const shown = findings
      .map((finding) => `${finding.severity} ${finding.host} ${finding.n}: ${finding.text}`)
      .join('\n');
    const found = findings.filter(
      (finding) => finding.severity === severity && finding.host === host && text.test(finding.text),
    );
    assert.ok(found.length > 0, `not found; instead:\n${shown}`);
    if (severity !== 'doubt') assert.ok(!ok);
  });

test('found: a bit flipped, wherever in the file it is; one in the last block’s length is told like a write that was cut off', () => {
  const file = fileOf('fw1');
  const { start: last } = takeApart(file).at(-1) ?? assert.fail();
  for (let at = 3; at < file.length; at += 97) {
    const spoilt = Uint8Array.from(file);
    spoilt[at] = (spoilt[at] ?? 0) ^ (1 << (at % 8));
    const { ok, findings } = judged(withFile('fw1', spoilt), { roster: story.roster });
    const isDoubted =
      at >= last && findings.some(({ text }) => /ends in a write that was cut off/.test(text));
    assert.ok(!ok || isDoubted, `byte ${at}: ${findings.map(({ text }) => text).join()}`);
  }
});

test('the table in spec/protocol.md is this list', () => {
  assert.ok(CASES.length >= 25);
  const rows = CASES.map(({ name, by, from }) => `| ${name} | ${by} | ${from} |`);
  const spec = readText('spec/protocol.md');
  assert.ok(spec.includes(rows.join('\n')), rows.join('\n'));
});
