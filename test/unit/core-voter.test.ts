/** The two files that keep two masters apart under `quorum`: the voter's promise and the lease's arithmetic. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { compareTerms, type Membership, type Term } from '../../src/core/basics.ts';
import { answered, majorityUntil, NO_RIGHT, requested, rightUntil } from '../../src/core/lease.ts';
import { abstaining, bound, freed, passedOn, promise } from '../../src/core/voter.ts';

const P = 375;
const L = 300;
const t = (n: number, host: string): Term => ({ n, host });

test('terms are ordered by number, then by host, and never shared', () => {
  assert.ok(compareTerms(t(2, 'a'), t(1, 'b')) > 0);
  assert.ok(compareTerms(t(1, 'b'), t(1, 'a')) > 0);
  assert.equal(compareTerms(t(1, 'a'), t(1, 'a')), 0);
});

test('R3: after a start nobody is promised anything until a promise is over', () => {
  const v = abstaining(1000, P);
  assert.equal(promise(v, t(9, 'a'), 1000 + P - 1, P), null);
  assert.notEqual(promise(v, t(1, 'a'), 1000 + P, P), null);
});

test('R2: a running promise binds to its holder, whatever the number asked for', () => {
  const v = promise(abstaining(0, 0), t(1, 'a'), 0, P);
  assert.ok(v);
  assert.equal(promise(v, t(5, 'b'), P - 1, P), null);
  assert.equal(promise(v, t(2, 'a'), P - 1, P)?.untilMs, 2 * P - 1);
  assert.equal(promise(v, t(5, 'b'), P, P)?.holder, 'b');
  assert.ok(bound(v, 'b', P - 1));
  assert.ok(!bound(v, 'a', P - 1));
});

test('R2: a term below the promised one is refused even when the promise is over', () => {
  const v = promise(abstaining(0, 0), t(3, 'a'), 0, P);
  assert.ok(v);
  assert.equal(promise(v, t(2, 'b'), 10 * P, P), null);
});

test('R15, R16: only the holder’s own word for that very term frees it', () => {
  const v = promise(abstaining(0, 0), t(3, 'a'), 0, P);
  assert.ok(v);
  assert.ok(bound(freed(v, t(3, 'b'), 1), 'c', 1), 'another host frees nothing');
  assert.ok(bound(freed(v, t(2, 'a'), 1), 'c', 1), 'a word about an older term frees nothing');
  assert.ok(
    bound(freed(v, t(4, 'a'), 1), 'c', 1),
    'nor one about a later attempt: the term may be handed over',
  );
  assert.ok(!bound(freed(v, t(3, 'a'), 1), 'c', 1));
});

test('R12: a promise is passed on for exactly the named term', () => {
  const v = promise(abstaining(0, 0), t(3, 'a'), 0, P);
  assert.ok(v);
  assert.equal(passedOn(v, t(2, 'a'), 'b').holder, 'a');
  const passed = passedOn(v, t(3, 'a'), 'b');
  assert.equal(promise(passed, t(4, 'b'), 1, P)?.holder, 'b');
  assert.equal(promise(passed, t(4, 'a'), 1, P), null, 'the old master may not come back meanwhile');
});

test('R12: a late word about an earlier claim of the successor does not free what was passed on to it', () => {
  const v = promise(abstaining(0, 0), t(3, 'a'), 0, P);
  assert.ok(v);
  const passed = passedOn(v, t(3, 'a'), 'b');
  assert.ok(bound(freed(passed, t(3, 'b'), 1), 'c', 1));
  assert.ok(bound(freed(passed, t(4, 'b'), 1), 'c', 1));
  const own = promise(passed, t(5, 'b'), 1, P);
  assert.ok(own);
  assert.ok(!bound(freed(own, t(5, 'b'), 2), 'c', 2), 'its own term is its own to give up');
});

const membership = (...voterSets: string[][]): Membership => ({
  self: 'a',
  version: 1,
  members: ['a', 'b', 'c', 'd'].map((name) => ({ name, role: 'gateway', priority: 0 })),
  voterSets,
});

test('R4: a lease runs from the sending of the request, however late the answer', () => {
  const asked = requested(NO_RIGHT, { id: 1, sentAtMs: 100 }, L);
  const a = answered(answered(asked, 'a', 1, L), 'b', 1, L);
  assert.equal(majorityUntil(a, membership(['a', 'b', 'c'])), 100 + L);
  assert.equal(answered(a, 'b', 99, L), a, 'an unknown number gives nothing');
});

test('R4: a majority is more than half, also of an even number', () => {
  const asked = requested(NO_RIGHT, { id: 1, sentAtMs: 100 }, L);
  const two = answered(answered(asked, 'a', 1, L), 'b', 1, L);
  assert.equal(majorityUntil(two, membership(['a', 'b', 'c', 'd'])), 0);
  assert.equal(majorityUntil(answered(two, 'c', 1, L), membership(['a', 'b', 'c', 'd'])), 400);
  assert.equal(majorityUntil(two, membership(['a', 'b'])), 400);
  assert.equal(majorityUntil(answered(asked, 'a', 1, L), membership(['a', 'b'])), 0);
});

test('R21: a majority is needed in each voter set; without a voter set there is no right', () => {
  const asked = requested(NO_RIGHT, { id: 1, sentAtMs: 100 }, L);
  const r = answered(answered(asked, 'a', 1, L), 'b', 1, L);
  assert.equal(majorityUntil(r, membership(['a', 'b', 'c'], ['a', 'c', 'd'])), 0);
  assert.equal(majorityUntil(r, membership()), 0);
});

test('R5, R12: the own renewal counts under available alone, the lent rest under quorum', () => {
  const r = { ...NO_RIGHT, ownUntilMs: 500, lentUntilMs: 250 };
  assert.equal(rightUntil(r, 'available', membership(['a', 'b', 'c'])), 500);
  assert.equal(rightUntil(r, 'quorum', membership(['a', 'b', 'c'])), 250);
});
