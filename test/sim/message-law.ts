/**
 * How many datagrams a cluster says in a second while nothing happens: the law of spec/timing.md, "What size costs", as code.
 * The simulator's counts are held to it.
 */
import type { Policy } from '../../src/core/index.ts';
import { CLOCK_DRIFT, fullTiming } from '../../src/daemon/config/timing.ts';
import { remeasureMs } from '../../src/wire/session-timing.ts';

export interface Size {
  /** All members, witnesses too. */
  readonly hosts: number;
  readonly services: number;
  /** Members that serve at least one service; each its even share. */
  readonly serving: number;
  readonly policy: Policy;
  readonly intervalMs: number;
}

/** Records of one type that a datagram takes, with names of ten letters (P81). */
export const RECORDS = { STATUS: 13, ACK: 32, REPORT: 12 } as const;
/** A report is due each so many intervals (R7). */
const REPORT_INTERVALS = 5;
/** HELLO, CHALLENGE, WELCOME: from one host, from the other, from the first. */
const HANDSHAKE = 3;

/** Datagrams in a second, by what they are. `sessions`: where who asks says the two words over as many links as the other; up to a ninth less or more, by who of a pair serves (P20). */
export interface Rates {
  readonly adverts: number;
  readonly answers: number;
  readonly reports: number;
  readonly sessions: number;
}

/** With one link between the hosts, and the uplink of who serves. */
export function ratesOf({ hosts, services, serving, policy, intervalMs }: Size): Rates {
  const timing = fullTiming({ interval: intervalMs } as Parameters<typeof fullTiming>[0]);
  const perSecond = 1_000 / intervalMs;
  const others = hosts - 1;
  const share = Math.ceil(services / Math.max(1, serving));
  const packed = (records: number, type: keyof typeof RECORDS): number => Math.ceil(records / RECORDS[type]);
  // Who serves says everything on its uplink, too: a copy for each receiver and link.
  const [links, linksServing] = [1, 2];
  const copies = serving * linksServing + (hosts - serving) * links;
  // Where nobody else serves nobody hears the adverts there, and one of five goes (P82).
  const advertLinks = serving > 1 ? linksServing : links + 1 / 5;
  const remeasuredS = remeasureMs({ ...timing, maxDrift: CLOCK_DRIFT }) / 1_000;
  return {
    adverts: perSecond * serving * packed(share, 'STATUS') * others * advertLinks,
    // The answers to one datagram share one. Who serves hears the others' adverts on its uplink, too, and answers each on both.
    answers:
      policy === 'quorum'
        ? perSecond *
          packed(share, 'STATUS') *
          serving *
          ((hosts - serving) * links + (serving - 1) * linksServing ** 2)
        : 0,
    reports: (perSecond / REPORT_INTERVALS) * packed(services, 'REPORT') * others * copies,
    // Of a pair each says half of it: over all pairs every host's copies stand beside each other's as often.
    sessions: ((HANDSHAKE / 2) * others * copies) / remeasuredS,
  };
}

/** All of it. */
export function messagesPerSecond(size: Size): number {
  const { adverts, answers, reports, sessions } = ratesOf(size);
  return adverts + answers + reports + sessions;
}
