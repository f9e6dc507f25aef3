/**
 * Asking for the right to serve: CLAIM while claiming, STATUS ever after (R4, R7). One number a round; the answers
 * count from the moment at which the round was sent.
 */
import { compareTerms, type HostName } from './basics.ts';
import type { Ctx } from './context.ts';
import { requested } from './lease.ts';
import type { Status } from './messages.ts';
import { bound } from './voter.ts';
import { nextTerm, voteForOneself } from './voting.ts';

/** Sends CLAIM or STATUS to all, votes for itself, and sets the time for asking the silent ones again. */
export function ask(c: Ctx): void {
  const term = c.s.term;
  if (term === null) return;
  const id = newRound(c);
  if (c.s.place === 'handover.claiming') {
    c.send('all', { type: 'CLAIM', service: c.s.service, id, term });
  } else {
    c.send('all', status(c, id));
    if (c.s.tableAdverts > 0) c.set({ tableAdverts: c.s.tableAdverts - 1 });
  }
  // Forced or not: with the others' votes it makes a majority again (R27).
  if (c.cfg.policy !== 'quorum' || voteForOneself(c, term, id)) return;
  // R7: the own vote objects like any other; bound to a running claim it would only do so again.
  const { voter } = c.s;
  if (voter.term !== null && compareTerms(voter.term, term) > 0 && !bound(voter, c.me, c.now)) {
    reclaim(c, voter.term.n);
  }
}

/** R7: asks those voters again whose lease this interval has not renewed. */
export function askSilent(c: Ctx): void {
  const renewedMs = c.now + c.t.leaseMs - c.t.intervalMs;
  const silent = voters(c).filter((v) => v !== c.me && (c.s.right.leases[v] ?? 0) < renewedMs);
  if (silent.length === 0) return;
  const id = newRound(c);
  for (const voter of silent) c.send(voter, status(c, id));
}

/** All hosts that vote in some voter set. */
function voters(c: Ctx): HostName[] {
  return [...new Set(c.host.config.membership.voterSets.flat())];
}

function newRound(c: Ctx): number {
  const id = c.id();
  c.set({ right: requested(c.s.right, { id, sentAtMs: c.now }, c.t.leaseMs) });
  return id;
}

function status(c: Ctx, id: number): Status {
  const { service, term, table, tableAdverts } = c.s;
  return {
    type: 'STATUS',
    service,
    id,
    term: term ?? nextTerm(c),
    phase: c.main !== 'service' ? 'handover' : c.s.place === 'service.suspended' ? 'suspended' : 'serving',
    digest: c.cfg.digest,
    tableSeq: table?.seq ?? 0,
    ...(table !== null && tableAdverts > 0 ? { table } : {}),
  };
}

/**
 * R7: a voter promised a higher term to a claim that came to nothing. The live claimant or master takes a higher
 * number in place: no uplink goes down and no gate shuts for it.
 */
export function reclaim(c: Ctx, objectedN: number): void {
  const term = nextTerm(c, objectedN);
  c.log('note', `refused for term number ${objectedN}; going on in term ${term.n}`);
  c.set({ term, highestN: term.n, ...(c.s.attempt === null ? {} : { attempt: { ...c.s.attempt, term } }) });
  ask(c);
}
