/**
 * The master looks for a successor and goes on serving meanwhile (R12, R14, R26): on an operator's word, at its own
 * end, when its uplink failed, for preemption, or because a backup insists. One backup at a time; it lets go only
 * when one is READY. Nobody ready: growing pauses, so that a dead next hop does not send the service round.
 */
import type { HostName } from './basics.ts';
import type { Ctx } from './context.ts';
import type { Message } from './messages.ts';
import { orderText, preferred } from './placement.ts';
import type { Trial } from './state.ts';

const FIRST_PAUSE_MS = 1000;
const LAST_PAUSE_MS = 60_000;
/** Complaints of so many check intervals count together. */
const COMPLAINT_CHECKS = 10;
/** So often at most is the wait before the next move away from a burdened or disputed master doubled (R14, R26). */
const MOST_DOUBLINGS = 6;

/** Starts a trial for that cause, with `to` alone or with everybody fit in the table's order. */
export function seek(c: Ctx, cause: Trial['cause'], to: HostName | null): void {
  if (c.s.place !== 'service.serving') return;
  const next = to ?? preferred(c)[0];
  if (next === undefined) {
    nobody(c, cause);
    return;
  }
  c.set({ trial: asking(c, { cause, to: next, tried: [next], only: to !== null }) });
  c.become('wanted', `${cause}; asking ${next}; ${orderText(c)}`);
}

/**
 * Finding 25: a backup insists that the service fails, while this host finds itself well. That of the only fit backup counts;
 * among several a lone complainer is itself the suspect, and two must agree. A pause follows each trial, and each move doubles
 * the time that this host then serves before it goes for such complaints again.
 */
export function insisted(c: Ctx, from: HostName): void {
  if (c.s.place !== 'service.serving') return;
  // A check may take long before it fails: so long, and both have had their turn.
  const sinceMs = c.now - Math.max(COMPLAINT_CHECKS * c.cfg.checkIntervalMs, c.cfg.switchLimitMs);
  const others = preferred(c);
  if (!others.includes(from)) return;
  const kept = others.filter((host) => host === from || (c.s.complaints[host] ?? sinceMs - 1) >= sinceMs);
  const entries = kept.map((host) => [host, host === from ? c.now : (c.s.complaints[host] ?? c.now)]);
  c.set({ complaints: Object.fromEntries(entries) });
  const tenureMs = c.now - c.s.enteredAtMs;
  if (tenureMs >= LAST_PAUSE_MS) c.set({ moves: 0 });
  const waited = c.s.moves === 0 || tenureMs >= FIRST_PAUSE_MS * 2 ** c.s.moves;
  const agreed = kept.length >= Math.min(2, others.length);
  if (agreed && waited && c.s.timers.trial === null) seek(c, 'disputed', from);
}

/** One backup, asked from now on. */
function asking(c: Ctx, trial: Omit<Trial, 'id' | 'untilMs'>): Trial {
  return { ...trial, id: c.id(), untilMs: c.now + Math.min(c.t.handoverLimitMs, limitMs(c)) };
}

/** Entry of service.seeking. */
export function enterSeeking(c: Ctx): void {
  c.timer('lapse', c.rightUntil);
  // The next advert stays due when it was: it renews the lease, which ends soon after it.
  askSuccessor(c, true);
}

/**
 * R12: a search that a lapse interrupted goes on, for as long as it would have without one: the backup that was asked may be READY
 * meanwhile, and says so again.
 */
export function goOn(c: Ctx): void {
  const { trial } = c.s;
  if (trial !== null) c.become('wanted', `${trial.cause}; asking ${trial.to} still`);
}

/** HANDOVER to the one being tried; again until it answers. */
export function askSuccessor(c: Ctx, first: boolean): void {
  const { trial, known, term } = c.s;
  if (trial === null) return;
  if (first) c.timer('step', Math.max(trial.untilMs, c.now));
  c.send(trial.to, {
    type: 'HANDOVER',
    service: c.s.service,
    id: trial.id,
    term: known?.term ?? term ?? { n: 0, host: c.me },
  });
  c.timer('repeat', c.now + (first ? c.t.probeTimeoutMs : c.t.intervalMs));
}

/** How long one backup may take to get its uplink up and its service prepared. */
function limitMs(c: Ctx): number {
  return 3 * c.cfg.switchLimitMs + c.cfg.uplinkLimitMs;
}

/** What a searching master makes of a message. */
export function seekingHeard(c: Ctx, from: HostName, m: Message): void {
  const trial = c.s.trial;
  if (trial === null || from !== trial.to) return;
  if (m.type === 'READY') {
    const counted = trial.cause === 'feedback' || trial.cause === 'disputed';
    const moves = counted ? Math.min(c.s.moves + 1, MOST_DOUBLINGS) : c.s.moves;
    c.set({ handingTo: { host: from, id: m.id, leaseUntilMs: c.rightUntil }, moves });
    // The next one is not to blame for what this one was given up for, and may see as well.
    if (trial.cause === 'disputed') c.set({ dispute: { ...c.s.dispute, blamed: c.me } });
    c.become('ready', from);
  } else if (m.type === 'WITHDRAW') tryNext(c, `${from} cannot`);
}

/** The one being tried failed or is silent: the next one, or nobody. */
export function tryNext(c: Ctx, why: string): void {
  const trial = c.s.trial;
  if (trial === null) return;
  c.log('note', `no successor in ${trial.to}: ${why}`);
  const next = trial.only ? undefined : preferred(c).find((host) => !trial.tried.includes(host));
  if (next === undefined) {
    nobody(c, trial.cause);
    return;
  }
  c.set({ trial: asking(c, { ...trial, to: next, tried: [...trial.tried, next] }) });
  askSuccessor(c, true);
}

/** Nobody can take over. A host that stops goes all the same; all others go on serving. */
function nobody(c: Ctx, cause: Trial['cause']): void {
  const asked = c.s.trial?.tried.join(', ') ?? 'nobody, for nobody says that it is fit';
  c.set({ trial: null });
  if (cause === 'stop') {
    c.become('ordered', 'no successor');
    return;
  }
  const pauseMs = Math.min(Math.max(2 * c.s.trialPauseMs, FIRST_PAUSE_MS), LAST_PAUSE_MS);
  c.set({ trialPauseMs: pauseMs });
  if (cause !== 'preempt' && cause !== 'feedback' && cause !== 'disputed')
    c.alarm('no-successor', true, `nobody took over (${cause}); asked: ${asked}`);
  if (c.s.place === 'service.seeking') c.become('nobody', cause);
  else c.timer('trial', c.now + pauseMs);
}

/** Entry of service.shutting: nothing is said to anybody before the gate is read back shut. */
export function enterShutting(c: Ctx): void {
  c.gate(null);
  c.timer('step', c.now + c.t.leaseMs);
}

/** Whether something calls for a successor now; asked when checks end and when the pause after a trial is over. */
export function considerSuccession(c: Ctx): void {
  if (c.s.place !== 'service.serving') return;
  const pausing = c.s.trialPauseMs > 0 && c.s.timers.trial !== null && c.now < c.s.timers.trial;
  if (c.host.stopping) seek(c, 'stop', null);
  else if (pausing) return;
  else if (c.s.alarms.includes('uplink-failed')) seek(c, 'uplink', null);
  else if (c.host.standby) seek(c, 'standby', null);
  else {
    c.alarm('no-successor', false);
    preempt(c);
  }
}

/**
 * R26: away from a burdened master, or to a host of a higher priority; never by CLAIM. The host must have been fit and not
 * burdened, and this one master, for `preemptDelayMs`; each move from a burden doubles this host's wait for the next one,
 * so that a service which is the load itself comes to rest.
 */
function preempt(c: Ctx): void {
  const delayMs = c.cfg.preemptDelayMs;
  const tenureMs = c.now - c.s.enteredAtMs;
  if (delayMs === null || tenureMs < delayMs) return;
  const { burdened, turningSinceMs } = c.s.burden;
  const waitMs = delayMs * 2 ** c.s.moves;
  const waited = tenureMs >= waitMs;
  // The flag lags behind the load: without one that long, too, the wait would begin anew before the next burden shows.
  const isCalm = !burdened && turningSinceMs === null;
  if (isCalm && tenureMs >= waitMs + (c.cfg.feedback?.afterMs ?? 0)) c.set({ moves: 0 });
  const mine = c.member(c.me)?.priority ?? 0;
  const better = preferred(c).find((host) => {
    const sinceMs = c.s.reports[host]?.fitSinceMs ?? c.now;
    return c.now - sinceMs >= delayMs && ((burdened && waited) || (c.member(host)?.priority ?? 0) > mine);
  });
  if (better !== undefined) seek(c, burdened && waited ? 'feedback' : 'preempt', better);
}

/** The pause after a trial is over. */
export function trialTimer(c: Ctx): void {
  considerSuccession(c);
}
