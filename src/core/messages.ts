/**
 * The messages that state machines exchange, one record a service. What carries them (sessions, signatures,
 * batching into datagrams) is ring 1's and the driver's; HELLO, CHALLENGE, WELCOME and ROSTER never reach the core.
 *
 * `id` numbers a request within one run of its sender; an answer repeats it. The wire binds an answer to
 * the run of the host that asked, so that a number alone is enough here.
 * Adding a field: append it, make it optional, never reuse a name; say it in spec/protocol.md first.
 */
import type { HostName, ServiceName, Term } from './basics.ts';

/** One row of the status table: a host, whether it may take over, whether an operator took it out, and whether it has too much to do. */
export interface TableRow {
  readonly host: HostName;
  readonly fit: boolean;
  readonly standby: boolean;
  readonly burdened: boolean;
}

/** The status table: all hosts of a service in a total order; kept by the master, newest (term, seq) wins (R22). */
export interface Table {
  readonly term: Term;
  readonly seq: number;
  readonly rows: readonly TableRow[];
}

/** What a host says of itself in REPORT. */
export type Activity = 'init' | 'decide' | 'backup' | 'handover' | 'service';

/** The master's advert, its request to renew the lease, and (phase `handover`) a claimant's. To all. */
export interface Status {
  readonly type: 'STATUS';
  readonly service: ServiceName;
  readonly id: number;
  readonly term: Term;
  readonly phase: 'serving' | 'suspended' | 'handover';
  readonly digest: string;
  readonly tableSeq: number;
  /** Present after a change and when a host showed an older one. */
  readonly table?: Table;
}
/** A voter's answer to STATUS: its promise is renewed. */
export interface Ack {
  readonly type: 'ACK';
  readonly service: ServiceName;
  readonly id: number;
  readonly term: Term;
}
/** A host's health, to all: on a change and every few intervals. */
export interface Report {
  readonly type: 'REPORT';
  readonly service: ServiceName;
  readonly activity: Activity;
  readonly fit: boolean;
  readonly standby: boolean;
  /** Whether its downlink is confirmed now. */
  readonly downlink: boolean;
  readonly digest: string;
  /** The newest table that it has; null when none. */
  readonly tableTerm: Term | null;
  readonly tableSeq: number;
  /** How much the host has to do, in thousandths of what it can: 0 to 1000. A host of protocol 1 says 0. */
  readonly load: number;
  /** It wants others to go before it: settled by itself, with hysteresis. */
  readonly burdened: boolean;
}
/** "Are you there, and who serves?" To all, on every present link. */
export interface Probe {
  readonly type: 'PROBE';
  readonly service: ServiceName;
  readonly id: number;
  /** The term that the sender claims; null when it only suspects. */
  readonly claim: Term | null;
  /** The sender confirmed its own downlink after the silence began: a master that cannot should let go. */
  readonly blame: boolean;
}
/** The answer to PROBE. */
export interface Probed {
  readonly type: 'PROBED';
  readonly service: ServiceName;
  readonly id: number;
  readonly activity: Activity;
  /** `serving` only with the gate open. */
  readonly serving: boolean;
  /** The term that the sender serves or claims in; null otherwise. */
  readonly term: Term | null;
  /** How long ago its downlink was last confirmed; null: not confirmed. */
  readonly downlinkAgeMs: number | null;
}
/** A backup's clients' view failed: "check yourself". */
export interface Check {
  readonly type: 'CHECK';
  readonly service: ServiceName;
  readonly id: number;
  /** The master has said ok `fall` times and the view is still bad. */
  readonly insist: boolean;
}
export interface Checked {
  readonly type: 'CHECKED';
  readonly service: ServiceName;
  readonly id: number;
  readonly ok: boolean;
}
/** "I want to serve in this term." To all. */
export interface Claim {
  readonly type: 'CLAIM';
  readonly service: ServiceName;
  readonly id: number;
  readonly term: Term;
}
/** A voter's answer to CLAIM: promised. Carries its table, so that the new master takes the newest. */
export interface Grant {
  readonly type: 'GRANT';
  readonly service: ServiceName;
  readonly id: number;
  readonly term: Term;
  readonly table?: Table;
}
/** The other answer to CLAIM and STATUS. */
export interface Object_ {
  readonly type: 'OBJECT';
  readonly service: ServiceName;
  readonly id: number;
  /** `promise`: bound to `holder` for `restMs`; `serving`: I serve, my downlink is sound; `hearing`: I hear the master. */
  readonly reason: 'promise' | 'serving' | 'hearing';
  readonly term: Term;
  readonly restMs: number;
  /** With `serving`: how long ago the sender's downlink was confirmed. */
  readonly downlinkAgeMs: number | null;
}
/** A claimant gives its claim up: promises for this term are free. Also "no" to HANDOVER. To all. */
export interface Withdraw {
  readonly type: 'WITHDRAW';
  readonly service: ServiceName;
  readonly term: Term;
}
/** The claimant, ready to serve, asks an old master that may still be there to let go. To all. */
export interface Release {
  readonly type: 'RELEASE';
  readonly service: ServiceName;
  readonly id: number;
  readonly term: Term;
}
/** The master's gate is shut and confirmed so. To all. */
export interface Released {
  readonly type: 'RELEASED';
  readonly service: ServiceName;
  readonly term: Term;
  /** To whom it hands over; null: to whoever claims first (R15). */
  readonly successor: HostName | null;
  /** The id of the successor's READY; 0 without one. */
  readonly id: number;
  /** What was left of the majority's lease when the gate was shut: the successor may use it up (R12). */
  readonly restMs: number;
}
/** The master asks a backup to get ready for a planned handover. */
export interface Handover {
  readonly type: 'HANDOVER';
  readonly service: ServiceName;
  readonly id: number;
  /** The master's own term; the successor's will be a higher one. */
  readonly term: Term;
}
/** The successor's uplink is up and tested, its service prepared behind the shut gate. */
export interface Ready {
  readonly type: 'READY';
  readonly service: ServiceName;
  readonly id: number;
  readonly term: Term;
}
/** The sender leaves on purpose. To all. */
export interface Bye {
  readonly type: 'BYE';
  readonly service: ServiceName;
}

export type Message =
  | Status
  | Ack
  | Report
  | Probe
  | Probed
  | Check
  | Checked
  | Claim
  | Grant
  | Object_
  | Withdraw
  | Release
  | Released
  | Handover
  | Ready
  | Bye;
export type MessageType = Message['type'];
