/** How rosters spread and settle, and what is made of those that are shown (P26, P47, P53, R21). */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { initialState, step } from '../../src/core/index.ts';
import { RosterKeeper } from '../../src/driver/rosters.ts';
import { appendVersion, membershipOf, type Roster, signRosterBody } from '../../src/trust/roster.ts';
import type { RosterBody } from '../../src/trust/roster-body.ts';
import * as edit from '../../src/trust/roster-edit.ts';
import { bodyAfter } from '../../src/trust/roster-rules.ts';
import { decodeRosterWord, encodeRosterWord, partOf, type RosterWord } from '../../src/wire/roster-words.ts';
import { clusterTimes, coreConfig, SERVICE } from '../sim/cluster.ts';
import { base, five, next, P, running, settledIn, shown, six } from './roster-fixture.ts';
import { admin, memberBody, testEndpoint, testIdentity } from './wire-fixture.ts';
import { Net } from './wire-net.ts';

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
