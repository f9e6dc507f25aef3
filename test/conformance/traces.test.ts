/** What simulated clusters do is what the model allows. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { ModelProgram } from './relation.ts';
import { accepted, traces } from './traces.ts';
import { HOST_PML } from './vector.ts';

const SEEDS = Array.from({ length: Number(process.env.CONFORMANCE_SEEDS ?? 40) }, (_, i) => i + 1);

test('every step of simulated clusters is one of the model', (t) => {
  const trace = traces(SEEDS);
  const program = new ModelProgram();
  const { refused, rows, pairs } = accepted(trace, program.answers(trace.vectors).answers);
  program.close();
  assert.equal(
    refused.length,
    0,
    refused
      .slice(0, 5)
      .map((x) => `\n${x}`)
      .join(''),
  );
  const left = [...trace.left].map(([why, n]) => `${n} ${why}`).join(', ');
  t.diagnostic(
    `${trace.steps} steps of ${SEEDS.length} clusters, ${trace.size} of them different; not compared: ${left}`,
  );
  t.diagnostic(`rows of the table taken: ${rows.size} of 48; places with an event: ${pairs.size}`);
  assert.ok(trace.size > 1000);
  const lost = [...trace.left.values()].reduce((sum, n) => sum + n, 0);
  assert.ok(lost < trace.steps / 10, 'the model speaks of nearly every step');
  assert.ok(rows.size >= 35);
});

test('a model that is wrong refuses them', () => {
  const trace = traces([1, 2, 3, 4]);
  for (const [right, wrong] of [
    ['GO(12, BACKUP_WATCHING)', 'GO(12, DECIDE_LISTENING)'],
    ['S.copies < 3', 'S.copies < 2'],
  ] as const) {
    assert.ok(HOST_PML.includes(right));
    const program = new ModelProgram(HOST_PML.replace(right, wrong));
    assert.ok(accepted(trace, program.answers(trace.vectors).answers).refused.length > 0, wrong);
    program.close();
  }
});
