/**
 * What the core wants done: orders, as plain data, carried out in their order (log, switch, send, alarm).
 * Each effect that can fail comes back as an event with its `id`.
 */
import type { HostName, ServiceName } from './basics.ts';
import type { Side } from './events.ts';
import type { Message } from './messages.ts';
import type { Procedure } from './procedures.ts';

/** What is wrong, as an operator sees it; raised and cleared. spec/state-machine.md says what to do about each. */
export const ALARMS = [
  'not-harmless', // a deactivation cannot be confirmed
  'downlink-unconfirmed', // this host cannot confirm its own downlink, and so is unfit
  'uplink-failed', // the master's uplink check fails
  'no-successor', // a handover was wanted, and nobody could take over
  'suspended', // the lease ran out; the gate is shut
  'handover-failed', // a handover was rolled back
  'address-conflict', // somebody outside the cluster answers for a roving address
  'config-differs', // a peer's configuration digest is not ours
  'untrusted', // words in a member's name were refused, and that member was never heard since the start
  'term-absurd', // a member named a term number far beyond any known
  'two-masters', // a STATUS of a second serving host was heard
  'service-disputed', // a backup's clients' view is bad, the master says that all is well
  'forced', // this host serves without a majority, by an operator's order or as configured (R27)
  'roster-forked', // two rosters of one number are signed: a slip of the admin, or a stolen admin key
  'expelled', // the roster lets this host take part no more; it stays harmless
] as const;
export type AlarmCode = (typeof ALARMS)[number];

export type Effect =
  /** An entry of the event log; queued before anything else of its step is done. */
  | { readonly type: 'log'; readonly entry: LogEntry }
  /** Run a procedure. Switches and announcements of one service run one after the other, tests beside them. */
  | {
      readonly type: 'run';
      readonly service: ServiceName;
      readonly procedure: Procedure;
      readonly id: number;
    }
  /** Ask for the roving addresses of one side from 0.0.0.0 or ::, `probes` times, `waitMs` each: `probeTimeoutMs` or less (R11). */
  | {
      readonly type: 'probe-addresses';
      readonly service: ServiceName;
      readonly side: Side;
      readonly id: number;
      readonly waitMs: number;
    }
  /** Set the kernel gate to shut by itself at `untilMs` (this host's clock); null: shut it now. */
  | {
      readonly type: 'gate';
      readonly service: ServiceName;
      readonly untilMs: number | null;
      readonly id: number;
    }
  /** Open or close the cluster's socket on the raised uplink (link 0). */
  | { readonly type: 'uplink-talk'; readonly service: ServiceName; readonly open: boolean }
  /** Send to one host or to all members, on every present link. Lost when there is no session; never an error. */
  | { readonly type: 'send'; readonly to: HostName | 'all'; readonly message: Message }
  | {
      readonly type: 'alarm';
      readonly code: AlarmCode;
      readonly service: ServiceName | null;
      readonly on: boolean;
      readonly detail: string;
    }
  /** Ask the other hosts for a newer roster. */
  | { readonly type: 'fetch-roster' }
  /** After a `stop` order: this host is harmless, the process may end. */
  | { readonly type: 'stopped' };

export interface LogEntry {
  readonly service: ServiceName | null;
  readonly kind: 'transition' | 'voted' | 'message' | 'procedure' | 'operator' | 'roster' | 'alarm' | 'note';
  /** One line for people; the fields beside it are for programs. */
  readonly text: string;
  readonly data?: { readonly [key: string]: string | number | boolean | null };
}
