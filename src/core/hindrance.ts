/**
 * Why a host does not claim, in words, each with its rule in spec/state-machine.md: what `explain` prints. The guards
 * themselves are `fit` and `mayClaim`; a test asks both on every step of simulated clusters and finds them agreeing.
 */
import type { HostName, ServiceName } from './basics.ts';
import { confirmedSince } from './checks.ts';
import { Ctx } from './context.ts';
import { ENTRIES } from './dispatch.ts';
import { differsFromMaster, trustHeld } from './fitness.ts';
import { orderText, preferred } from './placement.ts';
import type { HostState, Suspicion } from './state.ts';
import { bound } from './voter.ts';

export interface Hindrance {
  readonly rule: string;
  readonly text: string;
  /** When it ends by time alone, on the host's own clock; null: something must happen first. */
  readonly untilMs: number | null;
}

const lasting = (rule: string, text: string): Hindrance => ({ rule, text, untilMs: null });

/** What makes this host unfit (fitness.ts), by its own word; empty: it is fit. */
export function unfitness(c: Ctx): Hindrance[] {
  const found: Hindrance[] = [];
  const role = c.member(c.me)?.role;
  if (role !== 'gateway')
    found.push(
      lasting(
        'R21',
        role === undefined ? 'is not in the roster' : 'is a witness: it votes, and never serves',
      ),
    );
  if (c.host.standby) found.push(lasting('R25', 'is on standby, by an operator’s order'));
  if (c.host.stopping) found.push(lasting('R25', 'is stopping'));
  if (c.main === 'init') found.push(lasting('R25', 'is not harmless yet, or has no link yet'));
  if (!c.s.checks.checkDownlink.sound)
    found.push(lasting('R25', `cannot confirm its own downlink (${c.s.checks.checkDownlink.verdict})`));
  if (differsFromMaster(c)) found.push(lasting('R2', 'its configuration is not the master’s'));
  return found;
}

/** All of R10 but the slot: what keeps a host that suspects, or elects, from claiming. */
export function againstClaim(c: Ctx, suspicion: Suspicion): Hindrance[] {
  const { known, rival } = c.s;
  const found: Hindrance[] = [];
  const until = (untilMs: number, rule: string, text: string): void => {
    if (c.now < untilMs) found.push({ rule, text, untilMs });
  };
  // RELEASED without successor needs no probing: it is the master's own, fresh and signed word (R15).
  const released = known?.released === null && c.now - known.heardAtMs < c.t.promiseMs;
  until(c.host.startedAtMs + c.t.promiseMs, 'R3', 'started less than one promise ago');
  until(c.s.noClaimBeforeMs, 'R15', 'let go itself less than one promise ago');
  if (c.policy === 'quorum') {
    if (bound(c.s.voter, c.me, c.now))
      until(c.s.voter.untilMs, 'R2', `its own vote is promised to ${c.s.voter.holder ?? 'nobody yet'}`);
  } else if (!released && suspicion.signOfLife) {
    until(
      (known?.heardAtMs ?? suspicion.sinceMs) + c.t.promiseMs,
      'R19',
      'somebody still answers for the service, unsigned',
    );
  }
  if (rival !== null)
    until(rival.heardAtMs + c.t.intervalMs + c.t.slackMs, 'R10', `${rival.term.host} claims already`);
  found.push(...unfitness(c));
  if (trustHeld(c))
    until(
      c.host.trustHoldUntilMs ?? 0,
      'R19',
      'heard words that it could not verify, and none that it could',
    );
  if (!confirmedSince(c, 'checkDownlink', suspicion.sinceMs))
    found.push(lasting('R10', 'its downlink is not confirmed since the silence began'));
  if (!released && suspicion.unanswered < c.t.probes)
    found.push(lasting('R10', `${suspicion.unanswered} of ${c.t.probes} probes are unanswered so far`));
  return found;
}

/** One service of a host, as its own guards see it at that moment. */
export interface Standing {
  readonly unfit: readonly Hindrance[];
  /** Null where it neither suspects nor elects: then it claims nothing of its own accord. */
  readonly againstClaim: readonly Hindrance[] | null;
  /** Who claims, or is asked, in which order (R25), as this host knows it; and that order with what it rests on. */
  readonly preferred: readonly HostName[];
  readonly order: string;
}

/** Read-only: nothing of `state` changes. Null: there is no such service. */
export function standing(state: HostState, service: ServiceName, nowMs: number): Standing | null {
  const s = state.services[service];
  const cfg = state.config.services.find(({ name }) => name === service);
  if (s === undefined || cfg === undefined) return null;
  const c = new Ctx(state, s, cfg, nowMs, false, ENTRIES);
  const isLooking = c.at('backup.suspecting', 'decide.electing') && s.suspicion !== null;
  return {
    unfit: unfitness(c),
    againstClaim: isLooking && s.suspicion !== null ? againstClaim(c, s.suspicion) : null,
    preferred: preferred(c),
    order: orderText(c),
  };
}
