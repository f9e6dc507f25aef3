/** How a newer roster is fetched from whoever shows it, and what a hostile member can make of it: nothing beyond its bounds (P49). */
import assert from 'node:assert/strict';
import test from 'node:test';
import { type Outcome, RosterKeeper } from '../../src/driver/rosters.ts';
import * as edit from '../../src/trust/roster-edit.ts';
import { ROSTER_BURST } from '../../src/wire/limits.ts';
import { partOf, type RosterWord } from '../../src/wire/roster-words.ts';
import { base, fatRoster, five, next, P, running, shown, six } from './roster-fixture.ts';
import { testEndpoint } from './wire-fixture.ts';
import { Net } from './wire-net.ts';

test('P49: a whole chain is fetched backwards from a shown hash; what does not fit is dropped and its sender avoided', () => {
  const from = new RosterKeeper(six, 'fw2', P);
  const keeper = running(base);
  const asked: RosterWord[] = [];
  let words = keeper.heard(1000, 'fw2', shown(six)).words;
  let taken = 0;
  for (let i = 0; i < 20 && words.length > 0; i++) {
    asked.push(...words.map(({ word }) => word));
    const parts = words.flatMap(({ word }) => from.word(1000, 'fw1', word).words);
    const outcomes = parts.map(({ word }) => keeper.word(1000, 'fw2', word));
    taken += outcomes.flatMap((o) => o.news).filter(({ what }) => what.kind === 'taken').length;
    words = outcomes.flatMap((o) => o.words).filter(({ word }) => word.kind === 'ask');
  }
  assert.equal(taken, 1);
  assert.deepEqual(
    asked.map((word) => (word.kind === 'ask' ? word.version : 0)),
    [6, 5],
  );
  const liar = running(base);
  assert.equal(liar.heard(1000, 'fw2', { ...shown(six), hash: new Uint8Array(8) }).words.length, 1);
  const bytes = six.versions[5] ?? assert.fail();
  const part = partOf(6, new Uint8Array(32), bytes, 0) ?? assert.fail();
  const [news] = liar.word(1001, 'fw2', part).news;
  assert.match(news?.what.kind === 'refused' ? news.what.reason : '', /has not the hash that was shown/);
  assert.deepEqual(liar.heard(1100, 'fw2', shown(six)).words, [], 'not asked again for a while');
  assert.equal(liar.heard(1100, 'w', shown(six)).words.length, 1, 'but any other is');
  assert.equal(liar.heard(12_000, 'fw2', shown(five)).words.length, 1);
});

test('P49: a peer that does not answer is asked five times, then any other who shows the same', () => {
  const keeper = running(base);
  keeper.heard(1000, 'fw2', shown(five));
  assert.deepEqual(keeper.heard(1001, 'w', shown(five)).words, [], 'one question for one head');
  const to: (string | undefined)[] = [];
  for (let nowMs = 1000; nowMs < 1800; nowMs += 50) {
    to.push(...keeper.tick(nowMs).words.map((word) => word.to));
  }
  assert.deepEqual(to.slice(0, 5), ['fw2', 'fw2', 'fw2', 'fw2', 'w']);
});

test('P49: the host that the newer roster takes out cannot keep it from another by serving it slowly', () => {
  const out = next(base, edit.revokeMember(base, 'fw2', 4));
  const honest = running(base);
  honest.offer(Buffer.concat(out.versions));
  honest.commit(0, out, null);
  const keeper = new RosterKeeper(base, 'w', P);
  const bytes = out.versions[4] ?? assert.fail();
  const junk = { kind: 'part', version: 5, hash: out.hash.slice(0, 8), chunks: 18 } as const;
  let takenMs: number | null = null;
  const carry = (nowMs: number, { news, words }: Outcome): void => {
    if (news.some(({ what }) => what.kind === 'taken')) takenMs ??= nowMs;
    for (const { to, word } of words)
      if (to === 'fw1')
        for (const answer of honest.word(nowMs, 'w', word).words)
          carry(nowMs, keeper.word(nowMs, 'fw1', answer.word));
  };
  carry(0, keeper.heard(0, 'fw2', shown(out)));
  for (let nowMs = 1; nowMs < 2000 && takenMs === null; nowMs++) {
    if (nowMs % 50 === 1) carry(nowMs, keeper.heard(nowMs, 'fw1', shown(out)));
    if (nowMs % 450 === 400) {
      const part = { ...junk, chunk: (nowMs - 400) / 450, bytes: bytes.slice(0, 1) };
      carry(nowMs, keeper.word(nowMs, 'fw2', part));
    }
    carry(nowMs, keeper.tick(nowMs));
  }
  assert.ok(takenMs !== null && takenMs <= 300, `taken at ${takenMs} ms`);
});

test('P49: a peer that gives a chunk now and then is not waited for beyond 30 s', () => {
  let chain = fatRoster(base);
  while (chain.version < base.version + 12) chain = fatRoster(chain);
  const keeper = running(base);
  let first: number | null = null;
  let open: { version: number; chunk: number } | null = null;
  const put = (nowMs: number, words: Outcome['words']) => {
    for (const { to, word } of words) {
      if (to === 'w') first ??= nowMs;
      if (word.kind === 'ask') open = word;
    }
  };
  put(0, keeper.heard(0, 'fw2', shown(chain)).words);
  put(1, keeper.heard(1, 'w', shown(chain)).words);
  let given = { version: 0, chunk: 0 };
  // The fourth copy of a question is answered, with one chunk.
  for (let nowMs = 100; first === null && nowMs <= 60_000; nowMs += 100) {
    put(nowMs, keeper.tick(nowMs).words);
    if (first !== null || nowMs % 400 !== 0) continue;
    const { version, chunk }: { version: number; chunk: number } = open ?? assert.fail();
    given = { version, chunk: version === given.version ? given.chunk + 1 : chunk };
    const bytes = chain.versions[version - 1] ?? assert.fail();
    const { hash } = chain.history[version - 1] ?? assert.fail();
    put(nowMs, keeper.word(nowMs, 'fw2', partOf(version, hash, bytes, given.chunk) ?? assert.fail()).words);
  }
  assert.ok(first !== null && first > 29_000, `the other is asked at ${first} ms`);
  assert.equal(keeper.roster.version, base.version);
});

test('P49: an absurd version is not asked for, and a claimed one that nobody can show has no force', () => {
  const keeper = running(base);
  assert.deepEqual(keeper.heard(1000, 'fw2', { version: 5000, hash: new Uint8Array(8) }).words, []);
  const outcome = keeper.heard(1000, 'w', { version: 900, hash: new Uint8Array(8) });
  assert.equal(outcome.standing, 'newer');
  for (let nowMs = 1000; nowMs < 5000; nowMs += 100) keeper.tick(nowMs);
  assert.equal(keeper.roster.version, 4);
  assert.equal(keeper.settled, 4);
});

test('P49: questions are answered by eight chunks, for what is held under that hash, and no more than a budget', () => {
  const fat = fatRoster(base);
  const keeper = running(fat);
  const ask = (hash: Uint8Array, version = 5) =>
    keeper.word(1, 'w', { kind: 'ask', version, hash, chunk: 0 }).words.length;
  assert.equal(ask(fat.hash.slice(0, 8)), ROSTER_BURST);
  assert.equal(ask(new Uint8Array(8)), 0);
  assert.equal(ask(fat.hash.slice(0, 8), 6), 0);
  const net = new Net({ fw1: testEndpoint(base, 'fw1'), fw2: testEndpoint(base, 'fw2') });
  for (let i = 0; i < 5; i++) net.step();
  const question: RosterWord = { kind: 'ask', version: 4, hash: base.hash.slice(0, 8), chunk: 0 };
  let answered = 0;
  for (let i = 0; i < 500; i++) {
    const [received] = net.deliver('fw2', net.get('fw2').sealRoster(net.nowMs, 'fw1', question));
    if (received?.kind === 'roster') answered++;
  }
  assert.ok(answered > 5 && answered <= 25, `${answered} of 500 in a moment`);
  assert.ok(net.get('fw1').counters().budget > 400);
});

test('P49: a copy of a question over a second link is not answered again', () => {
  const links = [1, 2];
  const net = new Net({
    fw1: testEndpoint(base, 'fw1', { links }),
    fw2: testEndpoint(base, 'fw2', { links }),
  });
  for (let i = 0; i < 5; i++) net.step();
  const question: RosterWord = { kind: 'ask', version: 4, hash: base.hash.slice(0, 8), chunk: 0 };
  const received = net.deliver('fw2', net.get('fw2').sealRoster(net.nowMs, 'fw1', question));
  assert.deepEqual(
    received.map((r) => r.kind),
    ['roster', 'refused'],
  );
});
