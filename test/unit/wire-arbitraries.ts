/** Messages of every type, drawn at random; written by hand from src/core/messages.ts, not from the wire's table. */

import fc from 'fast-check';
import type { Message, MessageType } from '../../src/core/messages.ts';
import { isName } from '../../src/wire/names.ts';

const name = fc.stringMatching(/^[a-z0-9-]{1,32}$/).filter(isName);
const id = fc.oneof(fc.nat(), fc.constantFrom(0, 2 ** 32, 2 ** 48 - 1));
const term = fc.record({ n: fc.oneof(fc.nat(), fc.constant(Number.MAX_SAFE_INTEGER)), host: name });
const ms = fc.oneof(fc.nat(), fc.constantFrom(0, 2 ** 32 - 1));
const digest = fc
  .uint8Array({ minLength: 1, maxLength: 32 })
  .map((bytes) => Buffer.from(bytes).toString('hex'));
const activity = fc.constantFrom('init', 'decide', 'backup', 'handover', 'service');
const row = fc.record({ host: name, fit: fc.boolean(), standby: fc.boolean(), burdened: fc.boolean() });
const table = fc.record({
  term,
  seq: id,
  rows: fc.uniqueArray(row, { maxLength: 16, selector: (entry) => entry.host }),
});
const orNull = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });

const service = name;
const fields: { [T in MessageType]: fc.Arbitrary<Omit<Extract<Message, { type: T }>, 'type'>> } = {
  STATUS: fc.record(
    {
      service,
      id,
      term,
      phase: fc.constantFrom('serving', 'suspended', 'handover'),
      digest,
      tableSeq: id,
      table,
    },
    { requiredKeys: ['service', 'id', 'term', 'phase', 'digest', 'tableSeq'] },
  ),
  ACK: fc.record({ service, id, term }),
  REPORT: fc.record({
    service,
    activity,
    fit: fc.boolean(),
    standby: fc.boolean(),
    downlink: fc.boolean(),
    digest,
    tableTerm: orNull(term),
    tableSeq: id,
    load: fc.nat({ max: 1000 }),
    burdened: fc.boolean(),
  }),
  PROBE: fc.record({ service, id, claim: orNull(term), blame: fc.boolean() }),
  PROBED: fc.record({
    service,
    id,
    activity,
    serving: fc.boolean(),
    term: orNull(term),
    downlinkAgeMs: orNull(ms),
  }),
  CHECK: fc.record({ service, id, insist: fc.boolean() }),
  CHECKED: fc.record({ service, id, ok: fc.boolean() }),
  CLAIM: fc.record({ service, id, term }),
  GRANT: fc.record({ service, id, term, table }, { requiredKeys: ['service', 'id', 'term'] }),
  OBJECT: fc.record({
    service,
    id,
    reason: fc.constantFrom('promise', 'serving', 'hearing'),
    term,
    restMs: ms,
    downlinkAgeMs: orNull(ms),
  }),
  WITHDRAW: fc.record({ service, term }),
  RELEASE: fc.record({ service, id, term }),
  RELEASED: fc.record({ service, term, successor: orNull(name), id, restMs: ms }),
  HANDOVER: fc.record({ service, id, term }),
  READY: fc.record({ service, id, term }),
  BYE: fc.record({ service }),
};

export const messageTypes = Object.keys(fields) as MessageType[];

export function messageOf(type: MessageType): fc.Arbitrary<Message> {
  // fast-check makes objects without a prototype; decoded ones have one.
  return (fields[type] as fc.Arbitrary<object>).map((rest) => structuredClone({ type, ...rest }) as Message);
}

export const anyMessage: fc.Arbitrary<Message> = fc.constantFrom(...messageTypes).chain(messageOf);
