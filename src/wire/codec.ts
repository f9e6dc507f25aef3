/**
 * Messages to and from the body of a datagram: an array of records, one a service, all of one type. Driven by the
 * table of messages.ts alone. Invariant: any CBOR value gives messages or a refusal, never an exception; every
 * message of the core comes back from its record as it went in (times rounded to the safe side).
 */
import type { HostName, Role, Term } from '../core/basics.ts';
import type { Message, MessageType } from '../core/messages.ts';
import { type CborValue, encodeCbor, encodedArray } from './cbor.ts';
import { PROTOCOL, RECORDS_MAX } from './limits.ts';
import { MESSAGES, type MessageSpec, SESSION_TYPES, type Slot } from './messages.ts';

/** The table's entry as the loops below need it: which field belongs to which type no longer matters to them. */
interface LooseSpec {
  readonly number: number;
  readonly roles: readonly Role[];
  readonly ownTerm: string | null;
  readonly signedOnce: boolean;
  readonly slots: readonly (readonly [name: string, slot: Slot<unknown>])[];
  readonly keys: ReadonlySet<number>;
  witnessMaySay(message: Message): boolean;
}

const SPECS: ReadonlyMap<MessageType, LooseSpec> = new Map(
  Object.entries(MESSAGES).map(([type, spec]) => [
    type as MessageType,
    loose(spec as unknown as MessageSpec<never>),
  ]),
);
const TYPES: ReadonlyMap<number, MessageType> = new Map(
  [...SPECS].map(([type, spec]) => [spec.number, type]),
);

function loose(spec: MessageSpec<never>): LooseSpec {
  const slots = Object.entries(spec.slots) as [string, Slot<unknown>][];
  const { witness } = spec;
  return {
    number: spec.number,
    roles: spec.roles,
    ownTerm: spec.ownTerm,
    signedOnce: spec.signedOnce,
    slots,
    keys: new Set(slots.map(([, slot]) => slot.key)),
    witnessMaySay: (message) => witness === undefined || witness(message as never),
  };
}

function specOf(type: MessageType): LooseSpec {
  const spec = SPECS.get(type);
  if (spec === undefined) throw new RangeError(`unknown message type ${type}`);
  return spec;
}

export function typeNumber(type: MessageType): number {
  return specOf(type).number;
}

/** The core's message type of a number; undefined for session types and unknown numbers. */
export function messageType(number: number): MessageType | undefined {
  return TYPES.get(number);
}

export function isSignedOnce(type: MessageType): boolean {
  return specOf(type).signedOnce;
}

/** Whether a host of that role may send that type number at all; undefined for a number that is not in the table. */
export function mayRoleSend(role: Role, number: number): boolean | undefined {
  const type = TYPES.get(number);
  if (type !== undefined) return specOf(type).roles.includes(role);
  return Object.values<number>(SESSION_TYPES).includes(number) ? true : undefined;
}

/** Whether `from`, of that role, may say this: a witness nothing of a service, a term of one's own only as oneself. */
export function maySay(from: HostName, role: Role, message: Message): boolean {
  const spec = specOf(message.type);
  if (spec.ownTerm !== null) {
    const term = (message as unknown as { readonly [name: string]: Term | null })[spec.ownTerm];
    if (term !== null && term?.host !== from) return false;
  }
  return role !== 'witness' || spec.witnessMaySay(message);
}

/**
 * A message's record, as that protocol has it: what a field of a later one says is left out. Throws RangeError on a value that the
 * table does not allow: that is our own fault.
 */
export function encodeRecord(message: Message, protocol = PROTOCOL): ReadonlyMap<number, CborValue> {
  const record = new Map<number, CborValue>();
  const fields = message as unknown as { readonly [name: string]: unknown };
  for (const [name, slot] of specOf(message.type).slots) {
    const value = fields[name];
    if (slot.since !== undefined && (value === slot.since.absent || slot.since.protocol > protocol)) continue;
    if (value !== undefined) record.set(slot.key, slot.field.encode(value, protocol));
    else if (!slot.optional) throw new RangeError(`${message.type} without ${name}`);
  }
  return record;
}

/** The message of a record; undefined when the record is not exactly what the table says for that protocol. */
export function decodeRecord(type: MessageType, record: CborValue, protocol = PROTOCOL): Message | undefined {
  if (!(record instanceof Map)) return undefined;
  const spec = specOf(type);
  for (const key of record.keys()) if (!spec.keys.has(key)) return undefined;
  const message: { [name: string]: unknown } = { type };
  for (const [name, slot] of spec.slots) {
    const value: CborValue | undefined = record.get(slot.key);
    if (value === undefined) {
      if (!slot.optional) return undefined;
      if (slot.since !== undefined) message[name] = slot.since.absent;
      continue;
    }
    if ((slot.since?.protocol ?? 1) > protocol) return undefined;
    const decoded = slot.field.decode(value, protocol);
    if (decoded === undefined) return undefined;
    message[name] = decoded;
  }
  // Built field by field from the table that the compiler holds to Message.
  return message as unknown as Message;
}

/** The messages of a body; undefined when any record is wrong, there is none, or there are too many. */
export function decodeRecords(
  type: MessageType,
  body: CborValue,
  protocol = PROTOCOL,
): Message[] | undefined {
  if (!Array.isArray(body) || body.length === 0 || body.length > RECORDS_MAX) return undefined;
  const messages: Message[] = [];
  for (const record of body as readonly CborValue[]) {
    const message = decodeRecord(type, record, protocol);
    if (message === undefined) return undefined;
    messages.push(message);
  }
  return messages;
}

/** Splits records, in their order, into bodies of at most `maxBytes` of records each; a body is an encoded array. */
export function packRecords(
  records: readonly ReadonlyMap<number, CborValue>[],
  maxBytes: number,
): Uint8Array[] {
  const bodies: Uint8Array[] = [];
  let body: Uint8Array[] = [];
  let bytes = 0;
  const end = () => bodies.push(encodedArray(body));
  for (const record of records) {
    const encoded = encodeCbor(record);
    if (encoded.length > maxBytes) throw new RangeError('a record does not fit a datagram');
    if (body.length === RECORDS_MAX || bytes + encoded.length > maxBytes) {
      end();
      body = [];
      bytes = 0;
    }
    body.push(encoded);
    bytes += encoded.length;
  }
  if (body.length > 0) end();
  return bodies;
}
