/**
 * spec/messages.cddl and the code say the same: every message that can be encoded is of the CDDL, and of a large set
 * of spoilt ones the decoder refuses whatever the CDDL refuses (P8, P10, P11, P22).
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { parseSocketAddress } from '../../src/trust/address.ts';
import { nextBody } from '../../src/trust/roster.ts';
import { decodeRosterBody, encodeRosterBody } from '../../src/trust/roster-body.ts';
import { type CborValue, decodeCbor, encodeCbor } from '../../src/wire/cbor.ts';
import { decodeRecords, encodeRecord, isSignedOnce, messageType, typeNumber } from '../../src/wire/codec.ts';
import { messageAad, readSign1, rosterAad } from '../../src/wire/cose.ts';
import { GATE_BYTES, ROSTER_CHUNK_BYTES } from '../../src/wire/limits.ts';
import { MESSAGES, type MessageSpec, SESSION_TYPES, type Slot } from '../../src/wire/messages.ts';
import {
  decodeBody,
  encodeHandshake,
  encodePayload,
  type Handshake,
  type Header,
  handshakeType,
  mayShowHead,
  readHandshake,
  readHeader,
} from '../../src/wire/payload.ts';
import {
  CHUNKS_MAX,
  decodeRosterWord,
  encodeRosterWord,
  partOf,
  type RosterWord,
} from '../../src/wire/roster-words.ts';
import { matches, Tagged } from '../cddl/match.ts';
import { mutants } from '../cddl/mutants.ts';
import { parseCddl } from '../cddl/parse.ts';
import { readText } from './vectors.ts';
import { messageOf, messageTypes } from './wire-arbitraries.ts';
import { admin, appended, firstBody, memberBody, testRoster } from './wire-fixture.ts';
import { check, forger, joinedPair, status } from './wire-net.ts';

const text = readText('spec/messages.cddl');
const grammar = parseCddl(text);
const bytes = (length: number): Uint8Array => new Uint8Array(length).fill(9);

const held = { run: bytes(16), n: 70_000, hash: bytes(32) };
const shownHead = { ...held, weighty: 300, news: 5 };

const header = (type: number, toSid: boolean, head = false): Header => ({
  type,
  sid: bytes(16),
  seq: 2 ** 40,
  mark: bytes(8),
  sentMs: 123_456,
  rosterVersion: 3,
  rosterHash: bytes(8),
  toSid: toSid ? bytes(16) : null,
  heard: toSid ? { seq: 70_000, mark: bytes(8) } : null,
  head: head ? shownHead : null,
});

/** What the endpoint makes of a payload behind gate and signature: whether it is one that it may go on with. */
function decodes(payload: Uint8Array): boolean {
  if (decodeCbor(payload) === undefined) return false;
  const read = readHeader(payload);
  if (read === null) return false;
  const type = messageType(read.type);
  if (read.type === SESSION_TYPES.ROSTER)
    return read.toSid !== null && decodeRosterWord(decodeBody(payload) ?? null) !== undefined;
  if (type === undefined) return readHandshake(read, payload) !== null;
  if (read.toSid === null && !isSignedOnce(type)) return false;
  return decodeRecords(type, decodeBody(payload) ?? null) !== undefined;
}

const handshakes: readonly Handshake[] = [
  { kind: 'bare-hello', isReply: false },
  { kind: 'bare-hello', isReply: true },
  { kind: 'hello', nonce: bytes(16) },
  { kind: 'challenge', nonce: bytes(16), echo: bytes(16) },
  { kind: 'welcome', echo: bytes(16) },
  { kind: 'challenge', nonce: bytes(16), echo: bytes(16), held },
  { kind: 'welcome', echo: bytes(16), held },
];
const handshakePayloads = handshakes.map((one) =>
  encodePayload(header(handshakeType(one), one.kind !== 'bare-hello'), encodeHandshake(one)),
);

const rosterWords: readonly RosterWord[] = [
  { kind: 'tell' },
  { kind: 'ask', version: 1, hash: bytes(8), chunk: 0 },
  { kind: 'ask', version: 2 ** 32 - 1, hash: bytes(8), chunk: CHUNKS_MAX - 1 },
  { kind: 'part', version: 7, hash: bytes(8), chunk: 0, chunks: 1, bytes: bytes(1) },
  { kind: 'part', version: 7, hash: bytes(8), chunk: 0, chunks: 2, bytes: bytes(ROSTER_CHUNK_BYTES) },
  ...[0, 1, 2].flatMap((chunk) => partOf(9, bytes(32), bytes(2 * ROSTER_CHUNK_BYTES + 5), chunk) ?? []),
  {
    kind: 'part',
    version: 7,
    hash: bytes(8),
    chunk: CHUNKS_MAX - 1,
    chunks: CHUNKS_MAX,
    bytes: bytes(ROSTER_CHUNK_BYTES),
  },
];
const rosterPayloads = rosterWords.map((word) =>
  encodePayload(header(SESSION_TYPES.ROSTER, true), encodeCbor(encodeRosterWord(word))),
);

/** Samples of one type: with their optional fields and without, every word of a closed list among them. */
const samples = messageTypes.map((type) => fc.sample(messageOf(type), { numRuns: 40, seed: 7 }));

test('every message that the code can encode is of the CDDL, to one and where it may to all', () => {
  for (const type of messageTypes) {
    const toAll = isSignedOnce(type) ? [true, false] : [true];
    fc.assert(
      fc.property(fc.array(messageOf(type), { minLength: 1, maxLength: 3 }), (messages) => {
        const heads = mayShowHead(typeNumber(type)) ? [true, false] : [false];
        for (const [toOne, head] of toAll.flatMap((one) => heads.map((shows) => [one, shows] as const))) {
          const payload = encodePayload(
            header(typeNumber(type), toOne, head),
            encodeCbor(messages.map((message) => encodeRecord(message))),
          );
          const value = decodeCbor(payload) ?? null;
          assert.ok(matches(grammar, type.toLowerCase(), value), type);
          assert.ok(matches(grammar, 'payload', value), type);
          assert.ok(decodes(payload));
        }
      }),
      { numRuns: 60 },
    );
  }
  for (const payload of [...handshakePayloads, ...rosterPayloads]) {
    assert.ok(matches(grammar, 'payload', decodeCbor(payload) ?? null));
    assert.ok(decodes(payload));
  }
});

test('the samples have every optional field present and absent, null and not, and every word of the closed lists', () => {
  for (const [i, type] of messageTypes.entries()) {
    const { slots } = MESSAGES[type] as unknown as { slots: Record<string, Slot<unknown>> };
    const fields = (samples[i] ?? []) as unknown as { [name: string]: unknown }[];
    for (const [name, slot] of Object.entries(slots)) {
      const seen = fields.map((message) => message[name]);
      const none = slot.since?.absent;
      if (slot.optional) assert.ok(seen.includes(none) && seen.some((v) => v !== none), `${type} ${name}`);
      if (slot.field.cddl.endsWith('/ null'))
        assert.ok(seen.includes(null) && seen.some((v) => v !== null), name);
      const words = [...slot.field.cddl.matchAll(/([a-z]+): \d/g)].map(([, word]) => word);
      for (const word of words) assert.ok(seen.includes(word), `${type} ${name} ${word}`);
      if (slot.field.cddl === 'bool')
        assert.ok(seen.includes(true) && seen.includes(false), `${type} ${name}`);
    }
  }
});

/** What the CDDL cannot say and its head names: a doubled host, the one word that is no name, parts that do not fit. */
function isBeyondCddl(value: CborValue): boolean {
  if (value === 'constructor') return true;
  if (value instanceof Map && value.size === 5 && value.get(5) instanceof Uint8Array) {
    const [chunk, chunks, part] = [3, 4, 5].map((key) => value.get(key)) as [number, number, Uint8Array];
    if (chunk >= chunks || (chunk < chunks - 1 && part.length !== ROSTER_CHUNK_BYTES)) return true;
  }
  if (value instanceof Map) return [...value.values()].some(isBeyondCddl);
  if (!Array.isArray(value)) return false;
  const list: readonly CborValue[] = value;
  const hosts = list
    .map((row) => (Array.isArray(row) ? row[0] : null))
    .filter((host) => typeof host === 'string');
  return new Set(hosts).size < hosts.length || list.some(isBeyondCddl);
}

test('of all mutants of every message, the decoder refuses exactly what the CDDL refuses, but for what it cannot say', () => {
  let [accepted, refused] = [0, 0];
  const compare = (payload: Uint8Array) => {
    const original = decodeCbor(payload);
    assert.ok(original !== undefined);
    for (const value of mutants(original)) {
      const mutant = encodeCbor(value);
      const isOfCddl = matches(grammar, 'payload', value);
      const told = () => `${isOfCddl ? 'of' : 'not of'} the CDDL: ${Buffer.from(mutant).toString('hex')}`;
      if (decodes(mutant)) assert.ok(isOfCddl, told());
      else assert.ok(!isOfCddl || isBeyondCddl(value), told());
      if (isOfCddl) accepted++;
      else refused++;
    }
  };
  for (const payload of [...handshakePayloads, ...rosterPayloads]) compare(payload);
  for (const [i, type] of messageTypes.entries())
    for (const toOne of [true, false]) {
      const [message] =
        samples[i]?.toSorted((a, b) => JSON.stringify(b).length - JSON.stringify(a).length) ?? [];
      if (message === undefined || (!toOne && !isSignedOnce(type))) continue;
      compare(
        encodePayload(
          header(typeNumber(type), toOne, mayShowHead(typeNumber(type))),
          encodeCbor([encodeRecord(cut(message))]),
        ),
      );
    }
  assert.ok(refused > 10_000 && accepted > 500, `${refused} refused, ${accepted} accepted`);
});

/** A table of three rows at most: more of them make more mutants, not other ones. */
function cut<M extends object>(message: M): M {
  const { table } = message as { table?: { rows: readonly unknown[] } };
  return table === undefined ? message : { ...message, table: { ...table, rows: table.rows.slice(0, 3) } };
}

/** Wrong messages by hand, each told apart from a right one by one thing. */
const wrong: readonly (readonly [why: string, spoil: (payload: Map<number, CborValue>) => void])[] = [
  ['no type', (p) => p.delete(1)],
  ['the type of a roster', (p) => p.set(1, 4)],
  ['another type', (p) => p.set(1, 12)],
  ['a session of 15 bytes', (p) => p.set(2, bytes(15))],
  ['a number of 2^48', (p) => p.set(3, [2 ** 48, bytes(8)])],
  ['a number below 0', (p) => p.set(3, [-1, bytes(8)])],
  ['a number without its mark', (p) => p.set(3, 1)],
  ['a number heard without its mark', (p) => p.set(6, [bytes(16), 1])],
  ['a roster without its hash', (p) => p.set(5, [3])],
  ['no receiver', (p) => p.delete(6)],
  ['no body', (p) => p.delete(7)],
  ['an empty body', (p) => p.set(7, [])],
  [
    '65 records',
    (p) =>
      p.set(
        7,
        Array.from({ length: 65 }, () => encodeRecord(check(1))),
      ),
  ],
  ['a record of another type', (p) => p.set(7, [encodeRecord(status(1))])],
  ['a reserved key', (p) => p.set(8, 1)],
  ['an unknown key', (p) => p.set(99, 1)],
];

test('wrong messages are refused by the CDDL, and by an endpoint that gets them signed and gated', () => {
  const net = joinedPair();
  const forge = forger(net);
  assert.equal(forge({}), 'messages');
  for (const [why, spoil] of wrong) {
    const made = encodePayload(
      { ...header(typeNumber('CHECK'), true), toSid: bytes(16) },
      encodeCbor([encodeRecord(check(1))]),
    );
    const value = new Map(decodeCbor(made) as Map<number, CborValue>);
    assert.ok(matches(grammar, 'payload', value));
    spoil(value);
    assert.ok(!matches(grammar, 'payload', value), why);
    const code = forge({ payload: encodeCbor(value) });
    assert.ok(code !== 'messages' && code !== 'handshake', `${why}: ${code}`);
  }
});

test('a whole datagram is a cose-sign1 of the CDDL behind its gate, and a version of the roster is one', () => {
  const net = joinedPair();
  const said = [...net.sent, ...net.get('fw1').seal(net.nowMs, 'all', [status(1), check(1)])];
  for (const { datagram } of said)
    assert.ok(matches(grammar, 'cose-sign1', untagged(datagram.subarray(GATE_BYTES))));
  for (const version of testRoster(['fw1', 'fw2'], ['w']).versions) {
    const value = untagged(version);
    assert.ok(matches(grammar, 'cose-sign1', value));
    const { value: parts } = value;
    assert.ok(Array.isArray(parts));
    for (const [i, wrongPart] of [
      [0, encodeCbor(new Map([[1, -7]]))],
      [1, new Map([[4, bytes(2)]])],
      [3, bytes(63)],
    ] as const)
      assert.ok(!matches(grammar, 'cose-sign1', new Tagged(18, parts.toSpliced(i, 1, wrongPart))));
  }
});

function untagged(envelope: Uint8Array): Tagged {
  assert.equal(envelope[0], 0xd2);
  assert.ok(readSign1(envelope) !== null);
  return new Tagged(18, decodeCbor(envelope.subarray(1)) ?? null);
}

test('external data are those of the CDDL', () => {
  for (const receiver of [bytes(32), null])
    assert.ok(matches(grammar, 'message-aad', decodeCbor(messageAad(bytes(32), receiver)) ?? null));
  assert.ok(matches(grammar, 'roster-aad', decodeCbor(rosterAad()) ?? null));
  assert.ok(!matches(grammar, 'roster-aad', decodeCbor(messageAad(bytes(32), null)) ?? null));
});

test('of all mutants of rosters, the decoder refuses whatever the CDDL refuses', () => {
  const first = firstBody();
  const roster = appended(null, first);
  const second = nextBody(appended(roster, nextBody(roster, [memberBody('fw1', 1)])), [
    memberBody('fw1', 1),
    {
      ...memberBody('w', 2, 'witness'),
      addresses: [parseSocketAddress('[fd00::9]:1')].flatMap((a) => a ?? []),
    },
  ]);
  let refused = 0;
  for (const body of [first, second, { ...second, admins: [admin.publicKey, bytes(32)] }]) {
    const encoded = encodeRosterBody(body);
    assert.ok(decodeRosterBody(encoded).ok);
    const original = decodeCbor(encoded) ?? null;
    assert.ok(matches(grammar, 'roster-version', original));
    for (const value of mutants(original)) {
      const mutant = encodeCbor(value);
      if (matches(grammar, 'roster-version', value)) continue;
      refused++;
      assert.ok(!decodeRosterBody(mutant).ok, Buffer.from(mutant).toString('hex'));
    }
  }
  assert.ok(refused > 2000, String(refused));
});

test('the records of the CDDL are those of the table in the code, field by field', () => {
  for (const type of messageTypes) {
    const spec = MESSAGES[type] as unknown as MessageSpec<never>;
    const slots = Object.entries(spec.slots) as [string, Slot<unknown>][];
    const made = slots.map(
      ([name, { key, field, optional }]) => `${optional ? '? ' : ''}${key}: ${field.cddl} ; ${name}`,
    );
    const [, body = ''] =
      new RegExp(`^${type.toLowerCase()}-record = \\{\n([^}]*)\n\\}`, 'm').exec(text) ?? [];
    const lines = body.split('\n').map((line) => line.trim().replace(/,?\s*;/, ' ;'));
    assert.deepEqual(lines, made, type);
    assert.match(
      text,
      new RegExp(
        `^${type.toLowerCase()} = \\{ 1: ${spec.number}, header, ${spec.signedOnce ? 'to-any' : 'to-one'}, 7: \\[1\\*64 ${type.toLowerCase()}-record\\]${mayShowHead(spec.number) ? ', shows' : ''} \\}$`,
        'm',
      ),
    );
  }
});
