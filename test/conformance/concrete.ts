/**
 * From the model's words to the code: a state of the core that is in that place with those bits, and the event. Where a
 * bit has more than one cause in the code, `variant` chooses among them.
 */
import {
  type CoreConfig,
  compareTerms,
  type Event,
  type HostState,
  initialState,
  type Message,
  PLACES,
  type Policy,
  type Procedure,
  type ServiceState,
  type Term,
  type Verdict,
} from '../../src/core/index.ts';
import { type CheckRecord, NO_TIMERS, type PeerReport, type Timer } from '../../src/core/state.ts';
import { CAUSES } from './abstract.ts';
import { EVENTS, family, HOSTS, ME, type Vector } from './vector.ts';

/** The moment of the event, and the times of the cluster; those of the default configuration at 200 ms, but for P. */
export const NOW = 10_000;
export const SERVICE = 'firewall';
const I = 200;
const L = 300;
const P = 375;
const DIGEST = 'd'.repeat(64);

function config(policy: Policy, better: boolean): CoreConfig {
  return {
    membership: {
      self: HOSTS[ME],
      version: 1,
      // h3 is preferred to this host, h2 is not.
      members: HOSTS.map((name, i) => ({
        name,
        role: 'gateway' as const,
        priority: [20, 50, 10, 90][i] ?? 0,
      })),
      voterSets: [['h0', 'h1', 'h2']],
    },
    timing: {
      intervalMs: I,
      leaseMs: L,
      promiseMs: P,
      slackMs: 10,
      probeTimeoutMs: 25,
      probes: 3,
      slotMs: 10,
      conflictWindowMs: 50,
      handoverLimitMs: 10_000,
      holdDownMs: 1000,
      holdDownMaxMs: 60_000,
      trustHoldMs: 30_000,
    },
    services: [
      {
        name: SERVICE,
        policy,
        checkIntervalMs: 200,
        fall: 2,
        rise: 2,
        uplinkLimitMs: 1000,
        switchLimitMs: 1000,
        downlinkLink: 1,
        preemptDelayMs: better ? 500 : null,
        digest: DIGEST,
      },
    ],
  };
}

const CONFIGS = new Map<string, CoreConfig>();
function configOf(available: boolean, better: boolean): CoreConfig {
  const key = `${available} ${better}`;
  let found = CONFIGS.get(key);
  if (found === undefined) {
    found = config(available ? 'available' : 'quorum', better);
    CONFIGS.set(key, found);
  }
  return found;
}

const name = (host: number): string => HOSTS[host] as string;
const termOf = (t: number): Term | null =>
  t === 0 ? null : { n: Math.floor(t / HOSTS.length), host: name(t % HOSTS.length) };
const EVENT_NAME = new Map(family('E_').map(([event, value]) => [value, event]));
export const eventName = (v: Vector): string => EVENT_NAME.get(v.ev as number) ?? String(v.ev);

const TIMER_EVENTS: { readonly [event: string]: Timer } = Object.fromEntries(
  EVENTS.filter((e) => e.startsWith('E_T_')).map((e) => [e, e.slice(4).toLowerCase() as Timer]),
);

/** A check's record: `unsound` and `bad` as they must be for the run under way to end as the vector says. */
function record(change: Partial<CheckRecord>): CheckRecord {
  return {
    runningId: 0,
    startedAtMs: NOW - 20,
    confirmedAtMs: NOW - 5000,
    verdict: 'confirmed',
    sound: true,
    good: 5,
    bad: 0,
    again: false,
    ...change,
  };
}

const RUN = 5;

function checks(v: Vector, event: string, sinceMs: number, variant: number): ServiceState['checks'] {
  const down = v.down === 1;
  const wasBad = v.fallen === 1 ? 1 : 0;
  const confirmedAtMs = v.downSince === 1 ? sinceMs : sinceMs - 1;
  let downlink = record({
    verdict: down ? 'confirmed' : ((['lost', 'unknown'] as const)[variant % 2] as Verdict),
    sound: v.sound === 1,
    confirmedAtMs,
    good: down ? 1 : 0,
    bad: down ? 0 : 3,
  });
  if (event.startsWith('E_DOWN_')) {
    const first = v.risen === 1 && v.sound === 0 && !down && variant % 2 === 1;
    downlink = {
      ...downlink,
      runningId: RUN,
      startedAtMs: v.began === 1 ? sinceMs : sinceMs - 1,
      good: v.risen === 1 ? 1 : 0,
      bad: wasBad,
      confirmedAtMs: first ? null : downlink.confirmedAtMs,
    };
  }
  const tested = (prefix: string): CheckRecord => {
    // The last self-check is older than an interval: a CHECK starts another one.
    if (!event.startsWith(prefix)) return record({ startedAtMs: NOW - 2 * I });
    // A test that was never good yet has not failed before `fall` either.
    const unsound = prefix === 'E_LOCAL_' && variant % 2 === 1;
    return record({ runningId: RUN, bad: wasBad, ...(unsound ? { sound: false, good: 0 } : {}) });
  };
  const remote = tested('E_REMOTE_');
  const disputes = v.disputed === 1 || (!down && variant % 2 === 0);
  return {
    checkDownlink: downlink,
    checkUplink: tested('E_UP_'),
    checkServiceLocal: tested('E_LOCAL_'),
    checkServiceRemote: event === 'E_REMOTE_FAILED' ? { ...remote, bad: disputes ? 1 : 0 } : remote,
  };
}

function report(change: Partial<PeerReport>): PeerReport {
  return {
    atMs: NOW - 100,
    fit: false,
    standby: false,
    downlink: true,
    activity: 'backup',
    sameDigest: true,
    fitSinceMs: null,
    tableTerm: null,
    tableSeq: 0,
    ...change,
  };
}

/** The right to serve, and until when it lasts. */
function rightOf(
  v: Vector,
  event: string,
  variant: number,
): { right: ServiceState['right']; untilMs: number } {
  const none = { requests: [], leases: {}, ownUntilMs: 0, lentUntilMs: 0 };
  const restMs = v.renewed === 1 ? 150 : 50;
  if (v.available === 1 || v.forced === 1) {
    const untilMs = v.right === 1 ? NOW + 50 : v.gate === 1 ? NOW - 10 : 0;
    // Under a forced mastership the voters do not count, whatever they say.
    const leases = v.forced === 1 && v.maj === 1 ? { h0: NOW + 50, h1: NOW + 50 } : {};
    return { right: { ...none, leases, ownUntilMs: untilMs }, untilMs };
  }
  if (v.maj === 1 || (v.right === 1 && v.attempt === 0 && (variant % 2 === 0 || v.renewed === 1))) {
    const untilMs = NOW + restMs;
    const leases: Record<string, number> = { h0: untilMs, h1: untilMs };
    if (v.renewed === 1) leases.h2 = untilMs;
    if (event !== 'E_ANSWER' || variant % 4 < 2) return { right: { ...none, leases }, untilMs };
    // It is this answer that completes the majority, or that makes its right longer.
    const from = name(v.from as number);
    const before = v.gate === 0 ? 0 : v.grown === 1 ? untilMs - 20 : untilMs;
    return {
      right: {
        ...none,
        requests: [{ id: 9, sentAtMs: untilMs - L }],
        leases: { h1: untilMs, [from]: before },
      },
      untilMs,
    };
  }
  if (v.right === 1) return { right: { ...none, lentUntilMs: NOW + restMs }, untilMs: NOW + restMs };
  const untilMs = v.gate === 1 ? NOW - 10 : 0;
  return { right: { ...none, lentUntilMs: untilMs, leases: { h0: untilMs } }, untilMs };
}

/** The own vote: what it is before the event, so that `promised` and `bound` hold of it and after it. */
function voterOf(v: Vector, event: string, variant: number): ServiceState['voter'] {
  const own = { term: { n: 1, host: name(ME) }, holder: name(ME), untilMs: NOW + 100 };
  const t = termOf(v.mt as number);
  const from = name(v.from as number);
  const held = termOf(v.term as number);
  const above = (term: Term) => held !== null && compareTerms(term, held) > 0;
  const asks = v.available === 0 && /^E_(STATUS|STATUS_SUSPENDED|STATUS_HANDOVER|CLAIM)$/.test(event);
  if (asks && t !== null) {
    if (v.promised === 1) {
      // Free, or the sender's own already.
      return variant % 2 === 0
        ? { term: { n: 1, host: 'h3' }, holder: 'h3', untilMs: NOW - 1 }
        : { term: { n: 1, host: from }, holder: from, untilMs: NOW + 100 };
    }
    if (v.bound === 1) return { term: { n: 1, host: 'h3' }, holder: 'h3', untilMs: NOW + 100 };
    // A promise that is over still refuses a lower term; one's own refuses everybody. Above the own term it would
    // refuse that, too: R7 for the own vote is calm.pml's, not host.pml's.
    const higher = { n: v.highest as number, host: 'h3' };
    const refuses = compareTerms(higher, t) > 0 && !above(higher) && variant % 2 === 0;
    return refuses ? { term: higher, holder: 'h3', untilMs: NOW - 1 } : own;
  }
  if (v.bound === 1) return { term: { n: 1, host: 'h3' }, holder: 'h3', untilMs: NOW + 100 };
  if (
    t !== null &&
    !above(t) &&
    (event === 'E_WITHDRAW' || (event === 'E_RELEASED' && v.succ === 0)) &&
    variant % 2 === 1
  ) {
    return { term: t, holder: from, untilMs: NOW + 100 };
  }
  return variant % 4 < 2 ? own : { ...own, holder: 'h3', untilMs: NOW };
}

export interface Concrete {
  readonly state: HostState;
  readonly event: Event;
  /** The sender of a message; null for other events. */
  readonly from: string | null;
}

/** A state and an event of the core as that vector says. */
export function concretise(v: Vector, variant: number): Concrete {
  const event = eventName(v);
  const cfg = configOf(v.available === 1, v.better === 1);
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
  if (v.attempt === 1 && /listening|waiting/.test(place) && v.windowOver === 0 && timer !== 'window') {
    timers.window = NOW + 30;
  }
  const pausing = v.pausing === 1 || (event === 'E_CHECK_INSIST' && v.counts === 0);
  if (pausing && timer !== 'trial') timers.trial = NOW + 500;
  const reports: Record<string, PeerReport> = { h0: report({}), h2: report({}) };
  const fits = (host: number): void => {
    reports[name(host)] = report({ fit: true, fitSinceMs: NOW - 2000 });
  };
  if (v.candidate !== 0) fits((v.candidate as number) - 1);
  // A lone complainer is one among several; the first slot is somebody else's.
  if (service && event === 'E_CHECK_INSIST' && v.counts === 0 && variant % 2 === 1) fits(3);
  if (searching && v.slot === 0) fits(3);
  const clearedAtMs = searching && v.slot === 1 && variant % 2 === 1 ? NOW - 5 : null;
  const rests = v.rested === 1 ? 'none' : variant % 2 === 0 ? 'start' : 'release';

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
    checks: checks(v, event, v.attempt === 1 ? suspectedAtMs : sinceMs, variant),
    suspicion:
      v.suspect === 0
        ? null
        : {
            sinceMs,
            unanswered: v.unanswered as number,
            probes: v.unanswered as number,
            signOfLife: v.sign === 1,
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
            probeIds: {
              downlink: (v.pend as number) & 1 ? 101 : 0,
              uplink: (v.pend as number) & 2 ? 102 : 0,
            },
            answeredBy: { downlink: ((v.answ as number) & 1) !== 0, uplink: ((v.answ as number) & 2) !== 0 },
            limitAtMs: v.limitOver === 1 ? NOW : NOW + 5000,
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
  const heardOn: { [link: number]: number } = { 1: NOW - 400 };
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

/** The link and the age of a master's downlink that are (are not) evidence that it serves well. */
function evidence(v: Vector, variant: number): { link: number; downlinkAgeMs: number | null } {
  if (v.evidence === 1) {
    return variant % 2 === 0 ? { link: 1, downlinkAgeMs: null } : { link: 0, downlinkAgeMs: 99 };
  }
  return { link: 0, downlinkAgeMs: variant % 2 === 0 ? null : 100 };
}

function messageOf(
  v: Vector,
  event: string,
  variant: number,
  s: ServiceState,
): { link: number; message: Message } | null {
  const service = SERVICE;
  const t = termOf(v.mt as number);
  const { link, downlinkAgeMs } = evidence(v, variant);
  const named = t ?? { n: 0, host: name(v.from as number) };
  const status = (phase: 'serving' | 'suspended' | 'handover') =>
    ({ type: 'STATUS', service, id: 9, term: named, phase, digest: DIGEST, tableSeq: 0 }) as const;
  const probed = (activity: 'backup' | 'service' | 'handover', serving: boolean, x: Term | null) =>
    ({ type: 'PROBED', service, id: 9, activity, serving, term: x, downlinkAgeMs }) as const;
  const object = (reason: 'serving' | 'hearing' | 'promise') =>
    ({ type: 'OBJECT', service, id: 9, reason, term: named, restMs: 100, downlinkAgeMs }) as const;
  const plain = (message: Message) => ({ link: 1, message });
  switch (event) {
    case 'E_STATUS':
      return { link: v.evidence === 1 ? 1 : 0, message: status('serving') };
    case 'E_STATUS_SUSPENDED':
      return plain(status('suspended'));
    case 'E_STATUS_HANDOVER':
      return plain(status('handover'));
    case 'E_CLAIM':
      return plain({ type: 'CLAIM', service, id: 9, term: named });
    case 'E_PROBE':
      return plain({ type: 'PROBE', service, id: 9, claim: t, blame: false });
    case 'E_PROBE_BLAME':
      return plain({ type: 'PROBE', service, id: 9, claim: t, blame: true });
    case 'E_PROBED':
      return plain(probed('backup', false, null));
    case 'E_PROBED_SERVING':
      return { link, message: probed('service', true, t) };
    case 'E_PROBED_HANDOVER':
      return plain(probed('handover', false, t));
    case 'E_OBJECT_SERVING':
      return { link, message: object('serving') };
    case 'E_OBJECT_HEARING':
      return plain(object('hearing'));
    case 'E_OBJECT_PROMISE':
      return plain(object('promise'));
    case 'E_ANSWER':
      return plain({
        type: v.attempt === 1 && variant % 2 === 0 ? 'GRANT' : 'ACK',
        service,
        id: 9,
        term: named,
      });
    case 'E_RELEASE':
      return { link: v.evidence === 1 ? 1 : 0, message: { type: 'RELEASE', service, id: 9, term: named } };
    case 'E_RELEASED':
      return plain({
        type: 'RELEASED',
        service,
        term: named,
        successor: v.succ === 0 ? null : name((v.succ as number) - 1),
        id: v.match === 1 ? (s.attempt?.readyId ?? 77) : 78,
        // READY was first sent 20 ms ago: that much of the rest is over.
        restMs: v.lent === 1 ? 21 : 20,
      });
    case 'E_WITHDRAW':
      return plain({ type: 'WITHDRAW', service, term: named });
    case 'E_HANDOVER':
      return plain({ type: 'HANDOVER', service, id: 9, term: named });
    case 'E_READY':
      return plain({ type: 'READY', service, id: 9, term: named });
    case 'E_CHECK':
      return plain({ type: 'CHECK', service, id: 9, insist: false });
    case 'E_CHECK_INSIST':
      return plain({ type: 'CHECK', service, id: 9, insist: true });
    case 'E_WORD':
      return plain(
        variant % 2 === 0 ? { type: 'BYE', service } : { type: 'CHECKED', service, id: 9, ok: true },
      );
    default:
      return null;
  }
}

function otherEvent(v: Vector, event: string, variant: number, s: ServiceState): Event {
  const service = SERVICE;
  const ended = (procedure: Procedure, verdict: Verdict, id = RUN): Event => ({
    type: 'procedure-ended',
    service,
    procedure,
    id,
    verdict,
  });
  const off = s.cleaning?.stage === 'uplink' ? 'deactivateUplink' : 'deactivateService';
  const failed: Verdict = v.fallen === 1 && variant % 2 === 1 ? 'refuted' : 'unknown';
  const addresses = (side: 'downlink' | 'uplink', answered: boolean): Event => ({
    type: 'addresses-probed',
    service,
    side,
    id: s.attempt === null || s.attempt.probeIds[side] !== 0 ? (side === 'downlink' ? 101 : 102) : 999,
    answered,
  });
  const order = (force: boolean): Event => ({
    type: 'operator',
    order: { kind: 'handover', service: variant % 2 === 0 ? null : service, to: null, force },
  });
  switch (event) {
    case 'E_STARTED':
      return { type: 'started' };
    case 'E_DOWN_CONFIRMED':
      return ended('checkDownlink', 'confirmed');
    case 'E_DOWN_LOST':
      return ended('checkDownlink', v.blamed === 1 || variant % 4 < 2 ? 'lost' : 'unknown');
    case 'E_DOWN_REFUTED':
      return ended('checkDownlink', 'refuted');
    case 'E_UP_CONFIRMED':
      return ended('checkUplink', 'confirmed');
    case 'E_UP_FAILED':
      return ended('checkUplink', failed);
    case 'E_LOCAL_CONFIRMED':
      return ended('checkServiceLocal', 'confirmed');
    case 'E_LOCAL_FAILED':
      return ended('checkServiceLocal', 'unknown');
    case 'E_REMOTE_CONFIRMED':
      return ended('checkServiceRemote', 'confirmed');
    case 'E_REMOTE_FAILED':
      return ended('checkServiceRemote', 'unknown');
    case 'E_UPLINK_RAISED':
      return ended('activateUplink', variant % 2 === 0 ? 'confirmed' : 'unknown');
    case 'E_SERVICE_UP':
      return ended('activateService', variant % 2 === 0 ? 'confirmed' : 'unknown');
    case 'E_OFF_CONFIRMED':
      return ended(off, 'confirmed', 55);
    case 'E_OFF_UNKNOWN':
      return ended(off, 'unknown', 55);
    case 'E_ADDR_DOWN_QUIET':
      return addresses('downlink', false);
    case 'E_ADDR_DOWN_ANSWER':
      return addresses('downlink', true);
    case 'E_ADDR_UP_QUIET':
      return addresses('uplink', false);
    case 'E_ADDR_UP_ANSWER':
      return addresses('uplink', true);
    case 'E_GATE_OPEN':
      return { type: 'gate-set', service, id: 60, openUntilMs: NOW + 40 };
    case 'E_GATE_SHUT':
      return { type: 'gate-set', service, id: 60, openUntilMs: null };
    case 'E_LINK_DOWNLINK':
      return variant % 2 === 0
        ? { type: 'link-changed', service, side: 'downlink' }
        : { type: 'foreigner-heard', service };
    case 'E_LINK_UPLINK':
      return { type: 'link-changed', service, side: 'uplink' };
    case 'E_RIVAL_ADDRESS':
      return { type: 'rival-heard', service, side: variant % 2 === 0 ? 'downlink' : 'uplink' };
    case 'E_JOINED':
      return { type: 'peer-joined', host: 'h2' };
    case 'E_OP_HANDOVER':
      return order(false);
    case 'E_OP_FORCE':
      return order(true);
    case 'E_OP_STANDBY':
      return { type: 'operator', order: { kind: 'standby' } };
    case 'E_OP_RESUME':
      return { type: 'operator', order: { kind: 'resume' } };
    case 'E_OP_STOP':
      return { type: 'operator', order: { kind: 'stop' } };
    default:
      return { type: 'timer' };
  }
}
