/** A network without loss or delay for endpoints, messages to send over it, and a forger who holds one host's key. */
import assert from 'node:assert/strict';
import type { Message } from '../../src/core/messages.ts';
import { type CborValue, encodeCbor } from '../../src/wire/cbor.ts';
import { encodeRecord, typeNumber } from '../../src/wire/codec.ts';
import { messageAad, writeSign1 } from '../../src/wire/cose.ts';
import type { Endpoint, Outgoing, Received } from '../../src/wire/endpoint.ts';
import { addGate, gateKey } from '../../src/wire/gate.ts';
import { PROTOCOL } from '../../src/wire/limits.ts';
import type { Marked } from '../../src/wire/marks.ts';
import { encodePayload } from '../../src/wire/payload.ts';
import { sessionId } from '../../src/wire/protocol.ts';
import type { RejectionCode } from '../../src/wire/rejection.ts';
import { seededBytes, testEndpoint, testIdentity, testRoster } from './wire-fixture.ts';

export const roster = testRoster(['fw1', 'fw2'], ['w']);
export const member = (name: string) =>
  roster.members.find((entry) => entry.name === name) ?? assert.fail(name);

/** Hosts on a network without loss or delay; `step` lets a millisecond pass and delivers until all is quiet. */
export class Net {
  readonly hosts: Map<string, Endpoint>;
  readonly sent: (Outgoing & { from: string })[] = [];
  nowMs = 1000;

  constructor(hosts: Record<string, Endpoint>) {
    this.hosts = new Map(Object.entries(hosts));
  }

  get(name: string): Endpoint {
    return this.hosts.get(name) ?? assert.fail(name);
  }

  step(passMs = 1): void {
    this.nowMs += passMs;
    for (const [from, host] of this.hosts) this.deliver(from, host.tick(this.nowMs));
  }

  deliver(from: string, outgoing: readonly Outgoing[], depth = 0): Received[] {
    assert.ok(depth < 10, 'answers to answers without end');
    return outgoing.flatMap((out) => {
      this.sent.push({ from, ...out });
      const received = this.hosts.get(out.to)?.receive(this.nowMs, out.link, out.datagram);
      if (received === undefined) return [];
      if (received.kind !== 'refused') this.deliver(out.to, received.replies, depth + 1);
      return [received];
    });
  }
}

export function joinedPair(links: readonly number[] = [1]): Net {
  const net = new Net({
    fw1: testEndpoint(roster, 'fw1', { links }),
    fw2: testEndpoint(roster, 'fw2', { links }),
  });
  for (let i = 0; i < 5; i++) net.step();
  for (const [name, other] of [
    ['fw1', 'fw2'],
    ['fw2', 'fw1'],
  ] as const) {
    assert.ok(
      net
        .get(name)
        .peers()
        .some((peer) => peer.host === other && peer.session),
    );
  }
  return net;
}

export const check = (id: number): Message => ({ type: 'CHECK', service: 's', id, insist: false });
export const status = (id: number, service = 's'): Message => ({
  type: 'STATUS',
  service,
  id,
  term: { n: 1, host: 'fw1' },
  phase: 'serving',
  digest: 'ab',
  tableSeq: 0,
});

export const codeOf = (received: Received | undefined) =>
  received?.kind === 'refused' ? received.code : received?.kind;

/** Makes any datagram of fw1 to fw2, signed and gated as told, in the session that fw2 has accepted; they speak up to those numbers. */
export function forger(net: Net, [ofFw1, ofFw2]: readonly [number, number] = [PROTOCOL, PROTOCOL]) {
  const identity = testIdentity('fw1');
  const key = gateKey(
    identity.agree(member('fw2').publicKey),
    roster.clusterId,
    member('fw1').kid,
    member('fw2').kid,
  );
  const sid = sessionId(seededBytes('fw1 run 0')(16), ofFw1);
  const toSid = sessionId(seededBytes('fw2 run 0')(16), ofFw2);
  let seq = 1000;
  return (change: {
    type?: number;
    body?: CborValue;
    toSid?: Uint8Array | null;
    sid?: Uint8Array;
    seq?: number;
    heard?: Marked;
    sentMs?: number;
    aad?: Uint8Array;
    payload?: Uint8Array;
    tail?: Uint8Array;
    signer?: string;
    link?: number;
  }): RejectionCode | string | undefined => {
    const header = {
      type: change.type ?? typeNumber('CHECK'),
      sid: change.sid ?? sid,
      seq: change.seq ?? seq++,
      mark: new Uint8Array(8),
      sentMs: change.sentMs ?? Math.floor(net.nowMs),
      rosterVersion: roster.version,
      rosterHash: roster.hash.slice(0, 8),
      toSid: change.toSid === undefined ? toSid : change.toSid,
      heard: change.heard ?? null,
    };
    const payload =
      change.payload ?? encodePayload(header, encodeCbor(change.body ?? [encodeRecord(check(1))]));
    const aad = change.aad ?? messageAad(roster.clusterId, header.toSid === null ? null : member('fw2').kid);
    const envelope = writeSign1(member('fw1').kid, aad, payload, testIdentity(change.signer ?? 'fw1').sign);
    const whole = Uint8Array.from([...envelope, ...(change.tail ?? [])]);
    return codeOf(net.get('fw2').receive(net.nowMs, change.link ?? 1, addGate(key, 1, whole)));
  };
}
