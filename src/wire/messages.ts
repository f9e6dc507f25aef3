/**
 * The closed table of message types: number, who may send it, and every field with its key. Encoder, decoder and
 * spec/protocol.md come from this one place; the compiler holds it to src/core/messages.ts field by field.
 * Adding a field: append it with a new key and a new protocol number, and say what its absence means; keys and numbers are never used again.
 */
import type { Role } from '../core/basics.ts';
import type { Message, MessageType } from '../core/messages.ts';
import {
  ageMs,
  counter,
  digest,
  type Field,
  flag,
  name,
  oneOf,
  orNull,
  raised,
  restMs,
  table,
  term,
  thousandths,
} from './fields.ts';

/** A field's key in its record, and its kind. */
export interface Slot<T> {
  readonly key: number;
  readonly field: Field<T>;
  readonly optional: boolean;
  /** Since which protocol number it is there, and what its absence says. */
  readonly since?: { readonly protocol: number; readonly absent: T };
}

export interface MessageSpec<M> {
  /** Payload field 1. */
  readonly number: number;
  readonly roles: readonly Role[];
  /** What a witness may say with this type, for those that it may send at all: it has no service to speak of. */
  readonly witness?: (message: M) => boolean;
  /** A field that holds a term of the sender's own: its host must be the sender. */
  readonly ownTerm: 'term' | 'claim' | null;
  /** To all members it is signed once, with no receiver named. Others are signed for each. */
  readonly signedOnce: boolean;
  readonly slots: { readonly [K in Exclude<keyof M, 'type'>]-?: Slot<Exclude<M[K], undefined>> };
}

/** Session messages and the roster's, which never reach the core; their bodies are in handshake.ts. */
export const SESSION_TYPES = { HELLO: 1, CHALLENGE: 2, WELCOME: 3, ROSTER: 4 } as const;

const GATEWAY: readonly Role[] = ['gateway'];
const ANY: readonly Role[] = ['gateway', 'witness'];

const at = <T>(key: number, field: Field<T>): Slot<T> => ({ key, field, optional: false });
const maybe = <T>(key: number, field: Field<T>): Slot<T> => ({ key, field, optional: true });
const since2 = <T>(key: number, field: Field<T>, absent: T): Slot<T> => ({
  ...maybe(key, field),
  since: { protocol: 2, absent },
});
const service = at(1, name);
const activity = oneOf(['init', 'decide', 'backup', 'handover', 'service']);
const isOnlooker = (message: { activity: string }) =>
  message.activity !== 'handover' && message.activity !== 'service';

type Specs = { readonly [T in MessageType]: MessageSpec<Extract<Message, { type: T }>> };

export const MESSAGES: Specs = {
  STATUS: {
    number: 5,
    roles: GATEWAY,
    ownTerm: 'term',
    signedOnce: true,
    slots: {
      service,
      id: at(2, counter),
      term: at(3, term),
      phase: at(4, oneOf(['serving', 'suspended', 'handover'])),
      digest: at(5, digest),
      tableSeq: at(6, counter),
      table: maybe(7, table),
    },
  },
  ACK: {
    number: 6,
    roles: ANY,
    ownTerm: null,
    signedOnce: false,
    slots: { service, id: at(2, counter), term: at(3, term) },
  },
  REPORT: {
    number: 7,
    roles: ANY,
    witness: isOnlooker,
    ownTerm: null,
    signedOnce: false,
    slots: {
      service,
      activity: at(2, activity),
      fit: at(3, flag),
      standby: at(4, flag),
      downlink: at(5, flag),
      digest: at(6, digest),
      tableTerm: at(7, orNull(term)),
      tableSeq: at(8, counter),
      load: since2(9, thousandths, 0),
      burdened: since2(10, raised, false),
    },
  },
  PROBE: {
    number: 8,
    roles: ANY,
    witness: (probe) => probe.claim === null && !probe.blame,
    ownTerm: 'claim',
    signedOnce: false,
    slots: { service, id: at(2, counter), claim: at(3, orNull(term)), blame: at(4, flag) },
  },
  PROBED: {
    number: 9,
    roles: ANY,
    witness: (probed) => isOnlooker(probed) && !probed.serving && probed.term === null,
    ownTerm: 'term',
    signedOnce: false,
    slots: {
      service,
      id: at(2, counter),
      activity: at(3, activity),
      serving: at(4, flag),
      term: at(5, orNull(term)),
      downlinkAgeMs: at(6, orNull(ageMs)),
    },
  },
  CHECK: {
    number: 10,
    roles: GATEWAY,
    ownTerm: null,
    signedOnce: false,
    slots: { service, id: at(2, counter), insist: at(3, flag) },
  },
  CHECKED: {
    number: 11,
    roles: GATEWAY,
    ownTerm: null,
    signedOnce: false,
    slots: { service, id: at(2, counter), ok: at(3, flag) },
  },
  CLAIM: {
    number: 12,
    roles: GATEWAY,
    ownTerm: 'term',
    signedOnce: false,
    slots: { service, id: at(2, counter), term: at(3, term) },
  },
  GRANT: {
    number: 13,
    roles: ANY,
    ownTerm: null,
    signedOnce: false,
    slots: { service, id: at(2, counter), term: at(3, term), table: maybe(4, table) },
  },
  OBJECT: {
    number: 14,
    roles: ANY,
    witness: (objection) => objection.reason !== 'serving',
    ownTerm: null,
    signedOnce: false,
    slots: {
      service,
      id: at(2, counter),
      reason: at(3, oneOf(['promise', 'serving', 'hearing'])),
      term: at(4, term),
      restMs: at(5, restMs),
      downlinkAgeMs: at(6, orNull(ageMs)),
    },
  },
  WITHDRAW: {
    number: 15,
    roles: GATEWAY,
    ownTerm: 'term',
    signedOnce: false,
    slots: { service, term: at(2, term) },
  },
  RELEASE: {
    number: 16,
    roles: GATEWAY,
    ownTerm: 'term',
    signedOnce: false,
    slots: { service, id: at(2, counter), term: at(3, term) },
  },
  RELEASED: {
    number: 17,
    roles: GATEWAY,
    ownTerm: 'term',
    signedOnce: false,
    slots: {
      service,
      term: at(2, term),
      successor: at(3, orNull(name)),
      id: at(4, counter),
      restMs: at(5, restMs),
    },
  },
  HANDOVER: {
    number: 18,
    roles: GATEWAY,
    ownTerm: 'term',
    signedOnce: false,
    slots: { service, id: at(2, counter), term: at(3, term) },
  },
  READY: {
    number: 19,
    roles: GATEWAY,
    ownTerm: 'term',
    signedOnce: false,
    slots: { service, id: at(2, counter), term: at(3, term) },
  },
  BYE: {
    number: 20,
    roles: ANY,
    ownTerm: null,
    signedOnce: true,
    slots: { service },
  },
};
