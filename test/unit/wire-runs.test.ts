/** The ends of runs: numbers that are used up, a process that was set back or copied, two that meet again (P9, P19, P28, P29). */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Message } from '../../src/core/messages.ts';
import { RunEnded } from '../../src/wire/ended.ts';
import type { Endpoint, Outgoing } from '../../src/wire/endpoint.ts';
import { SEQ_LIMIT } from '../../src/wire/limits.ts';
import { Marks } from '../../src/wire/marks.ts';
import { testEndpoint, testRoster } from './wire-fixture.ts';
import { check, codeOf, forger, joinedPair, Net, roster } from './wire-net.ts';
import { Recorded } from './wire-recorded.ts';

const peerOf = (net: Net, name: string, host: string) =>
  net
    .get(name)
    .peers()
    .find((peer) => peer.host === host) ?? assert.fail();

test('P9: numbers pass 2^32, and the last is 2^48 - 1: then the run ends, and a new one is believed', () => {
  for (const near of [2 ** 32, SEQ_LIMIT]) {
    const net = new Net({
      fw1: testEndpoint(roster, 'fw1', { firstSeq: near - 200 }),
      fw2: testEndpoint(roster, 'fw2', { firstSeq: near - 200 }),
    });
    for (let i = 0; i < 5; i++) net.step();
    const say = () => {
      net.nowMs++;
      return net.deliver('fw1', net.get('fw1').seal(net.nowMs, 'fw2', [check(1)])).map(codeOf);
    };
    let said = 0;
    let ended: unknown = null;
    for (let i = 0; i < 400 && ended === null; i++)
      try {
        assert.deepEqual(say(), ['messages']);
        said++;
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
        ended = error;
      }
    if (near < SEQ_LIMIT) {
      assert.equal(ended, null);
      continue;
    }
    assert.ok(ended instanceof RunEnded && ended.reason === 'numbers');
    assert.ok(said > 150, String(said));
    assert.throws(say, RunEnded, 'it does not begin again from 0');
    net.hosts.set('fw1', testEndpoint(roster, 'fw1', { run: 1, nowMs: net.nowMs }));
    for (let i = 0; i < 700; i++) net.step();
    assert.deepEqual(say(), ['messages']);
  }
});

test('marks: of one run each number has its own, another run has others', () => {
  const marks = new Marks(new Uint8Array(32).fill(1));
  const again = new Marks(new Uint8Array(32).fill(1));
  const other = new Marks(new Uint8Array(32).fill(2));
  const seen = new Set<string>();
  for (const seq of [0, 1, 2, 3, 4, 5, 1000, 2 ** 32, 2 ** 48 - 1, 7, 3]) {
    assert.deepEqual(marks.of(seq), again.of(seq));
    assert.notDeepEqual(marks.of(seq), other.of(seq));
    seen.add(Buffer.from(marks.of(seq)).toString('hex'));
  }
  assert.equal(seen.size, 10);
});

test('P28: a host that is set back to a snapshot learns it from the first word that shows a later number of its run', () => {
  const wire = new Recorded('fw1 run 0', (randomBytes) => testEndpoint(roster, 'fw1', { randomBytes }));
  const proxy = (of: () => Recorded): Endpoint =>
    ({
      tick: (nowMs: number) => of().do((e) => e.tick(nowMs)),
      receive: (nowMs: number, link: number, datagram: Uint8Array) =>
        of().do((e) => e.receive(nowMs, link, datagram)),
      seal: (...args: Parameters<Endpoint['seal']>) => of().do((e) => e.seal(...args)),
      peers: () => of().do((e) => e.peers()),
    }) as unknown as Endpoint;
  let running = wire;
  const net = new Net({ fw1: proxy(() => running), fw2: testEndpoint(roster, 'fw2') });
  for (let i = 0; i < 5; i++) net.step();
  const say = (from: string, to: string) =>
    net.deliver(from, net.get(from).seal(net.nowMs, to, [check(1)])).map(codeOf);
  const snapshot = wire.snapshot();
  assert.deepEqual(say('fw2', 'fw1'), ['messages'], 'nothing was said since the snapshot');
  assert.deepEqual(say('fw1', 'fw2'), ['messages']);
  const recorded = net.get('fw2').seal(net.nowMs, 'fw1', [check(2)]);
  assert.deepEqual(say('fw2', 'fw1'), ['messages']);

  running = wire.restored(snapshot, 'after the restoring');
  // Words recorded since the snapshot show it as well: they are not taken a second time, and nothing is answered.
  assert.deepEqual(net.deliver('fw2', recorded).map(codeOf), ['set-back']);
  assert.deepEqual(say('fw2', 'fw1'), ['set-back']);
  assert.deepEqual(say('fw1', 'fw2'), ['replayed'], 'its number was used before');
});

test('P28: nobody can claim that a host was set back: the mark of a number that it never used is unknown', () => {
  const net = joinedPair();
  const forge = forger(net); // fw1 itself, lying to fw2
  for (const heard of [
    { seq: 2 ** 48 - 1, mark: new Uint8Array(8) },
    { seq: 1000, mark: new Uint8Array(8).fill(255) },
  ])
    assert.equal(forge({ heard }), 'messages');
});

/** Lets `actor` and `peer` talk alone until both are quiet: as if the other run of `actor` were cut off. */
function talk(nowMs: number, actor: Endpoint, peer: Endpoint, start: readonly Outgoing[]): void {
  let [to, back] = [peer, actor];
  for (let outgoing = start; outgoing.length > 0; [to, back] = [back, to])
    outgoing = outgoing.flatMap((out) => {
      const received = to.receive(nowMs, out.link, out.datagram);
      return received.kind === 'refused' ? [] : received.replies;
    });
}

test('P16, P19: two hosts that each believe in a run of the other that is gone meet again', () => {
  const two = testRoster(['fw1', 'fw2']);
  const run = (name: string, number: number, nowMs: number) =>
    testEndpoint(two, name, { run: number, nowMs });
  const net = new Net({ fw1: run('fw1', 0, 1000), fw2: run('fw2', 0, 1000) });
  for (let i = 0; i < 5; i++) net.step();
  // A copy of each talks to the other's original while the originals are cut off from each other; then both are gone.
  net.nowMs += 1000;
  for (const [copied, other] of [
    ['fw1', 'fw2'],
    ['fw2', 'fw1'],
  ] as const) {
    const copy = run(copied, 1, net.nowMs);
    for (let i = 0; i < 200; i++) {
      net.nowMs++;
      talk(net.nowMs, copy, net.get(other), copy.tick(net.nowMs));
    }
    assert.ok(copy.peers().some((peer) => peer.session));
  }
  const said = net.get('fw1').seal(net.nowMs, 'fw2', [check(1)]);
  assert.deepEqual(net.deliver('fw1', said).map(codeOf), ['wrong-session']);
  for (let i = 0; i < 1500; i++) net.step();
  for (const [from, to] of [
    ['fw1', 'fw2'],
    ['fw2', 'fw1'],
  ] as const)
    assert.deepEqual(net.deliver(from, net.get(from).seal(net.nowMs, to, [check(2)])).map(codeOf), [
      'messages',
    ]);
});

test('P29: while two runs speak in the name of one host its grants do not count, its other words do', () => {
  const net = joinedPair();
  const first = net.get('fw1');
  const clone = testEndpoint(roster, 'fw1', { run: 1, nowMs: net.nowMs });
  const term = { n: 1, host: 'fw2' };
  const grant: Message = { type: 'GRANT', service: 's', id: 1, term };
  const ack: Message = { type: 'ACK', service: 's', id: 1, term };
  const codes = (message: Message) => net.deliver('fw1', first.seal(net.nowMs, 'fw2', [message])).map(codeOf);
  assert.deepEqual(codes(grant), ['messages']);
  for (let i = 0; i < 400; i++) {
    net.nowMs += 5;
    assert.deepEqual(codes(check(i)), ['messages']);
    net.deliver('fw1', first.tick(net.nowMs));
    talk(
      net.nowMs,
      clone,
      net.get('fw2'),
      clone.tick(net.nowMs).filter((out) => out.to === 'fw2'),
    );
  }
  assert.ok(peerOf(net, 'fw2', 'fw1').duplicateMs !== null);
  assert.deepEqual(codes(grant), ['duplicate-session']);
  assert.deepEqual(codes(ack), ['duplicate-session']);
  assert.deepEqual(codes(check(1000)), ['messages']);
  // The clone is gone; after a minute without proof of it the host votes again.
  for (let i = 0; i < 650; i++) {
    net.nowMs += 100;
    assert.deepEqual(codes(check(i)), ['messages'], String(i));
    for (const name of ['fw1', 'fw2']) net.deliver(name, net.get(name).tick(net.nowMs));
  }
  assert.deepEqual(codes(grant), ['messages']);
});

test('peers() tells how long words are under way', () => {
  const net = joinedPair();
  net.nowMs += 3;
  const out = net.get('fw1').seal(net.nowMs, 'fw2', [check(1)]);
  net.nowMs += 7;
  assert.deepEqual(net.deliver('fw1', out).map(codeOf), ['messages']);
  const { roundTripMs, delayMs } = peerOf(net, 'fw2', 'fw1');
  assert.equal(roundTripMs, 0);
  assert.ok(
    delayMs !== null && delayMs.leastMs <= 7 && delayMs.mostMs >= 7 && delayMs.mostMs < 12,
    String(delayMs),
  );
});
