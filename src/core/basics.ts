/**
 * The words that everything else in the core is said with: hosts, terms, policies, times.
 * Plain serialisable values only. All times are milliseconds of one host's monotonic clock, handed in
 * with each event; the core never asks for the time.
 */

/** A host's name, unique in the roster, 1 to 32 characters of [a-z0-9-]. */
export type HostName = string;
/** A service's name, 1 to 32 characters of [a-z0-9-]; one main state machine stands for each. */
export type ServiceName = string;

/** `gateway` may become master; `witness` only votes. */
export type Role = 'gateway' | 'witness';

/** Who may take over: with a majority's promises, or without (design, section 2). */
export type Policy = 'quorum' | 'available';

/** A term: which takeover of a service this is. Ordered by `n`, then by `host`; never shared by two hosts (R1). */
export interface Term {
  readonly n: number;
  readonly host: HostName;
}

/** Negative when `a` is the lower term, 0 when both are the same, positive when `a` is the higher. */
export function compareTerms(a: Term, b: Term): number {
  if (a.n !== b.n) return a.n - b.n;
  return a.host < b.host ? -1 : a.host > b.host ? 1 : 0;
}

/** A member of the cluster as the core needs it; keys and addresses are the business of the outer rings. */
export interface Member {
  readonly name: HostName;
  readonly role: Role;
  /** The initial order: the higher is preferred. */
  readonly priority: number;
}

/** The roster as the core needs it. */
export interface Membership {
  readonly self: HostName;
  readonly version: number;
  readonly members: readonly Member[];
  /** A majority is needed in each of these sets; there is more than one while a roster change is unsettled (R21). */
  readonly voterSets: readonly (readonly HostName[])[];
}

/** The cluster's times; each must be the same on all hosts but for those that say otherwise. */
export interface Timing {
  /** I: the master's advert interval. */
  readonly intervalMs: number;
  /** L: how long a right to serve lasts without being renewed. */
  readonly leaseMs: number;
  /** P: how long a voter's promise lasts; at least (1+ρ)(L/(1-d)+g) (R24). */
  readonly promiseMs: number;
  /** j: timer slack allowed before silence is suspected. */
  readonly slackMs: number;
  /** rto: how long one probe waits for its answer. */
  readonly probeTimeoutMs: number;
  /** np: how many probes must stay unanswered. */
  readonly probes: number;
  /** w: the distance of two hosts' claim slots. */
  readonly slotMs: number;
  /** C: how long a claimant listens on the raised uplink for a living master; under `quorum` at most (R11). */
  readonly conflictWindowMs: number;
  /** The longest time from entering Handover to Service, waits for promises not counted. */
  readonly handoverLimitMs: number;
  /** The first hold-down after a failed handover; doubled by each further one up to `holdDownMaxMs`. */
  readonly holdDownMs: number;
  readonly holdDownMaxMs: number;
  /** How long a host that was never trusted since its start waits when it hears refused words (R19). */
  readonly trustHoldMs: number;
}

/** A service as the core needs it. */
export interface ServiceConfig {
  readonly name: ServiceName;
  readonly policy: Policy;
  /** How often a host checks its links and the service while nothing is suspected. */
  readonly checkIntervalMs: number;
  /** So many checks in a row must fail (succeed) before a check counts as failed (as good again). */
  readonly fall: number;
  readonly rise: number;
  /** How long a raised uplink may take until its next hop answers. */
  readonly uplinkLimitMs: number;
  /** How long a switch procedure (activate, deactivate) may take, its read-back included. */
  readonly switchLimitMs: number;
  /** `activateService` does nothing that the shut gate does not hold, and may run beside the conflict window: the built-in one (R11). */
  readonly preparesEarly: boolean;
  /** The number of the cluster's link that runs over the service's downlink; null when none does. */
  readonly downlinkLink: number | null;
  /** Preemption by planned handover after so long a fitness; null: never. */
  readonly preemptDelayMs: number | null;
  /** `quorum`: whether a master goes on when it hears no majority and no other gateway (R27). */
  readonly alone: 'suspend' | 'serve';
  /** Services that had better be on another host than this one: a wish (R25). */
  readonly apart: readonly ServiceName[];
  /** When a load (0..1000) burdens this host for this service; null: never (R25). */
  readonly feedback: { readonly high: number; readonly low: number; readonly afterMs: number } | null;
  /** Hash of all that must be the same on every host (security H5), as hex. */
  readonly digest: string;
}

/** All that the core is told at its start and on a reload. */
export interface CoreConfig {
  readonly membership: Membership;
  readonly timing: Timing;
  readonly services: readonly ServiceConfig[];
}
