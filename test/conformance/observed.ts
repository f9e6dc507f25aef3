/**
 * A step of a running cluster as a vector: the event, and the guard bits that state and time give. Some guards are the
 * outcome of advice that the model leaves open (who is a candidate, whose slot it is, who may blame whom); those are
 * read from what the step did.
 */
import type { Event, HostState, Message, Policy, ServiceState } from '../../src/core/index.ts';
import { answered, majorityUntil, type Right, rightUntil } from '../../src/core/lease.ts';
import type { Timer } from '../../src/core/state.ts';
import { bound, freed, passedOn, promise, type Voter } from '../../src/core/voter.ts';
import { abstractHost, type Numbers } from './abstract.ts';
import { type Answer, blank, model, term, type Vector } from './vector.ts';

/** One step as it was seen. */
export interface Observed {
  readonly before: HostState;
  readonly after: HostState;
  readonly event: Event;
  readonly nowMs: number;
  readonly service: string;
}

/** Timers that say nothing to the model. */
const QUIET: ReadonlySet<Timer> = new Set<Timer>(['report']);
const bit = (holds: boolean): number => (holds ? 1 : 0);

/** The step as a vector; or why the model has no single event for it. */
export function observed(x: Observed, answer: Answer, number: Numbers): Vector | string {
  const { before, event, nowMs, service } = x;
  const s = before.services[service] as ServiceState;
  const is = x.after.services[service] as ServiceState;
  const { membership, timing: t } = before.config;
  const cfg = before.config.services.find((c) => c.name === service);
  if (cfg === undefined) return 'no such service';
  if (membership.members.find((m) => m.name === membership.self)?.role === 'witness') return 'a witness';
  const due = (Object.entries(s.timers) as [Timer, number | null][])
    .filter(([timer, at]) => at !== null && at <= nowMs && !QUIET.has(timer) && timer !== 'lapse')
    .map(([timer]) => timer);
  if (event.type === 'timer' && due.length > 1) return 'more than one deadline at once';
  const named = eventOf(event, s, due[0], number);
  if (typeof named === 'string') return named;
  const policy: Policy = s.forced ? 'available' : cfg.policy;
  const message = event.type === 'message' ? event.message : null;
  const from = event.type === 'message' ? event.from : '';
  if (message?.type === 'CLAIM' && s.reports[from]?.sameDigest !== true)
    return 'no digest known of the sender';

  const v: Vector = { ...blank(), ...abstractHost(before, s, nowMs, number), ...named };
  v.available = bit(cfg.policy === 'available');
  v.me = number(membership.self);
  const right: Right =
    message?.type === 'ACK' || message?.type === 'GRANT'
      ? answered(s.right, from, message.id, t.leaseMs)
      : s.right;
  const runs = (r: Right): boolean => rightUntil(r, policy, membership) > nowMs;
  v.right = bit(runs(right));
  v.maj = bit(majorityUntil(right, membership) > nowMs);
  const afterMs = rightUntil(is.right, is.forced ? 'available' : cfg.policy, membership);
  v.grown = bit(afterMs > nowMs && s.gate.untilMs !== null && afterMs > s.gate.untilMs);
  const own = majorityUntil(is.right, membership) > nowMs;
  if (policy === 'quorum' && is.term !== null && own && v.maj === 0)
    return 'the own vote completed a majority';
  // Who is suspended asks, and so votes for itself, before it judges the term at hand.
  const lapses = policy === 'quorum' && v.right === 0 && /^service\.se/.test(s.place);
  if (lapses && (message?.type === 'CLAIM' || message?.type === 'STATUS')) return 'the own vote came first';

  Object.assign(v, votes(message, s, cfg.policy, from, x));
  const { suspicion, attempt } = s;
  const renewedMs = nowMs + t.leaseMs - t.intervalMs;
  const others = new Set(membership.voterSets.flat().filter((voter) => voter !== membership.self));
  const everybody = [...others].every((voter) => (s.right.leases[voter] ?? 0) >= renewedMs);
  const enough = s.place.startsWith('service.') && majorityUntil(s.right, membership) >= renewedMs;
  v.renewed = bit(everybody || enough);
  v.slot = bit(answer.rows.includes(6) || answer.rows.includes(13));
  v.trustHeld = bit(before.trustHoldUntilMs !== null && nowMs < before.trustHoldUntilMs);
  v.sinceP = bit(suspicion !== null && nowMs >= suspicion.sinceMs + t.promiseMs);
  v.claimP = bit(attempt !== null && nowMs >= attempt.claimedAtMs + t.promiseMs);
  v.limitOver = bit(attempt !== null && nowMs >= attempt.limitAtMs);
  Object.assign(v, checked(event, s, cfg));
  if (message !== null && event.type === 'message') {
    const ageMs = 'downlinkAgeMs' in message ? message.downlinkAgeMs : null;
    const young = ageMs !== null && attempt !== null && nowMs - ageMs > attempt.suspectedAtMs;
    v.evidence = bit(event.link === cfg.downlinkLink || young);
  }
  if (message?.type === 'RELEASED' && attempt !== null) {
    v.match = bit(message.id === attempt.readyId);
    v.lent = bit(attempt.readyAtMs + Math.min(message.restMs, t.leaseMs) > nowMs);
  }
  v.blamed = bit(answer.rows.includes(45));
  v.disputed = bit((answer.said & model('S_CHECK')) !== 0);
  v.pausing = bit(s.trialPauseMs > 0 && (s.timers.trial ?? 0) > nowMs);
  const tried = is.trial !== null && is.trial.id !== s.trial?.id ? is.trial : null;
  v.candidate = tried === null ? 0 : number(tried.to) + 1;
  v.better = bit(tried?.cause === 'preempt' || tried?.cause === 'feedback');
  v.alone = bit(is.forced && !s.forced && s.place === 'service.suspended');
  v.early = bit(cfg.preparesEarly);
  const master = s.known?.term.host;
  const [one, ...more] = membership.members.filter(({ name }) => name !== membership.self);
  v.two = bit(more.length === 0 && one !== undefined && one.name === master);
  v.counts = bit(tried?.cause === 'disputed');
  const deadlines = Object.values(s.timers).filter((at) => at !== null);
  v.stalled = bit(deadlines.some((at) => nowMs - at > Math.max(t.intervalMs / 4, 10)));
  return v;
}

function votes(m: Message | null, s: ServiceState, policy: Policy, from: string, x: Observed): Vector {
  if (policy === 'available') return { promised: 0, bound: 0 };
  const { nowMs } = x;
  const { timing, membership } = x.before.config;
  let voter: Voter = s.voter;
  let promised = false;
  if (m?.type === 'CLAIM' || m?.type === 'STATUS') {
    const next = promise(voter, m.term, nowMs, timing.promiseMs);
    promised = next !== null;
    voter = next ?? voter;
  } else if (m?.type === 'WITHDRAW') voter = freed(voter, m.term, nowMs);
  else if (m?.type === 'RELEASED' && from === m.term.host) {
    voter = m.successor === null ? freed(voter, m.term, nowMs) : passedOn(voter, m.term, m.successor);
  }
  return { promised: bit(promised), bound: bit(bound(voter, membership.self, nowMs)) };
}

/** How often a check failed or held, after the run that ends now. */
function checked(event: Event, s: ServiceState, cfg: { fall: number; rise: number }): Vector {
  if (event.type !== 'procedure-ended' || !event.procedure.startsWith('check')) return {};
  const record = s.checks[event.procedure as keyof ServiceState['checks']];
  const bad = record.bad + 1 >= cfg.fall;
  const keeps = record.sound && event.verdict !== 'refuted' && !bad;
  return {
    began: bit(s.suspicion !== null && record.startedAtMs >= s.suspicion.sinceMs),
    risen: bit(record.confirmedAtMs === null || record.good + 1 >= cfg.rise),
    fallen: bit(event.procedure === 'checkUplink' ? !keeps : bad && !keeps),
  };
}

const PHASES = { serving: 'E_STATUS', suspended: 'E_STATUS_SUSPENDED', handover: 'E_STATUS_HANDOVER' };
const CHECKS: { readonly [procedure: string]: string } = {
  checkUplink: 'E_UP_',
  checkServiceLocal: 'E_LOCAL_',
  checkServiceRemote: 'E_REMOTE_',
};

function eventOf(e: Event, s: ServiceState, due: Timer | undefined, number: Numbers): Vector | string {
  const just = (name: string): Vector => ({ ev: model(name) });
  switch (e.type) {
    case 'started':
      return just('E_STARTED');
    case 'timer':
      return just(due === undefined ? 'E_NONE' : `E_T_${due.toUpperCase()}`);
    case 'message':
      return messageOf(e.from, e.message, number);
    case 'peer-joined':
      return just('E_JOINED');
    case 'addresses-probed':
      if (s.attempt !== null && s.attempt.probeIds[e.side] !== e.id) return 'the end of an older run';
      if ((s.suspicion?.probeIds[e.side] ?? 0) !== 0 && s.suspicion?.probeIds[e.side] !== e.id)
        return 'the end of an older run';
      return just(`E_ADDR_${e.side === 'downlink' ? 'DOWN' : 'UP'}_${e.answered ? 'ANSWER' : 'QUIET'}`);
    case 'gate-set':
      if (
        (e.openUntilMs === null ? e.id !== s.gate.id : e.id < s.gate.fromId) ||
        (s.cleaning?.stage === 'gate' && s.cleaning.id !== e.id)
      ) {
        return 'the end of an older run';
      }
      return just(e.openUntilMs === null ? 'E_GATE_SHUT' : 'E_GATE_OPEN');
    case 'link-changed':
      return just(e.side === 'downlink' ? 'E_LINK_DOWNLINK' : 'E_LINK_UPLINK');
    case 'foreigner-heard':
      return just('E_LINK_DOWNLINK');
    case 'rival-heard':
      return just('E_RIVAL_ADDRESS');
    case 'operator': {
      const { order } = e;
      if (order.kind === 'handover') return just(order.force ? 'E_OP_FORCE' : 'E_OP_HANDOVER');
      return just(`E_OP_${order.kind.toUpperCase()}`);
    }
    case 'procedure-ended':
      break;
    default:
      return `the model has no ${e.type}`;
  }
  const { procedure, id, verdict } = e;
  if (procedure === 'activateUplink') return just('E_UPLINK_RAISED');
  if (procedure === 'activateService') return just('E_SERVICE_UP');
  if (procedure.startsWith('deactivate')) {
    if (s.cleaning?.id !== id) return 'the end of an older run';
    return just(verdict === 'confirmed' ? 'E_OFF_CONFIRMED' : 'E_OFF_UNKNOWN');
  }
  if (!procedure.startsWith('check')) return `the model has no end of ${procedure}`;
  if (s.checks[procedure as keyof ServiceState['checks']].runningId !== id) return 'the end of an older run';
  if (procedure === 'checkDownlink') {
    const name = verdict === 'confirmed' ? 'CONFIRMED' : verdict === 'refuted' ? 'REFUTED' : 'LOST';
    return just(`E_DOWN_${name}`);
  }
  return just(`${CHECKS[procedure]}${verdict === 'confirmed' ? 'CONFIRMED' : 'FAILED'}`);
}

function messageOf(host: string, m: Message, number: Numbers): Vector {
  const named = (name: string, more: Vector = {}): Vector => {
    const t = m.type === 'PROBE' ? m.claim : 'term' in m ? m.term : null;
    const mt = t === null ? 0 : term(t.n, number(t.host));
    return { ev: model(name), from: number(host), mt, ...more };
  };
  switch (m.type) {
    case 'STATUS':
      return named(PHASES[m.phase]);
    case 'PROBE':
      return named(m.blame ? 'E_PROBE_BLAME' : 'E_PROBE');
    case 'PROBED':
      if (m.serving && m.term !== null) return named('E_PROBED_SERVING');
      return named(m.activity === 'handover' && m.term !== null ? 'E_PROBED_HANDOVER' : 'E_PROBED', {});
    case 'OBJECT':
      return named(`E_OBJECT_${m.reason.toUpperCase()}`);
    case 'ACK':
    case 'GRANT':
      return named('E_ANSWER');
    case 'RELEASED':
      return named('E_RELEASED', { succ: m.successor === null ? 0 : number(m.successor) + 1 });
    case 'CHECK':
      return named(m.insist ? 'E_CHECK_INSIST' : 'E_CHECK');
    case 'CLAIM':
    case 'WITHDRAW':
    case 'RELEASE':
    case 'HANDOVER':
    case 'READY':
      return named(`E_${m.type}`);
    default:
      return named('E_WORD');
  }
}
