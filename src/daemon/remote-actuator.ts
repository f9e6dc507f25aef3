/**
 * The actuator's port as the driver knows it, over a conversation with the actuator process. Invariant: what is not
 * known to be done is never told as done; a gate whose order was not answered counts as shut when its time is over.
 */
import type { ServiceName } from '../core/basics.ts';
import type { Side } from '../core/events.ts';
import type { Procedure, Verdict } from '../core/procedures.ts';
import type { Actuator, ActuatorEvents } from '../driver/ports.ts';
import { type Answer, sideOf, type Word } from '../linux/orders/grammar.ts';
import { type Numbers, renumbered } from '../linux/orders/numbers.ts';
import type { FilterCounts } from '../linux/portguard.ts';
import { OperatorError } from '../trust/errors.ts';
import { OrderLink, type OrderLinkOptions } from './order-link.ts';

const RAISING: ReadonlySet<Procedure> = new Set<Procedure>(['activateUplink', 'activateService']);
/**
 * A client waits for these; all else leaves after what the same step says to other hosts: an uplink is raised after the claim has
 * left, so that nothing is ever seen on it of a host that has not said why.
 */
const HURRIED: ReadonlySet<Procedure> = new Set<Procedure>([
  'activateService',
  'announceTakeoverDownlink',
  'announceTakeoverUplink',
]);
/** After an order's own deadline its answer is late: the kernel has shut the gate, a jiffy later at most. */
const GATE_SLACK_MS = 12;
/** A test may begin late on a busy host: nothing hangs on when it does. */
const TEST_PATIENCE_MS = 1000;
/** It tests every rule file before it is ready. Less than the unit's TimeoutStartSec, which would say nothing. */
const START_LIMIT_MS = 50_000;

export type Trouble = 'port-filter' | 'conntrackd' | 'uplink-guard';

export interface RemoteActuatorOptions
  extends Pick<OrderLinkOptions, 'stream' | 'nowMs' | 'leaseMs' | 'onLost' | 'beside'> {
  /** Of the settings that this process has read. */
  readonly hash: string;
  readonly isGateway: boolean;
  /** In the configuration's order. */
  readonly services: readonly ServiceName[];
  readonly memberAddresses: readonly string[];
  readonly events: ActuatorEvents;
  /**
   * What is wrong, null: nothing (any more). `port-filter`: the filter of the cluster's port; `conntrackd`: it does not answer;
   * `uplink-guard`: that service's uplink was up, or there, unwanted.
   */
  readonly onTrouble: (alarm: Trouble, service: ServiceName | null, detail: string | null) => void;
  /** A line for the log about that service's uplink. */
  readonly onUplinkGuarded: (service: ServiceName, note: string) => void;
  /** The uplink of that service may not be raised again so soon. */
  readonly onSpent: (service: ServiceName) => void;
}

/** How burdened the host is, 0 to 1000, and what each source told, in words. */
export interface MeasuredLoad {
  readonly permille: number;
  readonly sources: string;
}

/** What the daemon asks of its host, beside what the driver does. */
export interface LinuxSide extends Actuator {
  start(): Promise<void>;
  readonly silentMs: number;
  readonly filtered: FilterCounts;
  readonly load: MeasuredLoad | null;
  members(addresses: readonly string[]): Promise<void>;
  reload(hash: string, services: readonly ServiceName[]): Promise<void>;
  fence(): Promise<boolean>;
  close(): void;
}

export class RemoteActuator implements LinuxSide {
  readonly #options: RemoteActuatorOptions;
  readonly #link: OrderLink;
  #services: Numbers;
  #filtered: FilterCounts = { stranger: 0, hops: 0, rate: 0 };
  #load: MeasuredLoad | null = null;
  readonly #gateTimers = new Map<ServiceName, NodeJS.Timeout>();
  #closed = false;

  constructor(options: RemoteActuatorOptions) {
    this.#options = options;
    this.#services = options.services;
    this.#link = new OrderLink({ ...options, onNews: (answer) => this.#news(answer) });
  }

  /** Both processes have read the same file, and the Linux side is ready. Throws OperatorError with the remedy. */
  async start(): Promise<void> {
    const { hash, memberAddresses, isGateway } = this.#options;
    const limit = setTimeout(
      () => this.#options.stream.destroy(new Error('it does not answer')),
      START_LIMIT_MS,
    );
    try {
      if ((await this.#link.ready) !== hash) await this.#link.ask({ verb: 'reload', hash });
      this.#link.beat();
      await this.members(memberAddresses);
      await this.#link.ask({ verb: 'begin', isGateway });
    } catch (error) {
      const [what = '', ...hints] = (error instanceof Error ? error.message : String(error)).split('; ');
      throw new OperatorError(`actuator: ${what}`, hints.length > 0 ? hints.join('; ') : 'see its own log');
    } finally {
      clearTimeout(limit);
    }
  }

  /** How long the actuator has been silent, in milliseconds; 0 while it answers. */
  get silentMs(): number {
    return this.#link.silentMs;
  }

  /** Datagrams that the filter of the cluster's port has dropped. Not older than some seconds. */
  get filtered(): FilterCounts {
    return this.#filtered;
  }

  /** As it was last measured; null: it is not. */
  get load(): MeasuredLoad | null {
    return this.#load;
  }

  run(name: ServiceName, procedure: Procedure, id: number): void {
    const index = this.#services.indexOf(name);
    const ended = (verdict: Verdict, detail: string): void => {
      if (!this.#closed) this.#options.events.procedureEnded(name, procedure, id, verdict, detail);
    };
    if (index < 0 || (RAISING.has(procedure) && !this.#link.isTrusted)) {
      const why = index < 0 ? 'no such service' : 'the actuator was silent';
      queueMicrotask(() => ended('unknown', why));
      return;
    }
    if (!HURRIED.has(procedure)) this.#link.yield();
    const deadlineMs = this.#deadlineMs(RAISING.has(procedure) ? 0 : TEST_PATIENCE_MS);
    this.#link.send({ verb: procedure, index, deadlineMs }, ({ word, text }) => ended(verdictOf(word), text));
  }

  probeAddresses(name: ServiceName, side: Side, id: number, waitMs: number): void {
    const index = this.#services.indexOf(name);
    const probed = (answered: boolean, detail: string): void => {
      if (!this.#closed) this.#options.events.addressesProbed(name, side, id, answered, detail);
    };
    if (index < 0) {
      queueMicrotask(() => probed(true, 'no such service'));
      return;
    }
    const verb = side === 'downlink' ? 'probeDownlink' : 'probeUplink';
    // As an uplink is raised: after the signed question of the same step.
    this.#link.yield();
    const deadlineMs = this.#deadlineMs(TEST_PATIENCE_MS);
    this.#link.send({ verb, index, deadlineMs, waitMs }, ({ word, text }) =>
      // Anything but evidence of silence is none.
      probed(word !== 'silent', text),
    );
  }

  gate(name: ServiceName, untilMs: number | null, id: number): void {
    const index = this.#services.indexOf(name);
    const isOpening = untilMs !== null && untilMs > this.#options.nowMs();
    if (index < 0 || (isOpening && !this.#link.isTrusted)) {
      queueMicrotask(() => this.#gateIs(name, id, null));
      return;
    }
    this.#forgetGateTimer(name);
    if (!isOpening) {
      this.#link.send({ verb: 'shut', index }, (answer) => this.#gateAnswered(name, id, answer));
      return;
    }
    const waitMs = untilMs - this.#options.nowMs() + GATE_SLACK_MS;
    this.#gateTimers.set(
      name,
      setTimeout(() => this.#gateIs(name, id, null), waitMs),
    );
    this.#link.send({ verb: 'gate', index, deadlineMs: untilMs }, (answer) => {
      this.#forgetGateTimer(name);
      this.#gateAnswered(name, id, answer);
    });
  }

  prepareUplink(name: ServiceName, wanted: boolean): void {
    const index = this.#services.indexOf(name);
    if (index >= 0) this.#link.send({ verb: wanted ? 'prepare' : 'dismiss', index }, () => undefined);
  }

  /** The other members' own addresses. Rejects when the actuator does not take them. */
  async members(addresses: readonly string[]): Promise<void> {
    for (const address of addresses) this.#link.send({ verb: 'member', address });
    await this.#link.ask({ verb: 'members', count: addresses.length });
  }

  /** The file was read again, and `services` stand in it. Rejects, and nothing was changed, when the actuator refuses it. */
  async reload(hash: string, services: readonly ServiceName[]): Promise<void> {
    await this.#link.ask({ verb: 'reload', hash });
    this.#services = renumbered(this.#services, services);
  }

  /** Makes the host harmless; whether every step of it was confirmed. */
  fence(): Promise<boolean> {
    return this.#link.ask({ verb: 'fence' }).then(
      () => true,
      () => false,
    );
  }

  /** Ends the conversation; the actuator makes the host harmless then. */
  close(): void {
    this.#closed = true;
    for (const name of [...this.#gateTimers.keys()]) this.#forgetGateTimer(name);
    this.#link.close();
  }

  #gateAnswered(name: ServiceName, id: number, { word, number }: Answer): void {
    if (word === 'open') this.#gateIs(name, id, number);
    else if (word === 'shut') this.#gateIs(name, id, null);
  }

  #gateIs(name: ServiceName, id: number, openUntilMs: number | null): void {
    if (!this.#closed) this.#options.events.gateSet(name, id, openUntilMs);
  }

  #forgetGateTimer(name: ServiceName): void {
    clearTimeout(this.#gateTimers.get(name));
    this.#gateTimers.delete(name);
  }

  #deadlineMs(leastMs: number): number {
    return this.#options.nowMs() + Math.max(this.#options.leaseMs, leastMs);
  }

  #news({ word, number, text }: Answer): void {
    if (this.#closed) return;
    const { events, onTrouble, onSpent, onUplinkGuarded } = this.#options;
    const name = this.#services[number] ?? null;
    const at = sideOf(text);
    if (word === 'filter') onTrouble('port-filter', null, number === 0 ? null : text);
    else if (word === 'sync') onTrouble('conntrackd', null, number === 0 ? null : text);
    else if (word === 'counts') {
      const [stranger = 0, hops = 0, rate = 0] = text.split(' ').map(Number);
      this.#filtered = { stranger, hops, rate };
    } else if (word === 'load') {
      this.#load = { permille: Math.min(1000, Math.round(number)), sources: text };
      events.loadMeasured?.(this.#load.permille, text);
    } else if (name === null) return;
    else if (word === 'foreigner') events.foreignerHeard(name);
    else if (word === 'intruded') onTrouble('uplink-guard', name, text === '' ? null : text);
    else if (word === 'guarded') onUplinkGuarded(name, text);
    else if (word === 'spent') onSpent(name);
    else if (word === 'link' && at !== null) events.linkChanged(name, at.side);
    else if (word === 'rival' && at !== null) events.rivalHeard(name, at.side, at.rest);
  }
}

function verdictOf(word: Word): Verdict {
  return word === 'confirmed' || word === 'lost' || word === 'refuted' ? word : 'unknown';
}
