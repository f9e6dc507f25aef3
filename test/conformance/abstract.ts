/** From the code to the model's words: what is left of a state, of a step's effects, and of its log. */
import {
  type Effect,
  type HostState,
  mainState,
  PLACES,
  type Place,
  rightUntil,
  type ServiceState,
  type Term,
  TRANSITIONS,
} from '../../src/core/index.ts';
import { covers } from '../../src/core/transitions.ts';
import { effectName } from '../sim/coverage.ts';
import { type Answer, model, term, type Vector } from './vector.ts';

/** Which number the model gives a host: its place in the order of names. */
export type Numbers = (host: string) => number;

export const CAUSES = ['operator', 'stop', 'standby', 'uplink', 'preempt', 'disputed'] as const;
const STAGES = ['gate', 'service', 'uplink', 'words'] as const;
const bit = (holds: boolean | undefined): number => (holds === true ? 1 : 0);

/** The model's host: a service of that host at that time. */
export function abstractHost(host: HostState, s: ServiceState, nowMs: number, number: Numbers): Vector {
  const { timing: t, membership } = host.config;
  const me = number(membership.self);
  const termOf = (x: Term | null | undefined): number => (x == null ? 0 : term(x.n, number(x.host)));
  const { known, rival, suspicion, attempt, cleaning, trial, handingTo } = s;
  const down = s.checks.checkDownlink;
  const handover = s.place === 'handover.listening' || s.place === 'handover.waiting';
  const isRound = s.place === 'service.suspended' && suspicion !== null;
  const rounds = (attempt ?? suspicion)?.probeIds;
  const released = known?.released;
  return {
    place: PLACES.indexOf(s.place),
    term: termOf(s.term),
    known: termOf(known?.term),
    rival: termOf(rival?.term),
    highest: s.highestN,
    rel: released === undefined ? 0 : released === null ? 1 : number(released) === me ? 2 : 3,
    fresh: bit(known !== null && nowMs - known.heardAtMs <= t.intervalMs + t.slackMs),
    heardP: bit(known !== null && nowMs - known.heardAtMs < t.promiseMs),
    rivalFresh: bit(rival !== null && nowMs < rival.heardAtMs + t.intervalMs + t.slackMs),
    heard: bit(Object.values(host.peers).some((p) => Object.keys(p.heardOn).length > 0)),
    rested: bit(nowMs >= host.startedAtMs + t.promiseMs && nowMs >= s.noClaimBeforeMs),
    held: bit(nowMs < s.holdUntilMs),
    down: bit(down.verdict === 'confirmed'),
    sound: bit(down.sound),
    suspect: bit(suspicion !== null),
    downSince: bit(
      suspicion !== null &&
        down.verdict === 'confirmed' &&
        down.confirmedAtMs !== null &&
        down.confirmedAtMs >= suspicion.sinceMs,
    ),
    sign: bit(suspicion?.signOfLife),
    unanswered: Math.min(suspicion?.unanswered ?? 0, t.probes),
    attempt: bit(attempt !== null),
    plannedBy: termOf(attempt?.plannedBy),
    granted: bit(attempt?.granted),
    due: bit(attempt !== null && nowMs >= attempt.notBeforeMs),
    masterLives: bit(attempt?.masterLives),
    letGo: bit(attempt?.released),
    pend:
      bit(rounds !== undefined && rounds.downlink !== 0) +
      2 * bit(rounds !== undefined && rounds.uplink !== 0),
    answ: attempt === null ? 0 : bit(attempt.answeredBy.downlink) + 2 * bit(attempt.answeredBy.uplink),
    prep: ['no', 'ordered', 'tested'].indexOf(attempt?.prepared ?? 'no'),
    // When its timer has said so; a suspended host's round, too.
    windowOver: bit((handover || isRound) && s.timers.window === null),
    stage: cleaning === null ? 0 : STAGES.indexOf(cleaning.stage) + 1,
    copies: cleaning?.copies ?? 0,
    gate: bit(s.gate.untilMs !== null),
    forced: bit(s.forced),
    trialTo: trial === null ? 0 : number(trial.to) + 1,
    cause: trial === null ? 0 : CAUSES.indexOf(trial.cause === 'feedback' ? 'preempt' : trial.cause) + 1,
    only: bit(trial?.only),
    handTo: handingTo === null ? 0 : number(handingTo.host) + 1,
    uplinkBad: bit(s.alarms.includes('uplink-failed')),
    standby: bit(host.standby),
    stopping: bit(host.stopping),
  };
}

/** Effects by the name that test/sim/coverage.ts gives them; null: the model does not speak of it. */
const DONE: { readonly [name: string]: string | null } = {
  'gate shut': 'D_GATE_SHUT',
  'gate open': 'D_GATE_OPEN',
  activateUplink: 'D_RAISE',
  deactivateUplink: 'D_LOWER',
  activateService: 'D_SERVICE_UP',
  deactivateService: 'D_SERVICE_OFF',
  checkDownlink: 'D_CHECK_DOWN',
  checkUplink: 'D_CHECK_UP',
  checkServiceLocal: 'D_CHECK_LOCAL',
  checkServiceRemote: 'D_CHECK_REMOTE',
  announceTakeoverDownlink: 'D_ANNOUNCE',
  announceTakeoverUplink: 'D_ANNOUNCE',
  announceReleaseDownlink: 'D_ANNOUNCE_RELEASE',
  announceReleaseUplink: 'D_ANNOUNCE_RELEASE',
  'probe downlink addresses': 'D_ASK_DOWN',
  'probe uplink addresses': 'D_ASK_UP',
  'uplink socket open': 'D_TALK',
  'uplink socket closed': 'D_HUSH',
  'alarm forced': 'A_FORCED',
  'alarm suspended': 'A_SUSPENDED',
  'alarm address-conflict': 'A_CONFLICT',
  'alarm handover-failed': 'A_FAILED',
  'alarm no-successor': 'A_NO_SUCCESSOR',
  'alarm not-harmless': 'A_NOT_HARMLESS',
  'alarm two-masters': 'A_TWO_MASTERS',
};
const UNSPOKEN =
  /^(REPORT|CHECKED|BYE|clear .*|alarm (downlink-unconfirmed|uplink-failed|config-differs|untrusted|term-absurd|service-disputed))$/;

const MASTER = /^service\.(serving|seeking|shutting|suspended)$/;

/** A message that is not what the model means by its bit: to the wrong host, in the wrong term, of the wrong phase. */
export const ODD = 1 << 15;

interface Speaking {
  readonly before: ServiceState;
  readonly after: ServiceState;
  readonly me: string;
  /** Whom an answer goes to; null when the event was no message. */
  readonly from: string | null;
  /** The right to serve ran when the event came. */
  readonly right: boolean;
  /** The rows that were taken. */
  readonly rows: readonly number[];
}

/** The message's bit; ODD beside it when its content is not what the model means. */
function saidBit(effect: Extract<Effect, { type: 'send' }>, x: Speaking): number {
  const { to, message: m } = effect;
  const { before, after } = x;
  const same = (a: Term | null | undefined, b: Term): boolean =>
    a != null && a.n === b.n && a.host === b.host;
  const own = (t: Term): boolean => same(before.term, t) || same(after.term, t);
  const places = [mainState(before.place), mainState(after.place)] as string[];
  const is = (name: string, right: boolean): number => model(name) | (right ? 0 : ODD);
  switch (m.type) {
    case 'CLAIM':
      return to === 'all' ? is('S_CLAIM', own(m.term)) : is('S_CLAIM_BACK', own(m.term) && to === x.from);
    case 'STATUS': {
      const suspended = before.place === 'service.suspended' || x.rows.includes(40);
      const phase = m.phase === 'handover' ? places.includes('handover') : places.includes('service');
      return is('S_STATUS', own(m.term) && phase && (m.phase !== 'suspended' || suspended));
    }
    case 'PROBE':
      return is(
        'S_PROBE',
        to === 'all' && (m.claim === null ? before.term === null || after.term === null : own(m.claim)),
      );
    case 'PROBED': {
      // Answered before the place reacts, but after a right that was over has been seen.
      const serving = /^service\.(serving|seeking)$/.test(before.place) && x.right;
      const right = m.serving === serving && (m.term === null ? before.term === null : own(m.term));
      return is('S_PROBED', right && to === x.from && m.activity === mainState(before.place));
    }
    case 'OBJECT':
      if (m.reason === 'promise') return is('S_VOTE', to === x.from);
      return is('S_OBJECT', to === x.from && (m.reason === 'serving') === MASTER.test(before.place));
    case 'ACK':
    case 'GRANT':
      return is('S_VOTE', to === x.from && m.term.host === to);
    case 'RELEASE':
      return is('S_RELEASE', to === 'all' && own(m.term));
    case 'RELEASED': {
      const heir = after.handingTo ?? before.handingTo;
      const right = m.successor === (heir?.host ?? null) && m.id === (heir?.id ?? 0);
      return is('S_RELEASED', to === 'all' && own(m.term) && right);
    }
    case 'READY': {
      const attempt = after.attempt ?? before.attempt;
      return is('S_READY', own(m.term) && to === attempt?.plannedBy?.host && m.id === attempt.readyId);
    }
    case 'HANDOVER':
      return is(
        'S_HANDOVER',
        to === after.trial?.to && m.id === after.trial.id && same(after.known?.term, m.term),
      );
    case 'WITHDRAW':
      return is('S_WITHDRAW', to === 'all' ? own(m.term) : to === x.from && m.term.host === x.me);
    case 'CHECK':
      return is('S_CHECK', to === after.known?.term.host);
    default:
      return 0;
  }
}

/** A step of the code in the model's words. */
export function abstractStep(
  before: HostState,
  after: HostState,
  service: string,
  effects: readonly Effect[],
  nowMs: number,
  number: Numbers,
  from: string | null,
): Answer {
  const was = before.services[service] as ServiceState;
  const is = after.services[service] as ServiceState;
  const { membership } = before.config;
  const policy = before.config.services.find((c) => c.name === service)?.policy ?? 'quorum';
  const right = rightUntil(was.right, was.forced ? 'available' : policy, membership) > nowMs;
  const rows: number[] = [];
  const x = { before: was, after: is, me: membership.self, from, right, rows };
  let said = 0;
  let done = 0;
  for (const effect of effects) {
    if (effect.type === 'log') {
      const { kind, data } = effect.entry;
      if (kind !== 'transition') continue;
      const row = TRANSITIONS.findIndex(
        ([place, cause]) => cause === data?.cause && covers(place, data?.from as Place),
      );
      if (data?.to !== TRANSITIONS[row]?.[2]) said |= ODD;
      rows.push(row + 1);
      continue;
    }
    if (effect.type === 'send') {
      said |= saidBit(effect, x);
      continue;
    }
    const name = effectName(effect);
    if (name === null) continue;
    const order = DONE[name];
    if (order != null) done |= model(order);
    // Becoming harmless clears the alarm too; the model speaks of the way back to serving.
    else if (name === 'clear suspended') done |= rows.includes(41) ? model('A_RESUMED') : 0;
    else if (!UNSPOKEN.test(name)) throw new Error(`the conformance test does not know the effect '${name}'`);
  }
  return { host: abstractHost(after, is, nowMs, number), said, done, rows };
}
