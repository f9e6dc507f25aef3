/**
 * A node as a number: two nodes with the same one have the same future, seen from their own present.
 *
 * Left out or made relative, and why that is sound:
 * - *Times* count from the node's present. Those that the core only compares with the present are cut off once they are
 *   past (promises, leases, hold-downs); ages that it compares with a bound, beyond that bound. Overdue deadlines stay
 *   exact, since how late they are decides about a stall.
 * - *Numbers of requests and orders* matter only by what their owner would do with an answer. So a number is encoded
 *   as the thing in its owner's state that waits for it (`meaning`, flights.ts), or as nothing when nothing does.
 * - *The log and alarms* are told to people only, but for `uplink-failed`, which the core reads again.
 * - *Since when a peer is fit, and when a place was entered* count for preemption alone, which is off here.
 * - *The order of words in flight* is no order: they are a multiset, and any of them may come next. With a bounded
 *   `disorder` the calm choice depends on that order; there the search is a sample in any case.
 * - Terms are kept as they are: they stay small in a bounded search. Hosts are not interchangeable (names and
 *   priorities order them), so no symmetry is used.
 */
import type { HostState, ServiceState } from '../../src/core/index.ts';
import { TIMERS } from '../../src/core/state.ts';
import { flightKey, meaning } from './flights.ts';
import { add, flag, future, lately, NEVER, reset, sum, table, term, time, word } from './hash.ts';
import { type Cluster, type Host, type Node, SERVICE, serviceOf, type Work } from './world.ts';

function state(h: HostState, s: ServiceState, nowMs: number): void {
  const { intervalMs, leaseMs, promiseMs, slackMs } = h.config.timing;
  lately(h.startedAtMs, nowMs, promiseMs);
  add((h.standby ? 1 : 0) + (h.stopping ? 2 : 0) + (h.stopped ? 4 : 0));
  for (const host of Object.keys(h.peers).sort()) {
    word(host);
    const heardOn = h.peers[host]?.heardOn ?? {};
    // Compared with a bound of 2I, and with the start of a check that is not older than that here.
    for (const link of [0, 1]) {
      if (heardOn[link] === undefined) add(NEVER);
      else lately(heardOn[link], nowMs, 2 * intervalMs);
    }
    // R25: whoever did not answer since is not counted on.
    const { suspicion } = s;
    if (suspicion !== null) flag(Object.values(heardOn).some((atMs) => atMs >= suspicion.sinceMs));
  }
  word(s.place);
  for (const timer of TIMERS) time(s.timers[timer], nowMs);
  term(s.voter.term);
  word(s.voter.holder);
  future(s.voter.untilMs, nowMs);
  for (const name of Object.keys(s.right.leases).sort()) {
    if ((s.right.leases[name] ?? 0) <= nowMs) continue;
    word(name);
    future(s.right.leases[name] ?? 0, nowMs);
  }
  future(s.right.ownUntilMs, nowMs);
  future(s.right.lentUntilMs, nowMs);
  let requests = 0;
  for (const r of s.right.requests) {
    // Two requests of one moment are worth the same.
    if (r.sentAtMs + leaseMs > nowMs) requests = Math.imul(requests ^ (nowMs - r.sentAtMs), 31) + 7;
  }
  add(requests);
  if (s.known === null) add(NEVER);
  else {
    term(s.known.term);
    lately(s.known.heardAtMs, nowMs, 2 * promiseMs);
    word(s.known.released === undefined ? '?' : s.known.released);
  }
  if (s.rival === null || nowMs - s.rival.heardAtMs > intervalMs + slackMs) add(NEVER);
  else {
    term(s.rival.term);
    time(s.rival.heardAtMs, nowMs);
  }
  add(s.highestN);
  table(s.table);
  add(s.tableAdverts);
  for (const host of Object.keys(s.reports).sort()) {
    const r = s.reports[host];
    if (r === undefined) continue;
    word(host);
    time(r.atMs, nowMs);
    add((r.fit ? 1 : 0) + (r.standby ? 2 : 0) + (r.downlink ? 4 : 0) + (r.sameDigest ? 8 : 0));
  }
  checks(s, nowMs);
  lately(s.checks.checkServiceLocal.startedAtMs, nowMs, 1000); // R13: once an interval
  claims(s, nowMs);
}

function checks(s: ServiceState, nowMs: number): void {
  for (const c of [
    s.checks.checkUplink,
    s.checks.checkDownlink,
    s.checks.checkServiceLocal,
    s.checks.checkServiceRemote,
  ]) {
    time(c.runningId === 0 ? null : c.startedAtMs, nowMs);
    if (c.confirmedAtMs === null) add(NEVER);
    else lately(c.confirmedAtMs, nowMs, 2000);
    word(c.verdict);
    add((c.sound ? 1 : 0) + (c.again ? 2 : 0) + 4 * Math.min(c.good, 2) + 16 * Math.min(c.bad, 2));
  }
}

function claims(s: ServiceState, nowMs: number): void {
  const { suspicion, attempt, cleaning, trial } = s;
  if (suspicion === null) add(NEVER);
  else {
    time(suspicion.sinceMs, nowMs);
    add(suspicion.unanswered);
    add(suspicion.probes);
    flag(suspicion.signOfLife);
    time(suspicion.clearedAtMs, nowMs);
  }
  if (attempt === null) add(NEVER);
  else {
    term(attempt.term);
    term(attempt.plannedBy);
    time(attempt.claimedAtMs, nowMs);
    time(attempt.suspectedAtMs, nowMs);
    add((attempt.granted ? 1 : 0) + (attempt.masterLives ? 2 : 0) + (attempt.released ? 4 : 0));
    future(attempt.notBeforeMs, nowMs);
    time(attempt.readyAtMs === 0 ? null : attempt.readyAtMs, nowMs);
    const { probeIds, answeredBy } = attempt;
    add((probeIds.downlink === 0 ? 0 : 1) + (probeIds.uplink === 0 ? 0 : 2));
    add((answeredBy.downlink ? 1 : 0) + (answeredBy.uplink ? 2 : 0));
    word(attempt.prepared);
    time(attempt.limitAtMs, nowMs);
  }
  if (cleaning === null) add(NEVER);
  else {
    word(cleaning.stage);
    add(cleaning.copies);
    flag(cleaning.id === s.gate.id);
  }
  term(s.term);
  flag(s.forced);
  time(s.gate.untilMs, nowMs);
  if (trial === null) add(NEVER);
  else {
    word(trial.cause);
    word(trial.to);
    for (const host of trial.tried) word(host);
    flag(trial.only);
    future(trial.untilMs, nowMs);
  }
  add(s.trialPauseMs);
  if (s.handingTo === null) add(NEVER);
  else {
    word(s.handingTo.host);
    future(s.handingTo.leaseUntilMs, nowMs);
  }
  future(s.noClaimBeforeMs, nowMs);
  future(s.holdUntilMs, nowMs);
  add(s.holdMs);
  for (const asker of s.askers) {
    word(asker.host);
    word(asker.kind);
  }
  add(Math.min(s.dispute.oks, 2));
  flag(s.dispute.id !== 0);
  add(s.moves);
  word(s.dispute.blamed ?? '');
  for (const [host, atMs] of Object.entries(s.complaints).sort()) {
    word(host);
    lately(atMs, nowMs, 5000);
  }
  flag(s.alarms.includes('uplink-failed'));
  if (s.said === null) add(NEVER);
  else add((s.said.fit ? 1 : 0) + (s.said.downlink ? 2 : 0) + (s.said.standby ? 4 : 0));
}

function workDigest(host: Host, work: Work, nowMs: number): void {
  word(work.kind);
  time(work.dueMs, nowMs);
  if (work.kind === 'news') {
    word(work.event.type);
    if (work.event.type === 'peer-joined') word(work.event.host);
    if (work.event.type === 'link-changed') word(work.event.side);
    return;
  }
  add(meaning(host, work.id, nowMs));
  if (work.kind === 'gate') time(work.untilMs, nowMs);
  else if (work.kind === 'addresses') word(work.side);
  else word(work.procedure);
  if (work.kind === 'test') time(work.startedAtMs, nowMs);
}

/** What one host is, alone; kept as long as host and present are the same. */
function hostDigest(host: Host, nowMs: number): { readonly a: number; readonly b: number } {
  if (host.digest !== null && host.digest.nowMs === nowMs) return host.digest;
  reset();
  const s = serviceOf(host);
  flag(host.frozen);
  future(host.kernel.gateUntilMs, nowMs);
  add((host.kernel.configured ? 1 : 0) + (host.kernel.uplink ? 2 : 0) + (host.kernel.talking ? 4 : 0));
  const { heard, confirmedAtMs } = host.memory;
  if (heard === null) add(NEVER);
  else {
    term(heard.term);
    lately(heard.silentFromMs, nowMs, 2000);
    flag(heard.ended);
  }
  if (confirmedAtMs === null) add(NEVER);
  else lately(confirmedAtMs, nowMs, 2000);
  if (host.state === null || s === undefined) add(NEVER);
  else state(host.state, s, nowMs);
  // Gate orders and switches have an order, tests do not; all are few and mostly in the order of their start.
  for (const work of host.work) workDigest(host, work, nowMs);
  host.digest = { nowMs, ...sum() };
  return host.digest;
}

/** The whole node, as two numbers of 32 bits. */
export function digest(cluster: Cluster, node: Node): { readonly a: number; readonly b: number } {
  let flightsA = 0;
  let flightsB = 0;
  for (const flight of node.flights) {
    const key = flightKey(cluster, node, flight);
    flightsA = (flightsA + Math.imul(key | 0, 0x27d4eb2f)) | 0;
    flightsB = (flightsB + Math.imul((key / 4294967296) ^ key, 0x165667b1)) | 0;
  }
  const hosts = node.hosts.map((host) => hostDigest(host, node.nowMs));
  reset();
  for (const h of hosts) {
    add(h.a);
    add(h.b);
  }
  foreign(cluster, node);
  add(flightsA);
  add(flightsB);
  for (const what of node.cuts) word(what);
  const { budget } = node;
  add(budget.disorder * 64 + budget.loss * 8 + budget.copy);
  add(budget.delay * 64 + budget.lie * 8 + budget.crash);
  add(budget.freeze * 64 + budget.cut * 8 + budget.order);
  if (node.deafAtMs === null) add(NEVER);
  else lately(node.deafAtMs, node.nowMs, 1000);
  return sum();
}

/** Numbers of other hosts that a host keeps: of those who wait for its checks, and of the READY it answers. */
function foreign(cluster: Cluster, node: Node): void {
  for (const host of node.hosts) {
    const s = serviceOf(host);
    if (s === undefined) continue;
    for (const asker of s.askers) {
      if (asker.kind === 'check')
        add(meaning(node.hosts[cluster.names.indexOf(asker.host)], asker.id, node.nowMs));
    }
    if (s.handingTo !== null) {
      add(meaning(node.hosts[cluster.names.indexOf(s.handingTo.host)], s.handingTo.id, node.nowMs));
    }
  }
  word(SERVICE);
}
