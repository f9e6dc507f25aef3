/**
 * Which place does what with which event. Gate first (what concerns every place: votes, reports, probes), then the
 * place. Reading this file with spec/state-machine.md beside it is the quickest way into the core.
 */
import { considerAlone, regained } from './alone.ts';
import { ask, askSilent } from './asking.ts';
import { enterWatching, remoteChecked, silent, watchingHeard } from './backup.ts';
import type { HostName } from './basics.ts';
import { checkEnded, downlinkAgeMs, periodicChecks, startCheck } from './checks.ts';
import {
  addressesProbed,
  considerWindow,
  enterConflictWindow,
  enterWaiting,
  masterWord,
  rivalClaim,
  waitOn,
} from './conflict.ts';
import type { Ctx, Entries } from './context.ts';
import { enterLinking, enterListening, linked, listened } from './deciding.ts';
import type { Side } from './events.ts';
import { heardReport, report } from './fitness.ts';
import {
  claim,
  considerGrants,
  enterClaiming,
  enterRaising,
  objected,
  uplinkActivated,
  uplinkChecked,
} from './handover.ts';
import { cleaningEnded, cleaningGateSet, cleaningTimer, enterCleaning, sayWhatEnded } from './harmless.ts';
import { answered } from './lease.ts';
import type { Message } from './messages.ts';
import { preparedChecked, serviceActivated } from './preparing.ts';
import type { Procedure, Verdict } from './procedures.ts';
import {
  enterOpening,
  enterPreparing,
  enterReleasing,
  enterWithdrawing,
  masterReleased,
  notReleased,
  openGate,
  tell,
} from './readiness.ts';
import * as service from './service.ts';
import type { Timer } from './state.ts';
import {
  askSuccessor,
  enterSeeking,
  enterShutting,
  seekingHeard,
  trialTimer,
  tryNext,
} from './succession.ts';
import * as suspicion from './suspicion.ts';
import { newer } from './table.ts';
import * as voting from './voting.ts';

/** What each place does when it is entered. */
export const ENTRIES: Entries = {
  'init.cleaning': enterCleaning,
  'init.linking': enterLinking,
  'decide.listening': enterListening,
  'decide.electing': suspicion.enterSuspicion,
  'backup.watching': enterWatching,
  'backup.suspecting': suspicion.enterSuspicion,
  'handover.claiming': enterClaiming,
  'handover.raising': enterRaising,
  'handover.listening': enterConflictWindow,
  'handover.waiting': enterWaiting,
  'handover.preparing': enterPreparing,
  'handover.releasing': enterReleasing,
  'handover.opening': enterOpening,
  'handover.withdrawing': enterWithdrawing,
  'service.serving': service.enterServing,
  'service.seeking': enterSeeking,
  'service.shutting': enterShutting,
  'service.suspended': service.enterSuspended,
  'service.releasing': service.enterServiceReleasing,
};

/** A member's authenticated word. */
export function messageReceived(c: Ctx, from: HostName, link: number, m: Message): void {
  if (voting.absurd(c, from, m)) return;
  everyPlace(c, from, m);
  // A witness, or a host that the roster has no more (R21).
  if (c.member(c.me)?.role !== 'gateway') return;
  if (m.type === 'PROBE') probed(c, from, m.id);
  const claimed = claimedTerm(m);
  if (c.main === 'handover' && c.s.place !== 'handover.withdrawing') {
    if (claimed !== null) rivalClaim(c, from, claimed);
    else if (m.type === 'STATUS' && m.phase === 'serving') masterWord(c, from, m.term, null, link);
    else if (m.type === 'PROBED' && m.serving && m.term !== null)
      masterWord(c, from, m.term, m.downlinkAgeMs, link);
    else if (m.type === 'OBJECT') objected(c, from, m, link);
    else if (m.type === 'RELEASED') masterReleased(c, from, m);
  } else if (c.main === 'service' && c.s.place !== 'service.releasing') {
    service.serviceHeard(c, from, m, link);
    if (c.s.place === 'service.seeking') seekingHeard(c, from, m);
  } else if (c.s.place === 'init.linking') linked(c);
  else if (c.at('decide.listening', 'decide.electing', 'backup.suspecting')) masterHeard(c, from, m);
  if (c.s.place === 'backup.watching') watchingHeard(c, from, m);
  else suspicion.consider(c);
}

/** What every host does with a message, whatever its place and role. */
function everyPlace(c: Ctx, from: HostName, m: Message): void {
  if (m.type === 'STATUS') voting.heardStatus(c, from, m);
  else if (m.type === 'CLAIM') voting.heardClaim(c, from, m);
  else if (m.type === 'RELEASED') voting.heardReleased(c, from, m);
  else if (m.type === 'WITHDRAW') voting.heardWithdraw(c, m);
  else if (m.type === 'REPORT') heardReport(c, from, m);
  else if (m.type === 'PROBED' && m.term !== null) {
    if (m.serving) voting.established(c, m.term);
    else if (m.activity === 'handover') c.set({ rival: { term: m.term, heardAtMs: c.now } });
  } else if (m.type === 'ACK' || m.type === 'GRANT') {
    if (m.type === 'GRANT' && m.table !== undefined && newer(m.table, c.s.table)) c.set({ table: m.table });
    c.set({ right: answered(c.s.right, from, m.id, c.t.leaseMs) });
    if (c.main === 'service') {
      regained(c);
      service.extend(c);
    } else if (c.s.place === 'handover.opening') openGate(c);
    else considerGrants(c);
  } else if (m.type === 'BYE') {
    const known = c.s.reports[from];
    if (known !== undefined)
      c.set({ reports: { ...c.s.reports, [from]: { ...known, fit: false, fitSinceMs: null } } });
  }
}

/** The term that the sender claims with this message; null when it claims none. */
function claimedTerm(m: Message) {
  if (m.type === 'CLAIM' || (m.type === 'STATUS' && m.phase === 'handover')) return m.term;
  if (m.type === 'PROBED' && m.activity === 'handover') return m.term;
  return m.type === 'PROBE' ? m.claim : null;
}

/** PROBE is answered by everybody, at once. */
function probed(c: Ctx, from: HostName, id: number): void {
  c.send(from, {
    type: 'PROBED',
    service: c.s.service,
    id,
    activity: c.main,
    serving: c.at('service.serving', 'service.seeking') && c.rightUntil > c.now,
    term: c.s.term,
    downlinkAgeMs: downlinkAgeMs(c),
  });
}

/** A fresh signed word of the established master ends every suspicion (R9). */
function masterHeard(c: Ctx, from: HostName, m: Message): void {
  const known = c.s.known;
  const says =
    (m.type === 'STATUS' && m.phase !== 'handover') ||
    (m.type === 'PROBED' && m.serving) ||
    m.type === 'HANDOVER';
  if (!says || known === null || known.term.host !== from || known.released !== undefined) return;
  if (m.type === 'HANDOVER') c.set({ known: { ...known, heardAtMs: c.now } });
  if (c.s.known?.heardAtMs === c.now) c.become('master-heard');
}

/** A procedure ended. */
export function procedureEnded(c: Ctx, procedure: Procedure, id: number, verdict: Verdict): void {
  switch (procedure) {
    case 'checkDownlink':
    case 'checkUplink':
    case 'checkServiceLocal':
    case 'checkServiceRemote': {
      const record = checkEnded(c, procedure, id, verdict);
      if (record === null) return;
      if (procedure === 'checkDownlink') downlinkChecked(c, record.verdict);
      if (c.main === 'service' && c.s.place !== 'service.releasing')
        service.serviceChecked(c, procedure, record);
      else if (procedure === 'checkUplink') uplinkChecked(c, record);
      else if (procedure === 'checkServiceLocal') preparedChecked(c, record);
      else if (procedure === 'checkServiceRemote') {
        if (c.s.place === 'backup.watching') remoteChecked(c, record);
        else if (verdict === 'confirmed') suspicion.signOfLife(c, 'the service');
      }
      return;
    }
    case 'activateUplink':
      uplinkActivated(c);
      return;
    case 'activateService':
      serviceActivated(c);
      return;
    case 'deactivateService':
    case 'deactivateUplink':
      cleaningEnded(c, procedure, id, verdict);
      return;
    default:
  }
}

function downlinkChecked(c: Ctx, verdict: Verdict): void {
  linked(c);
  if (c.at('backup.suspecting', 'decide.electing')) suspicion.suspicionChecked(c, verdict === 'confirmed');
  else if (verdict === 'refuted' && c.main === 'handover' && c.s.place !== 'handover.withdrawing') {
    c.become('downlink-lost');
  }
}

/** A round of ARP probes or DAD ended. */
export function addressProbeEnded(c: Ctx, side: Side, id: number, isAnswered: boolean): void {
  if (c.main === 'handover') {
    addressesProbed(c, side, id, isAnswered);
    return;
  }
  if (isAnswered) suspicion.signOfLife(c, `somebody on the ${side}`);
  service.roundEnded(c, side, id);
}

/**
 * The kernel gate was read back. Only the latest order counts, but for one that opened it, which those after it only lengthen:
 * a kernel that is slower than the renewals would never be heard.
 */
export function gateSet(c: Ctx, id: number, openUntilMs: number | null): void {
  const { gate } = c.s;
  if (id !== gate.id && (openUntilMs === null || id < gate.fromId || id > gate.id)) return;
  if (c.s.cleaning !== null) cleaningGateSet(c, id, openUntilMs);
  else if (c.s.place === 'service.shutting') {
    if (openUntilMs === null) c.become('shut');
  } else if (c.s.gate.untilMs === null) return;
  else if (openUntilMs !== null) {
    // Read so late that the right is over: the kernel has shut it again.
    if (c.rightUntil <= c.now) service.tooLate(c);
    else if (c.s.place === 'handover.opening') c.become('gate-open');
    else if (c.s.place === 'service.suspended') c.become('renewed');
  } else if (c.at('service.serving', 'service.seeking'))
    c.become('lapsed', 'the gate could not be kept open');
  // Not at once: the kernel's tables may be under repair.
  else if (c.s.place === 'handover.opening') c.timer('probe', c.now + c.t.probeTimeoutMs);
  else if (c.s.place === 'service.suspended' && c.policy === 'available') {
    c.timer('window', c.now + c.t.probeTimeoutMs);
  }
}

/** A deadline has come. The timer is forgotten already; whoever wants it again sets it again. */
export function timerFired(c: Ctx, timer: Timer): void {
  const handlers: { readonly [T in Timer]: () => void } = {
    // Only wakes: the own right is looked at before everything else in each step (R8), and no place is entered without it.
    lapse: () => undefined,
    step: () => limitReached(c),
    silence: () => silent(c),
    listen: () => listened(c),
    probe: () => nextProbe(c),
    claim: () => (c.s.place === 'handover.claiming' ? considerGrants(c) : suspicion.consider(c)),
    window: () => (c.s.place === 'service.suspended' ? service.suspensionProbed(c) : considerWindow(c)),
    renew: () => service.renew(c),
    advert: () => {
      if (c.main === 'service') {
        considerAlone(c);
        service.advert(c);
      } else {
        ask(c);
        c.timer('advert', c.nextOnGrid(c.t.intervalMs));
        c.timer('retry', c.now + c.t.probeTimeoutMs);
      }
    },
    retry: () => {
      if (c.s.place === 'handover.claiming') claim(c);
      else if (c.main === 'service') service.retry(c);
      else if (c.policy === 'quorum') askSilent(c);
    },
    repeat: () => {
      if (c.s.cleaning !== null) sayWhatEnded(c);
      else if (c.s.place === 'service.seeking') askSuccessor(c, false);
      else tell(c);
    },
    clean: () => cleaningTimer(c),
    trial: () => trialTimer(c),
    report: () => report(c, true),
    checks: () => periodicChecks(c),
  };
  handlers[timer]();
}

/** A place's own limit. */
function limitReached(c: Ctx): void {
  if (c.s.place === 'handover.releasing') notReleased(c);
  else if (c.main === 'handover') c.become('too-late', `in ${c.s.place}`);
  else if (c.s.place === 'service.suspended') c.become('too-late');
  else if (c.s.place === 'service.seeking') tryNext(c, 'no answer in time');
  // By now the kernel has shut the gate by itself, whatever it answers (R6).
  else if (c.s.place === 'service.shutting') c.become('shut');
}

/** The next probe, or the next look at what is not confirmed yet. */
function nextProbe(c: Ctx): void {
  if (c.at('backup.suspecting', 'decide.electing')) suspicion.probeUnanswered(c);
  else if (c.s.place === 'handover.waiting') waitOn(c);
  else if (c.s.place === 'handover.raising') startCheck(c, 'checkUplink');
  else if (c.s.place === 'handover.preparing') startCheck(c, 'checkServiceLocal');
  else if (c.s.place === 'handover.opening') openGate(c);
  else suspicion.sendProbe(c);
}
