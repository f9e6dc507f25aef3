/** The endpoint among honest hosts: sessions, batches, links, rosters, a second run of one host. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Term } from '../../src/core/basics.ts';
import type { Message } from '../../src/core/messages.ts';
import { nextBody } from '../../src/trust/roster.ts';
import { appended, memberBody, testEndpoint, testIdentity } from './wire-fixture.ts';
import { check, codeOf, joinedPair, Net, roster, status } from './wire-net.ts';

test('three hosts are in session with each other within milliseconds, and say what they have to', () => {
  const names = ['fw1', 'fw2', 'w'];
  const net = new Net(Object.fromEntries(names.map((name) => [name, testEndpoint(roster, name)])));
  for (let i = 0; i < 5; i++) net.step();
  for (const name of names)
    assert.ok(
      net
        .get(name)
        .peers()
        .every((peer) => peer.session),
      name,
    );
  const out = net.get('fw1').seal(net.nowMs, 'all', [status(1)]);
  assert.deepEqual(
    out.map((one) => one.to),
    ['fw2', 'w'],
  );
  for (const received of net.deliver('fw1', out)) {
    assert.ok(received.kind === 'messages');
    assert.deepEqual(received.messages, [status(1)]);
    assert.equal(received.from, 'fw1');
  }
  assert.ok(Number.isFinite(net.get('fw1').nextTickMs()));
});

test('STATUS to all is one signature, gated for each; other types are signed for each', () => {
  const net = new Net(
    Object.fromEntries(['fw1', 'fw2', 'w'].map((name) => [name, testEndpoint(roster, name)])),
  );
  for (let i = 0; i < 5; i++) net.step();
  const once = net.get('fw1').seal(net.nowMs, 'all', [status(1)]);
  assert.deepEqual(once[0]?.datagram.slice(16), once[1]?.datagram.slice(16));
  assert.notDeepEqual(once[0]?.datagram.slice(0, 16), once[1]?.datagram.slice(0, 16));
  const each = net.get('fw1').seal(net.nowMs, 'all', [check(1)]);
  assert.notDeepEqual(each[0]?.datagram.slice(-64), each[1]?.datagram.slice(-64));
});

test('P1: messages of one type share datagrams, none is longer than 1,232 bytes, nothing is lost or reordered', () => {
  const net = joinedPair();
  const many = Array.from({ length: 100 }, (_, i) => status(i, `service-${i}`));
  const out = net.get('fw1').seal(net.nowMs, 'fw2', many);
  assert.ok(out.length < 10, String(out.length));
  assert.ok(out.every(({ datagram }) => datagram.length <= 1232));
  const got = net
    .deliver('fw1', out)
    .flatMap((received) => (received.kind === 'messages' ? received.messages : []));
  assert.deepEqual(got, many);
});

test('P81: adverts, answers and reports of 64 services are a few signatures each, also with the longest names', () => {
  const net = joinedPair();
  const signatures = (service: (i: number) => string, message: (name: string) => Message): number => {
    const messages = Array.from({ length: 64 }, (_, i) => message(service(i)));
    return net.get('fw1').seal(net.nowMs, 'fw2', messages).length;
  };
  const usual = (i: number) => `service-${10 + i}`;
  const longest = (i: number) => `${'x'.repeat(30)}${10 + i}`;
  const host = 'y'.repeat(32);
  const advert = (term: Term) => (service: string) =>
    ({ ...status(2 ** 31, service), term, digest: 'ab'.repeat(32), tableSeq: 1000 }) as Message;
  const ack = (term: Term) => (service: string) => ({ type: 'ACK', service, id: 2 ** 31, term }) as Message;
  const report =
    (term: Term) =>
    (service: string): Message => ({
      ...({
        type: 'REPORT',
        service,
        activity: 'backup',
        fit: true,
        standby: false,
        downlink: true,
      } as const),
      ...{ digest: 'ab'.repeat(32), tableTerm: term, tableSeq: 1000, load: 700, burdened: true },
    });
  const few = { n: 1000, host: 'fw1' };
  const many = { n: 2 ** 50, host };
  assert.deepEqual(
    [advert, ack, report].map((kind) => signatures(usual, kind(few))),
    [5, 2, 6],
  );
  assert.deepEqual(
    [advert, ack, report].map((kind) => signatures(longest, kind(many))),
    [10, 7, 11],
  );
});

test('a host without session is passed over', () => {
  assert.deepEqual(testEndpoint(roster, 'fw1').seal(1000, 'all', [status(1)]), []);
  assert.deepEqual(
    joinedPair()
      .get('fw1')
      .seal(1010, 'nobody', [status(1)]),
    [],
  );
});

test('P2: a datagram goes over every present link of the member, and each link takes it once', () => {
  const net = joinedPair([1, 2]);
  const out = net.get('fw1').seal(net.nowMs, 'fw2', [check(1)]);
  assert.deepEqual(
    out.map((one) => one.link),
    [1, 2],
  );
  assert.deepEqual(net.deliver('fw1', out).map(codeOf), ['messages', 'messages']);
  assert.deepEqual(net.deliver('fw1', out).map(codeOf), ['replayed', 'replayed']);
  const [first] = net.get('fw1').seal(net.nowMs, 'fw2', [check(2)]);
  assert.equal(codeOf(net.get('fw2').receive(net.nowMs, 2, first?.datagram ?? new Uint8Array())), 'gate');
});

test('the uplink comes: a due measurement is made at once over it, and the host is heard again', () => {
  const net = joinedPair([1]);
  // The downlink is cut on both sides, nothing is delivered, time passes.
  net.nowMs += 5000;
  for (const name of ['fw1', 'fw2']) net.get(name).tick(net.nowMs);
  const stale = net.get('fw1').seal(net.nowMs, 'fw2', [check(1)]);
  assert.equal(
    codeOf(net.get('fw2').receive(net.nowMs, 1, stale[0]?.datagram ?? new Uint8Array())),
    'too-old',
  );
  for (const name of ['fw1', 'fw2']) net.get(name).setLinks(net.nowMs, [0]);
  assert.ok(net.get('fw1').nextTickMs() <= net.nowMs);
  net.step(2);
  const out = net.get('fw1').seal(net.nowMs, 'fw2', [check(2)]);
  assert.deepEqual(
    out.map((one) => one.link),
    [0],
  );
  assert.deepEqual(net.deliver('fw1', out).map(codeOf), ['messages']);
  // A third host there hears it as well, and makes nothing of it.
  const third = testEndpoint(roster, 'w', { links: [0] });
  assert.equal(codeOf(third.receive(net.nowMs, 0, out[0]?.datagram ?? new Uint8Array())), 'overheard');
});

test('P82: adverts go over the uplink once in five intervals, and each time to who is heard there', () => {
  const net = joinedPair([1, 0]);
  let id = 1;
  const linksOf = (host: string, phase: 'serving' | 'suspended' = 'serving'): number[] => {
    net.nowMs += 200;
    const out = net.get('fw1').seal(net.nowMs, 'all', [{ ...status(id++), phase } as Message]);
    return out.filter(({ to }) => to === host).map(({ link }) => link);
  };
  const rounds = (count: number) => Array.from({ length: count }, () => linksOf('fw2').length);
  assert.deepEqual(rounds(11), [2, 1, 1, 1, 1, 2, 1, 1, 1, 1, 2], 'nobody was heard there');
  assert.deepEqual(
    linksOf('fw2', 'suspended'),
    [1, 0],
    'what is no advert of a serving host goes everywhere',
  );
  const word = net.get('fw2').seal(net.nowMs, 'fw1', [check(1)]);
  assert.deepEqual(
    net
      .deliver(
        'fw2',
        word.filter(({ link }) => link === 0),
      )
      .map(codeOf),
    ['messages'],
  );
  assert.deepEqual(rounds(8), [2, 2, 2, 2, 2, 2, 1, 1], 'until it has said nothing there for six intervals');
});

test('P26: a newer roster: who is out is refused at once, who stays keeps its session, who comes can join', () => {
  const net = joinedPair();
  const shrunk = appended(
    roster,
    nextBody(
      roster,
      roster.members.filter((entry) => entry.name !== 'fw1'),
    ),
  );
  const old = net.get('fw1').seal(net.nowMs, 'fw2', [check(1)]);
  net.get('fw2').setRoster(net.nowMs, shrunk);
  assert.deepEqual(net.deliver('fw1', old).map(codeOf), ['unknown-sender']);

  const grown = appended(roster, nextBody(roster, [...roster.members, memberBody('fw3', 4)]));
  const pair = joinedPair();
  pair.get('fw1').setRoster(pair.nowMs, grown);
  assert.deepEqual(
    pair.deliver('fw1', pair.get('fw1').seal(pair.nowMs, 'fw2', [check(1)])).map(codeOf),
    ['messages'],
    'a member with another version of the roster is still a member',
  );
  const shown = pair
    .get('fw2')
    .peers()
    .find((peer) => peer.host === 'fw1');
  assert.equal(shown?.rosterVersion, grown.version);
  assert.ok(shown?.rosterDiffers);
  pair.get('fw2').setRoster(pair.nowMs, grown);
  assert.ok(
    !pair
      .get('fw2')
      .peers()
      .find((peer) => peer.host === 'fw1')?.rosterDiffers,
  );
  pair.hosts.set('fw3', testEndpoint(grown, 'fw3', { nowMs: pair.nowMs }));
  for (let i = 0; i < 60; i++) pair.step();
  assert.ok(
    pair
      .get('fw3')
      .peers()
      .filter((peer) => peer.host !== 'w')
      .every((peer) => peer.session),
  );
});

test('an endpoint needs its own place and key in the roster', () => {
  assert.throws(() => testEndpoint(roster, 'fw9'), RangeError);
  assert.throws(() => testEndpoint(roster, 'fw1', { identity: testIdentity('fw2') }), RangeError);
});

test('a second live run of one host is refused and shown; the first goes on', () => {
  const net = joinedPair();
  net.hosts.set('clone', testEndpoint(roster, 'fw1', { run: 1, nowMs: net.nowMs }));
  const clone = net.get('clone');
  const first = net.get('fw1');
  for (let i = 0; i < 400; i++) {
    net.nowMs += 5;
    const codes = net.deliver('fw1', first.seal(net.nowMs, 'fw2', [check(i)])).map(codeOf);
    assert.deepEqual(codes, ['messages']);
    net.deliver('fw1', first.tick(net.nowMs));
    // The clone hears what is addressed to fw1 as well: play fw2's answers to both.
    for (const out of clone.tick(net.nowMs)) {
      if (out.to !== 'fw2') continue;
      const received = net.get('fw2').receive(net.nowMs, out.link, out.datagram);
      if (received.kind === 'refused') continue;
      for (const reply of received.replies) {
        const answer = clone.receive(net.nowMs, reply.link, reply.datagram);
        first.receive(net.nowMs, reply.link, reply.datagram);
        if (answer.kind === 'handshake')
          for (const last of answer.replies) net.get('fw2').receive(net.nowMs, last.link, last.datagram);
      }
    }
  }
  const shown = net
    .get('fw2')
    .peers()
    .find((peer) => peer.host === 'fw1');
  assert.ok(shown?.duplicateMs !== null);
  assert.ok(net.get('fw2').counters()['duplicate-session'] > 0);
});
