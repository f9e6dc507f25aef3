/**
 * What reaches the core: facts, in the past tense. The driver adds the time to each.
 */
import type { CoreConfig, HostName, ServiceName } from './basics.ts';
import type { Message } from './messages.ts';
import type { Procedure, Verdict } from './procedures.ts';

export type Side = 'downlink' | 'uplink';

export type Event =
  /** The process has started; the first event. */
  | { readonly type: 'started' }
  /** A deadline that `nextDeadline` named may have come; harmless at any time. */
  | { readonly type: 'timer' }
  /**
   * A member's word, authenticated and fresh. `link` 0 is the uplink. `outdated`: its sender's roster is older than
   * ours, or of another branch: such a host gets no promise (R21).
   */
  | {
      readonly type: 'message';
      readonly from: HostName;
      readonly link: number;
      readonly message: Message;
      readonly outdated?: boolean;
    }
  /** That host answered a question of this one, signed, so long after it was sent (R28). */
  | { readonly type: 'round-trip'; readonly host: HostName; readonly tripMs: number }
  /** A session with that host was accepted: it can be talked to. */
  | { readonly type: 'peer-joined'; readonly host: HostName }
  /** A datagram in that host's name was refused. `gated`: it passed the gate of that pair of hosts. */
  | { readonly type: 'refused'; readonly host: HostName; readonly gated: boolean }
  /** A procedure ended. `id` is that of its `run` effect. */
  | {
      readonly type: 'procedure-ended';
      readonly service: ServiceName;
      readonly procedure: Procedure;
      readonly id: number;
      readonly verdict: Verdict;
    }
  /** Roving addresses of one side were asked for (ARP probe, DAD): `answered` at once when somebody else has one. */
  | {
      readonly type: 'addresses-probed';
      readonly service: ServiceName;
      readonly side: Side;
      readonly id: number;
      readonly answered: boolean;
    }
  /** The kernel gate was read back. `openUntilMs`: on this clock; null when it is shut. */
  | {
      readonly type: 'gate-set';
      readonly service: ServiceName;
      readonly id: number;
      readonly openUntilMs: number | null;
    }
  /** The kernel reported a change of that link: a reason to look now, no evidence of anything. */
  | { readonly type: 'link-changed'; readonly service: ServiceName; readonly side: Side }
  /** A host outside the cluster was heard on the downlink: a reason to check now. */
  | { readonly type: 'foreigner-heard'; readonly service: ServiceName }
  /** Somebody else announced or claimed a roving address while this host serves. */
  | { readonly type: 'rival-heard'; readonly service: ServiceName; readonly side: Side }
  | { readonly type: 'operator'; readonly order: Order }
  /** What this host has to do, in thousandths of what it can: a whole number from 0 to 1000 (R25); every few seconds. */
  | { readonly type: 'measured'; readonly load: number }
  /** A reload or a newer roster; the new configuration was checked as a whole. */
  | { readonly type: 'configured'; readonly config: CoreConfig };

/** What an operator may ask for. `service` null: all services of this host. */
export type Order =
  | {
      readonly kind: 'handover';
      readonly service: ServiceName | null;
      readonly to: HostName | null;
      readonly force: boolean;
    }
  | { readonly kind: 'standby' }
  | { readonly kind: 'resume' }
  | { readonly kind: 'stop' };
