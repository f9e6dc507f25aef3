/**
 * The driver's ports: all that it needs of the world, as interfaces. The daemon fulfils them with Node and Linux,
 * the simulator with models. Times are milliseconds of the monotonic clock that is not slewed, unless said otherwise.
 */
import type { CoreConfig, HostName, ServiceName } from '../core/basics.ts';
import type { AlarmCode, Effect, LogEntry } from '../core/effects.ts';
import type { Event, Side } from '../core/events.ts';
import type { Procedure, Verdict } from '../core/procedures.ts';
import type { HostState } from '../core/state.ts';
import type { Roster } from '../trust/roster.ts';
import type { Endpoint } from '../wire/endpoint.ts';
import type { Head } from '../wire/head.ts';
import type { HeardHead } from '../wire/received.ts';
import type { RejectionCode } from '../wire/rejection.ts';
import type { RosterNews } from './rosters.ts';

export interface Clock {
  /** Monotonic, not slewed; fractions of a millisecond are welcome. */
  nowMs(): number;
  /** Calls back once at or after that time, when what has come by then was handed over; replaces the timer set before. null: no timer. */
  wakeAt(atMs: number | null): void;
  /** Calls back once, as soon as what has come by now was handed over. */
  wakeSoon(): void;
  /**
   * All answers to what was just said will be here in about that time, and nothing else is under way: the process may stand still
   * until then, so that it is woken once for all of them. Calls back after it, in any case.
   */
  rest?(ms: number): void;
}

/** Datagrams out. Datagrams in are handed to the driver by `datagramReceived`. Sending never throws and never waits. */
export interface Transport {
  /** Link 0 is the uplink; the n-th address of a member is link n. A link that is not present drops. */
  send(to: HostName, link: number, datagram: Uint8Array): void;
  /** The links that are present now: those of the configuration, and 0 while an uplink is open. The same list until they change. */
  links(): readonly number[];
  /** Opens or closes the socket on the device of that service's uplink. */
  uplinkTalk(service: ServiceName, open: boolean): void;
}

/**
 * The Linux side, behind a port from the first commit; later a process of its own. No call throws or waits; what
 * can fail comes back by `ActuatorEvents` with the id of its order.
 */
export interface Actuator {
  run(service: ServiceName, procedure: Procedure, id: number): void;
  /** `probes` questions, each of which waits for `waitMs`. */
  probeAddresses(service: ServiceName, side: Side, id: number, waitMs: number): void;
  /** `untilMs` null: shut now. A time in the past shuts. */
  gate(service: ServiceName, untilMs: number | null, id: number): void;
  /**
   * A hint that nothing answers: this uplink may soon be activated (or, false, it will not be now). Where that is
   * configured its device is made ready, and stays down.
   */
  prepareUplink?(service: ServiceName, wanted: boolean): void;
}
export interface ActuatorEvents {
  procedureEnded(
    service: ServiceName,
    procedure: Procedure,
    id: number,
    verdict: Verdict,
    detail: string,
  ): void;
  /** `answered`: somebody has an address or wants it, or it is not known, for nobody could be asked: silence is told on evidence alone. */
  addressesProbed(service: ServiceName, side: Side, id: number, answered: boolean, detail: string): void;
  gateSet(service: ServiceName, id: number, openUntilMs: number | null): void;
  linkChanged(service: ServiceName, side: Side): void;
  foreignerHeard(service: ServiceName): void;
  rivalHeard(service: ServiceName, side: Side, detail: string): void;
  /** How burdened the host is, 0 to 1000, and what each source told. */
  loadMeasured?(load: number, detail: string): void;
}

/** What the core says, and what the driver knows of it beside. */
export interface JournalEntry extends LogEntry {
  /** The event of that step. */
  readonly event?: string;
  /** What a procedure said. */
  readonly detail?: string;
  /** The roster that is in force from here on. */
  readonly roster?: Roster;
}

/** The event log. Appending queues; it never blocks a takeover. */
export interface Journal {
  append(entry: JournalEntry): void;
}

/** What hosts know of each other's logs, and what was refused. Nothing here throws or waits. */
export interface Evidence {
  /** A peer showed, signed, how far its log has come. */
  headHeard(from: HostName, heard: HeardHead): void;
  /** A peer told, signed, what it holds of this host's log. */
  headHeld(from: HostName, head: Head): void;
  /** A word in that host's name (null: in nobody's) was refused. */
  refused(host: HostName | null, code: RejectionCode): void;
}

/** What becomes of a newer roster outside the core. Nothing here may fail: a revoked key must be refused at once. */
export interface RosterPort {
  /**
   * A verified, newer roster: stored first, then sockets and Linux side follow, then `inForce` is called, now or
   * later, with what the core is to know; who votes is put in by the driver. Several are put in force in their order.
   */
  adopt(roster: Roster, inForce: (config: CoreConfig) => void): void;
  /** Anything told of rosters, for logs and for keeping proofs. `from` null: an operator, or this host itself. */
  told(from: HostName | null, news: RosterNews): void;
}

/** Alarms as an operator sees them, and the end of the process. */
export interface Operations {
  alarm(code: AlarmCode, service: ServiceName | null, on: boolean, detail: string): void;
  stopped(): void;
}

/** All that a driver is made of. */
export interface DriverOptions {
  readonly config: CoreConfig;
  readonly endpoint: Endpoint;
  readonly clock: Clock;
  readonly transport: Transport;
  readonly actuator: Actuator;
  readonly journal: Journal;
  /** Default: nobody looks at others' logs. */
  readonly evidence?: Evidence;
  readonly operations: Operations;
  /** Default: a newer roster changes the members that the core knows, and nothing else. */
  readonly rosters?: RosterPort;
  /** Sees every step: the recorder of transcripts and conformance runs. */
  readonly observe?: (nowMs: number, event: Event, state: HostState, effects: readonly Effect[]) => void;
}
