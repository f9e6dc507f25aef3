/** Replay window, budget, and the rules of accepting a session, one by one. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Budget } from '../../src/wire/budget.ts';
import { NONCES_MAX } from '../../src/wire/limits.ts';
import { PeerSession } from '../../src/wire/session.ts';
import { remeasureMs } from '../../src/wire/session-timing.ts';
import { ReplayWindow } from '../../src/wire/window.ts';

test('window: numbers are taken once, in any order within 1,024, and never from behind it', () => {
  const window = new ReplayWindow();
  const steps: readonly (readonly [seq: number, taken: boolean])[] = [
    [5, true],
    [5, false],
    [4, true],
    [0, true],
    [0, false],
    [1023, true],
    [1024, true],
    [1, true], // 1024 - 1 is the last place of the window
    [0, false],
    [2048, true],
    [1024, false], // just behind
    [1025, true],
    [1025, false],
    [2047, true],
    [10_000_000, true],
    [10_000_000 - 1023, true],
    [10_000_000 - 1024, false],
    [2 ** 48 - 1, true],
    [2 ** 48 - 2, true],
    [2 ** 48 - 1, false],
  ];
  for (const [seq, taken] of steps) {
    assert.equal(window.isFresh(seq), taken, `fresh ${seq}`);
    assert.equal(window.take(seq), taken, `take ${seq}`);
  }
});

test('window: against a set that remembers everything, over random numbers', () => {
  const window = new ReplayWindow();
  const taken = new Set<number>();
  let highest = -1;
  let state = 12345;
  for (let i = 0; i < 20_000; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    const seq = Math.max(0, highest + (state % 1400) - 1200);
    const expected = seq > highest - 1024 && !taken.has(seq);
    assert.equal(window.take(seq), expected, `${i}: ${seq}`);
    taken.add(seq);
    highest = Math.max(highest, seq);
  }
});

test('budget: a member gets its rate and no more, and it is not always the newest that falls out', () => {
  const budget = new Budget(0, 1000);
  let passed = 0;
  const fates: boolean[] = [];
  // A flood of 10,000 a second for two seconds.
  for (let i = 0; i < 20_000; i++) {
    const passes = budget.spend(i / 10, ((i * 7919) % 1000) / 1000);
    if (passes) passed++;
    if (i > 10_000) fates.push(passes);
  }
  assert.ok(passed >= 2000 && passed <= 2600, String(passed));
  // Within the flood acceptance is spread: no tenth of the time is without.
  for (let i = 0; i < 10; i++) assert.ok(fates.slice(i * 999, (i + 1) * 999).some((passes) => passes));
});

const timing = { intervalMs: 200, maxAgeMs: 800, maxDrift: 0.1 };
const word = (seq: number, sentMs = 0) => ({ seq, sentMs, mark: Uint8Array.of(seq) });

test('a session is accepted, measured, displaced only when silent, and never returns', () => {
  const session = new PeerSession(timing);
  assert.equal(session.accept(1000, 'a', 995, 500), 'joined');
  assert.ok(session.commit(1000, 1, word(7)));
  assert.ok(!session.isFresh(1, 7));
  assert.equal(session.accept(1200, 'a', 1195, 700), 'measured');
  assert.ok(!session.isFresh(1, 7), 'a measurement never empties the window');
  assert.equal(session.accept(1799, 'b', 1795, 1), 'duplicate-session');
  assert.equal(session.accept(1800, 'b', 1795, 1), 'joined');
  assert.ok(session.isFresh(1, 7));
  assert.ok(session.isRetired('a'));
});

test('a session that was displaced comes back only with higher numbers than were taken of it', () => {
  const session = new PeerSession(timing);
  session.accept(0, 'a', 0, 0);
  session.commit(0, 1, word(7));
  session.accept(1000, 'b', 1000, 0);
  session.commit(1000, 1, word(3));
  // It was copied, the copy displaced it while it was cut off, and is gone.
  assert.equal(session.accept(2000, 'a', 2000, 2000), 'joined');
  assert.ok(!session.isRetired('a') && session.isRetired('b'));
  for (const link of [1, 2])
    for (const seq of [0, 7]) {
      assert.ok(!session.isFresh(link, seq), `${seq} on ${link}`);
      assert.ok(!session.commit(2000, link, word(seq, 2000)));
    }
  assert.deepEqual(session.heard?.seq, 7);
  assert.ok(session.commit(2000, 2, word(8, 2000)));
});

test('a restart is no duplicate: only a first run that speaks after the second was proven makes one', () => {
  const session = new PeerSession(timing);
  session.accept(0, 'a', 0, 0);
  session.commit(100, 1, word(1, 100));
  assert.equal(session.accept(300, 'b', 300, 0), 'duplicate-session');
  assert.ok(session.commit(1100, 1, word(2, 400)), 'a late word of the first, from before');
  assert.equal(session.duplicateMs, null);
  assert.ok(session.commit(1101, 1, word(3, 1050)));
  assert.equal(session.duplicateMs, 1101);
  assert.ok(session.isDuplicate(61_100) && !session.isDuplicate(61_101));
});

test('windows are kept for each link', () => {
  const session = new PeerSession(timing);
  session.accept(0, 'a', 0, 0);
  assert.ok(session.commit(1, 1, word(5)));
  assert.ok(session.isFresh(2, 5));
  assert.ok(session.commit(1, 2, word(5)));
  assert.ok(!session.commit(1, 2, word(5)));
});

test('accepting another session spends every nonce outstanding to that peer', () => {
  const session = new PeerSession(timing);
  session.noteHelloSent('h', 0);
  session.noteChallengeSent('c', 0);
  assert.equal(session.helloSentMs('h', 10), 0);
  session.accept(10, 'a', 0, 0);
  assert.equal(session.helloSentMs('h', 11), null);
  assert.equal(session.challengeSentMs('c', 11), null);
});

test('a nonce answers for max_age/4, and the oldest make way', () => {
  const session = new PeerSession(timing);
  session.noteHelloSent('h', 0);
  assert.equal(session.helloSentMs('h', 200), 0);
  assert.equal(session.helloSentMs('h', 201), null);
  for (let i = 0; i < NONCES_MAX; i++) session.noteChallengeSent(`c${i}`, 0);
  session.noteChallengeSent('last', 0);
  assert.equal(session.challengeSentMs('c0', 1), null);
  assert.equal(session.challengeSentMs('last', 1), 0);
});

test('the bound of the age holds whoever delays what, and grows with drift', () => {
  const session = new PeerSession(timing);
  // The peer's clock shows ours less 1,000. Asked at 5,000; the answer, made at 5,010, was held until 5,150.
  session.accept(5150, 'a', 5000, 4010);
  // Sent at our 5,200 and here at 5,205: the true age is 5. The bound may exceed it, never fall below.
  const ageMs = session.ageMs(5205, 4200);
  assert.ok(ageMs >= 5 && ageMs <= 5 + 11 + 0.2 * 205 + 1e-9, String(ageMs));
  // A word from before the measurement is not made younger by it.
  assert.ok(session.ageMs(5205, 3000) >= 1205);
  assert.ok(session.ageMs(5205 + 10_000, 14_200) >= 5 + 2000);
  assert.equal(new PeerSession(timing).ageMs(1, 1), Number.POSITIVE_INFINITY);
});

test('P30: the delay of a word lies within its bounds, without a common clock', () => {
  for (const [questionMs, answerMs, wordMs] of [
    [1, 1, 1],
    [40, 1, 5],
    [1, 40, 5],
    [0, 100, 300],
  ] as const) {
    const session = new PeerSession(timing);
    // The peer's clock shows ours less 777,000.5; cut down to whole milliseconds.
    const peer = (ownMs: number) => Math.floor(ownMs - 777_000.5 + 2_000_000);
    const askedMs = 5000;
    session.accept(askedMs + questionMs + answerMs, 'a', askedMs, peer(askedMs + questionMs));
    assert.equal(session.roundTripMs, questionMs + answerMs);
    assert.equal(session.delayMs, null);
    session.commit(6000 + wordMs, 1, word(1, peer(6000)));
    const { leastMs, mostMs } = session.delayMs ?? assert.fail();
    assert.ok(leastMs <= wordMs && wordMs <= mostMs, `${leastMs} ${wordMs} ${mostMs}`);
    assert.ok(mostMs - leastMs <= questionMs + answerMs + 2 + 4 * 0.1 * 1301, `${mostMs - leastMs} apart`);
  }
});

test('of two measurements the better one is kept, and it decays', () => {
  const session = new PeerSession(timing);
  session.accept(1000, 'a', 1000, 0); // exact
  session.accept(1100, 'a', 1000, 90); // the question was held for 90 ms: worse
  assert.equal(session.measuredMs, 1000);
  const kept = session.ageMs(1100, 100);
  assert.ok(kept < 30, String(kept));
  session.accept(2000, 'a', 1990, 1000); // 10 ms off, but the old one has decayed by 200
  assert.equal(session.measuredMs, 1990);
});

test('candidates are bounded, displaced at random, forgotten after four questions', () => {
  const session = new PeerSession(timing);
  for (let i = 0; i < 20; i++) session.noteCandidate(`s${i}`, (i % 8) / 8);
  assert.equal(session.candidates.length, 8);
  const [first = ''] = session.candidates;
  for (let i = 0; i < 4; i++) {
    assert.ok(session.candidates.includes(first));
    session.noteAsked(first);
  }
  assert.ok(!session.candidates.includes(first));
});

test('answered questions and newest words are bounded', () => {
  const session = new PeerSession(timing);
  session.noteAnswered('s0', 7);
  assert.deepEqual(
    [6, 7, 8].map((seq) => session.wasAnswered('s0', seq)),
    [true, true, false],
  );
  assert.ok(!session.wasAnswered('s1', 0));
  session.noteAnswered('s1', 7);
  session.noteAnswered('s0', 8);
  for (let i = 2; i < 1025; i++) session.noteAnswered(`s${i}`, 7);
  assert.ok(!session.wasAnswered('s1', 7), 'the one that asked least lately is forgotten');
  assert.ok(session.wasAnswered('s0', 8));
  assert.ok(session.wasAnswered('s1024', 7));
  session.accept(0, 'a', 0, 0);
  assert.ok(session.isNewest('STATUS s', 5));
  assert.ok(session.isNewest('STATUS s', 5), 'the other link has the same number');
  assert.ok(!session.isNewest('STATUS s', 4));
  // Bounded, and what was not said for the longest is forgotten: a service that a reload brings is heard all the same.
  for (let i = 0; i < 255; i++) assert.ok(session.isNewest(`STATUS ${i}`, 5));
  assert.ok(session.isNewest('STATUS s', 6));
  assert.ok(session.isNewest('STATUS new', 6));
  assert.ok(!session.isNewest('STATUS s', 5), 'said lately');
  assert.ok(session.isNewest('STATUS 0', 4), 'forgotten: the window has its numbers still');
});

test('without drift the difference is still measured from time to time', () => {
  assert.equal(remeasureMs({ ...timing, maxDrift: 0 }), 5000);
  assert.equal(remeasureMs(timing), 1000);
  assert.equal(remeasureMs({ ...timing, maxDrift: 0.01 }), 5000, 'at least each 5 s');
  assert.equal(remeasureMs({ intervalMs: 2000, maxAgeMs: 8000, maxDrift: 0.01 }), 10_000, 'or 5 intervals');
});
