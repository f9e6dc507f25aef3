/**
 * P14 to P21, P28, P29: two to four hosts under everything that wire-world.ts can do to them. Then the same with one
 * rule left out at a time, to see that the judges notice.
 *
 * What the mutants showed: three rules keep a word of an ended session from being taken again, and each of them alone
 * suffices here: nonces are spent, a session that was displaced comes back with its numbers, and one that is heard is
 * not displaced. Only without all three is a replay taken; tests of wire-session.test.ts hold each by itself.
 */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { PeerSession } from '../../src/wire/session.ts';
import { Speaker } from '../../src/wire/speaker.ts';
import { ReplayWindow } from '../../src/wire/window.ts';
import { runWorld, USUAL } from './wire-world.ts';

/** 57 once showed a word that was older than its sender's last measurement, and than max_age; 1 and 5 lock-outs. */
const SEEDS = [1, 3, 5, 6, 9, 12, 15, 57];

test('replay of everything, loss, delay, restarts, snapshots, copies: no word is taken twice or late, nobody is locked out', () => {
  const sum = { delivered: 0, restarts: 0, setBack: 0, learnt: 0, copies: 0, duplicates: 0 };
  for (const seed of SEEDS) {
    const { counts } = runWorld(seed, { ...USUAL, hosts: 2 + (seed % 3) });
    for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += counts[key];
  }
  // Each kind of fault was there, and the network carried something.
  assert.ok(sum.delivered > 10_000 && Object.values(sum).every((count) => count > 5), JSON.stringify(sum));
});

test('the same with real signatures, and with 4,000 replays a second', () => {
  const { counts } = runWorld(2, { ...USUAL, hosts: 2, real: true, replaysPerStep: 20 }, 3000, 2000);
  assert.ok(counts.replays > 15_000 && counts.delivered > 300, JSON.stringify(counts));
});

type Rules = PeerSession & { floorOf(sid: string): number };

/** Replaces methods for the time of one test. */
function without<T extends object>(t: TestContext, type: { prototype: T }, methods: Partial<T>): void {
  for (const [name, method] of Object.entries(methods)) {
    const before = Object.getOwnPropertyDescriptor(type.prototype, name);
    assert.ok(before !== undefined, `no rule ${name}`);
    Object.defineProperty(type.prototype, name, { ...before, value: method });
    t.after(() => Object.defineProperty(type.prototype, name, before));
  }
}

const NOTHING = (): void => undefined;
const spending = { spendAllNonces: NOTHING, spendHelloNonces: NOTHING, spendChallengeNonce: NOTHING };

/** Runs seeds until one is judged to be wrong; the message that it was judged with. */
function caught(options = USUAL, seeds = [1, 2, 3, 4, 5, 6]): string {
  for (const seed of seeds) {
    try {
      runWorld(seed, { ...options, hosts: 2 });
    } catch (error) {
      assert.ok(error instanceof assert.AssertionError);
      return error.message;
    }
  }
  return 'not caught';
}

const plain = { ...USUAL, copies: false, replaysPerStep: 20 };

test('mutant: no replay window', (t) => {
  without(t, ReplayWindow, { isFresh: () => true, take: () => true });
  assert.match(caught(plain), /took twice/);
});

test('mutant: nonces not spent, displaced sessions come back empty, a session that is heard is displaced', (t) => {
  without<Rules>(t, PeerSession, { ...spending, floorOf: () => -1, isHeard: () => false });
  assert.match(caught(plain, [7, 8, 9, 10]), /took twice|run’s word/);
});

test('mutant: the echo is not checked', (t) => {
  const { helloSentMs, challengeSentMs } = PeerSession.prototype;
  without<Rules>(t, PeerSession, {
    helloSentMs(nonce, nowMs) {
      return helloSentMs.call(this, nonce, nowMs) ?? nowMs;
    },
    challengeSentMs(nonce, nowMs) {
      return challengeSentMs.call(this, nonce, nowMs) ?? nowMs;
    },
  });
  assert.match(caught(plain), /ms old|took twice|run’s word/);
});

test('mutant: the clocks’ difference is reckoned from the arrival of the answer', (t) => {
  const { accept } = PeerSession.prototype;
  without<Rules>(t, PeerSession, {
    accept(nowMs, sid, _askedMs, sentMs) {
      return accept.call(this, nowMs, sid, nowMs, sentMs);
    },
  });
  // Seldom late enough to be seen: with no more drift allowed for than there is, one seed of some twenty.
  const exact = { ...plain, maxDrift: 0.05 };
  assert.match(caught(exact, [25]), /ms old/);
});

test('the same seed without that mutant', () => {
  runWorld(25, { ...plain, maxDrift: 0.05, hosts: 2 });
});

test('mutant: no bound of the age', (t) => {
  without<Rules>(t, PeerSession, { ageMs: () => 0 });
  assert.match(caught(plain), /ms old/);
});

test('mutant: drift is not allowed for', () => {
  assert.match(caught({ ...plain, maxDrift: 0 }), /ms old|in session/);
});

test('mutant: a host does not look whether it was set back', (t) => {
  without(t, Speaker, { isSetBack: () => false });
  assert.match(caught({ ...USUAL, replaysPerStep: 1 }), /never learnt it/);
});
