/**
 * The loop: an event in, `step`, its effects out in their order, the next deadline armed. It knows neither Node nor
 * Linux, so that the simulator runs it too, with the real codec inside. Events that come while effects are carried
 * out wait in the inbox; a step is never entered twice.
 */
import {
  brokenInvariants,
  type CoreConfig,
  type Effect,
  type Event,
  type HostName,
  type HostState,
  initialState,
  type Message,
  nextDeadline,
  type Order,
  refusal,
  step,
} from '../core/index.ts';
import type { Endpoint, Outgoing, Received } from '../wire/endpoint.ts';
import type { RejectionCode } from '../wire/rejection.ts';
import type { Actuator, ActuatorEvents, Clock, Journal, Operations, Transport } from './ports.ts';

export interface DriverOptions {
  readonly config: CoreConfig;
  readonly endpoint: Endpoint;
  readonly clock: Clock;
  readonly transport: Transport;
  readonly actuator: Actuator;
  readonly journal: Journal;
  readonly operations: Operations;
  /** Sees every step: the recorder of transcripts and conformance runs. */
  readonly observe?: (nowMs: number, event: Event, state: HostState, effects: readonly Effect[]) => void;
}

/** Refusals that may mean that keys or rosters differ (R19). */
const UNTRUSTED: ReadonlySet<RejectionCode> = new Set<RejectionCode>(['gate', 'signature']);

/** More events than this waiting at once: the oldest refusals and foreign frames are the first to go. */
const INBOX_MAX = 4096;

export class Driver {
  readonly #options: DriverOptions;
  readonly #inbox: Event[] = [];
  /** What procedures told beside their verdict, for the log entry that follows. */
  readonly #details = new Map<string, string>();
  #state: HostState;
  #busy = false;

  constructor(options: DriverOptions) {
    this.#options = options;
    this.#state = initialState(options.config, options.clock.nowMs());
  }

  /** The core's state; a value, never changed afterwards. */
  get state(): HostState {
    return this.#state;
  }

  start(): void {
    this.#happened({ type: 'started' });
  }

  /** The clock's callback, at or after the time last given to `wakeAt`. */
  wake(): void {
    const dueMs = nextDeadline(this.#state);
    // Else only handshakes are due: `arm` sends them.
    if (dueMs !== null && dueMs <= this.#options.clock.nowMs()) this.#happened({ type: 'timer' });
    else this.#arm();
  }

  /** A datagram that arrived on that link (0: an uplink). Refused ones change nothing but counters. */
  datagramReceived(link: number, datagram: Uint8Array): void {
    const received = this.#options.endpoint.receive(this.#options.clock.nowMs(), link, datagram);
    if (received.kind !== 'refused') this.#transmit(received.replies);
    for (const event of eventsOf(received)) this.#enqueue(event);
    this.#work();
    this.#arm();
  }

  /** Carries an operator's order out; returns why it is refused, or null. */
  order(order: Order): string | null {
    const why = refusal(this.#state, order);
    this.#happened({ type: 'operator', order });
    return why;
  }

  /** A checked new configuration or roster. */
  configure(config: CoreConfig): void {
    this.#happened({ type: 'configured', config });
  }

  readonly actuatorEvents: ActuatorEvents = {
    procedureEnded: (service, procedure, id, verdict, detail) => {
      if (verdict !== 'confirmed' && detail !== '') this.#details.set(procedure, detail);
      this.#happened({ type: 'procedure-ended', service, procedure, id, verdict });
    },
    addressesProbed: (service, side, id, answered) =>
      this.#happened({ type: 'addresses-probed', service, side, id, answered }),
    gateSet: (service, id, openUntilMs) => this.#happened({ type: 'gate-set', service, id, openUntilMs }),
    linkChanged: (service, side) => this.#happened({ type: 'link-changed', service, side }),
    foreignerHeard: (service) => this.#happened({ type: 'foreigner-heard', service }),
    rivalHeard: (service, side) => this.#happened({ type: 'rival-heard', service, side }),
  };

  #happened(event: Event): void {
    this.#enqueue(event);
    this.#work();
    this.#arm();
  }

  #enqueue(event: Event): void {
    if (this.#inbox.length >= INBOX_MAX) {
      const spare = this.#inbox.findIndex((e) => e.type === 'refused' || e.type === 'foreigner-heard');
      if (spare >= 0) this.#inbox.splice(spare, 1);
      else if (event.type === 'message') return;
    }
    this.#inbox.push(event);
  }

  /** One step an event. Throws when the core broke an invariant: the process must end, the kernel's lease does the rest. */
  #work(): void {
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let event = this.#inbox.shift(); event !== undefined; event = this.#inbox.shift()) {
        const nowMs = this.#options.clock.nowMs();
        const { state, effects } = step(this.#state, event, nowMs);
        this.#state = state;
        const broken = brokenInvariants(state);
        if (broken.length > 0) throw new Error(`broken invariant: ${broken.join('; ')}`);
        this.#options.observe?.(nowMs, event, state, effects);
        this.#carryOut(effects, nowMs);
      }
    } finally {
      this.#busy = false;
    }
  }

  /** The effects in their order; what goes to the same hosts leaves together. */
  #carryOut(effects: readonly Effect[], nowMs: number): void {
    const { actuator, transport, journal, operations } = this.#options;
    const mail: { readonly to: HostName | 'all'; readonly messages: Message[] }[] = [];
    for (const effect of effects) {
      switch (effect.type) {
        case 'log': {
          const detail = this.#details.get(String(effect.entry.data?.procedure ?? ''));
          journal.append(detail === undefined ? effect.entry : { ...effect.entry, detail });
          break;
        }
        case 'run':
          this.#details.delete(effect.procedure);
          actuator.run(effect.service, effect.procedure, effect.id);
          break;
        case 'probe-addresses':
          actuator.probeAddresses(effect.service, effect.side, effect.id);
          break;
        case 'gate':
          actuator.gate(effect.service, effect.untilMs, effect.id);
          break;
        case 'uplink-talk':
          transport.uplinkTalk(effect.service, effect.open);
          break;
        case 'send': {
          const last = mail.at(-1);
          if (last?.to === effect.to) last.messages.push(effect.message);
          else mail.push({ to: effect.to, messages: [effect.message] });
          break;
        }
        case 'alarm':
          operations.alarm(effect.code, effect.service, effect.on, effect.detail);
          break;
        case 'fetch-roster':
          // Rosters spread by themselves once hosts hear each other; until then the alarm names the remedy.
          break;
        case 'stopped':
          this.#post(mail.splice(0), nowMs);
          operations.stopped();
          break;
        default:
          effect satisfies never;
      }
    }
    this.#post(mail, nowMs);
  }

  #post(
    mail: readonly { readonly to: HostName | 'all'; readonly messages: Message[] }[],
    nowMs: number,
  ): void {
    for (const { to, messages } of mail) this.#transmit(this.#options.endpoint.seal(nowMs, to, messages));
  }

  #transmit(outgoing: readonly Outgoing[]): void {
    for (const { to, link, datagram } of outgoing) this.#options.transport.send(to, link, datagram);
  }

  /** Sends the handshakes that are due and sets the clock for whatever comes next. */
  #arm(): void {
    const { endpoint, clock, transport } = this.#options;
    const nowMs = clock.nowMs();
    endpoint.setLinks(nowMs, transport.links());
    if (endpoint.nextTickMs() <= nowMs) this.#transmit(endpoint.tick(nowMs));
    clock.wakeAt(Math.min(nextDeadline(this.#state) ?? Number.POSITIVE_INFINITY, endpoint.nextTickMs()));
  }
}

/** What the core hears of a datagram. */
function eventsOf(received: Received): Event[] {
  if (received.kind === 'messages') {
    const { from, link } = received;
    return received.messages.map((message) => ({ type: 'message', from, link, message }));
  }
  if (received.kind === 'handshake') {
    return received.joined ? [{ type: 'peer-joined', host: received.from }] : [];
  }
  // Replays, late words and the start of a session tell nothing of trust; what cannot be verified may.
  if (received.host === null || !UNTRUSTED.has(received.code)) return [];
  return [{ type: 'refused', host: received.host, gated: received.gated }];
}
