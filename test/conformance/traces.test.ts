/** What simulated clusters do is what the model allows. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { ModelProgram } from './relation.ts';
import { accepted, type Trace, traces } from './traces.ts';
import { HOST_PML } from './vector.ts';

const SEEDS = Array.from({ length: Number(process.env.CONFORMANCE_SEEDS ?? 40) }, (_, i) => i + 1);

let seen: Trace | null = null;
function trace(): Trace {
  seen ??= traces(SEEDS);
  return seen;
}

function judged(hostPml?: string): ReturnType<typeof accepted> {
  const program = new ModelProgram(hostPml);
  try {
    return accepted(trace(), program.answers(trace().vectors).answers);
  } finally {
    program.close();
  }
}

test('every step of simulated clusters is one of the model', (t) => {
  const { steps, size, left } = trace();
  const { refused, rows, pairs } = judged();
  assert.equal(
    refused.length,
    0,
    refused
      .slice(0, 5)
      .map((x) => `\n${x}`)
      .join(''),
  );
  const reasons = [...left].map(([why, n]) => `${n} ${why}`).join(', ');
  t.diagnostic(
    `${steps} steps of ${SEEDS.length} clusters, ${size} of them different; not compared: ${reasons}`,
  );
  t.diagnostic(`rows of the table taken: ${rows.size} of 48; places with an event: ${pairs.size}`);
  assert.ok(size > 1000);
  const lost = [...left.values()].reduce((sum, n) => sum + n, 0);
  assert.ok(lost < steps / 10, 'the model speaks of nearly every step');
  assert.ok(rows.size >= 35);
});

test('a model that is wrong refuses them', () => {
  for (const [right, wrong] of [
    ['GO(2, DECIDE_LISTENING)', 'GO(2, DECIDE_ELECTING)'],
    ['-> SAY(S_PROBED)', '-> SAY(S_PROBE)'],
  ] as const) {
    assert.equal(HOST_PML.split(right).length, 2);
    assert.ok(judged(HOST_PML.replace(right, wrong)).refused.length > 0, wrong);
  }
});
