/** The endpoint against wrong datagrams: every refusal by its code, and that a refusal changes nothing. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Message } from '../../src/core/messages.ts';
import { type CborValue, encodeCbor } from '../../src/wire/cbor.ts';
import { encodeRecord, typeNumber } from '../../src/wire/codec.ts';
import { messageAad } from '../../src/wire/cose.ts';
import { testEndpoint, testRoster } from './wire-fixture.ts';
import { check, codeOf, forger, joinedPair, member, Net, roster, status } from './wire-net.ts';

test('P13, P31: every kind of wrong datagram of a member has its code, and the right one beside it passes', () => {
  const net = joinedPair();
  const forge = forger(net);
  const bareBody: CborValue = new Map();
  assert.equal(forge({}), 'messages');
  assert.equal(forge({ tail: Uint8Array.of(0) }), 'envelope');
  assert.equal(forge({ tail: new Uint8Array(1200) }), 'size');
  assert.equal(forge({ payload: Uint8Array.of(0xa1, 0x18, 0x01, 0x00) }), 'encoding');
  assert.equal(forge({ payload: Uint8Array.of(0xc1, 0x00) }), 'encoding');
  assert.equal(forge({ payload: encodeCbor(new Map([[1, 5]])) }), 'header');
  assert.equal(forge({ toSid: null }), 'header');
  assert.equal(forge({ type: 99 }), 'unknown-type');
  assert.equal(forge({ type: 4 }), 'body');
  assert.equal(forge({ toSid: new Uint8Array(16) }), 'wrong-session');
  assert.equal(forge({ sid: new Uint8Array(16) }), 'no-session');
  assert.equal(forge({ seq: 1000 }), 'replayed');
  assert.equal(forge({ sentMs: 0 }), 'too-old');
  assert.equal(forge({ signer: 'fw2' }), 'signature');
  assert.equal(forge({ aad: messageAad(roster.clusterId, member('w').kid) }), 'signature');
  assert.equal(forge({ aad: messageAad(roster.clusterId, null) }), 'signature');
  assert.equal(forge({ body: [] }), 'body');
  assert.equal(forge({ body: 1 }), 'body');
  assert.equal(forge({ body: [new Map([[1, 's']])] }), 'body');
  assert.equal(forge({ link: 2 }), 'unknown-link');
  assert.equal(forge({ type: 1, toSid: null, body: new Map([[9, 1]]) }), 'body');
  assert.equal(
    forge({ type: 1, toSid: null, body: bareBody, signer: 'w' }),
    'handshake',
    'a bare HELLO is not judged',
  );
  assert.equal(
    forge({
      type: 2,
      body: new Map([
        [1, new Uint8Array(16)],
        [2, new Uint8Array(16)],
      ]),
    }),
    'nonce',
  );
  assert.equal(forge({ type: 3, body: new Map([[2, new Uint8Array(16)]]) }), 'nonce');
  const nonce = new Uint8Array(16).fill(9);
  assert.equal(forge({ type: 1, body: new Map([[1, nonce]]), signer: 'w' }), 'signature');
  assert.equal(forge({ type: 1, seq: 4000, body: new Map([[1, nonce]]) }), 'handshake');
  assert.equal(forge({ type: 1, seq: 4000, body: new Map([[1, nonce]]) }), 'answered');
  const foreign = { ...status(1), term: { n: 1, host: 'fw2' } } as Message;
  assert.equal(forge({ type: typeNumber('STATUS'), body: [encodeRecord(foreign)] }), 'role');
  assert.equal(
    forge({ type: typeNumber('STATUS'), toSid: null, body: [encodeRecord(status(1))], seq: 5000 }),
    'messages',
  );
  assert.equal(
    forge({ type: typeNumber('STATUS'), toSid: null, body: [encodeRecord(status(1))], seq: 4999 }),
    'overtaken',
  );
  assert.equal(forge({}), 'replayed', 'far behind the window by now');
  assert.equal(forge({ seq: 5001 }), 'messages');
});

test('P17: whoever recorded more questions than could be kept can make nobody sign again, or starve who asks now', () => {
  const net = joinedPair();
  const forge = forger(net);
  const ask = (seq: number) =>
    forge({ type: 1, seq, body: new Map([[1, new Uint8Array(16).fill(seq % 251)]]) });
  for (let seq = 2000; seq < 2004; seq++) assert.equal(ask(seq), 'handshake');
  for (let seq = 2003; seq >= 1000; seq -= 7) assert.equal(ask(seq), 'answered');
  assert.equal(net.get('fw2').counters().budget, 0);
  assert.equal(ask(2004), 'handshake', 'the next one is heard');
});

test('a number is not used up by a datagram that is refused', () => {
  const net = joinedPair();
  const forge = forger(net);
  assert.equal(forge({ seq: 700, signer: 'w' }), 'signature');
  assert.equal(forge({ seq: 700, body: 1 }), 'body');
  assert.equal(forge({ seq: 700 }), 'messages');
  assert.equal(forge({ seq: 700 }), 'replayed');
});

test('strangers, echoes and other clusters are refused before the gate or by it', () => {
  const net = joinedPair();
  const [good] = net.get('fw1').seal(net.nowMs, 'fw2', [check(1)]);
  assert.ok(good !== undefined);
  const receive = (datagram: Uint8Array) => net.get('fw2').receive(net.nowMs, 1, datagram);
  const changed = (at: number) => good.datagram.map((byte, i) => (i === at ? byte ^ 1 : byte));
  assert.deepEqual(receive(changed(0)), { kind: 'refused', host: 'fw1', gated: false, code: 'gate' });
  assert.deepEqual(receive(changed(16)), { kind: 'refused', host: null, gated: false, code: 'envelope' });
  assert.deepEqual(receive(changed(26)), {
    kind: 'refused',
    host: null,
    gated: false,
    code: 'unknown-sender',
  });
  assert.deepEqual(receive(changed(80)), { kind: 'refused', host: 'fw1', gated: false, code: 'gate' });
  assert.equal(codeOf(net.get('fw1').receive(net.nowMs, 1, good.datagram)), 'own-echo');
  const other = testEndpoint(testRoster(['fw1', 'fw2'], [], 'other'), 'fw1', { run: 5 });
  assert.deepEqual(
    other.tick(1000).map((out) => codeOf(receive(out.datagram))),
    ['gate'],
  );
  assert.equal(net.get('fw2').counters().gate, 3);
  assert.equal(codeOf(receive(good.datagram)), 'messages');
});

test('P12: a witness that serves, claims or lies about its place is refused', () => {
  const net = new Net({ fw1: testEndpoint(roster, 'fw1'), w: testEndpoint(roster, 'w') });
  for (let i = 0; i < 5; i++) net.step();
  const say = (message: Message) =>
    net.deliver('w', net.get('w').seal(net.nowMs, 'fw1', [message])).map(codeOf);
  assert.deepEqual(say({ type: 'ACK', service: 's', id: 1, term: { n: 1, host: 'fw1' } }), ['messages']);
  assert.deepEqual(say({ type: 'CLAIM', service: 's', id: 1, term: { n: 2, host: 'w' } }), ['role']);
  assert.deepEqual(
    say({
      type: 'PROBED',
      service: 's',
      id: 1,
      activity: 'service',
      serving: true,
      term: null,
      downlinkAgeMs: null,
    }),
    ['role'],
  );
});

test('signatures of one member are bounded, the other members are not touched', () => {
  const names = ['fw1', 'fw2', 'w'];
  const net = new Net(Object.fromEntries(names.map((name) => [name, testEndpoint(roster, name)])));
  for (let i = 0; i < 5; i++) net.step();
  const forge = forger(net);
  let seq = 10_000;
  const codes = Array.from({ length: 3000 }, () => forge({ seq: seq++, signer: 'w' }));
  assert.ok(codes.filter((code) => code === 'signature').length <= 1000);
  assert.ok(codes.includes('budget'));
  const out = net.get('w').seal(net.nowMs, 'fw2', [{ type: 'BYE', service: 's' }]);
  assert.deepEqual(net.deliver('w', out).map(codeOf), ['messages']);
});

test('property: any bytes, and any datagram with a byte changed, are refused; the session goes on', () => {
  const net = joinedPair();
  const [template] = net.get('fw1').seal(net.nowMs, 'fw2', [status(1)]);
  assert.ok(template !== undefined);
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 1300 }),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (noise, at, flip) => {
        assert.equal(net.get('fw2').receive(net.nowMs, 1, noise).kind, 'refused');
        const changed = Uint8Array.from(template.datagram);
        const place = at % changed.length;
        changed[place] = (changed[place] ?? 0) ^ flip;
        assert.equal(net.get('fw2').receive(net.nowMs, 1, changed).kind, 'refused');
      },
    ),
    { numRuns: 500 },
  );
  assert.equal(codeOf(net.get('fw2').receive(net.nowMs, 1, template.datagram)), 'messages');
});

test('property: any payload that a member signs gives messages, a handshake or a refusal', () => {
  const net = joinedPair();
  const forge = forger(net);
  let seq = 20_000;
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.integer({ min: 0, max: 22 }),
      fc.jsonValue(),
      (payload, type, json) => {
        net.nowMs += 5;
        forge({ payload });
        forge({ type, seq: seq++, body: JSON.stringify(json) });
        forge({
          type,
          seq: seq++,
          body: [
            new Map<number, CborValue>([
              [1, 's'],
              [2, payload],
            ]),
          ],
        });
      },
    ),
    { numRuns: 200 },
  );
});
