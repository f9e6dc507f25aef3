/** The words between the two processes: what is said is what is read, and nothing else is a word. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import fc from 'fast-check';
import { PROCEDURES } from '../../src/core/procedures.ts';
import {
  ANSWER_BYTES_MAX,
  formatAnswer,
  formatOrder,
  INDEX_MAX,
  MEMBERS_MAX,
  ORDER_BYTES_MAX,
  type Order,
  parseAnswer,
  parseOrder,
  sideOf,
  WORDS,
} from '../../src/linux/orders/grammar.ts';
import { isAnswerByte, isOrderByte, Lines } from '../../src/linux/orders/lines.ts';

const seq = fc.integer({ min: 1, max: 999_999_999_999_999 });
const index = fc.integer({ min: 0, max: INDEX_MAX });
const time = fc.integer({ min: 0, max: 9_999_999_999_999 }).map((thousandths) => thousandths / 1000);
const timed = [...PROCEDURES, 'gate'] as const;
/** How long a question waits: as the wire has it, in thousandths. */
const wait = fc.integer({ min: 0, max: 10_000_000 }).map((thousandths) => thousandths / 1000);
const probe = fc.constantFrom('probeDownlink' as const, 'probeUplink' as const);
const order: fc.Arbitrary<Order> = fc.oneof(
  fc.record({ verb: fc.constantFrom(...timed), seq, index, deadlineMs: time }),
  fc.record({ verb: probe, seq, index, deadlineMs: time, waitMs: wait }),
  fc.record({ verb: fc.constant('shut' as const), seq, index }),
  fc.record({ verb: fc.constant('beat' as const), seq, deadlineMs: time }),
  fc.record({ verb: fc.constant('begin' as const), seq, isGateway: fc.boolean() }),
  fc.record({ verb: fc.constant('fence' as const), seq }),
  fc.record({
    verb: fc.constant('reload' as const),
    seq,
    hash: fc.stringMatching(/^[0-9a-f]{32}$/),
  }),
  fc.record({ verb: fc.constant('member' as const), seq, address: fc.oneof(fc.ipV4(), fc.ipV6()) }),
  fc.record({
    verb: fc.constant('members' as const),
    seq,
    count: fc.integer({ min: 0, max: MEMBERS_MAX }),
  }),
);

test('every order is one line of at most 64 bytes of the alphabet, and is read as it was said', () => {
  fc.assert(
    fc.property(order, (said) => {
      const line = formatOrder(said);
      assert.ok(line.length <= ORDER_BYTES_MAX, line);
      assert.ok([...Buffer.from(line.slice(0, -1))].every(isOrderByte), line);
      const read = parseOrder(line.slice(0, -1));
      assert.ok(read !== null, line);
      if ('deadlineMs' in said && 'deadlineMs' in read) {
        const cutMs = said.deadlineMs - read.deadlineMs;
        assert.ok(cutMs >= 0 && cutMs < 0.0025, line);
        assert.deepEqual({ ...read, deadlineMs: 0 }, { ...said, deadlineMs: 0 });
      } else assert.deepEqual(read, { ...said });
    }),
  );
});

test('a deadline is cut to thousandths, never rounded up', () => {
  for (const deadlineMs of [1.2345, 0.9999, 7, 123456789.0001]) {
    const read = parseOrder(formatOrder({ verb: 'gate', seq: 1, index: 0, deadlineMs }).trim());
    assert.ok(
      read?.verb === 'gate' && read.deadlineMs <= deadlineMs && read.deadlineMs > deadlineMs - 0.0011,
    );
  }
});

test('whatever is read as an order is written as it stood: there is one spelling, and one changed byte is another word or none', () => {
  fc.assert(
    fc.property(order, fc.nat(), fc.integer({ min: 0x20, max: 0x7e }), (said, where, byte) => {
      const bytes = Buffer.from(formatOrder(said).trimEnd());
      bytes[where % bytes.length] = byte;
      const line = bytes.toString('latin1');
      const read = parseOrder(line);
      if (read !== null) assert.equal(formatOrder(read).trimEnd(), line);
    }),
  );
});

test('these are no orders', () => {
  for (const line of [
    '',
    ' ',
    '1',
    '1 gate',
    '0 gate 0 1',
    '01 gate 0 1',
    '-1 gate 0 1',
    '1 gate 128 1',
    '1 gate 00 1',
    '1 gate 0 01',
    '1 gate 0 1e9',
    '1 gate 0 1.0',
    '1 gate 0 1.10',
    '1 gate 0 1.2345',
    '1 gate 0 -1',
    '1 gate 0 1 ',
    '1  gate 0 1',
    '1 gate 0 1 2',
    '1 GATE 0 1',
    '1 checkuplink 0 1',
    '1 constructor 0 1',
    '1 beat 1 5',
    '1 shut 0 5',
    '1 begin 2 0',
    '1 fence 1 0',
    '1 reload ABCDEF0123456789ABCDEF0123456789',
    '1 reload 00',
    `1 members ${MEMBERS_MAX + 1}`,
    '1 member -1',
    '1 member 10.0.0.1 0',
    '9999999999999999 gate 0 1',
  ])
    assert.equal(parseOrder(line), null, line);
});

test('answers: one bounded line whatever a program said, without a control character', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...WORDS),
      seq,
      time,
      fc.string({ unit: 'binary', maxLength: 2000 }),
      (word, n, number, text) => {
        const line = formatAnswer({ seq: n, word, number, text });
        assert.ok(line.length <= ANSWER_BYTES_MAX);
        assert.ok([...Buffer.from(line.slice(0, -1))].every(isAnswerByte));
        const read = parseAnswer(line.slice(0, -1));
        assert.deepEqual([read?.seq, read?.word], [n, word]);
        assert.ok(Math.abs((read?.number ?? Number.NaN) - number) < 0.0025);
      },
    ),
  );
  for (const line of ['', '1 what 0', '1 ok', 'x ok 0', '1 ok 0x', '1 OK 0'])
    assert.equal(parseAnswer(line), null);
  assert.deepEqual(sideOf('uplink 02:00 uses it'), { side: 'uplink', rest: '02:00 uses it' });
  assert.equal(sideOf('sideways'), null);
});

test('lines: cut in any way they are the same; a wrong byte or a long line ends it for good', () => {
  const read = (chunks: readonly Buffer[]): { lines: string[]; garbage: number } => {
    const lines: string[] = [];
    let garbage = 0;
    const reader = new Lines({
      maxBytes: 16,
      isAllowed: isOrderByte,
      onLine: (line) => lines.push(line),
      onGarbage: () => garbage++,
    });
    for (const chunk of chunks) reader.take(chunk);
    return { lines, garbage };
  };
  const whole = Buffer.from('1 a\n22 bb\n\n333 ccc');
  for (let at = 0; at <= whole.length; at++)
    assert.deepEqual(read([whole.subarray(0, at), whole.subarray(at)]), {
      lines: ['1 a', '22 bb', ''],
      garbage: 0,
    });
  assert.deepEqual(read([Buffer.from('1 a\n\0\n2 b\n')]), { lines: ['1 a'], garbage: 1 });
  assert.deepEqual(read([Buffer.from('123456789012345\n')]).lines, ['123456789012345']);
  assert.deepEqual(read([Buffer.from('1234567890123456\n1\n')]), { lines: [], garbage: 1 });
  for (const byte of [0, 9, 13, 0x27, 0x22, 0x24, 0x2f, 0x3b, 0x7f, 0x80, 0xff])
    assert.equal(isOrderByte(byte), false);
});

test('the list of words stands in the specification', () => {
  const spec = readFileSync('spec/actuator.md', 'utf8');
  for (const verb of [...timed, 'shut', 'beat', 'begin', 'fence', 'reload', 'member', 'members'])
    assert.ok(spec.includes(`\`${verb}\``), verb);
  for (const word of WORDS) assert.ok(spec.includes(`\`${word}\``), word);
});
