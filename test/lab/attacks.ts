/**
 * The attacks: what the attacker does, and which defence the control goes without. In all of them the master loses its power
 * while the attack goes on. "Damage" is: the service moved, nobody served, or nobody took over.
 */
import type { Insider } from './attack-insider.ts';
import type { Sending } from './attack-station.ts';
import { LAN } from './topology.ts';
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
  /** The attacker is in the path: the switch passes none of the cluster's words from the master to the backup. */
  readonly cutsPath?: boolean;
  /** The hosts have a second link, on which the attacker lets nothing from the master through to the backup; what it says on the first is moved there. */
  readonly links?: 2;
  /** The master's key file is used in a second cluster, too; the attacker stands between the two. */
  readonly twin?: boolean;
  /** How long is recorded; default 2 s. */
  readonly recordMs?: number;
  /** How long it goes on before the master loses its power; default 4 s. */
  readonly liveMs?: number;
  /** From inside: with the key of the member that the lab does not start. */
  readonly inside?: Insider;
  /** The member whose key is stolen; the others are two gateways. */
  readonly stolen?: 'witness' | 'gateway';
  /** The third host runs as it should: with a witness, `quorum`. */
  readonly honestWitness?: boolean;
  /** The stolen key's host is taken out of the roster before the attack. */
  readonly takenOut?: 'remove' | 'revoke';
  /** All hosts are killed, and started again under the attack. */
  readonly restart?: boolean;
  /** What the control goes without; null: shown by figures only. */
  readonly without: Weakness | null;
  /** Of a flood: without this a takeover comes later, and that is all the damage (`npm run -s bench -- flood`). */
  readonly slowsWithout?: Weakness;
  /** One of these counters or alarms of `status` (or `log:KIND`: entries of the event log) shows it to the operator, on one host at least. */
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
    without: 'sessions without a nonce, no replay memory',
    seenAs: ['refused:no-session', 'refused:retired'],
  },
  {
    name: 'replay-live',
    summary: 'everything recorded is sent again, 5,000 datagrams a second',
    outside: { kind: 'replay', perSecond: 5_000 },
    without: 'no replay memory',
    seenAs: ['refused:replayed'],
  },
  {
    name: 'forge',
    summary: 'the master’s word, moved on, without any key',
    outside: { kind: 'forge', perSecond: 20, of: 'master' },
    without: 'no gate, no signature, no age bound',
    seenAs: ['refused:gate'],
  },
  {
    name: 'forge-member',
    summary: 'the same with the gate key of the pair',
    outside: { kind: 'forge', perSecond: 20, of: 'master', hasGateKey: true },
    without: 'no signature, no age bound',
    seenAs: ['refused:signature'],
  },
  {
    name: 'flood-outsider',
    summary: '20,000 forged datagrams a second in the master’s name, without any key',
    outside: { kind: 'forge', perSecond: 20_000, of: 'master' },
    without: null,
    slowsWithout: 'no gate, no budget, no age bound',
    seenAs: ['refused:gate'],
  },
  {
    name: 'flood-replay',
    summary: '20,000 recorded datagrams a second',
    outside: { kind: 'replay', perSecond: 20_000, of: 'master' },
    without: 'no replay memory',
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
  {
    name: 'flood-member',
    summary: 'a member sends 20,000 words a second with its gate and wrong signatures',
    inside: 'flood',
    stolen: 'gateway',
    without: null,
    slowsWithout: 'no budget, no age bound',
    seenAs: ['refused:budget'],
  },
  {
    name: 'mutate',
    summary: 'everything recorded, one bit of each changed',
    outside: { kind: 'mutate', perSecond: 500, of: 'master' },
    without: 'no gate, no signature, no replay memory',
    seenAs: ['refused:gate'],
  },
  {
    name: 'absurd-term',
    summary: 'a member claims and serves, signed, in a term near the end of numbers',
    inside: 'absurd',
    stolen: 'gateway',
    without: 'absurd terms are taken',
    seenAs: ['alarm:term-absurd'],
  },
  {
    name: 'host-signed-roster',
    summary: 'a member gives out a roster without the master, signed by itself',
    inside: 'roster',
    stolen: 'gateway',
    without: 'rosters of any signer',
    seenAs: ['log:roster'],
  },
  {
    name: 'arp-liar',
    summary: 'a station answers every ARP question for the roving address',
    outside: { kind: 'arp', perSecond: 0, asked: LAN.roving },
    without: 'unsigned answers count for ever',
    seenAs: ['alarm:address-conflict'],
  },
  {
    name: 'drop',
    summary: 'the attacker in the path lets no word of the master through to the backup',
    cutsPath: true,
    honestWitness: true,
    without: 'one vote is a majority',
    seenAs: ['peer:unheard'],
  },
  {
    name: 'delay',
    summary: 'the attacker in the path holds every word of the master to the backup back for nine seconds',
    outside: { kind: 'delay', perSecond: 0, of: 'master', holdMs: 9_000 },
    cutsPath: true,
    liveMs: 11_000,
    honestWitness: true,
    without: 'no age bound',
    seenAs: ['refused:too-old'],
  },
  {
    name: 'reflect',
    summary: 'every word goes back to its sender at once, from the address of its receiver',
    outside: { kind: 'reflect', perSecond: 0 },
    without: 'own words pass for the peer’s',
    seenAs: ['refused:own-echo'],
  },
  {
    name: 'move-link',
    summary: 'the master’s words of the first link are given out on the second, where they were never heard',
    outside: { kind: 'replay', perSecond: 14, of: 'master' },
    links: 2,
    recordMs: 20_000,
    liveMs: 500,
    without: 'link not bound, no age bound, older words count',
    seenAs: ['refused:gate'],
  },
  {
    name: 'move-cluster',
    summary: 'questions to the master are answered by the same key in another cluster, through the attacker',
    outside: { kind: 'relay', perSecond: 0, of: 'master' },
    twin: true,
    cutsPath: true,
    honestWitness: true,
    without: 'cluster not bound',
    seenAs: ['refused:gate'],
  },
  {
    name: 'fragments',
    summary: 'the master’s recorded words go on in IP fragments after it lost its power',
    outside: { kind: 'replay', perSecond: 500, of: 'master', isCut: true },
    without: 'no replay memory',
    seenAs: ['refused:replayed', 'refused:too-old'],
  },
  {
    name: 'giant',
    summary: '5,000 datagrams of 1,400 bytes a second, in the master’s name',
    outside: { kind: 'junk', perSecond: 5_000, of: 'master', bytes: 1_400 },
    without: null,
    seenAs: ['oversized'],
  },
  {
    name: 'empty',
    summary: '5,000 datagrams of no bytes at all a second, in the master’s name',
    outside: { kind: 'junk', perSecond: 5_000, of: 'master', bytes: 0 },
    without: null,
    seenAs: ['refused:size'],
  },
  {
    name: 'flood-stranger',
    summary: '20,000 forged datagrams a second from an address that is no member’s',
    outside: { kind: 'forge', perSecond: 20_000, of: 'master', stranger: true },
    without: null,
    slowsWithout: 'no member filter, no gate, no budget, no age bound',
    seenAs: ['filtered:stranger'],
  },
  {
    name: 'nuisance',
    summary: 'a member complains of the master 3,000 times a second, and is ready to take over itself',
    inside: 'nuisance',
    stolen: 'gateway',
    without: 'a lone complaint counts',
    seenAs: ['refused:budget'],
  },
];

/** Asked for, and not shown here with damage in a control: what holds them is said, and where it is tested. */
export const UNPROVEN: readonly { readonly name: string; readonly why: string }[] = [
  {
    name: 'flood-outsider',
    why: 'without gate, budget and age bound together a takeover comes later, but it comes: medians in `npm run -s bench -- flood`',
  },
  {
    name: 'flood-member',
    why: 'without budget and age bound a takeover comes later, but it comes: `npm run -s bench -- flood --attack flood-member`',
  },
  {
    name: 'move-service',
    why: 'the service stands inside what is signed: to move a word is to change its bytes (mutate, forge-member)',
  },
  {
    name: 'giant',
    why: 'refused by size, and by its form without that: no single cut does damage (daemon-adapters)',
  },
  {
    name: 'empty',
    why: 'refused by size, and by its form without that: no single cut does damage (wire-hostile)',
  },
  {
    name: 'flood-stranger',
    why: 'without the filter the daemon refuses each by itself, at the price in `npm run -s bench -- flood --attack flood-stranger`',
  },
];
