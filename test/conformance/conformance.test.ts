/** The model and the code are one relation: every place with every event, both sides, line by line. */
import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { brokenInvariants, PLACES, step, TRANSITIONS } from '../../src/core/index.ts';
import * as lease from '../../src/core/lease.ts';
import * as voter from '../../src/core/voter.ts';
import { concretise } from './concrete.ts';
import { type Domain, domain, PLACE_NAMES } from './domain.ts';
import { possible } from './domain-possible.ts';
import { CORE_MUTANTS, ROW_MUTANTS } from './mutants-core.ts';
import { MODEL_MUTANTS, woven } from './mutants-model.ts';
import { VOTER_MUTANTS } from './mutants-voter.ts';
import { MutatedCores } from './mutated-core.ts';
import { compare, ModelProgram, unfaithful } from './relation.ts';
import {
  ALL_FIELDS,
  ANSWER_BYTES,
  DONE,
  EVENTS,
  GUARD_FIELDS,
  HOST_FIELDS,
  HOST_PML,
  model,
  SAID,
  unpack,
  unpackAnswer,
  VOTER_PML,
} from './vector.ts';
import { codeVotes, modelVotes, voterDifference, voterDomain } from './voter.ts';

/** The domain and the model's answers, and which of the faulty models gave others: one run of Spin for all. */
interface Prepared extends Domain {
  readonly answers: Buffer;
  readonly caught: readonly (number | null)[];
}
let prepared: Prepared | null = null;
function relation(): Prepared {
  if (prepared === null) {
    const all = domain();
    const program = new ModelProgram(woven(), MODEL_MUTANTS.length);
    try {
      prepared = { ...all, ...program.answers(all.bytes) };
    } finally {
      program.close();
    }
  }
  return prepared;
}

const votes = { records: voterDomain(), code: { voter, lease } };
const cores = new MutatedCores(CORE_MUTANTS);
after(() => cores.close());

test('the two sides speak of the same fields, places and rows', () => {
  const typedef = (name: string): string[] => {
    const body = new RegExp(`typedef ${name} \\{([^}]*)\\}`).exec(HOST_PML)?.[1] ?? '';
    return [...body.matchAll(/^ {2}(?:bool|byte) (\w+)/gm)].map(([, field]) => field as string);
  };
  assert.deepEqual(HOST_FIELDS, typedef('Host'));
  assert.deepEqual(GUARD_FIELDS, typedef('Guards'));
  const name = (place: string): string => place.replace('.', '_').toUpperCase();
  assert.deepEqual(
    PLACES.map((place) => model(name(place))),
    PLACES.map((_, i) => i),
  );
  assert.deepEqual(PLACE_NAMES, PLACES.map(name));
  const rows = [...HOST_PML.matchAll(/\/\* T(\d+) \*\//g)].map(([, row]) => Number(row));
  assert.deepEqual(
    rows,
    TRANSITIONS.map((_, i) => i + 1),
  );
});

test('every event is compared in every place where it can come', () => {
  const { counts } = relation();
  for (const place of PLACE_NAMES) {
    for (const event of EVENTS) {
      assert.equal((counts.get(`${place} ${event}`) ?? 0) > 0, possible(place, event), `${place} ${event}`);
    }
  }
});

test('the states that are made for it are sound and have the bits that they should have', () => {
  const { bytes, size } = relation();
  for (let i = 0; i < size; i += 3) {
    const v = unpack(bytes, i * ALL_FIELDS.length);
    const { state } = concretise(v, i & 3);
    assert.equal(unfaithful(v, state), null);
    assert.deepEqual(brokenInvariants(state), []);
  }
});

test('model and code give the same answer to everything', (t) => {
  const { bytes, size, answers } = relation();
  const differences = compare(bytes, answers, step, { limit: 5 });
  assert.equal(differences.length, 0, differences.map((d) => `\n${d.text}`).join(''));
  t.diagnostic(`${size} states with an event`);
});

test('every row is taken, and everything that is said or done occurs', () => {
  const { answers, size } = relation();
  const rows = new Set<number>();
  let [said, done] = [0, 0];
  for (let i = 0; i < size; i++) {
    const answer = unpackAnswer(answers, i * ANSWER_BYTES);
    for (const row of answer.rows) rows.add(row);
    said |= answer.said;
    done |= answer.done;
  }
  assert.equal(rows.size, TRANSITIONS.length);
  const missing = (list: readonly [string, number][], bits: number) =>
    list.filter(([, bit]) => (bits & bit) === 0).map(([name]) => name);
  assert.deepEqual([...missing(SAID, said), ...missing(DONE, done)], []);
});

test('model and code have the same voter and the same lease', (t) => {
  const difference = voterDifference(
    votes.records,
    modelVotes(votes.records),
    codeVotes(votes.records, votes.code),
  );
  assert.equal(difference, null);
  t.diagnostic(`${votes.records.length / 12} combinations`);
});

test('a fault in any row of the model is seen, and faults in its conditions', (t) => {
  const { caught } = relation();
  const missed = MODEL_MUTANTS.filter((_, i) => caught[i] === null).map((m) => m.name);
  assert.deepEqual(missed, []);
  for (const [i] of TRANSITIONS.entries()) {
    for (const kind of ['is gone', 'leads to']) {
      assert.ok(MODEL_MUTANTS.some((m) => m.name.startsWith(`T${i + 1} ${kind}`)));
    }
  }
  t.diagnostic(`${MODEL_MUTANTS.length} faults`);
});

test('a fault in the model of the voter and the lease is seen', (t) => {
  const code = codeVotes(votes.records, votes.code);
  for (const { name, find, replace } of VOTER_MUTANTS) {
    assert.equal(VOTER_PML.split(find).length, 2, `'${name}' must fit one place of voter.pml`);
    const text = VOTER_PML.replace(find, () => replace);
    assert.notEqual(voterDifference(votes.records, modelVotes(votes.records, text), code), null, name);
  }
  t.diagnostic(`${VOTER_MUTANTS.length} faults`);
});

test('a fault in any row of the code is seen', async (t) => {
  const { bytes, answers } = relation();
  const { step: by, table } = await cores.load(null);
  const right = [...table];
  assert.equal(
    compare(bytes, answers, by, { limit: 1, order: Uint32Array.from({ length: 5000 }, (_, i) => i) }).length,
    0,
  );
  const missed: string[] = [];
  for (const { name, row, to } of ROW_MUTANTS) {
    const [from, cause] = right[row] as (typeof right)[number];
    if (to === null) table.splice(row, 1);
    else table[row] = [from, cause, to];
    if (compare(bytes, answers, by, { limit: 1 }).length === 0) missed.push(name);
    table.splice(0, table.length, ...right);
  }
  assert.deepEqual(missed, []);
  t.diagnostic(`${ROW_MUTANTS.length} faults`);
});

test('a fault in a guard or a reaction of the code is seen', async (t) => {
  const { bytes, answers, size } = relation();
  const theirs = modelVotes(votes.records);
  const missed: string[] = [];
  for (const mutant of CORE_MUTANTS) {
    const core = await cores.load(mutant);
    if (/^(voter|lease)/.test(mutant.file)) {
      if (voterDifference(votes.records, theirs, codeVotes(votes.records, core)) !== null) continue;
    }
    const order = mutant.where === undefined ? {} : { order: firstThose(mutant.where, bytes, size) };
    if (compare(bytes, answers, core.step, { limit: 1, ...order }).length === 0) missed.push(mutant.name);
  }
  assert.deepEqual(missed, []);
  t.diagnostic(`${CORE_MUTANTS.length} faults`);
});

/** All vectors, those of that place and event first. */
function firstThose(where: string, bytes: Buffer, size: number): Uint32Array {
  const [place, event] = where.split(' ').map((name) => model(name));
  const [p, e] = [ALL_FIELDS.indexOf('place'), ALL_FIELDS.indexOf('ev')];
  const all = Array.from({ length: size }, (_, i) => i);
  const fits = (i: number): boolean =>
    bytes[i * ALL_FIELDS.length + p] === place && bytes[i * ALL_FIELDS.length + e] === event;
  return Uint32Array.from([...all.filter(fits), ...all.filter((i) => !fits(i))]);
}
