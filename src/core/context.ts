/**
 * One service's turn within one `step`: the state so far, the effects so far, and the only way to change place.
 * The service's state is a draft: a copy made once for this step and changed in place, by the methods here alone. Its
 * values are never changed, only replaced, so the state that `step` was given stays as it was.
 */
import type { HostName, Member, Policy, ServiceConfig, Term, Timing } from './basics.ts';
import type { AlarmCode, Effect, LogEntry } from './effects.ts';
import type { Side } from './events.ts';
import { rightUntil } from './lease.ts';
import { type Listening, listening } from './listening.ts';
import type { Message } from './messages.ts';
import type { Procedure } from './procedures.ts';
import { type HostState, NO_TIMERS, type ServiceState, type Timer } from './state.ts';
import { type Cause, destination, type MainState, mainState, type Place } from './transitions.ts';
import { longestTripMs, objectionMs, probeMs } from './trips.ts';

/** What a place does when it is entered. */
export type Entries = { readonly [P in Place]: (c: Ctx, cause: Cause) => void };

export class Ctx {
  readonly now: number;
  readonly cfg: ServiceConfig;
  readonly t: Timing;
  readonly me: HostName;
  /** This step came so late to a deadline of the service that timers prove nothing: late is not dead (R9). */
  readonly stalled: boolean;
  /** The word at hand comes from a host whose roster is older than ours, or of another branch (R21). */
  outdated = false;
  readonly host: HostState;
  /** The draft. */
  readonly s: ServiceState;
  /** The host's `nextId` so far. */
  nextId: number;
  readonly effects: Effect[] = [];
  readonly #entries: Entries;

  constructor(
    host: HostState,
    s: ServiceState,
    cfg: ServiceConfig,
    now: number,
    stalled: boolean,
    entries: Entries,
  ) {
    this.host = host;
    this.s = { ...s, timers: { ...s.timers } };
    this.nextId = host.nextId;
    this.cfg = cfg;
    this.now = now;
    this.stalled = stalled;
    this.t = host.config.timing;
    this.me = host.config.membership.self;
    this.#entries = entries;
  }

  get main(): MainState {
    return mainState(this.s.place);
  }

  at(...places: Place[]): boolean {
    return places.includes(this.s.place);
  }

  /** An operator's force makes this mastership one without a majority. */
  get policy(): Policy {
    return this.s.forced ? 'available' : this.cfg.policy;
  }

  get rightUntil(): number {
    return rightUntil(this.s.right, this.policy, this.host.config.membership);
  }

  /** R28: rto', the time-out of a suspicion's PROBEs. */
  get probeMs(): number {
    return probeMs(this.t, longestTripMs(this.host));
  }

  /** R28: w', how long an objection is waited for. */
  get objectionMs(): number {
    return objectionMs(this.t, longestTripMs(this.host));
  }

  /** R11: the conflict window, and its questions. */
  get listening(): Listening {
    return listening(this.t, this.policy);
  }

  member(host: HostName): Member | undefined {
    return this.host.config.membership.members.find((m) => m.name === host);
  }

  set(patch: Partial<ServiceState>): void {
    Object.assign(this.s, patch);
  }

  /** Sets that deadline, or takes it away. One that would be over is due now: it is not late yet (R9). */
  timer(timer: Timer, atMs: number | null): void {
    const timers: { [T in Timer]: number | null } = this.s.timers;
    timers[timer] = atMs === null ? null : Math.max(atMs, this.now);
  }

  /**
   * R7: the next moment on this host's grid of that many milliseconds, after now. What its services say once an
   * interval leaves in one step that way, and so in one datagram under one signature.
   */
  nextOnGrid(everyMs: number): number {
    const { startedAtMs } = this.host;
    const nextMs = startedAtMs + (Math.floor((this.now - startedAtMs) / everyMs) + 1) * everyMs;
    // A sum may be rounded down to now itself.
    return nextMs > this.now ? nextMs : nextMs + everyMs;
  }

  /** A number for a request or an order, never used before in this run. */
  id(): number {
    return this.nextId++;
  }

  send(to: HostName | 'all', message: Message): void {
    this.effects.push({ type: 'send', to, message });
  }

  run(procedure: Procedure): number {
    const id = this.id();
    this.effects.push({ type: 'run', service: this.s.service, procedure, id });
    return id;
  }

  /** Asks for the roving addresses of one side; each question waits for `waitMs`. */
  probeAddresses(side: Side, waitMs: number = this.t.probeTimeoutMs): number {
    const id = this.id();
    this.effects.push({ type: 'probe-addresses', service: this.s.service, side, id, waitMs });
    return id;
  }

  /** Orders the kernel gate; what became of it comes back as `gate-set` with this id. */
  gate(untilMs: number | null): number {
    const id = this.id();
    const before = this.s.gate;
    const fromId = untilMs === null || before.untilMs === null ? id : before.fromId;
    this.set({ gate: { id, fromId, untilMs } });
    this.effects.push({ type: 'gate', service: this.s.service, untilMs, id });
    return id;
  }

  uplinkTalk(open: boolean): void {
    this.effects.push({ type: 'uplink-talk', service: this.s.service, open });
  }

  log(kind: LogEntry['kind'], text: string, data?: LogEntry['data']): void {
    const entry = { service: this.s.service, kind, text, ...(data === undefined ? {} : { data }) };
    this.effects.push({ type: 'log', entry });
  }

  /** Raises or clears an alarm of this service; saying it twice says it once. */
  alarm(code: AlarmCode, on: boolean, detail = ''): void {
    if (this.s.alarms.includes(code) === on) return;
    const others = this.s.alarms.filter((a) => a !== code);
    this.set({ alarms: on ? [...others, code] : others });
    this.effects.push({ type: 'alarm', code, service: this.s.service, on, detail });
    this.log('alarm', `${code} ${on ? 'raised' : 'cleared'}${detail === '' ? '' : `: ${detail}`}`, {
      code,
      on,
    });
  }

  /**
   * The one change of place. The place's timers are forgotten (those of the renewals only with the main state), the
   * new place's entry is run.
   * Throws when the table knows no such way: that is a fault of the core, never of an input.
   */
  become(cause: Cause, detail = ''): void {
    const from = this.s.place;
    const to = destination(from, cause);
    if (to === undefined) throw new Error(`no transition from ${from} on ${cause}`);
    const { report, checks, retry, lapse, renew, advert } = this.s.timers;
    const stays = mainState(from) === mainState(to) ? { retry, lapse, renew, advert } : {};
    this.set({ place: to, enteredAtMs: this.now, timers: { ...NO_TIMERS, report, checks, ...stays } });
    this.log('transition', `${from} -> ${to}: ${cause}${detail === '' ? '' : ` (${detail})`}`, {
      from,
      to,
      cause,
      detail,
      term: this.s.term === null ? null : `${this.s.term.n}/${this.s.term.host}`,
    });
    this.#entries[to](this, cause);
  }
}

/** A term as people read it. */
export function termText(term: Term | null): string {
  return term === null ? '-' : `${term.n}/${term.host}`;
}
