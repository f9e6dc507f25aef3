/** Faults made by hand in the protocol numbers; as in guard-mutants.ts, which takes them in. */
import type { GuardMutant } from './guard-mutants.ts';
import type { Catcher } from './mutants.ts';

const caughtBy = (name: string): Catcher => ({ by: 'test', file: 'test/unit/wire-protocol.test.ts', name });

export const PROTOCOL_MUTANTS: readonly GuardMutant[] = [
  {
    finding: 'H13',
    file: 'wire/endpoint.ts',
    find: 'if (protocolOf(hex(opened.header.sid)) < this.#speaker.roster.body.floor)',
    replace: 'if (false)',
    breaks: 'who speaks less than the floor takes part',
    catcher: caughtBy('P79: below the floor no message is taken'),
  },
  {
    finding: 'H13',
    file: 'wire/endpoint.ts',
    find: 'return Math.min(this.#speaker.protocol, sid === null ? PROTOCOL_LEAST : protocolOf(sid));',
    replace: 'return this.#speaker.protocol;',
    breaks: 'a host of the older protocol is talked to in the newer one',
    catcher: caughtBy('P77: each peer is told in the number that both speak'),
  },
  {
    finding: 'H13',
    file: 'wire/codec.ts',
    find: 'if ((slot.since?.protocol ?? 1) > protocol) return undefined;',
    replace: '',
    breaks: 'fields of a newer protocol are taken from a host that does not speak it',
    catcher: caughtBy('P78: a field of protocol 2 is refused from a host of protocol 1'),
  },
];
