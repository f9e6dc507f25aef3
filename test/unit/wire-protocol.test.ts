/**
 * P76 to P79: hosts of protocol 1 and 2 side by side. Who speaks which is in every session's id; nothing that is dropped, changed or
 * replayed on the way makes two hosts speak a lower number than both can, and below the floor nobody takes part.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Message } from '../../src/core/messages.ts';
import { nextBody } from '../../src/trust/roster.ts';
import { encodeRecord, typeNumber } from '../../src/wire/codec.ts';
import type { Received } from '../../src/wire/endpoint.ts';
import { protocolOf, sessionId } from '../../src/wire/protocol.ts';
import { appended, seededBytes, testEndpoint } from './wire-fixture.ts';
import { check, codeOf, forger, joinedPair, Net, roster, status } from './wire-net.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** fw1, fw2 and w in session with each other, each speaking up to that number. */
function mixed(numbers: Record<string, number>, own = roster): Net {
  const hosts = Object.entries(numbers).map(
    ([name, protocol]) => [name, testEndpoint(own, name, { protocol })] as const,
  );
  const net = new Net(Object.fromEntries(hosts));
  for (let i = 0; i < 5; i++) net.step();
  return net;
}

const heard = (received: readonly Received[]) =>
  received.map((one) => (one.kind === 'messages' ? one.messages[0] : codeOf(one)));

const report: Message = {
  ...{ type: 'REPORT', service: 's', activity: 'backup', fit: true, standby: false, downlink: true },
  ...{ digest: 'ab', tableTerm: null, tableSeq: 0, load: 700, burdened: true },
};
const asOld = { ...report, load: 0, burdened: false };

function advert(burdened: boolean): Message {
  const rows = [{ host: 'fw1', fit: true, standby: false, burdened }];
  return { ...status(1), table: { term: { n: 1, host: 'fw1' }, seq: 1, rows } } as Message;
}

test('P76: the id of a session says the highest number of its host, whatever the rest of it is', () => {
  for (let i = 0; i < 200; i++) {
    const random = seededBytes(`id ${i}`)(16);
    assert.equal(protocolOf(hex(sessionId(random, 1))), 1);
    assert.equal(protocolOf(hex(sessionId(random, 2))), 2);
    assert.equal(protocolOf(hex(sessionId(random, 3))), 3, 'also one that we do not speak');
    assert.deepEqual(sessionId(random, 1), random);
    assert.deepEqual(sessionId(random, 2).slice(0, 10), random.slice(0, 10), 'ten bytes stay random');
  }
  for (const number of [0, 1])
    assert.equal(
      protocolOf(hex(Uint8Array.from([...new Uint8Array(10), ...Buffer.from('proto'), number]))),
      1,
    );
  for (const protocol of [0, 3, 1.5])
    assert.throws(() => testEndpoint(roster, 'fw1', { protocol }), RangeError);
});

test('P77: each peer is told in the number that both speak, whatever a third speaks', () => {
  const net = mixed({ fw1: 2, fw2: 1, w: 2 });
  const protocols = (name: string) =>
    net
      .get(name)
      .peers()
      .map((peer) => [peer.host, peer.protocol]);
  assert.deepEqual(protocols('fw1'), [
    ['fw2', 1],
    ['w', 2],
  ]);
  assert.deepEqual(protocols('fw2'), [
    ['fw1', 2],
    ['w', 2],
  ]);
  const say = (message: Message) =>
    heard(net.deliver('fw1', net.get('fw1').seal(net.nowMs, 'all', [message])));
  assert.deepEqual(say(report), [asOld, report]);
  assert.deepEqual(say(advert(true)), [advert(false), advert(true)]);
  assert.deepEqual(heard(net.deliver('fw2', net.get('fw2').seal(net.nowMs, 'fw1', [report]))), [asOld]);
});

test('P77: what is to all is signed once for each number that is spoken, and once where there is one', () => {
  const signatures = (numbers: Record<string, number>) => {
    const net = mixed(numbers);
    const out = net.get('fw1').seal(net.nowMs, 'all', [status(1)]);
    assert.deepEqual(heard(net.deliver('fw1', out)), [status(1), status(1)]);
    return new Set(out.map(({ datagram }) => hex(datagram.slice(-64)))).size;
  };
  assert.equal(signatures({ fw1: 2, fw2: 2, w: 2 }), 1);
  assert.equal(signatures({ fw1: 2, fw2: 1, w: 1 }), 1);
  assert.equal(signatures({ fw1: 1, fw2: 2, w: 2 }), 1);
  assert.equal(signatures({ fw1: 2, fw2: 1, w: 2 }), 2);
});

test('P78: a field of protocol 2 is refused from a host of protocol 1, and by one', () => {
  const forge = forger(joinedPair());
  const said = (message: Message) => ({ type: typeNumber(message.type), body: [encodeRecord(message)] });
  assert.equal(forge(said(report)), 'messages');
  const old = mixed({ fw1: 2, fw2: 1 });
  assert.equal(forger(old, [2, 1])(said(report)), 'body', 'by one that speaks 1');
  assert.equal(forger(old, [2, 1])(said(asOld)), 'messages');
  const fromOld = forger(mixed({ fw1: 1, fw2: 2 }), [1, 2]);
  assert.equal(fromOld(said(report)), 'body', 'from one that speaks 1');
  for (const burdened of [true, false])
    assert.equal(fromOld({ ...said(advert(burdened)), toSid: null }), burdened ? 'body' : 'messages');
});

test('P76: no datagram of the handshake that is changed, or left out, makes two hosts of 2 speak 1', () => {
  const tag = Buffer.from('proto\x02');
  const changed = (datagram: Uint8Array): Uint8Array => {
    const bytes = Buffer.from(datagram);
    for (let at = bytes.indexOf(tag); at >= 0; at = bytes.indexOf(tag, at + 1)) bytes[at + 5] = 1;
    return bytes;
  };
  // Each of the first datagrams is left out, or replaced by one that names a lower number.
  for (let spoilt = 0; spoilt < 12; spoilt++)
    for (const drop of [true, false]) {
      const hosts = { fw1: testEndpoint(roster, 'fw1'), fw2: testEndpoint(roster, 'fw2') };
      let count = 0;
      for (let nowMs = 1000; nowMs < 2000; nowMs += 5) {
        let flying = Object.values(hosts).flatMap((host) => host.tick(nowMs));
        while (flying.length > 0)
          flying = flying.flatMap(({ to, link, datagram }) => {
            const host = to === 'fw1' ? hosts.fw1 : to === 'fw2' ? hosts.fw2 : null;
            if (host === null || (count++ === spoilt && drop)) return [];
            const spoil = count - 1 === spoilt;
            const received = host.receive(nowMs, link, spoil ? changed(datagram) : datagram);
            if (spoil) assert.equal(codeOf(received), 'gate');
            return received.kind === 'refused' ? [] : received.replies;
          });
      }
      for (const host of Object.values(hosts))
        assert.equal(host.peers().find((peer) => peer.session)?.protocol, 2, `${spoilt} ${drop}`);
    }
});

test('P76: what a host said when it spoke 1, replayed to its run that speaks 2 and to others, changes nothing', () => {
  const before = mixed({ fw1: 1, fw2: 1 });
  before.deliver('fw1', before.get('fw1').seal(before.nowMs, 'all', [status(1), report]));
  const recorded = [...before.sent];
  const net = mixed({ fw1: 2, fw2: 2 });
  for (let i = 0; i < 300; i++) {
    for (const { to, link, datagram } of recorded) {
      const received = net.hosts.get(to)?.receive(net.nowMs, link, datagram);
      assert.notEqual(received?.kind, 'messages');
      if (received !== undefined && received.kind !== 'refused') net.deliver(to, received.replies);
    }
    net.step(10);
    for (const name of ['fw1', 'fw2']) {
      const [peer] = net.get(name).peers();
      assert.equal(peer?.protocol, 2);
    }
  }
  assert.deepEqual(heard(net.deliver('fw1', net.get('fw1').seal(net.nowMs, 'fw2', [report]))), [report]);
});

test('P79: below the floor no message is taken; handshake and rosters are, and it still hears who serves', () => {
  const net = mixed({ fw1: 2, fw2: 1, w: 2 });
  const raised = appended(roster, { ...nextBody(roster, roster.members), floor: 2 });
  assert.equal(net.get('fw2').isMember, true);
  for (const host of net.hosts.values()) host.setRoster(net.nowMs, raised);
  assert.deepEqual(
    ['fw1', 'fw2', 'w'].map((name) => net.get(name).isMember),
    [true, false, true],
  );
  const from = (name: string, to: string) => net.deliver(name, net.get(name).seal(net.nowMs, to, [check(1)]));
  assert.deepEqual(from('fw2', 'fw1').map(codeOf), ['protocol']);
  assert.deepEqual(from('w', 'fw1').map(codeOf), ['role']);
  assert.deepEqual(from('fw1', 'fw2').map(codeOf), ['messages']);
  const word = { kind: 'ask', version: raised.version, hash: raised.hash, chunk: 0 } as const;
  assert.deepEqual(net.deliver('fw2', net.get('fw2').sealRoster(net.nowMs, 'fw1', word)).map(codeOf), [
    'roster',
  ]);
  // It comes again with the newer protocol: the same host, and welcome.
  net.hosts.set('fw2', testEndpoint(raised, 'fw2', { run: 1, nowMs: net.nowMs }));
  for (let i = 0; i < 100; i++) net.step(10);
  assert.deepEqual(from('fw2', 'fw1').map(codeOf), ['messages']);
});
