/** How rosters spread and settle, and what a hostile member can make of it: nothing beyond its bounds (P49 to P53, R21). */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { initialState, step } from '../../src/core/index.ts';
import { type Outcome, RosterKeeper } from '../../src/driver/rosters.ts';
import { appendVersion, membershipOf, type Roster, signRosterBody } from '../../src/trust/roster.ts';
import type { RosterBody } from '../../src/trust/roster-body.ts';
import * as edit from '../../src/trust/roster-edit.ts';
import { bodyAfter } from '../../src/trust/roster-rules.ts';
import { ROSTER_BURST } from '../../src/wire/limits.ts';
import { decodeRosterWord, encodeRosterWord, partOf, type RosterWord } from '../../src/wire/roster-words.ts';
import { clusterTimes, coreConfig, SERVICE } from '../sim/cluster.ts';
import { admin, memberBody, testEndpoint, testIdentity, testRoster } from './wire-fixture.ts';
import { Net } from './wire-net.ts';

const P = 400;
const base = testRoster(['fw1', 'fw2'], ['w']);
function next(roster: Roster, body: RosterBody): Roster {
  const result = appendVersion(roster, signRosterBody(body, admin));
  return result.ok ? result.roster : assert.fail(result.reason);
}
const five = next(base, edit.addMember(base, memberBody('fw3', 4), 4));
const six = next(five, edit.addMember(five, memberBody('fw4', 5), 4));
const shown = (roster: Roster) => ({ version: roster.version, hash: roster.hash.slice(0, 8) });
const settledIn = (outcome: Outcome) =>
  outcome.news.flatMap(({ what }) => (what.kind === 'settled' ? [what.version] : []));
function running(roster: Roster): RosterKeeper {
  return new RosterKeeper(roster, 'fw1', P);
}

/** The next version, of about ten chunks: as many revoked keys as there may be. */
function fatRoster(former: Roster): Roster {
  const revoked = Array.from({ length: 256 }, (_, i) =>
    Uint8Array.from({ length: 32 }, (_v, at) => (at === 0 ? i : 3)),
  );
  return next(former, { ...bodyAfter(former), revoked });
}

test('R21: a version is settled one promise after a majority of its former voters showed it, not before', () => {
  const keeper = running(five);
  assert.equal(keeper.settled, 4);
  assert.equal(keeper.voterSets.length, 2);
  keeper.heard(1000, 'fw3', shown(five));
  keeper.tick(1000 + 10 * P);
  assert.equal(keeper.settled, 4, 'a newcomer is no former voter; this host alone is no majority of three');
  keeper.heard(5000, 'w', shown(five));
  assert.equal(keeper.nextTickMs(), 5000 + P);
  assert.deepEqual(settledIn(keeper.tick(5000 + P - 1)), []);
  assert.deepEqual(settledIn(keeper.tick(5000 + P)), [5]);
  assert.deepEqual(keeper.voterSets, [['fw1', 'fw2', 'w', 'fw3']]);
  keeper.heard(6000, 'w', shown(base));
  assert.equal(keeper.settled, 5, 'and stays so');
});

test('R21: who shows the older one again, or another branch, is not counted; the time begins anew', () => {
  const keeper = running(five);
  keeper.heard(1000, 'w', shown(five));
  keeper.heard(1100, 'w', shown(base));
  assert.deepEqual(settledIn(keeper.tick(1000 + P)), []);
  keeper.heard(2000, 'w', shown(five));
  assert.deepEqual(settledIn(keeper.tick(2000 + P - 1)), []);
  const other = next(base, edit.addMember(base, memberBody('fw4', 5), 4));
  const forked = running(five);
  assert.equal(forked.heard(1000, 'w', shown(other)).standing, 'forked');
  assert.deepEqual(settledIn(forked.tick(1000 + 2 * P)), []);
});

test('R21: two changes settle one after the other, each by its own former voters', () => {
  const keeper = running(six);
  keeper.heard(1000, 'w', shown(five));
  keeper.heard(1000, 'fw3', shown(six));
  assert.deepEqual(settledIn(keeper.tick(1000 + P)), [5], 'version 5 was left by two of four only');
  keeper.heard(3000, 'w', shown(six));
  assert.deepEqual(settledIn(keeper.tick(3000 + P)), [6]);
  const same = next(six, { ...bodyAfter(six) });
  const quick = running(same);
  quick.heard(1000, 'w', shown(six));
  quick.heard(1000, 'fw3', shown(six));
  assert.deepEqual(
    settledIn(quick.tick(1000 + P)),
    [7],
    'version 7 has the voters of 6: nothing need be left',
  );
});

test('R21: a voter promises nothing to a host with an outdated roster, and all to others', () => {
  const { timing } = clusterTimes(200);
  const config = coreConfig(base, 'fw2', timing, 'quorum', null);
  const started = initialState(config, 0);
  const digest = config.services[0]?.digest ?? '';
  const term = { n: 1, host: 'fw1' };
  const status = {
    type: 'STATUS',
    service: SERVICE,
    id: 7,
    term,
    phase: 'serving',
    digest,
    tableSeq: 0,
  } as const;
  const answers = (outdated: boolean) =>
    step(
      started,
      { type: 'message', from: 'fw1', link: 1, message: status, outdated },
      10_000,
    ).effects.flatMap((e) =>
      e.type === 'send' && (e.message.type === 'ACK' || e.message.type === 'OBJECT') ? [e.message.type] : [],
    );
  assert.deepEqual(answers(false), ['ACK']);
  assert.deepEqual(answers(true), [], 'it is silent: the sender learns of the newer one and asks again');
});

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

test('P47: a branch that was judged and left is judged anew once another roster is taken', () => {
  const [second, third] = [testIdentity('second admin'), testIdentity('third admin')];
  const signedBy = (
    roster: Roster,
    body: RosterBody,
    key: { sign(bytes: Uint8Array): Uint8Array; publicKey: Uint8Array },
  ) => {
    const result = appendVersion(roster, signRosterBody(body, key));
    return result.ok ? result.roster : assert.fail(result.reason);
  };
  const rotated = (roster: Roster, to: typeof second, by: typeof admin) =>
    signedBy(
      roster,
      edit.rotateAdmin(roster, to.publicKey, (message) => to.sign(message)),
      by,
    );
  // By a slip the key was changed twice: to the second on one branch, which went on, and to the third on ours.
  let branch = rotated(base, second, admin);
  while (branch.version < base.version + 4) branch = signedBy(branch, bodyAfter(branch), second);
  const ours = rotated(base, third, admin);
  const keeper = running(ours);
  const serving = new RosterKeeper(branch, 'fw2', P);
  const fetched = (nowMs: number): string[] => {
    const kinds: string[] = [];
    let { words } = keeper.heard(nowMs, 'fw2', shown(branch));
    for (let i = 0; i < 20 && words.length > 0; i++) {
      const answers = words.flatMap(({ word }) => serving.word(nowMs, 'fw1', word).words);
      const outcomes = answers.map(({ word }) => keeper.word(nowMs, 'fw2', word));
      kinds.push(...outcomes.flatMap(({ news }) => news.map(({ what }) => what.kind)));
      words = outcomes.flatMap((outcome) => outcome.words);
    }
    return kinds;
  };
  assert.deepEqual(fetched(1000), ['forked']);
  assert.deepEqual(fetched(20_000), [], 'not again');
  const mended = rotated(ours, second, third);
  keeper.offer(Buffer.concat(mended.versions));
  keeper.commit(30_000, mended, null);
  assert.deepEqual(fetched(40_000), ['taken'], 'its signer is the admin of the roster in force now');
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

test('P53: a host that is out is sent the next versions; the very next one is taken unasked, a nonsense one once', () => {
  const out = next(base, edit.revokeMember(base, 'fw2', 4));
  const keeper = running(base);
  keeper.offer(Buffer.concat(out.versions));
  const { words } = keeper.farewell(out);
  assert.deepEqual([...new Set(words.map(({ to }) => to))], ['fw2']);
  const revoked = new RosterKeeper(base, 'fw2', P);
  const news = words.flatMap(({ word }) => revoked.word(1000, 'fw1', word).news);
  assert.deepEqual(
    news.map(({ what }) => what.kind),
    ['taken'],
  );
  const forged = signRosterBody(edit.removeMember(base, 'w', 4), testIdentity('fw2'));
  const hash = new Uint8Array(8);
  const victim = running(base);
  const junk = partOf(5, hash, forged, 0) ?? assert.fail();
  assert.equal(victim.word(1000, 'fw2', junk).news.length, 1, 'refused: it has not that hash');
  assert.equal(victim.word(1001, 'fw2', junk).news.length, 0, 'no second line in the log for the next 10 s');
});

test('P26: both keys of a host are one member with one session; when the old one is dropped its words end', () => {
  const fresh = testIdentity('fw2 new');
  const both = next(base, edit.rekeyMember(base, 'fw2', fresh.publicKey, 4));
  for (const identity of [testIdentity('fw2'), fresh]) {
    const net = new Net({ fw1: testEndpoint(both, 'fw1'), fw2: testEndpoint(both, 'fw2', { identity }) });
    for (let i = 0; i < 5; i++) net.step();
    assert.ok(
      net
        .get('fw1')
        .peers()
        .find((peer) => peer.host === 'fw2')?.session,
    );
    assert.equal(net.get('fw1').peers().length, 2, 'one record for two keys');
    const tell = () => net.deliver('fw2', net.get('fw2').sealRoster(net.nowMs, 'fw1', { kind: 'tell' }))[0];
    assert.equal(tell()?.kind, 'roster');
    const done = next(both, edit.dropOldKey(both, 'fw2', 4));
    net.get('fw1').setRoster(net.nowMs, done);
    const received = tell();
    const isNew = identity === fresh;
    assert.equal(
      received?.kind === 'refused' ? received.code : received?.kind,
      isNew ? 'roster' : 'unknown-sender',
    );
    net.get('fw2').setRoster(net.nowMs, done);
    assert.equal(net.get('fw2').isMember, isNew);
  }
});

test('property: a word about rosters comes back as it went in, and any CBOR gives a word or nothing', () => {
  const words: RosterWord[] = [
    { kind: 'tell' },
    { kind: 'ask', version: 7, hash: new Uint8Array(8), chunk: 17 },
    { kind: 'part', version: 7, hash: new Uint8Array(8), chunk: 0, chunks: 1, bytes: new Uint8Array(960) },
  ];
  for (const word of words) assert.deepEqual(decodeRosterWord(encodeRosterWord(word)), word);
  const value = fc.oneof(fc.integer(), fc.uint8Array({ maxLength: 12 }), fc.string());
  const map = fc.array(fc.tuple(fc.integer({ min: 0, max: 7 }), value), { maxLength: 7 });
  fc.assert(
    fc.property(map, (entries) => {
      const body = new Map(entries);
      const word = decodeRosterWord(body);
      if (word !== undefined) assert.deepEqual(encodeRosterWord(word), body);
    }),
  );
});

test('a host that is out is no member of its own membership', () => {
  const out = next(base, edit.removeMember(base, 'fw2', 4));
  assert.ok(!membershipOf(out, 'fw2').members.some((m) => m.name === 'fw2'));
});
