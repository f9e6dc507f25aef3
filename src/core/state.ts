/**
 * All that the core remembers: one plain serialisable value. `step` never changes the one that it is given.
 * Deadlines stand in here as times; the host only asks for the nearest one (`nextDeadline`).
 */
import type { CoreConfig, HostName, ServiceName, Term } from './basics.ts';
import { type Burden, UNBURDENED } from './burden.ts';
import type { AlarmCode } from './effects.ts';
import { NO_RIGHT, type Right } from './lease.ts';
import type { Activity, Table } from './messages.ts';
import type { TestProcedure, Verdict } from './procedures.ts';
import type { Place } from './transitions.ts';
import { abstaining, type Voter } from './voter.ts';

/**
 * The slides' local alarm timers. Those of a place are forgotten when it is left; `report` and `checks` go on.
 * In the order in which due ones are served: the lease always first.
 */
export const TIMERS = [
  'lapse', // the right to serve ends
  'step', // the place's own limit: roll back, release, give up
  'silence', // the next advert is overdue
  'listen', // decide: the time of silence after a start is over
  'probe', // the next PROBE
  'claim', // claim slot, or the next try of a claim
  'window', // the end of the conflict window, or of the wait for one promise
  'renew', // available: renew the own right
  'advert', // the next STATUS
  'retry', // ask silent voters again
  'repeat', // the next copy of RELEASE, READY, RELEASED, HANDOVER or WITHDRAW
  'clean', // try again to become harmless
  'trial', // the next try to find a successor
  'report', // the next REPORT
  'checks', // the next periodic checks
] as const;
export type Timer = (typeof TIMERS)[number];

/** When each is due; null: not set. */
export type Timers = { readonly [T in Timer]: number | null };

/** None is set. */
export const NO_TIMERS = Object.fromEntries(TIMERS.map((timer) => [timer, null])) as { [T in Timer]: null };

/** The established master, as known here: only STATUS of a serving or suspended host makes it (R1). */
export interface Known {
  readonly term: Term;
  readonly heardAtMs: number;
  /** It said RELEASED, naming this successor (null: nobody); undefined while it has not. */
  readonly released?: HostName | null;
}

/** One test procedure's record. */
export interface CheckRecord {
  /** The id of the run under way; 0 when none is. */
  readonly runningId: number;
  readonly startedAtMs: number;
  /** When the last confirmed run *started*: what it saw cannot be older. null: never. */
  readonly confirmedAtMs: number | null;
  readonly verdict: Verdict;
  /** Good or bad after `rise` and `fall`; bad at once when refuted; good at once on the first confirmation of all. */
  readonly sound: boolean;
  /** Runs in a row that were (were not) confirmed. */
  readonly good: number;
  readonly bad: number;
  /** Another run was asked for while one was under way. */
  readonly again: boolean;
}

/** What another host said of itself, for one service. */
export interface PeerReport {
  readonly atMs: number;
  readonly fit: boolean;
  readonly standby: boolean;
  readonly downlink: boolean;
  readonly activity: Activity;
  readonly sameDigest: boolean;
  /** 0..1000; 0 from a host that says none. */
  readonly load: number;
  readonly burdened: boolean;
  /** Since when it is fit and not burdened without a break; null when it is not. */
  readonly fitSinceMs: number | null;
  readonly tableTerm: Term | null;
  readonly tableSeq: number;
}

/** The search for a living master: from the first silence to Service or back (R9 to R11). */
export interface Suspicion {
  readonly sinceMs: number;
  /** Probes that stayed unanswered since the downlink check that counts began. */
  readonly unanswered: number;
  /** All probes of this suspicion: their pace slows down with it. */
  readonly probes: number;
  /** Unsigned: the service check, or somebody's ARP or ND answer for a roving address. */
  readonly signOfLife: boolean;
  /** R8, a suspended host: rounds of address probes under way, by id; 0 when ended, and in every other suspicion. */
  readonly probeIds: { readonly downlink: number; readonly uplink: number };
  /** How often it began anew after a stall. */
  readonly stalls: number;
  /** When all but the claim slot allowed a claim; null while something else does not. */
  readonly clearedAtMs: number | null;
}

/** A takeover under way. */
export interface Attempt {
  readonly term: Term;
  /** The master's term when it asked for this; null: nobody did. */
  readonly plannedBy: Term | null;
  readonly plannedId: number;
  readonly claimedAtMs: number;
  /** When the silence began: only a master's evidence newer than this keeps it master. */
  readonly suspectedAtMs: number;
  readonly granted: boolean;
  /** Claims are not believed before this time: a peer still heard the master (R18), or the voter rests. */
  readonly notBeforeMs: number;
  /** A signed word of the old master was heard in this attempt, without sound evidence. */
  readonly masterLives: boolean;
  readonly released: boolean;
  /** First sending of READY; 0 before. */
  readonly readyAtMs: number;
  readonly readyId: number;
  /** Address probes under way, by id; 0 when ended. */
  readonly probeIds: { readonly downlink: number; readonly uplink: number };
  readonly answeredBy: { readonly downlink: boolean; readonly uplink: boolean };
  /** The service behind the shut gate: not ordered (any more), ordered, or tested and found there. */
  readonly prepared: 'no' | 'ordered' | 'tested';
  readonly limitAtMs: number;
  /** How often this search for a living master began anew after a stall, the suspicion before it included. */
  readonly stalls: number;
}

/** The master's search for a successor. */
export interface Trial {
  readonly cause: 'operator' | 'stop' | 'standby' | 'uplink' | 'preempt' | 'feedback' | 'disputed';
  readonly to: HostName;
  readonly id: number;
  readonly tried: readonly HostName[];
  readonly only: boolean;
  /** When it is given up on that one. */
  readonly untilMs: number;
}

/** Making harmless: what is still to be confirmed, in this order. */
export interface Cleaning {
  /** `words`: all is off, and copies of what is said about it are left to send. */
  readonly stage: 'gate' | 'service' | 'uplink' | 'words';
  readonly id: number;
  readonly copies: number;
}

/** One service on this host. */
export interface ServiceState {
  readonly service: ServiceName;
  readonly place: Place;
  readonly enteredAtMs: number;
  readonly timers: Timers;
  readonly voter: Voter;
  readonly right: Right;
  readonly known: Known | null;
  /** Another host's claim that is under way (R11, R16). */
  readonly rival: { readonly term: Term; readonly heardAtMs: number } | null;
  /** The highest term number that this host heard of or tried; a number is never tried twice (R1). */
  readonly highestN: number;
  readonly table: Table | null;
  /** Adverts that still carry the whole table. */
  readonly tableAdverts: number;
  readonly reports: { readonly [host: HostName]: PeerReport };
  readonly checks: { readonly [P in TestProcedure]: CheckRecord };
  readonly suspicion: Suspicion | null;
  readonly attempt: Attempt | null;
  readonly cleaning: Cleaning | null;
  /** The own term: while claiming and serving; null otherwise. */
  readonly term: Term | null;
  /** Serves, or tries to, without a majority: by an operator's order, or alone (R27). */
  readonly forced: boolean;
  /** The latest order; `fromId`: the first since the gate was last ordered shut. */
  readonly gate: { readonly id: number; readonly fromId: number; readonly untilMs: number | null };
  readonly trial: Trial | null;
  readonly trialPauseMs: number;
  /** To whom RELEASED hands over: the id of its READY, and until when our majority lease would have run. */
  readonly handingTo: { readonly host: HostName; readonly id: number; readonly leaseUntilMs: number } | null;
  /** R12, R15: no own claim before. */
  readonly noClaimBeforeMs: number;
  readonly holdUntilMs: number;
  readonly holdMs: number;
  /** Hosts that wait for the end of a self-check: CHECK ids, and blame. */
  readonly askers: readonly {
    readonly host: HostName;
    readonly id: number;
    readonly kind: 'check' | 'blame';
  }[];
  /** A watching backup: the CHECK under way, and how often the master said ok while the view was bad. */
  readonly dispute: {
    readonly id: number;
    readonly oks: number;
    /** Who served when the view turned bad, or let go because of it; null: it is good, or not known. */
    readonly blamed: HostName | null;
  };
  /** A master: when backups last insisted that the service fails. */
  readonly complaints: { readonly [host: HostName]: number };
  readonly alarms: readonly AlarmCode[];
  readonly burden: Burden;
  /** How often this host gave the service away because it was burdened or disputed, since it last stayed (R14, R26). */
  readonly moves: number;
  /** What the last REPORT said. */
  readonly said: Pick<PeerReport, 'fit' | 'downlink' | 'standby' | 'burdened' | 'load'> | null;
}

/** What is known of a member, over all services. */
export interface PeerState {
  /** A signed word was heard since this host's start and since the last roster change (R19). */
  readonly trusted: boolean;
  /** Per link: when last heard. */
  readonly heardOn: { readonly [link: number]: number };
}

export interface HostState {
  readonly config: CoreConfig;
  readonly startedAtMs: number;
  readonly nextId: number;
  readonly standby: boolean;
  readonly stopping: boolean;
  readonly stopped: boolean;
  /** What this host says of its load, 0..1000 (R25). */
  readonly load: number;
  /** R19: under `available` no claim before; null: never held. */
  readonly trustHoldUntilMs: number | null;
  readonly peers: { readonly [host: HostName]: PeerState };
  /** Milliseconds there and back, by host: the longest of late (R28). */
  readonly trips: { readonly [host: HostName]: number };
  readonly services: { readonly [service: ServiceName]: ServiceState };
}

const UNCHECKED: CheckRecord = {
  runningId: 0,
  startedAtMs: 0,
  confirmedAtMs: null,
  verdict: 'unknown',
  sound: false,
  good: 0,
  bad: 0,
  again: false,
};

export function initialService(service: ServiceName, config: CoreConfig, nowMs: number): ServiceState {
  const me = config.membership.members.find((m) => m.name === config.membership.self);
  return {
    service,
    // A witness never leaves this place: it votes, and has nothing to make harmless.
    place: me?.role === 'witness' ? 'backup.watching' : 'init.cleaning',
    enteredAtMs: nowMs,
    timers: NO_TIMERS,
    voter: abstaining(nowMs, config.timing.promiseMs),
    right: NO_RIGHT,
    known: null,
    rival: null,
    highestN: 0,
    table: null,
    tableAdverts: 0,
    reports: {},
    checks: {
      checkUplink: UNCHECKED,
      checkDownlink: UNCHECKED,
      checkServiceLocal: UNCHECKED,
      checkServiceRemote: UNCHECKED,
    },
    suspicion: null,
    attempt: null,
    cleaning: null,
    term: null,
    forced: false,
    gate: { id: 0, fromId: 0, untilMs: null },
    trial: null,
    trialPauseMs: 0,
    handingTo: null,
    noClaimBeforeMs: 0,
    holdUntilMs: 0,
    holdMs: 0,
    askers: [],
    dispute: { id: 0, oks: 0, blamed: null },
    complaints: {},
    alarms: [],
    burden: UNBURDENED,
    moves: 0,
    said: null,
  };
}

/** The state before the first event. */
export function initialState(config: CoreConfig, nowMs: number): HostState {
  const services: Record<ServiceName, ServiceState> = {};
  for (const s of config.services) services[s.name] = initialService(s.name, config, nowMs);
  return {
    config,
    startedAtMs: nowMs,
    nextId: 1,
    standby: false,
    stopping: false,
    stopped: false,
    load: 0,
    trustHoldUntilMs: null,
    peers: {},
    trips: {},
    services,
  };
}

/** When `step` wants to be called at the latest, with a `timer` event; null: not without an event. */
export function nextDeadline(state: HostState): number | null {
  let next = Number.POSITIVE_INFINITY;
  for (const name in state.services) {
    const service = state.services[name];
    if (service !== undefined) next = Math.min(next, earliest(service.timers));
  }
  return Number.isFinite(next) ? next : null;
}

/** The nearest of a service's deadlines; Infinity without one. Each by its name: a host with 64 services asks often. */
export function earliest(t: Timers): number {
  const none = Number.POSITIVE_INFINITY;
  const ofTheRight = Math.min(t.lapse ?? none, t.renew ?? none, t.advert ?? none, t.retry ?? none);
  const ofThePlace = Math.min(t.step ?? none, t.silence ?? none, t.listen ?? none, t.probe ?? none);
  const ofATry = Math.min(t.claim ?? none, t.window ?? none, t.repeat ?? none, t.clean ?? none);
  return Math.min(ofTheRight, ofThePlace, ofATry, t.trial ?? none, t.report ?? none, t.checks ?? none);
}
