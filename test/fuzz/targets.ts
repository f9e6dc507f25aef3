/**
 * What is fuzzed: everything that takes bytes from outside. A target takes one input and throws when what came of it
 * is neither a value nor a refusal, or when a refusal changed anything.
 */
import assert from 'node:assert/strict';
import type { Message } from '../../src/core/messages.ts';
import { nextBody } from '../../src/trust/roster.ts';
import { decodeRosterBody, encodeRosterBody } from '../../src/trust/roster-body.ts';
import { decodeCbor, encodeCbor } from '../../src/wire/cbor.ts';
import { readSign1 } from '../../src/wire/cose.ts';
import type { Endpoint, Identity } from '../../src/wire/endpoint.ts';
import { gateKey } from '../../src/wire/gate.ts';
import { GATE_BYTES } from '../../src/wire/limits.ts';
import { type Primitives, REAL_PRIMITIVES } from '../../src/wire/primitives.ts';
import { partOf, type RosterWord } from '../../src/wire/roster-words.ts';
import { firstBody, memberBody, testEndpoint, testIdentity } from '../unit/wire-fixture.ts';
import { check, roster, status } from '../unit/wire-net.ts';
import { actuatorTarget, frameTarget } from './actuator-target.ts';
import { fileTargets } from './file-targets.ts';
import { LOG_TARGETS } from './log-targets.ts';
import { remoteTarget } from './remote-target.ts';

export interface Target {
  readonly name: string;
  readonly corpus: readonly Uint8Array[];
  /** How many of a hundred inputs it gets: the slow ones fewer. */
  readonly share: number;
  /** Throws when the input is not dealt with as it must be. */
  run(input: Uint8Array): void | Promise<void>;
}

/** A judge of signatures and gates that lets everything pass, so that what lies behind them is reached. */
const OPEN: Primitives = {
  importVerifyKey: (bytes) => ({ bytes, verify: () => true }),
  gateKey,
  gateTag: () => new Uint8Array(GATE_BYTES),
};
const unsigned = (name: string): Identity => ({ ...testIdentity(name), sign: () => new Uint8Array(64) });

/** Two hosts in session, one datagram of each kind that the first sends the second, and the second. */
function conversation(primitives: Primitives): { receiver: Endpoint; said: Uint8Array[]; nowMs: number } {
  const open = primitives === OPEN;
  const [fw1, fw2] = ['fw1', 'fw2'].map((name) =>
    testEndpoint(roster, name, { primitives, identity: open ? unsigned(name) : testIdentity(name) }),
  ) as [Endpoint, Endpoint];
  const said: Uint8Array[] = [];
  let nowMs = 1000;
  for (let i = 0; i < 5; i++) {
    nowMs++;
    for (const [host, peer] of [
      [fw1, fw2],
      [fw2, fw1],
    ] as const) {
      let outgoing = host.tick(nowMs);
      for (let [to, back] = [peer, host]; outgoing.length > 0; [to, back] = [back, to])
        outgoing = outgoing.flatMap((out) => {
          if (to === fw2) said.push(out.datagram);
          const received = to.receive(nowMs, out.link, out.datagram);
          return received.kind === 'refused' ? [] : received.replies;
        });
    }
  }
  const term = { n: 3, host: 'fw1' };
  const table = { term, seq: 2, rows: [{ host: 'fw1', fit: true, standby: false, burdened: true }] };
  const messages: Message[] = [
    check(1),
    { ...status(2), table } as Message,
    {
      ...({
        type: 'REPORT',
        service: 's',
        activity: 'backup',
        fit: true,
        standby: false,
        downlink: true,
      } as const),
      ...{ digest: 'ab', tableTerm: term, tableSeq: 2, load: 999, burdened: true },
    },
    { type: 'GRANT', service: 's', id: 3, term, table },
    { type: 'OBJECT', service: 's', id: 4, reason: 'hearing', term, restMs: 5, downlinkAgeMs: null },
    { type: 'RELEASED', service: 's', term, successor: 'fw2', id: 5, restMs: 6 },
    { type: 'PROBED', service: 's', id: 6, activity: 'service', serving: true, term, downlinkAgeMs: 7 },
  ];
  for (const message of messages)
    for (const out of fw1.seal(nowMs, 'fw2', [message])) said.push(out.datagram);
  for (const out of fw1.seal(nowMs, 'all', [status(9)])) if (out.to === 'fw2') said.push(out.datagram);
  const { version, hash } = roster;
  const newest = roster.versions.at(-1) ?? assert.fail('a roster has a version');
  const words: (RosterWord | null)[] = [
    { kind: 'tell' },
    { kind: 'ask', version, hash, chunk: 0 },
    partOf(version, hash, newest, 0),
  ];
  for (const word of words)
    if (word !== null) for (const out of fw1.sealRoster(nowMs, 'fw2', word)) said.push(out.datagram);
  return { receiver: fw2, said, nowMs };
}

const RENEWED_EACH = 500;

/** All that an operator or the core can see of an endpoint, but for what it counts. */
function observable(endpoint: Endpoint): string {
  return JSON.stringify(endpoint.peers());
}

/** Datagrams from the network. Changed ones must be refused, and a refusal must change nothing that can be seen. */
function datagrams(): Target {
  const { receiver, said, nowMs } = conversation(REAL_PRIMITIVES);
  const whole = new Set(said.map((one) => Buffer.from(one).toString('hex')));
  return {
    name: 'datagram',
    corpus: said,
    share: 30,
    run(input) {
      const before = observable(receiver);
      const received = receiver.receive(nowMs, 1, input);
      if (received.kind === 'refused')
        assert.equal(observable(receiver), before, 'a refusal changed the state');
      else assert.ok(whole.has(Buffer.from(input).toString('hex')), 'a changed datagram was taken');
    },
  };
}

/** The same behind an open gate and signature: what a member's own faulty or hostile daemon can send. */
function members(): Target {
  let { receiver, said, nowMs } = conversation(OPEN);
  let count = 0;
  return {
    name: 'member',
    corpus: said,
    share: 25,
    run(input) {
      // Numbers and budgets would soon be used up, and then nothing would get any further.
      if (++count % RENEWED_EACH === 0) ({ receiver, said, nowMs } = conversation(OPEN));
      const before = observable(receiver);
      const received = receiver.receive(nowMs, 1, input);
      // `overtaken` is judged last, when the number has been taken (P31).
      if (received.kind === 'refused' && received.code === 'overtaken') return;
      if (received.kind === 'refused')
        assert.equal(observable(receiver), before, 'a refusal changed the state');
      else if (received.kind === 'messages')
        assert.ok(received.messages.every((m) => typeof m.service === 'string'));
      else if (received.kind === 'roster')
        assert.ok(['tell', 'ask', 'part'].includes(received.word.kind), received.word.kind);
      else assert.equal(received.kind, 'handshake');
    },
  };
}

function cbor(): Target {
  const { said } = conversation(REAL_PRIMITIVES);
  return {
    name: 'cbor',
    corpus: [
      ...said.flatMap((one) => readSign1(one, GATE_BYTES)?.payload ?? []),
      encodeRosterBody(firstBody()),
    ],
    share: 30,
    run(input) {
      const value = decodeCbor(input);
      if (value !== undefined)
        assert.deepEqual(encodeCbor(value), Uint8Array.from(input), 'decodes, encodes otherwise');
    },
  };
}

function rosterBodies(): Target {
  const bodies = [firstBody(), nextBody(roster, [memberBody('fw1', 1), memberBody('w', 2, 'witness')])];
  return {
    name: 'roster-body',
    corpus: bodies.map(encodeRosterBody),
    share: 13,
    run(input) {
      const decoded = decodeRosterBody(input);
      if (decoded.ok) assert.deepEqual(encodeRosterBody(decoded.body), Uint8Array.from(input));
      else assert.ok(decoded.reason.length > 0);
    },
  };
}

/** The targets that are plain calls; the control socket, which is none, has a file of its own. */
export function callTargets(): Target[] {
  const plain = [datagrams(), members(), cbor(), rosterBodies(), actuatorTarget(), frameTarget()];
  return [...plain, remoteTarget(), ...fileTargets(), ...LOG_TARGETS];
}
