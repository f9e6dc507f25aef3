/**
 * The model says what it is said to say: every slice holds, every broken variant gives its counterexample, and the
 * counterexamples that spec/model/traces keeps are what the tool finds.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { MODEL_DIRECTORY, resultOf, runAll } from './runner.ts';
import { expectationOf, type Job, nameOf, type Outcome } from './slice.ts';
import { allJobs, SLICES } from './slices.ts';

const TRACES = join(MODEL_DIRECTORY, 'traces');
const selected = allJobs().filter((job) => job.variant.ci);

describe('the model', () => {
  const outcomes = new Map<string, Outcome>();
  before(async () => {
    const all = await runAll(selected);
    for (const [index, outcome] of all.entries()) outcomes.set(nameOf(selected[index] as Job), outcome);
  });
  for (const job of selected) {
    test(`${nameOf(job)} ${expectationOf(job.variant)}`, () => {
      const outcome = outcomes.get(nameOf(job));
      assert.equal(outcome?.result, expectationOf(job.variant));
      if (job.variant.violates === null) assert.ok((outcome?.states ?? 0) > 0);
      else assert.equal(outcome?.trace, readFileSync(join(TRACES, `${nameOf(job)}.txt`), 'utf8'));
    });
  }
});

describe('the table of slices', () => {
  test('names are unique, and every slice holds and can fail', () => {
    const names = allJobs().map(nameOf);
    assert.equal(new Set(names).size, names.length);
    for (const slice of SLICES) {
      assert.ok(
        slice.variants.some((v) => v.violates === null),
        `${slice.name} has no variant that holds`,
      );
      assert.ok(
        slice.variants.some((v) => v.violates !== null),
        `${slice.name} cannot fail`,
      );
    }
  });

  test('every counterexample is kept, each ends with what was violated, and no other file is there', () => {
    const broken = allJobs().filter((job) => job.variant.violates !== null);
    assert.deepEqual(readdirSync(TRACES).sort(), broken.map((job) => `${nameOf(job)}.txt`).sort());
    for (const job of broken) {
      const lines = readFileSync(join(TRACES, `${nameOf(job)}.txt`), 'utf8')
        .trimEnd()
        .split('\n');
      assert.match(lines.at(-1) ?? '', /^violated: ./, nameOf(job));
    }
  });
});

describe('what the verifier says', () => {
  const end = 'State-vector 20 byte, depth reached 9, errors: 0\n       12 states, stored\n';
  test('a search that was cut short proves nothing', () => {
    assert.equal(resultOf(end), 'holds');
    assert.equal(resultOf(`error: max search depth too small\n${end}`), 'truncated: depth');
    assert.equal(resultOf(`pan: reached -DMEMLIM bound\n${end}`), 'truncated: memory');
    assert.match(resultOf(`Warning: Search not completed\n${end}`), /^failed/);
    assert.match(resultOf(''), /^failed/);
    assert.equal(
      resultOf('pan:1: assertion violated neverTwoActive (at depth 3)'),
      'violates neverTwoActive',
    );
  });
});
