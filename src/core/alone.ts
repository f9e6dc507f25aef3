/**
 * R27: a master that hears neither a majority nor another gateway may go on alone, where the configuration says so:
 * forced, as by an operator's order. It ends as soon as a majority acknowledges again, or anybody else serves (R13).
 */
import type { Ctx } from './context.ts';
import { majorityUntil } from './lease.ts';
import { openGate } from './readiness.ts';
import { beginRound } from './service.ts';

/** Suspended, and one advert since then stayed unanswered: is nobody there who could serve? R8's round decides then. */
export function considerAlone(c: Ctx): void {
  if (c.s.place !== 'service.suspended' || c.policy !== 'quorum' || c.cfg.alone !== 'serve') return;
  if (c.rightUntil > c.now) return;
  const others = c.host.config.membership.members.filter((m) => m.role === 'gateway' && m.name !== c.me);
  // Of whom nothing was heard since the start or the last roster, from the suspension on.
  const heardMs = others.map(({ name }) =>
    Math.max(...Object.values(c.host.peers[name]?.heardOn ?? { none: c.s.enteredAtMs })),
  );
  if (heardMs.some((atMs) => c.now - atMs < c.t.promiseMs)) return;
  c.set({ forced: true });
  c.timer('retry', null);
  c.alarm('forced', true, 'no majority and no other gateway is heard: going on alone, as configured');
  beginRound(c);
}

/** A majority acknowledges a forced master again: it is an ordinary one from now on, and its gate follows that right. */
export function regained(c: Ctx): void {
  const { forced, right, place, gate } = c.s;
  if (!forced || !c.at('service.serving', 'service.seeking', 'service.suspended')) return;
  if (majorityUntil(right, c.host.config.membership) <= c.now) return;
  c.set({ forced: false });
  c.alarm('forced', false);
  c.timer('renew', null);
  if (place === 'service.suspended') {
    c.set({ suspicion: null });
    c.timer('window', null);
  }
  if (gate.untilMs !== null) openGate(c);
}
