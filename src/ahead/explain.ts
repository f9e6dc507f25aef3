/**
 * `explain`: one host's state, the cluster as it knows it, and what becomes of both when something fails: the real
 * core run ahead on that state. A forecast, with what it rests on; nothing outside is asked or changed.
 */
import {
  type Bound,
  type Fault,
  type Hindrance,
  type HostName,
  type HostState,
  initialState,
  type Place,
  type ServiceName,
  type StepTimes,
  standing,
  type Term,
  TRANSITIONS,
  takeoverBounds,
  usualSteps,
} from '../core/index.ts';
import { covers, mainState } from '../core/transitions.ts';
import { machinesOf } from './assume.ts';
import type { Machine } from './machine.ts';
import { resume } from './resume.ts';
import { type Happening, Run } from './run.ts';
import { boundedBy, strike, type WhatIf, whatIfText } from './what-if.ts';
import { whyNotMaster } from './why.ts';

/** No forecast reaches further, whatever the times are. */
const HORIZON_MAX_MS = 10 * 60_000;

export interface Reasons {
  readonly host: HostName;
  readonly place: Place | null;
  readonly reasons: readonly Hindrance[];
}

/** Now. */
export interface Present {
  readonly service: ServiceName;
  readonly host: HostName;
  readonly place: Place;
  readonly inPlaceMs: number;
  readonly term: Term | null;
  /** Who serves, as far as this host knows; null: nobody, or it does not know. */
  readonly master: HostName | null;
  /** Empty: this host is master. `untilMs` of each counts from now. */
  readonly reasons: readonly Hindrance[];
  readonly order: string;
}

/** One line of the forecast; `row`: of the table of transitions in spec/state-machine.md, `waitedMs`: in the place before. */
export interface Line extends Happening {
  readonly row: string | null;
  readonly waitedMs: number | null;
}

export interface Forecast {
  readonly service: ServiceName;
  readonly whatIf: string;
  /** `over`: a host serves for good; `time`: the horizon was reached; `steps`: too much happened. */
  readonly ended: 'over' | 'time' | 'steps';
  readonly simulatedMs: number;
  readonly steps: number;
  readonly before: HostName | null;
  readonly after: HostName | null;
  /** Who holds the service at the end, whether clients get through it or not; null: nobody. */
  readonly holder: HostName | null;
  /** All times without service, together; `openEnded`: nobody serves at the end. */
  readonly outageMs: number;
  readonly openEnded: boolean;
  readonly timeline: readonly Line[];
  /** The other gateways, at the moment when the successor claimed or was asked; without one: at the end. */
  readonly others: readonly Reasons[];
  /** The row of spec/timing.md for it, by this configuration; null: no row is about it. */
  readonly bound: ({ readonly fault: Fault } & Bound) | null;
  /** On what each host's state rests. */
  readonly basis: readonly { readonly host: HostName; readonly text: string }[];
}

/** What this host is, and why it is not master. Throws RangeError when it has no such service. */
export function present(state: HostState, service: ServiceName, nowMs: number): Present {
  const s = state.services[service];
  const judged = standing(state, service, nowMs);
  if (s === undefined || judged === null) throw new RangeError(`no service ${service}`);
  const self = state.config.membership.self;
  const isServing = mainState(s.place) === 'service' && s.place !== 'service.releasing';
  const heard = s.known !== null && s.known.released === undefined && s.place === 'backup.watching';
  return {
    service,
    host: self,
    place: s.place,
    inPlaceMs: Math.max(0, nowMs - s.enteredAtMs),
    term: s.term ?? s.known?.term ?? null,
    master: isServing ? self : heard ? (s.known?.term.host ?? null) : null,
    reasons: relative(whyNotMaster(state, service, nowMs), nowMs),
    order: judged.order,
  };
}

/**
 * The run ahead. `state` as it was at `nowMs` on its own clock; `times`: what steps take. Throws RangeError when it has
 * no such service.
 */
export function forecast(
  state: HostState,
  service: ServiceName,
  what: WhatIf,
  nowMs: number,
  times: StepTimes = usualSteps(state.config.timing),
): Forecast {
  const { timing } = state.config;
  const cfg = state.config.services.find(({ name }) => name === service);
  const own = state.services[service];
  if (cfg === undefined || own === undefined) throw new RangeError(`no service ${service}`);
  const machines = machinesOf(state, nowMs);
  const run = new Run(machines, times, nowMs);
  const gateways = machines.filter(({ role }) => role === 'gateway');
  const before = run.server(service);
  let others: Reasons[] = [];
  let successor: HostName | null = null;
  run.onHappening = (happening) => {
    const { host, to, what: cause } = happening;
    if (happening.service !== service) return;
    const begins = to === 'handover.claiming' || (to === 'handover.raising' && cause === 'asked');
    if (!begins) return;
    successor = host;
    others = reasonsOf(gateways, host, service, run.nowMs);
  };
  resume(run, machines[0] as Machine);
  strike(run, what, service, times.linkEventMs);
  const bounds = takeoverBounds(timing, cfg, times, 0);
  const fault = boundedBy(what);
  const hit = 'host' in what && what.host === before;
  const bound = fault !== null && hit ? { fault, ...bounds[fault] } : null;
  const calmMs = 3 * timing.intervalMs + 2 * cfg.checkIntervalMs;
  const worstMs = Math.max(...Object.values(bounds).map((one) => one.worstMs));
  const horizonMs = Math.min(HORIZON_MAX_MS, 2 * worstMs + 3 * timing.promiseMs + calmMs);
  const leastMs = (bound?.worstMs ?? bounds.power.worstMs) + calmMs;
  const ended = run.pass(horizonMs, () => settled(run, gateways, service, calmMs, hit ? calmMs : leastMs));
  const gaps = run.gaps(service);
  const after = run.server(service);
  if (successor === null || after === null) others = reasonsOf(gateways, after, service, run.nowMs);
  return {
    service,
    whatIf: whatIfText(what),
    ended,
    simulatedMs: run.elapsedMs,
    steps: run.steps,
    before,
    after,
    holder: after ?? gateways.find(({ state: own }) => holds(own?.services[service]?.place))?.name ?? null,
    outageMs: gaps.reduce((sum, gap) => sum + (gap.untilMs ?? run.elapsedMs) - gap.fromMs, 0),
    openEnded: after === null,
    timeline: linesOf(run.happenings.filter((one) => one.service === service)),
    others,
    bound,
    basis: machines.map(({ name, basis }) => ({ host: name, text: basis })),
  };
}

function holds(place: Place | undefined): boolean {
  return place === 'service.serving' || place === 'service.seeking';
}

/** One host has served for long enough, and no other is on the way to or from it. */
function settled(
  run: Run,
  gateways: readonly Machine[],
  service: ServiceName,
  calmMs: number,
  leastMs: number,
): boolean {
  const server = run.server(service);
  if (run.elapsedMs < leastMs || server === null) return false;
  if (run.elapsedMs - run.servedSinceMs(service) < calmMs) return false;
  return gateways.every(({ name, state }) => {
    const place = state?.services[service]?.place;
    if (place === undefined || name === server) return place === undefined || place === 'service.serving';
    return !['handover', 'service'].includes(mainState(place));
  });
}

function reasonsOf(
  gateways: readonly Machine[],
  but: HostName | null,
  service: ServiceName,
  nowMs: number,
): Reasons[] {
  return gateways
    .filter(({ name }) => name !== but)
    .map(({ name, state, basis }) =>
      state === null
        ? {
            host: name,
            place: null,
            reasons: [{ rule: 'R9', text: `does not run (${basis})`, untilMs: null }],
          }
        : {
            host: name,
            place: state.services[service]?.place ?? null,
            reasons: relative(whyNotMaster(state, service, nowMs), nowMs),
          },
    );
}

function relative(reasons: readonly Hindrance[], nowMs: number): Hindrance[] {
  return reasons.map((one) => ({
    ...one,
    untilMs: one.untilMs === null ? null : Math.max(0, one.untilMs - nowMs),
  }));
}

/** Each with its row, and how long its host had been in the place before, where that began within the run. */
function linesOf(happenings: readonly Happening[]): Line[] {
  const entered = new Map<HostName, number>();
  return happenings.map((one) => {
    if (one.kind !== 'transition') return { ...one, row: null, waitedMs: null };
    const before = entered.get(one.host);
    entered.set(one.host, one.atMs);
    return { ...one, row: rowOf(one), waitedMs: before === undefined ? null : one.atMs - before };
  });
}

/** `T13`: the table in the specification has the rows of TRANSITIONS in their order. */
export function rowOf({ from, what }: Pick<Happening, 'from' | 'what'>): string | null {
  if (from === null) return null;
  const at = TRANSITIONS.findIndex(([pattern, cause]) => cause === what && covers(pattern, from));
  return at < 0 ? null : `T${at + 1}`;
}

/** Whether that state is one of this core's: a daemon may be of another version than whoever asks it. */
export function isOfThisCore(state: HostState): boolean {
  const keys = (value: object): string => Object.keys(value).sort().join();
  const own = initialState(state.config, 0);
  const services = Object.values(state.services);
  const [blank] = Object.values(own.services);
  const alike =
    blank === undefined ||
    services.every((s) => keys(s) === keys(blank) && keys(s.timers) === keys(blank.timers));
  return keys(state) === keys(own) && alike;
}
