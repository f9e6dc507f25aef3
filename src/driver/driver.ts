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
  type HostState,
  initialState,
  nextDeadline,
  type Order,
  refusal,
  refusalCounts,
  step,
} from '../core/index.ts';
import { membershipOf, type Roster } from '../trust/roster.ts';
import type { Fork, Merge } from '../trust/roster-merge.ts';
import { RunEnded } from '../wire/ended.ts';
import type { Outgoing, Received } from '../wire/endpoint.ts';
import type { RejectionCode } from '../wire/rejection.ts';
import { Chronicle } from './chronicle.ts';
import { Outbox } from './outbox.ts';
import type { ActuatorEvents, DriverOptions } from './ports.ts';
import { Preparing } from './preparing.ts';
import { restMs } from './rest.ts';
import { describeNews } from './roster-news.ts';
import { type Outcome, RosterKeeper } from './rosters.ts';
import { eventsOf, type Taken } from './taken.ts';

/** Refusals that may mean that keys or rosters differ (R19). */
const UNTRUSTED: ReadonlySet<RejectionCode> = new Set<RejectionCode>(['gate', 'signature']);

/** More events than this waiting at once: the oldest refusals and foreign frames are the first to go. */
const INBOX_MAX = 4096;

export class Driver {
  readonly #options: DriverOptions;
  readonly #inbox: Event[] = [];
  readonly #outbox = new Outbox();
  readonly #chronicle = new Chronicle();
  readonly #keeper: RosterKeeper;
  readonly #preparing: Preparing;
  /** What the core was last told, or is about to be. */
  #config: CoreConfig;
  #state: HostState;
  #busy = false;
  /** When the oldest word in the outbox was decided on; null: it is empty. */
  #saidMs: number | null = null;
  /** What the clock was last set to. */
  #armedMs = Number.NEGATIVE_INFINITY;
  /** How long this process may stand still after this turn. */
  #restMs = 0;

  constructor(options: DriverOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#preparing = new Preparing((service, wanted) => options.actuator.prepareUplink?.(service, wanted));
    const { membership, timing } = options.config;
    this.#keeper = new RosterKeeper(options.endpoint.roster, membership.self, timing.promiseMs);
    this.#state = initialState(options.config, options.clock.nowMs());
  }

  /** The core's state; a value, never changed afterwards. */
  get state(): HostState {
    return this.#state;
  }

  start(): void {
    this.#enqueue({ type: 'started' });
    this.wake();
  }

  /**
   * The clock's callback. Late is not dead (R9): all that has come is taken in before any deadline is served, and what is said to
   * it leaves together (R7), however many events it came as.
   */
  wake(): void {
    this.#work();
    const { clock } = this.#options;
    // Most of what the clock would be set for now is over with the answers.
    if (this.#restMs > 0 && clock.rest !== undefined) clock.rest(this.#restMs);
    else this.#arm();
    this.#restMs = 0;
  }

  /**
   * A datagram that arrived on that link (0: an uplink). Refused ones change nothing but counters. Throws RunEnded
   * when a peer knows a later state of this run: the process must end, and the next one knows that it knows nothing.
   */
  datagramReceived(link: number, datagram: Uint8Array): void {
    const nowMs = this.#options.clock.nowMs();
    const received = this.#options.endpoint.receive(nowMs, link, datagram);
    if (received.kind === 'set-back')
      throw new RunEnded('set-back', `; ${received.from} has heard more of it`);
    if (received.kind === 'refused') {
      this.#refused(received);
      return;
    }
    this.#transmit(received.replies);
    if (received.kind === 'messages' && received.head !== null)
      this.#options.evidence?.headHeard(received.from, received.head);
    if (received.kind === 'handshake' && received.held !== undefined)
      this.#options.evidence?.headHeld(received.from, received.held);
    const outdated = this.#rosterShown(nowMs, received);
    for (const event of eventsOf(received, outdated)) this.#enqueue(event);
    this.#options.clock.wakeSoon();
  }

  /** A flood must cost no more than its refusal: no step is made and no clock set for what changes nothing (P31, P32). */
  #refused({ host, gated, code }: Received & { kind: 'refused' }): void {
    this.#options.evidence?.refused(host, code);
    if (host !== null && UNTRUSTED.has(code) && refusalCounts(this.#state, host))
      this.#happened({ type: 'refused', host, gated });
    // Its sender may have become a candidate, who is to be asked.
    else if (this.#options.endpoint.nextTickMs() < this.#armedMs) this.#options.clock.wakeSoon();
  }

  /**
   * Carries an operator's order out; returns why it is refused, or null. Like all that comes from outside the clock it serves no
   * deadline: the word that one waits for may not be read yet (R9).
   */
  order(order: Order): string | null {
    this.#work(false);
    const why = refusal(this.#state, order, this.#options.clock.nowMs());
    this.#happened({ type: 'operator', order });
    this.#work(false);
    return why;
  }

  /** A checked new configuration. Who votes under the roster in force stays as it is. */
  configure(config: CoreConfig): void {
    this.#reconfigure(config);
    this.#work(false);
  }

  /** Versions of the roster that an operator gives; a newer one is in force as soon as it is stored, and told to all. */
  offerRoster(bytes: Uint8Array): Merge {
    const outcome = this.#keeper.offer(bytes);
    this.#act(this.#options.clock.nowMs(), outcome);
    return outcome.merge;
  }

  /** The roster in force, how far it is settled, and who has shown that it has it. */
  get rosters(): Pick<RosterKeeper, 'roster' | 'settled' | 'confirmations'> {
    return this.#keeper;
  }

  readonly actuatorEvents: ActuatorEvents = {
    procedureEnded: (service, procedure, id, verdict, detail) => {
      this.#chronicle.ended(id, detail, this.#options.clock.nowMs());
      this.#happened({ type: 'procedure-ended', service, procedure, id, verdict });
    },
    addressesProbed: (service, side, id, answered, detail) => {
      this.#chronicle.ended(id, detail, this.#options.clock.nowMs());
      this.#happened({ type: 'addresses-probed', service, side, id, answered });
    },
    gateSet: (service, id, openUntilMs) => this.#happened({ type: 'gate-set', service, id, openUntilMs }),
    linkChanged: (service, side) => this.#happened({ type: 'link-changed', service, side }),
    foreignerHeard: (service) => this.#happened({ type: 'foreigner-heard', service }),
    rivalHeard: (service, side) => this.#happened({ type: 'rival-heard', service, side }),
    loadMeasured: (load) => this.#happened({ type: 'measured', load }),
  };

  #happened(event: Event): void {
    this.#enqueue(event);
    this.#options.clock.wakeSoon();
  }

  #enqueue(event: Event): void {
    if (this.#inbox.length >= INBOX_MAX) {
      const spare = this.#inbox.findIndex((e) => e.type === 'refused' || e.type === 'foreigner-heard');
      if (spare >= 0) this.#inbox.splice(spare, 1);
      else if (event.type === 'message') return;
    }
    this.#inbox.push(event);
  }

  /** One step an event; then, at the end of the turn, one for the deadlines that have come, and what is to be said. */
  #work(isTurnOver = true): void {
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let event = this.#inbox.shift(); event !== undefined; event = this.#inbox.shift())
        this.#step(event);
      if (!isTurnOver) return;
      const dueMs = nextDeadline(this.#state);
      if (dueMs !== null && dueMs <= this.#options.clock.nowMs()) this.#step({ type: 'timer' });
      this.#post();
    } finally {
      this.#busy = false;
    }
  }

  /** Throws when the core broke an invariant: the process must end, the kernel's lease does the rest. */
  #step(event: Event): void {
    const nowMs = this.#options.clock.nowMs();
    const before = this.#state;
    const { state, effects } = step(before, event, nowMs);
    this.#state = state;
    if (event.type === 'timer') this.#restMs = restMs(state, effects);
    const broken = brokenInvariants(state, before);
    if (broken.length > 0) throw new Error(`broken invariant: ${broken.join('; ')}`);
    this.#options.observe?.(nowMs, event, state, effects);
    for (const entry of this.#chronicle.entries(event, effects, nowMs)) this.#options.journal.append(entry);
    this.#carryOut(effects, nowMs);
    this.#preparing.follow(state);
  }

  /** The effects in their order; what is said leaves at the end of the turn, over the links that there are when it is said. */
  #carryOut(effects: readonly Effect[], nowMs: number): void {
    const { actuator, transport, operations } = this.#options;
    for (const effect of effects) {
      switch (effect.type) {
        case 'log':
          break; // queued before, in one with what the driver knows beside
        case 'run':
          this.#chronicle.started(effect.id, nowMs);
          actuator.run(effect.service, effect.procedure, effect.id);
          break;
        case 'probe-addresses':
          this.#chronicle.started(effect.id, nowMs);
          actuator.probeAddresses(effect.service, effect.side, effect.id, effect.waitMs);
          break;
        case 'gate':
          actuator.gate(effect.service, effect.untilMs, effect.id);
          break;
        case 'uplink-talk':
          this.#post();
          transport.uplinkTalk(effect.service, effect.open);
          break;
        case 'send':
          this.#saidMs ??= nowMs;
          this.#outbox.add(effect.to, effect.message);
          break;
        case 'alarm':
          operations.alarm(effect.code, effect.service, effect.on, effect.detail);
          break;
        case 'fetch-roster':
          this.#act(nowMs, this.#keeper.askAll());
          break;
        case 'stopped':
          this.#post();
          operations.stopped();
          break;
        default:
          effect satisfies never;
      }
    }
  }

  /** A word that a pause of the process kept for longer than a lease is not true any more, and would be signed as of now. */
  #post(): void {
    const { endpoint, clock } = this.#options;
    const isStale = clock.nowMs() - (this.#saidMs ?? clock.nowMs()) > this.#config.timing.leaseMs;
    this.#saidMs = null;
    for (const [to, messages] of this.#outbox.take())
      if (!isStale) this.#transmit(endpoint.seal(clock.nowMs(), to, messages));
  }

  #transmit(outgoing: readonly Outgoing[]): void {
    for (const { to, link, datagram } of outgoing) this.#options.transport.send(to, link, datagram);
  }

  /** Takes in what a signed word shows of its sender's roster; true when that host counts votes by a roster that is over. */
  #rosterShown(nowMs: number, received: Taken): boolean {
    if (received.shown === null) return false;
    const outcome = this.#keeper.heard(nowMs, received.from, received.shown);
    this.#act(nowMs, outcome);
    if (received.kind === 'roster') this.#act(nowMs, this.#keeper.word(nowMs, received.from, received.word));
    return outcome.standing === 'older' || outcome.standing === 'forked';
  }

  /** What is new is in force before anything is said of it. */
  #act(nowMs: number, { news, words }: Outcome): void {
    const { endpoint, rosters, journal, operations } = this.#options;
    for (const { from, what } of news) {
      rosters?.told(from, what);
      journal.append({ service: null, kind: 'roster', ...describeNews(from, what) });
      if (what.kind === 'taken') {
        // While they can still be reached: the sockets go by the newer roster from `adopt` on.
        this.#act(nowMs, this.#keeper.farewell(what.roster));
        const membership = membershipOf(what.roster, this.#config.membership.self);
        const inForce = (config: CoreConfig): void => this.#putInForce(what.roster, what.fork, config);
        if (rosters === undefined) inForce({ ...this.#config, membership });
        else rosters.adopt(what.roster, inForce);
      } else if (what.kind === 'settled') this.#reconfigure(this.#config);
      const forked = 'fork' in what && what.fork !== null;
      if (forked || what.kind === 'taken')
        operations.alarm('roster-forked', null, forked, forked ? describeNews(from, what).text : '');
    }
    for (const { to, word } of words) this.#transmit(endpoint.sealRoster(nowMs, to, word));
  }

  /** The core refuses the outdated before anybody is told that this host has the newer one. */
  #putInForce(roster: Roster, fork: Fork | null, config: CoreConfig): void {
    const nowMs = this.#options.clock.nowMs();
    this.#options.endpoint.setRoster(nowMs, roster);
    const outcome = this.#keeper.commit(nowMs, roster, fork);
    const text = `roster version ${roster.version} is in force`;
    this.#options.journal.append({ service: null, kind: 'roster', text, roster });
    this.#reconfigure(config);
    this.#work(false);
    this.#act(nowMs, outcome);
  }

  #reconfigure(config: CoreConfig): void {
    this.#config = this.#withVoters(config);
    this.#happened({ type: 'configured', config: this.#config });
  }

  /** Who votes under the roster in force, as far as it is settled; a host whose key it has no more is no member. */
  #withVoters(config: CoreConfig): CoreConfig {
    const { membership } = config;
    if (membership.version !== this.#keeper.roster.version) return config;
    const { isMember } = this.#options.endpoint;
    const members = membership.members.filter((member) => isMember || member.name !== membership.self);
    return { ...config, membership: { ...membership, members, voterSets: this.#keeper.voterSets } };
  }

  /** Sends the handshakes that are due and sets the clock for whatever comes next. */
  #arm(): void {
    const { endpoint, clock, transport } = this.#options;
    const nowMs = clock.nowMs();
    endpoint.setLinks(nowMs, transport.links());
    if (endpoint.nextTickMs() <= nowMs) this.#transmit(endpoint.tick(nowMs));
    if (this.#keeper.nextTickMs() <= nowMs) {
      this.#act(nowMs, this.#keeper.tick(nowMs));
      this.#work();
    }
    const stepMs = nextDeadline(this.#state) ?? Number.POSITIVE_INFINITY;
    this.#armedMs = Math.min(stepMs, endpoint.nextTickMs(), this.#keeper.nextTickMs());
    clock.wakeAt(this.#armedMs);
  }
}
