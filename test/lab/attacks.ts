/**
 * The attacks: what the attacker does, and which defence the control goes without. In all of them the master loses its power
 * while the attack goes on. "Damage" is: the service moved, nobody served, or nobody took over.
 */
import type { Insider } from './attack-insider.ts';
import type { Sending } from './attack-station.ts';
import type { Weakness } from './weakened.ts';

export interface Attack {
  readonly name: string;
  readonly summary: string;
  /** From outside: what is sent; addresses are filled in from the roles. */
  readonly outside?: Omit<Sending, 'from' | 'to' | 'gateKey' | 'sourceAddress'> & {
    /** Whose words are used; default: everybody's. */
    readonly of?: 'master';
    /** The attacker has the gate key of master and backup. */
    readonly hasGateKey?: boolean;
    /** From an address that is no member's. */
    readonly stranger?: boolean;
  };
  /** From inside: with the key of the member that the lab does not start. */
  readonly inside?: Insider;
  /** The member whose key is stolen; the others are two gateways. */
  readonly stolen?: 'witness' | 'gateway';
  /** The stolen key's host is taken out of the roster before the attack. */
  readonly takenOut?: 'remove' | 'revoke';
  /** All hosts are killed, and started again under the attack. */
  readonly restart?: boolean;
  /** What the control goes without; null: shown by figures only. */
  readonly without: Weakness | null;
  /** One of these counters of `status` shows it to the operator, on one host at least. */
  readonly seenAs: readonly string[];
}

export const ATTACKS: readonly Attack[] = [
  {
    name: 'replay-after-death',
    summary: 'the master’s recorded words go on after it lost its power',
    outside: { kind: 'replay', perSecond: 500, of: 'master' },
    without: 'no replay memory',
    seenAs: ['refused:replayed', 'refused:too-old'],
  },
  {
    name: 'replay-restart',
    summary: 'everything recorded is sent to hosts that start anew',
    outside: { kind: 'replay', perSecond: 500, of: 'master' },
    restart: true,
    without: 'sessions without a nonce',
    seenAs: ['refused:no-session', 'refused:retired'],
  },
  {
    name: 'replay-live',
    summary: 'everything recorded is sent again, 5,000 datagrams a second',
    outside: { kind: 'replay', perSecond: 5_000 },
    without: 'window after the signature only',
    seenAs: ['refused:replayed'],
  },
  {
    name: 'forge',
    summary: 'the master’s word, moved on, without any key',
    outside: { kind: 'forge', perSecond: 20, of: 'master' },
    without: 'no gate, no signature',
    seenAs: ['refused:gate'],
  },
  {
    name: 'forge-member',
    summary: 'the same with the gate key of the pair',
    outside: { kind: 'forge', perSecond: 20, of: 'master', hasGateKey: true },
    without: 'no signature',
    seenAs: ['refused:signature'],
  },
  {
    name: 'flood-outsider',
    summary: '20,000 forged datagrams a second in the master’s name, without any key',
    outside: { kind: 'forge', perSecond: 20_000, of: 'master' },
    without: 'no gate',
    seenAs: ['refused:gate'],
  },
  {
    name: 'flood-replay',
    summary: '20,000 recorded datagrams a second',
    outside: { kind: 'replay', perSecond: 20_000, of: 'master' },
    without: 'window after the signature only',
    seenAs: ['refused:replayed'],
  },
  {
    name: 'witness-claims',
    summary: 'a witness says, signed, that it serves in a higher term',
    inside: 'serves',
    stolen: 'witness',
    without: 'roles not judged',
    seenAs: ['refused:role'],
  },
  {
    name: 'removed',
    summary: 'a host that was removed says, signed, that it serves in a higher term',
    inside: 'serves',
    stolen: 'gateway',
    takenOut: 'remove',
    without: 'removed hosts are kept',
    seenAs: ['refused:unknown-sender', 'filtered:stranger'],
  },
  {
    name: 'revoked',
    summary: 'a host whose key was revoked says the same',
    inside: 'serves',
    stolen: 'gateway',
    takenOut: 'revoke',
    without: 'removed hosts are kept',
    seenAs: ['refused:unknown-sender', 'filtered:stranger'],
  },
];
