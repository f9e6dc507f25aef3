/** The table of messages: every message comes back as it went in, everything else is refused, the spec says the same. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Message } from '../../src/core/messages.ts';
import { type CborValue, decodeCbor, encodeCbor } from '../../src/wire/cbor.ts';
import {
  decodeRecord,
  decodeRecords,
  encodeRecord,
  mayRoleSend,
  maySay,
  messageType,
  packRecords,
  typeNumber,
} from '../../src/wire/codec.ts';
import { MESSAGES, type MessageSpec, SESSION_TYPES, type Slot } from '../../src/wire/messages.ts';
import { REJECTION_CODES } from '../../src/wire/rejection.ts';
import { readText } from './vectors.ts';
import { anyMessage, messageOf, messageTypes } from './wire-arbitraries.ts';

const status: Message = {
  type: 'STATUS',
  service: 'firewall',
  id: 1,
  term: { n: 3, host: 'fw1' },
  phase: 'serving',
  digest: 'ab',
  tableSeq: 7,
};

test('property: every message of every type comes back from its bytes as it went in', () => {
  for (const type of messageTypes) {
    fc.assert(
      fc.property(messageOf(type), (message) => {
        const value = decodeCbor(encodeCbor(encodeRecord(message)));
        assert.deepEqual(decodeRecord(type, value ?? null), message);
      }),
      { numRuns: 60 },
    );
  }
});

const anyValue: fc.Arbitrary<CborValue> = fc.letrec<{ value: CborValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.nat(),
    fc.string(),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 40 }),
    fc.array(tie('value'), { maxLength: 6 }),
    fc
      .array(fc.tuple(fc.integer({ min: 0, max: 10 }), tie('value')), { maxLength: 8 })
      .map((entries) => new Map(entries)),
  ),
})).value;

test('property: any value is decoded to messages or refused; nothing is thrown', () => {
  fc.assert(
    fc.property(fc.constantFrom(...messageTypes), anyValue, (type, value) => {
      const message = decodeRecord(type, value);
      if (message !== undefined) assert.deepEqual(encodeRecord(message), value);
      decodeRecords(type, value);
    }),
    { numRuns: 2000 },
  );
});

test('property: a record with one field replaced by any value is refused or means just that', () => {
  fc.assert(
    fc.property(anyMessage, fc.integer({ min: 1, max: 10 }), anyValue, (message, key, value) => {
      const record = new Map(encodeRecord(message)).set(key, value);
      const decoded = decodeRecord(message.type, record);
      if (decoded !== undefined) {
        assert.deepEqual(encodeCbor(encodeRecord(decoded)), encodeCbor(record));
      }
    }),
    { numRuns: 2000 },
  );
});

test('missing and unknown fields are refused', () => {
  for (const type of messageTypes) {
    const [message] = fc.sample(messageOf(type), { numRuns: 1, seed: 1 });
    assert.ok(message !== undefined);
    const record = encodeRecord(message);
    assert.ok(decodeRecord(type, record) !== undefined);
    assert.equal(decodeRecord(type, new Map(record).set(99, 0)), undefined, `${type} with an unknown key`);
    const without = new Map(record);
    without.delete(1);
    assert.equal(decodeRecord(type, without), undefined, `${type} without its service`);
  }
});

test('names, ranges and doubled hosts are held to', () => {
  const change = (key: number, value: CborValue) =>
    decodeRecord('STATUS', new Map(encodeRecord(status)).set(key, value));
  for (const name of ['', 'A', 'fw_1', 'fw 1', 'a'.repeat(33), 'fw1\n', 'é'])
    assert.equal(change(1, name), undefined, name);
  assert.equal(change(2, -1), undefined);
  assert.equal(change(2, 2 ** 48), undefined);
  assert.equal(change(3, [1]), undefined);
  assert.equal(change(3, [1, 'fw1', 2]), undefined);
  assert.equal(change(4, 3), undefined);
  assert.equal(change(5, new Uint8Array()), undefined);
  assert.equal(change(5, new Uint8Array(33)), undefined);
  const rows = (count: number) => Array.from({ length: count }, (_, i) => [`h${i}`, true, false]);
  assert.ok(change(7, [[1, 'fw1'], 1, rows(16)]) !== undefined);
  assert.equal(change(7, [[1, 'fw1'], 1, rows(17)]), undefined);
  assert.equal(change(7, [[1, 'fw1'], 1, [...rows(1), ...rows(1)]]), undefined);
});

test('times are rounded to the safe side: rests down, ages up', () => {
  const sent: Message = {
    type: 'OBJECT',
    service: 's',
    id: 1,
    reason: 'serving',
    term: { n: 1, host: 'a' },
    restMs: 9.9,
    downlinkAgeMs: 9.1,
  };
  const got = decodeRecord('OBJECT', encodeRecord(sent));
  assert.deepEqual(got, { ...sent, restMs: 9, downlinkAgeMs: 10 });
  assert.equal(encodeRecord({ ...sent, restMs: -5 }).get(5), 0);
  assert.equal(encodeRecord({ ...sent, restMs: Number.POSITIVE_INFINITY }).get(5), 2 ** 32 - 1);
});

test('a witness votes and reports; it claims, serves, hands over and complains never', () => {
  const may = messageTypes.filter((type) => mayRoleSend('witness', typeNumber(type)));
  assert.deepEqual(may, ['ACK', 'REPORT', 'PROBE', 'PROBED', 'GRANT', 'OBJECT', 'BYE']);
  assert.ok(messageTypes.every((type) => mayRoleSend('gateway', typeNumber(type))));
  const objection: Message = {
    type: 'OBJECT',
    service: 's',
    id: 1,
    reason: 'promise',
    term: { n: 1, host: 'a' },
    restMs: 1,
    downlinkAgeMs: null,
  };
  assert.ok(maySay('w', 'witness', objection));
  assert.ok(!maySay('w', 'witness', { ...objection, reason: 'serving' }));
  const probed: Message = {
    type: 'PROBED',
    service: 's',
    id: 1,
    activity: 'backup',
    serving: false,
    term: null,
    downlinkAgeMs: null,
  };
  assert.ok(maySay('w', 'witness', probed));
  assert.ok(!maySay('w', 'witness', { ...probed, serving: true }));
  assert.ok(!maySay('w', 'witness', { ...probed, activity: 'service' }));
  assert.ok(
    !maySay('w', 'witness', { type: 'PROBE', service: 's', id: 1, claim: { n: 1, host: 'w' }, blame: false }),
  );
});

test('nobody speaks in a term of another host', () => {
  const term = { n: 1, host: 'fw1' };
  const own: Message[] = [
    status,
    { type: 'CLAIM', service: 's', id: 1, term },
    { type: 'WITHDRAW', service: 's', term },
    { type: 'RELEASE', service: 's', id: 1, term },
    { type: 'RELEASED', service: 's', term, successor: null, id: 0, restMs: 0 },
    { type: 'HANDOVER', service: 's', id: 1, term },
    { type: 'READY', service: 's', id: 1, term },
    { type: 'PROBE', service: 's', id: 1, claim: term, blame: false },
    { type: 'PROBED', service: 's', id: 1, activity: 'service', serving: true, term, downlinkAgeMs: 1 },
  ];
  for (const message of own) {
    assert.ok(maySay('fw1', 'gateway', message), message.type);
    assert.ok(!maySay('fw2', 'gateway', message), message.type);
  }
  for (const type of ['ACK', 'GRANT'] as const)
    assert.ok(maySay('fw2', 'gateway', { type, service: 's', id: 1, term }));
});

test('records are packed in their order, as few bodies as they fit; the longest record fits one datagram', () => {
  const name = 'x'.repeat(32);
  const term = { n: Number.MAX_SAFE_INTEGER, host: name };
  const rows = Array.from({ length: 16 }, (_, i) => ({
    host: `${name.slice(2)}${i + 10}`,
    fit: true,
    standby: true,
    burdened: true,
  }));
  const longest = encodeRecord({
    ...status,
    service: name,
    id: 2 ** 48 - 1,
    term,
    digest: 'ff'.repeat(32),
    tableSeq: 2 ** 48 - 1,
    table: { term, seq: 2 ** 48 - 1, rows },
  });
  // Datagram 1,232 less gate 16, envelope 112 and payload 107.
  assert.ok(encodeCbor(longest).length <= 1232 - 16 - 112 - 107);
  const short = encodeRecord(status);
  const bodies = packRecords(Array(40).fill(short), 10 * encodeCbor(short).length);
  assert.deepEqual(
    bodies.map((body) => decodeRecords('STATUS', decodeCbor(body) ?? null)),
    Array(4).fill(Array(10).fill(status)),
  );
  assert.throws(() => packRecords([longest], 100), RangeError);
});

/** The rows of a table in spec/protocol.md under that heading, cells trimmed of code marks. */
function specTable(heading: string): string[][] {
  const [, section = ''] = readText('spec/protocol.md').split(`\n## ${heading}\n`);
  const [body = ''] = section.split('\n## ');
  const lines = body.split('\n').filter((line) => line.startsWith('| '));
  return lines.slice(2).map((line) =>
    line
      .slice(2, -2)
      .split(' | ')
      .map((cell) => cell.replaceAll('`', '').trim()),
  );
}

test('spec/protocol.md has the same table of messages as the code, both ways', () => {
  const made = Object.entries(MESSAGES).map(([type, entry]) => {
    const spec = entry as unknown as MessageSpec<Message>;
    const slots = Object.entries(spec.slots) as [string, Slot<unknown>][];
    const fields = slots.map(
      ([field, { key, field: kind, optional }]) => `${key} ${field}${optional ? '?' : ''}: ${kind.cddl}`,
    );
    return [
      String(spec.number),
      type,
      spec.roles.join(', '),
      spec.ownTerm ?? '-',
      spec.signedOnce ? 'once' : 'each',
      fields.join('; '),
    ];
  });
  assert.deepEqual(specTable('Messages'), made);
  const sessions = specTable('Session messages').map(([number, type]) => [type, Number(number)]);
  assert.deepEqual(sessions, Object.entries(SESSION_TYPES));
});

test('spec/protocol.md lists the codes of refusal in the order of the checks', () => {
  assert.deepEqual(
    specTable('Refusals').map(([code]) => code),
    [...REJECTION_CODES],
  );
});

test('type numbers are used once', () => {
  const numbers = [...Object.values(SESSION_TYPES), ...messageTypes.map(typeNumber)];
  assert.equal(new Set(numbers).size, numbers.length);
  for (const type of messageTypes) assert.equal(messageType(typeNumber(type)), type);
  assert.equal(messageType(99), undefined);
  assert.equal(mayRoleSend('gateway', 99), undefined);
});
