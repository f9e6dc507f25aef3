/**
 * Init and Decide (slides "Main State Machine"): confirm the own link, then find out whether there is a master to
 * join (*dynamic addition*) or whether the hosts present must elect one (*initial bootstrap*, R20).
 */
import { startCheck } from './checks.ts';
import type { Ctx } from './context.ts';
import { sendProbe } from './suspicion.ts';

/** Entry of init.linking. */
export function enterLinking(c: Ctx): void {
  startCheck(c, 'checkDownlink');
  linked(c);
}

/** A confirmed downlink ends Init; so does a member's word: whoever hears the cluster can join it. */
export function linked(c: Ctx): void {
  if (c.s.place !== 'init.linking') return;
  const heard = Object.values(c.host.peers).some((p) => Object.keys(p.heardOn).length > 0);
  if (c.s.checks.checkDownlink.verdict === 'confirmed' || heard) c.become('linked');
}

/** Entry of decide.listening: silent for a promise after a start (R3), and long enough to hear any master (R20). */
export function enterListening(c: Ctx): void {
  const detectionMs = 2 * c.t.intervalMs + c.t.probes * c.t.probeTimeoutMs;
  c.timer('listen', Math.max(c.host.startedAtMs + c.t.promiseMs, c.now + detectionMs));
  sendProbe(c);
}

/** The time of listening is over. */
export function listened(c: Ctx): void {
  c.become('listened');
}
