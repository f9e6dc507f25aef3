/**
 * Backup, watching (slide "Backup main state"): hears the master's adverts, checks the service as a client does, and
 * has the master check itself when the view is bad. Silence leads to suspicion.ts.
 */
import type { HostName } from './basics.ts';
import { compareTerms } from './basics.ts';
import { checksWithAdvert, confirmedSince } from './checks.ts';
import type { Ctx } from './context.ts';
import { fit } from './fitness.ts';
import type { Message } from './messages.ts';
import type { CheckRecord } from './state.ts';
import { nextTerm } from './voting.ts';

/** Entry of backup.watching. */
export function enterWatching(c: Ctx): void {
  c.set({ suspicion: null, attempt: null, dispute: { ...c.s.dispute, id: 0, oks: 0 } });
  watchOn(c);
}

/** The master was heard, or somebody is about to follow it: the next advert is due within an interval and slack. */
export function watchOn(c: Ctx): void {
  const heardAtMs = c.s.known?.heardAtMs ?? c.now;
  c.timer('silence', heardAtMs + c.t.intervalMs + c.t.slackMs);
}

/** The advert is overdue. */
export function silent(c: Ctx): void {
  c.become('silence', `no advert for ${Math.round(c.now - (c.s.known?.heardAtMs ?? c.now))} ms`);
}

/** What watching makes of a message, after voting.ts has taken in what concerns every place. */
export function watchingHeard(c: Ctx, from: HostName, m: Message): void {
  const known = c.s.known;
  if (known === null || from !== known.term.host) return;
  if (m.type === 'STATUS' && m.phase !== 'handover') {
    watchOn(c);
    checksWithAdvert(c);
  } else if (m.type === 'RELEASED' && known.released === null) c.become('released');
  else if (m.type === 'RELEASED') watchOn(c);
  else if (m.type === 'HANDOVER') asked(c, from, m);
  else if (m.type === 'CHECKED' && m.id === c.s.dispute.id) checked(c, m.ok);
}

/** The master looks for a successor (R12): this host gets ready, or says no. */
function asked(c: Ctx, from: HostName, m: Message & { type: 'HANDOVER' }): void {
  const known = c.s.known;
  if (known === null || compareTerms(m.term, known.term) !== 0) return;
  // Not simply the master's number and one: this host may have tried that before, and its late words would end this try.
  const term = nextTerm(c);
  c.set({ highestN: Math.max(c.s.highestN, term.n) });
  if (!fit(c) || c.now < c.s.holdUntilMs) {
    c.send(from, { type: 'WITHDRAW', service: c.s.service, term });
    return;
  }
  c.set({
    term,
    attempt: {
      term,
      plannedBy: known.term,
      plannedId: m.id,
      claimedAtMs: c.now,
      suspectedAtMs: c.now,
      granted: true,
      notBeforeMs: c.now,
      masterLives: true,
      released: false,
      readyAtMs: 0,
      readyId: 0,
      probeIds: { downlink: 0, uplink: 0 },
      answeredBy: { downlink: false, uplink: false },
      prepared: 'no',
      limitAtMs: c.now + c.t.handoverLimitMs,
      stalls: 0,
    },
  });
  c.become('asked', `by ${from}`);
}

/** The clients' view: a bad one makes the master check itself (CHECK), if our own downlink is not to blame. */
export function remoteChecked(c: Ctx, record: CheckRecord): void {
  const known = c.s.known;
  if (known === null || known.term.host === c.me) return;
  if (record.verdict === 'confirmed') {
    c.set({ dispute: { id: 0, oks: 0, blamed: null } });
    c.alarm('service-disputed', false);
    return;
  }
  if (
    record.bad < c.cfg.fall ||
    !confirmedSince(c, 'checkDownlink', record.startedAtMs - c.cfg.checkIntervalMs)
  ) {
    return;
  }
  const master = known.term.host;
  const blamed = c.s.dispute.blamed ?? master;
  const disputed = c.s.dispute.oks >= c.cfg.fall;
  const id = c.id();
  c.set({ dispute: { ...c.s.dispute, id, blamed } });
  c.alarm('service-disputed', disputed, `the service fails here, but ${master} says that all is well`);
  // What was bad before this master came is not its fault, and moving the service once more would not mend it.
  c.send(master, { type: 'CHECK', service: c.s.service, id, insist: disputed && blamed === master });
}

function checked(c: Ctx, ok: boolean): void {
  c.set({ dispute: { ...c.s.dispute, id: 0, oks: ok ? c.s.dispute.oks + 1 : 0 } });
}
