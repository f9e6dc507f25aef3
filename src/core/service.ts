/**
 * Service (slide "Service main state"): advert and renew, keep the table, check links and service, let go when they
 * fail. A lapsed right suspends: the gate is shut, addresses stay, the same term may go on (R8).
 */
import { ask, askSilent, reclaim } from './asking.ts';
import { compareTerms, type HostName } from './basics.ts';
import { downlinkAgeMs, startCheck } from './checks.ts';
import { type Ctx, termText } from './context.ts';
import type { Side } from './events.ts';
import { ofMyself } from './fitness.ts';
import { enterCleaning } from './harmless.ts';
import { majorityUntil } from './lease.ts';
import type { Message } from './messages.ts';
import { openGate, renewOwn } from './readiness.ts';
import type { CheckRecord } from './state.ts';
import { considerSuccession, goOn, insisted } from './succession.ts';
import { begun, sendProbe } from './suspicion.ts';
import { reported, succeeded } from './table.ts';
import type { Cause } from './transitions.ts';

/** Entry of service.serving: as a new master, back from suspension, or from a search without result. */
export function enterServing(c: Ctx, cause: Cause): void {
  if (cause === 'gate-open') becameMaster(c);
  if (cause === 'renewed') c.alarm('suspended', false);
  c.timer('lapse', c.rightUntil);
  if (c.policy === 'available' && c.s.timers.renew === null)
    c.timer('renew', c.nextOnGrid(c.t.intervalMs / 2));
  c.timer('trial', c.now + c.s.trialPauseMs + c.cfg.checkIntervalMs);
  advert(c);
  if (cause !== 'nobody') announce(c);
  goOn(c);
}

/** Tells neighbours on both sides who has the roving addresses. */
function announce(c: Ctx): void {
  c.run('announceTakeoverDownlink');
  c.run('announceTakeoverUplink');
}

/** The gate is open in a new term. */
function becameMaster(c: Ctx): void {
  const { term, known, table } = c.s;
  if (term === null) return;
  const failed = known === null || known.term.host === c.me ? null : known.term.host;
  const first = succeeded(term, table, failed, c.host.config.membership);
  c.set({
    known: { term, heardAtMs: c.now },
    table: reported(first, c.me, ofMyself(c)),
    tableAdverts: 3,
    attempt: null,
    rival: null,
    holdMs: 0,
    trialPauseMs: 0,
    dispute: { id: 0, oks: 0, blamed: null },
    complaints: {},
  });
  c.alarm('handover-failed', false);
  c.alarm('no-successor', false);
}

/** STATUS, once an interval, and the time for asking silent voters again. */
export function advert(c: Ctx): void {
  ask(c);
  c.timer('advert', c.nextOnGrid(c.t.intervalMs));
  if (c.policy === 'quorum') c.timer('retry', c.now + c.t.probeTimeoutMs);
  extend(c);
}

/** Whether a majority has answered this round, as seen at that time. */
function isRenewed(c: Ctx, atMs: number): boolean {
  return majorityUntil(c.s.right, c.host.config.membership) >= atMs + c.t.leaseMs - c.t.intervalMs;
}

/** R7: the next try at voters that have not answered this round. */
export function retry(c: Ctx): void {
  if (isRenewed(c, c.now)) return;
  askSilent(c);
  c.timer('retry', c.now + c.t.probeTimeoutMs);
}

/** The right may have grown: the gate follows; a majority's promises also establish a term taken in place (R1). */
export function extend(c: Ctx): void {
  const untilMs = c.rightUntil;
  if (untilMs <= c.now) return;
  // A round that a majority has answered needs no second try: nobody is woken for it.
  const { retry } = c.s.timers;
  if (retry !== null && isRenewed(c, retry)) c.timer('retry', null);
  const { term, known } = c.s;
  if (term !== null && known !== null && compareTerms(term, known.term) > 0) {
    c.set({ known: { term, heardAtMs: c.now } });
  }
  if (c.at('service.serving', 'service.seeking')) {
    c.timer('lapse', untilMs);
    if (untilMs > (c.s.gate.untilMs ?? 0)) openGate(c);
  } else if (c.s.place === 'service.suspended' && untilMs > (c.s.gate.untilMs ?? 0)) {
    if (c.policy === 'quorum') openGate(c);
  }
}

/** R5: renews the own right, if it has not lapsed. */
export function renew(c: Ctx): void {
  if (c.at('service.serving', 'service.seeking')) {
    renewOwn(c);
    extend(c);
  }
}

/** Entry of service.suspended. */
export function enterSuspended(c: Ctx): void {
  c.alarm('suspended', true, 'the right to serve ran out before it was renewed');
  c.gate(null);
  c.timer('lapse', null);
  c.timer('step', c.now + 3 * c.t.promiseMs);
  if (c.policy === 'available') {
    beginRound(c);
    c.timer('advert', c.nextOnGrid(c.t.intervalMs));
  } else advert(c);
}

/**
 * R8, `available`: one round of probes on every link and for every address before a suspended host opens again; a
 * rival's signed word deposes us. A round that was slept through, or in which anybody answered, begins anew.
 */
export function beginRound(c: Ctx): void {
  // Ordered open before the stall, and not read back: what was known then is over.
  if (c.s.gate.untilMs !== null) c.gate(null);
  sendProbe(c);
  const probeIds = { downlink: c.probeAddresses('downlink'), uplink: c.probeAddresses('uplink') };
  c.set({ suspicion: begun(c.now, false, probeIds) });
  c.timer('window', c.now + Math.max(c.t.conflictWindowMs, c.t.probes * c.t.probeTimeoutMs));
}

/** The gate was open, and this host noticed after its right had ended. */
export function tooLate(c: Ctx): void {
  if (c.s.place === 'service.suspended' && c.policy === 'available') beginRound(c);
}

/** `available`, suspended: the rounds of address probes on one side have ended, in silence or not. */
export function roundEnded(c: Ctx, side: Side, id: number): void {
  const { suspicion } = c.s;
  if (c.s.place !== 'service.suspended' || suspicion === null || suspicion.probeIds[side] !== id) return;
  c.set({ suspicion: { ...suspicion, probeIds: { ...suspicion.probeIds, [side]: 0 } } });
  if (c.s.timers.window === null) suspensionProbed(c);
}

/**
 * `available`, suspended: the round's time is over, or the last of its answers has come. What has not come back is no
 * silence: the Linux side may be slower than this loop. An answer, unsigned as it may be, keeps the gate shut to the
 * end of the suspension; from there on this host claims as any other.
 */
export function suspensionProbed(c: Ctx): void {
  const { suspicion, rival } = c.s;
  if (suspicion !== null && (suspicion.probeIds.downlink !== 0 || suspicion.probeIds.uplink !== 0)) return;
  const rivalFresh = rival !== null && c.now - rival.heardAtMs < c.t.intervalMs + c.t.slackMs;
  if (suspicion?.signOfLife === true || rivalFresh) {
    beginRound(c);
    return;
  }
  c.set({ suspicion: null });
  renewOwn(c);
  openGate(c);
}

/** What a master makes of a message, after voting.ts. */
export function serviceHeard(c: Ctx, from: HostName, m: Message, link: number): void {
  switch (m.type) {
    case 'STATUS':
    case 'PROBED':
      otherMaster(c, from, m);
      return;
    case 'OBJECT':
      if (m.reason === 'promise' && c.s.term !== null && compareTerms(m.term, c.s.term) > 0)
        reclaim(c, m.term.n);
      return;
    case 'CLAIM':
      if (c.at('service.serving', 'service.seeking')) {
        startCheck(c, 'checkServiceLocal');
        object(c, from, m.id);
        advert(c);
      }
      doubted(c, from, m.id);
      return;
    case 'PROBE':
      if (m.blame) doubted(c, from, m.id);
      return;
    case 'RELEASE':
      if (c.s.place === 'service.suspended' || c.s.forced) c.become('deposed', `${from} takes over`);
      else {
        object(c, from, m.id);
        if (link !== c.cfg.downlinkLink) doubted(c, from, m.id);
      }
      return;
    case 'RELEASED':
      // Whoever let go may have been believed by neighbours until now (pains: the wrong MAC after a split heals).
      if (m.successor !== c.me && c.at('service.serving', 'service.seeking')) announce(c);
      return;
    case 'CHECK':
      asked(c, from, m.id);
      if (m.insist) insisted(c, from);
      return;
    default:
      return;
  }
}

/**
 * R13: a backup asks for a self-check. One is run at most once an interval, whoever asks and how often, and its
 * answer goes to the newest question of each host; the periodic one answers, too.
 */
function asked(c: Ctx, from: HostName, id: number): void {
  const others = c.s.askers.filter((a) => a.host !== from || a.kind !== 'check');
  c.set({ askers: [...others, { host: from, id, kind: 'check' as const }] });
  if (c.now - c.s.checks.checkServiceLocal.startedAtMs >= c.t.intervalMs) startCheck(c, 'checkServiceLocal');
}

/** R13: a healthy master objects to a claim, whatever its number. */
function object(c: Ctx, to: HostName, id: number): void {
  c.send(to, {
    type: 'OBJECT',
    service: c.s.service,
    id,
    reason: 'serving',
    term: c.s.known?.term ?? c.s.term ?? { n: 0, host: c.me },
    restMs: Math.max(0, Math.floor(c.rightUntil - c.now)),
    downlinkAgeMs: downlinkAgeMs(c),
  });
}

/** Finding 12: a fit host doubts us; look at the own downlink at once. */
function doubted(c: Ctx, from: HostName, id: number): void {
  const others = c.s.askers.filter((a) => a.host !== from || a.kind !== 'blame');
  c.set({ askers: [...others, { host: from, id, kind: 'blame' as const }] });
  startCheck(c, 'checkDownlink');
}

/** R13: only a higher *established* term makes a master release. */
function otherMaster(c: Ctx, from: HostName, m: Message & { type: 'STATUS' | 'PROBED' }): void {
  const known = c.s.known;
  const serving = m.type === 'STATUS' ? m.phase === 'serving' : m.serving;
  if (!serving || known === null || from === c.me) return;
  if (known.term.host === from) {
    c.become('deposed', `${from} serves in term ${termText(known.term)}`);
  } else if (c.s.forced) {
    c.become('deposed', `${from} serves, and this host without a majority`);
  } else {
    c.alarm('two-masters', true, `${from} says that it serves, too`);
    if (!c.at('service.serving', 'service.seeking')) return;
    announce(c);
    advert(c);
  }
}

/** A master's checks. A failed service or a refuted downlink is a release; a failed uplink looks for a successor first. */
export function serviceChecked(c: Ctx, procedure: string, record: CheckRecord): void {
  if (procedure === 'checkServiceLocal') {
    answerAskers(c, record.verdict === 'confirmed');
    if (!record.sound && record.bad >= c.cfg.fall) c.become('service-failed');
    else if (record.bad > 0) startCheck(c, 'checkServiceLocal');
  } else if (procedure === 'checkDownlink') {
    if (record.verdict !== 'confirmed' && downlinkFailed(c, record))
      c.become('downlink-failed', record.verdict);
    else c.set({ askers: c.s.askers.filter((a) => a.kind !== 'blame') });
  } else if (procedure === 'checkUplink') {
    c.alarm('uplink-failed', !record.sound && record.bad > 0, 'the next hop does not answer');
    if (record.bad > 0 && record.sound) startCheck(c, 'checkUplink');
    considerSuccession(c);
  }
}

function answerAskers(c: Ctx, ok: boolean): void {
  for (const { host, id, kind } of c.s.askers) {
    if (kind === 'check') c.send(host, { type: 'CHECKED', service: c.s.service, id, ok });
  }
  c.set({ askers: c.s.askers.filter((a) => a.kind !== 'check') });
}

/**
 * Finding 13: *refuted* is enough; *lost* or *unknown* only against a fit peer's word which came another way while
 * nothing came over the downlink. Alone at night a master stays.
 */
function downlinkFailed(c: Ctx, record: CheckRecord): boolean {
  if (record.verdict === 'refuted') return true;
  const sinceMs = c.now - 2 * c.t.intervalMs;
  return Object.entries(c.host.peers).some(([host, peer]) => {
    const overDownlink = c.cfg.downlinkLink === null ? 0 : (peer.heardOn[c.cfg.downlinkLink] ?? 0);
    const elsewhere = Object.entries(peer.heardOn).some(
      ([link, atMs]) => Number(link) !== c.cfg.downlinkLink && atMs >= sinceMs,
    );
    if (!elsewhere || overDownlink >= record.startedAtMs) return false;
    const blames = c.s.askers.some((a) => a.host === host && a.kind === 'blame');
    const sees = c.s.reports[host]?.downlink === true && c.s.reports[host]?.fit === true;
    return blames || (sees && record.verdict === 'lost' && record.bad >= c.cfg.fall);
  });
}

/** Entry of service.releasing. */
export function enterServiceReleasing(c: Ctx, cause: Cause): void {
  c.alarm('two-masters', false);
  c.set({ askers: [], noClaimBeforeMs: c.now + c.t.promiseMs });
  enterCleaning(c, cause);
}
