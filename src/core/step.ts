/**
 * `step(state, event, now) -> { state, effects }`: the whole core behind one pure function. Same inputs, same outputs;
 * it reads no clock, opens nothing, draws no random number, and never changes the state that it is given.
 */
import type { CoreConfig, HostName, ServiceName, Timing } from './basics.ts';
import { saidLoad, weighed } from './burden.ts';
import { periodicChecks, startCheck } from './checks.ts';
import { Ctx } from './context.ts';
import {
  addressProbeEnded,
  ENTRIES,
  gateSet,
  messageReceived,
  procedureEnded,
  timerFired,
} from './dispatch.ts';
import type { Effect } from './effects.ts';
import type { Event, Order } from './events.ts';
import { checkDigests, fitAnew, report, reportMessage } from './fitness.ts';
import { enterCleaning } from './harmless.ts';
import { atRest, expel, obey, refusal } from './orders.ts';
import { advert, beginRound } from './service.ts';
import {
  earliest,
  type HostState,
  initialService,
  initialState,
  nextDeadline,
  type ServiceState,
  TIMERS,
} from './state.ts';
import { beginAnew } from './suspicion.ts';
import { tripAfter } from './trips.ts';

export { initialState, nextDeadline };

export interface Step {
  readonly state: HostState;
  /** In the order in which they must be carried out. */
  readonly effects: readonly Effect[];
}

/** One event. `nowMs` never goes back from one step to the next. */
export function step(state: HostState, event: Event, nowMs: number): Step {
  const effects: Effect[] = [];
  // Judged once, for all services: what it makes of the first must not refuse it for the second.
  const refused = event.type === 'operator' ? refusal(state, event.order, nowMs) : null;
  const before = noted(state, event, nowMs, effects);
  // A draft of this step alone, made once: a step that serves all services costs no more than their number.
  const services = { ...before.services };
  const host = { ...before, services };
  for (const cfg of host.config.services) {
    const s = services[cfg.name];
    if (s === undefined || !concerns(event, cfg.name)) continue;
    const stalled = nowMs - earliest(s.timers) > borneMs(s, host.config.timing);
    const c = new Ctx(host, s, cfg, nowMs, stalled, ENTRIES);
    late(c);
    happened(c, event, refused);
    if (event.type === 'timer') dueTimers(c);
    if (event.type !== 'started') report(c, false);
    host.nextId = c.nextId;
    services[cfg.name] = c.s;
    effects.push(...c.effects);
  }
  return { state: ended(host, effects), effects: ordered(effects) };
}

/** What an event changes in the host as a whole. */
function noted(state: HostState, event: Event, nowMs: number, effects: Effect[]): HostState {
  switch (event.type) {
    case 'message': {
      const peer = state.peers[event.from];
      const heardOn = { ...peer?.heardOn, [event.link]: nowMs };
      if (peer?.trusted !== true) {
        effects.push({ type: 'alarm', code: 'untrusted', service: null, on: false, detail: event.from });
      }
      return { ...state, peers: { ...state.peers, [event.from]: { trusted: true, heardOn } } };
    }
    case 'round-trip':
      return {
        ...state,
        trips: { ...state.trips, [event.host]: tripAfter(state.trips[event.host], event.tripMs) },
      };
    case 'refused': {
      if (!refusalCounts(state, event.host)) return state;
      const detail = `${event.host} speaks, but is not understood: compare rosters and keys`;
      effects.push(
        { type: 'alarm', code: 'untrusted', service: null, on: true, detail },
        { type: 'fetch-roster' },
      );
      return { ...state, trustHoldUntilMs: nowMs + state.config.timing.trustHoldMs };
    }
    case 'operator':
      return refusal(state, event.order, nowMs) === null ? ordering(state, event.order) : state;
    case 'measured':
      return { ...state, load: saidLoad(state.load, event.load) };
    case 'configured':
      return configured(state, event.config, nowMs, effects);
    default:
      return state;
  }
}

/**
 * R19: whether words that cannot be verified, in the name of that host, mean anything. In the name of one that was heard since
 * the start they prove nothing at all; and one hold is enough. A driver may ask before it makes an event of a refusal.
 */
export function refusalCounts(state: HostState, host: HostName): boolean {
  return state.peers[host]?.trusted !== true && state.trustHoldUntilMs === null;
}

function ordering(state: HostState, order: Order): HostState {
  if (order.kind === 'stop') return { ...state, stopping: true };
  if (order.kind === 'standby') return { ...state, standby: true };
  return order.kind === 'resume' ? { ...state, standby: false } : state;
}

/** A reload or a newer roster: services that stay keep their state; promises stay as they were given. */
function configured(state: HostState, config: CoreConfig, nowMs: number, effects: Effect[]): HostState {
  const names = new Set(config.services.map((s) => s.name));
  const services = Object.fromEntries(Object.entries(state.services).filter(([name]) => names.has(name)));
  for (const { name, digest } of config.services) {
    const old = services[name];
    const former = state.config.services.find((s) => s.name === name);
    if (old === undefined) services[name] = initialService(name, config, nowMs);
    // Whether others' configurations differ was judged by the former digest; they say theirs again soon.
    else if (former?.digest !== digest) services[name] = { ...old, reports: {} };
  }
  const changed = config.membership.version !== state.config.membership.version;
  if (changed) {
    const entry = {
      service: null,
      kind: 'roster' as const,
      text: `roster version ${config.membership.version}`,
    };
    effects.push({ type: 'log', entry });
    const { members, self } = config.membership;
    const expelled = !members.some((member) => member.name === self);
    const detail = expelled
      ? `roster version ${config.membership.version} lets this host take part no more`
      : '';
    effects.push({ type: 'alarm', code: 'expelled', service: null, on: expelled, detail });
  }
  // R19: after a roster change nobody counts as understood before being heard again.
  return { ...state, config, services, ...(changed ? { peers: {}, trips: {}, trustHoldUntilMs: null } : {}) };
}

/** Whether an event is about that service, or about all. */
function concerns(event: Event, service: ServiceName): boolean {
  if (event.type === 'round-trip') return false;
  if (event.type === 'message') return event.message.service === service;
  return !('service' in event) || event.service === service;
}

/** How late a deadline may be served without being a stall. Whoever is often late must not begin anew for ever (R9). */
function borneMs(s: ServiceState, { intervalMs, promiseMs }: Timing): number {
  const stalls = s.suspicion?.stalls ?? s.attempt?.stalls ?? 0;
  return Math.min(Math.max(intervalMs / 4, 10) * 2 ** Math.min(stalls, 16), promiseMs);
}

/** For the log alone: after a pause the gate had been shut for so long already. */
function endedText(c: Ctx): string {
  return c.rightUntil > 0 ? `ended ${Math.floor(c.now - c.rightUntil)} ms before` : '';
}

/**
 * Late is not dead (R9): first the own right, before any word leaves; then, after a stall, all
 * silence is forgotten and probed anew.
 */
function late(c: Ctx): void {
  if (c.at('service.serving', 'service.seeking') && c.now >= c.rightUntil) c.become('lapsed', endedText(c));
  if (!c.stalled) return;
  overdueNow(c);
  const { attempt } = c.s;
  if (c.at('backup.suspecting', 'decide.electing')) beginAnew(c);
  else if (c.s.place === 'service.suspended' && c.policy === 'available') beginRound(c);
  else if (attempt !== null && attempt.plannedBy === null) {
    const again = { ...attempt, stalls: attempt.stalls + 1 };
    if (c.s.place === 'handover.claiming') {
      c.set({ attempt: { ...again, notBeforeMs: Math.max(attempt.notBeforeMs, c.now + c.objectionMs) } });
    } else if (c.at('handover.listening', 'handover.waiting', 'handover.preparing', 'handover.releasing')) {
      c.set({ attempt: again });
      c.become('stalled');
    }
  }
}

/** The deadlines of this stall are to be served yet, and it is not to be judged by them again. */
function overdueNow(c: Ctx): void {
  for (const timer of TIMERS) c.timer(timer, c.s.timers[timer]);
}

/** The event itself. */
function happened(c: Ctx, event: Event, refused: string | null): void {
  const witness = c.member(c.me)?.role === 'witness';
  switch (event.type) {
    case 'started':
      started(c, witness);
      return;
    case 'message':
      if (event.message.service === c.s.service && c.member(event.from) !== undefined) {
        c.outdated = event.outdated === true;
        messageReceived(c, event.from, event.link, event.message);
      }
      return;
    case 'peer-joined':
      joined(c, event.host);
      return;
    case 'operator':
      if (isTaken(c, event.order, refused)) obey(c, event.order);
      return;
    case 'measured':
      weighed(c, event.load);
      return;
    case 'configured':
      if (c.s.place === 'init.cleaning' && c.s.cleaning === null) started(c, witness);
      else {
        expel(c);
        forgetOthers(c);
        shrunk(c);
      }
      checkDigests(c);
      return;
    default:
      if ('service' in event && event.service === c.s.service) reportedBack(c, event, witness);
  }
}

/** What the actuator tells. A witness orders nothing; but one that a roster made of a gateway has its end to come to. */
function reportedBack(c: Ctx, event: Exclude<Event, { type: 'message' }>, witness: boolean): void {
  if (event.type === 'procedure-ended') procedureEnded(c, event.procedure, event.id, event.verdict);
  else if (event.type === 'addresses-probed') addressProbeEnded(c, event.side, event.id, event.answered);
  else if (event.type === 'gate-set') gateSet(c, event.id, event.openUntilMs);
  else if (witness) return;
  else if (event.type === 'link-changed' || event.type === 'foreigner-heard') {
    const uplink = event.type === 'link-changed' && event.side === 'uplink';
    if (uplink && c.main === 'service') startCheck(c, 'checkUplink');
    else if (!uplink && c.s.place !== 'init.cleaning') startCheck(c, 'checkDownlink');
  } else if (event.type === 'rival-heard' && c.at('service.serving', 'service.seeking')) {
    // Neighbours' caches may hold the other's address now (pains: the wrong MAC after a split heals).
    c.run(event.side === 'downlink' ? 'announceTakeoverDownlink' : 'announceTakeoverUplink');
  }
}

/** Other voters or times may leave less of a right than the gate was opened for: the gate follows at once. */
function shrunk(c: Ctx): void {
  const { untilMs } = c.s.gate;
  if (untilMs === null || untilMs <= c.rightUntil) return;
  const rightMs = c.rightUntil > c.now ? c.rightUntil : null;
  if (rightMs === null && c.at('service.serving', 'service.seeking')) c.become('lapsed', 'by the new roster');
  else {
    c.gate(rightMs);
    if (rightMs !== null) c.timer('lapse', rightMs);
  }
}

/** What hosts said that are members no more decides nothing any more (M8); what was promised to them stays. */
function forgetOthers(c: Ctx): void {
  const kept = Object.entries(c.s.reports).filter(([host]) => c.member(host) !== undefined);
  c.set({ reports: Object.fromEntries(kept) });
}

function started(c: Ctx, witness: boolean): void {
  c.log('note', witness ? 'started as a witness' : 'started');
  report(c, true);
  if (witness) return;
  enterCleaning(c, null);
  periodicChecks(c);
}

/** A host can be talked to: it learns of us at once. */
function joined(c: Ctx, host: HostName): void {
  fitAnew(c, host);
  c.send(host, reportMessage(c));
  if (c.main === 'service' && c.s.place !== 'service.releasing') {
    c.set({ tableAdverts: Math.max(c.s.tableAdverts, 1) });
    advert(c);
  }
}

/** `stop` and the like are noted already, and are carried out however often they are said. */
function isTaken(c: Ctx, { kind }: Order, refused: string | null): boolean {
  const isRefused = kind === 'handover' && refused !== null;
  c.log('operator', isRefused ? `refused: ${kind}: ${refused}` : `ordered: ${kind}`, { kind });
  return !isRefused;
}

/**
 * Serves the deadlines that have come, each once, in the order of TIMERS. With `timer` alone: behind any other event the word that a
 * deadline waits for may be the next one (R9).
 */
function dueTimers(c: Ctx): void {
  if (earliest(c.s.timers) > c.now) return;
  const due = TIMERS.filter((timer) => (c.s.timers[timer] ?? Number.POSITIVE_INFINITY) <= c.now);
  for (const timer of due) {
    // An earlier one may have changed the place and taken it away.
    if ((c.s.timers[timer] ?? Number.POSITIVE_INFINITY) > c.now) continue;
    c.timer(timer, null);
    timerFired(c, timer);
  }
}

/** A stopping host whose services are all at rest says goodbye. */
function ended(host: HostState, effects: Effect[]): HostState {
  if (!host.stopping || host.stopped) return host;
  const names = Object.keys(host.services);
  if (!names.every((name) => atRest(host, name))) return host;
  for (const service of names) effects.push({ type: 'send', to: 'all', message: { type: 'BYE', service } });
  effects.push({ type: 'stopped' });
  return { ...host, stopped: true };
}

const ORDER: { readonly [E in Effect['type']]: number } = {
  log: 0,
  run: 1,
  'probe-addresses': 1,
  gate: 1,
  'uplink-talk': 1,
  send: 2,
  alarm: 3,
  'fetch-roster': 3,
  stopped: 4,
};

/** Log, switch, send, alarm: what is told to others is written down and ordered before. Stable within a kind. */
function ordered(effects: readonly Effect[]): readonly Effect[] {
  if (effects.length < 2) return effects;
  return effects.slice().sort((a, b) => ORDER[a.type] - ORDER[b.type]);
}
