/**
 * From the model's words to the code: a state of the core that is in that place with those bits, and the event. Where a
 * bit has more than one cause in the code, `variant` chooses among them.
 */
import {
  type Event,
  type HostState,
  initialState,
  PLACES,
  type ServiceState,
  type Term,
} from '../../src/core/index.ts';
import { NO_TIMERS, type PeerReport, type Timer } from '../../src/core/state.ts';
import { CAUSES } from './abstract.ts';
import { configOf, eventName, NOW, name, SERVICE, termOf } from './concrete-cluster.ts';
import { messageOf, otherEvent } from './concrete-event.ts';
import { checks, report, rightOf, voterOf } from './concrete-service.ts';
import { EVENTS, ME, type Vector } from './vector.ts';

const TIMER_EVENTS: { readonly [event: string]: Timer } = Object.fromEntries(
  EVENTS.filter((e) => e.startsWith('E_T_')).map((e) => [e, e.slice(4).toLowerCase() as Timer]),
);

export interface Concrete {
  readonly state: HostState;
  readonly event: Event;
  /** The sender of a message; null for other events. */
  readonly from: string | null;
}

/** A state and an event of the core as that vector says. */
export function concretise(v: Vector, variant: number): Concrete {
  const event = eventName(v);
  // R27: not alone is who must not go on, and who hears somebody.
  const hears = event === 'E_T_ADVERT' && v.alone === 0 && variant % 2 === 1;
  const cfg = configOf(v.available === 1, v.better === 1, v.alone === 1 || hears, v.early === 1, v.two === 1);
  const place = PLACES[v.place as number] as ServiceState['place'];
  const service = place.startsWith('service.');
  const searching = place === 'backup.suspecting' || place === 'decide.electing';
  const known = termOf(v.known as number);
  const heardAtMs = NOW - (v.fresh === 1 ? 50 : v.heardP === 1 ? 300 : 1000);
  const sinceMs = NOW - (v.sinceP === 1 ? 1000 : 200);
  const claimedAtMs = NOW - (v.claimP === 1 ? 1000 : 60);
  const suspectedAtMs = NOW - 100;
  const planned = termOf(v.plannedBy as number);
  const own = termOf(v.term as number);
  const trialTo = v.trialTo === 0 ? null : name((v.trialTo as number) - 1);
  const { right, untilMs } = rightOf(v, event, variant);
  const timers: { [T in Timer]: number | null } = {
    ...NO_TIMERS,
    report: v.stalled === 1 ? NOW - 100 : NOW + 500,
  };
  const timer = TIMER_EVENTS[event];
  if (timer !== undefined) timers[timer] = NOW;
  // Not over: to come, or due behind this event (R9).
  const isBehind = event !== 'E_NONE' && timer === undefined && variant % 2 === 1;
  const windowMs = isBehind ? NOW : NOW + 30;
  if (v.attempt === 1 && /listening|waiting/.test(place) && v.windowOver === 0 && timer !== 'window') {
    timers.window = windowMs;
  }
  if (place === 'service.suspended' && v.suspect === 1 && v.windowOver === 0 && timer !== 'window') {
    timers.window = windowMs;
  }
  const pausing = v.pausing === 1 || (event === 'E_CHECK_INSIST' && v.counts === 0);
  if (pausing && timer !== 'trial') timers.trial = NOW + 500;
  const reports: Record<string, PeerReport> = { h0: report({}), h2: report({}) };
  const fits = (host: number): void => {
    reports[name(host)] = report({ fit: true, fitSinceMs: NOW - 2000 });
  };
  if (v.candidate !== 0) fits((v.candidate as number) - 1);
  // A lone complainer is one among several; the first slot is somebody else's.
  if (service && event === 'E_CHECK_INSIST' && variant % 2 === 1) fits(3);
  const agreed = event === 'E_CHECK_INSIST' && v.counts === 1 && variant % 2 === 1;
  if (searching && v.slot === 0) fits(3);
  const clearedAtMs = searching && v.slot === 1 && variant % 2 === 1 ? NOW - 5 : null;
  const rests = v.rested === 1 ? 'none' : variant % 2 === 0 ? 'start' : 'release';

  const rounds = { downlink: (v.pend as number) & 1 ? 101 : 0, uplink: (v.pend as number) & 2 ? 102 : 0 };

  const s: ServiceState = {
    ...(initialState(cfg, 0).services[SERVICE] as ServiceState),
    place,
    enteredAtMs: NOW - 3000,
    timers,
    voter: voterOf(v, event, variant),
    right,
    known:
      known === null
        ? null
        : {
            term: known,
            heardAtMs,
            ...(v.rel === 0 ? {} : { released: v.rel === 1 ? null : v.rel === 2 ? name(ME) : 'h3' }),
          },
    rival:
      v.rival === 0
        ? null
        : { term: termOf(v.rival as number) as Term, heardAtMs: NOW - (v.rivalFresh === 1 ? 50 : 1000) },
    highestN: v.highest as number,
    reports,
    complaints: agreed ? { [name(3)]: NOW - 100 } : {},
    checks: checks(v, event, v.attempt === 1 ? suspectedAtMs : sinceMs, variant),
    suspicion:
      v.suspect === 0
        ? null
        : {
            sinceMs,
            unanswered: v.unanswered as number,
            probes: v.unanswered as number,
            signOfLife: v.sign === 1,
            probeIds: v.attempt === 1 ? { downlink: 0, uplink: 0 } : rounds,
            stalls: 0,
            clearedAtMs,
          },
    attempt:
      v.attempt === 0
        ? null
        : {
            term: own as Term,
            plannedBy: planned,
            plannedId: 3,
            claimedAtMs,
            suspectedAtMs,
            granted: v.granted === 1,
            notBeforeMs: v.due === 1 ? NOW : NOW + 20,
            masterLives: v.masterLives === 1,
            released: v.letGo === 1,
            readyAtMs: NOW - 20,
            readyId: 77,
            probeIds: rounds,
            answeredBy: { downlink: ((v.answ as number) & 1) !== 0, uplink: ((v.answ as number) & 2) !== 0 },
            prepared: (['no', 'ordered', 'tested'] as const)[v.prep as number] as 'no',
            limitAtMs: v.limitOver === 1 ? NOW : NOW + 5000,
            stalls: 0,
          },
    cleaning:
      v.stage === 0
        ? null
        : {
            stage: (['gate', 'service', 'uplink', 'words'] as const)[(v.stage as number) - 1] as 'gate',
            id: v.stage === 1 ? 60 : v.stage === 4 ? 0 : 55,
            copies: v.copies as number,
          },
    term: own,
    forced: v.forced === 1,
    gate: {
      id: 60,
      fromId: 60,
      untilMs: v.gate === 0 ? null : v.grown === 1 ? untilMs - 20 : untilMs,
    },
    trial:
      trialTo === null
        ? null
        : {
            cause: CAUSES[(v.cause as number) - 1] as (typeof CAUSES)[number],
            to: trialTo,
            id: 44,
            tried: [trialTo],
            untilMs: NOW + 500,
            only: v.only === 1,
          },
    trialPauseMs: v.pausing === 1 ? 1000 : 0,
    handingTo:
      v.handTo === 0 ? null : { host: name((v.handTo as number) - 1), id: 46, leaseUntilMs: NOW + 50 },
    noClaimBeforeMs: rests === 'release' ? NOW + 10 : 0,
    holdUntilMs: v.held === 1 ? NOW + 500 : 0,
    holdMs: v.held === 1 ? 1000 : 0,
    alarms: [
      ...(v.uplinkBad === 1 ? (['uplink-failed'] as const) : []),
      ...(place === 'service.suspended' ? (['suspended'] as const) : []),
    ],
    said: null,
  };
  const heardOn: { [link: number]: number } = { 1: NOW - (hears ? 30 : 400) };
  const peers: HostState['peers'] =
    v.heard === 0
      ? {}
      : {
          h0: { trusted: true, heardOn },
          h2: { trusted: true, heardOn: v.blamed === 1 ? { ...heardOn, 0: NOW - 30 } : heardOn },
        };
  const sees = v.blamed === 1 && variant % 2 === 1 && v.fallen === 1;
  if (sees) reports.h2 = report({ fit: true, fitSinceMs: NOW - 2000 });
  const state: HostState = {
    ...initialState(cfg, 0),
    startedAtMs: rests === 'start' ? NOW - 100 : 0,
    nextId: 200,
    standby: v.standby === 1,
    stopping: v.stopping === 1,
    trustHoldUntilMs: v.trustHeld === 1 ? NOW + 100 : variant % 2 === 0 ? null : NOW,
    peers,
    services: {
      [SERVICE]: {
        ...s,
        askers:
          event === 'E_DOWN_LOST' && v.blamed === 1 && !sees ? [{ host: 'h2', id: 8, kind: 'blame' }] : [],
      },
    },
  };
  const message = messageOf(v, event, variant, state.services[SERVICE] as ServiceState);
  if (message !== null) {
    const from = name(v.from as number);
    return { state, from, event: { type: 'message', from, link: message.link, message: message.message } };
  }
  return { state, from: null, event: otherEvent(v, event, variant, state.services[SERVICE] as ServiceState) };
}
