/** A word in flight as a number, and what a number in it stands for (canonical.ts says why that is sound). */
import type { Message } from '../../src/core/index.ts';
import { add, flag, NEVER, reset, sum, table, term, time, word } from './hash.ts';
import { type Cluster, type Flight, type Host, MAX_AGE_MS, type Node, serviceOf } from './world.ts';

/**
 * What a number of that host's stands for, as a small code: its pending checks, gate orders, probes, searches; for a
 * request, how long ago it was sent, plus a million. 0: nothing waits for it.
 */
export function meaning(host: Host | undefined, id: number, nowMs: number): number {
  const s = host === undefined ? undefined : serviceOf(host);
  if (s === undefined || id === 0) return 0;
  let code = 0;
  if (s.gate.id === id) code |= 1;
  if (s.cleaning?.id === id) code |= 2;
  if (s.attempt?.probeIds.downlink === id) code |= 4;
  if (s.attempt?.probeIds.uplink === id) code |= 8;
  if (s.attempt?.readyId === id) code |= 16;
  if (s.trial?.id === id) code |= 32;
  if (s.dispute.id === id) code |= 64;
  const { checkDownlink, checkServiceLocal, checkServiceRemote, checkUplink } = s.checks;
  if (checkDownlink.runningId === id) code |= 128;
  if (checkServiceLocal.runningId === id) code |= 256;
  if (checkServiceRemote.runningId === id) code |= 512;
  if (checkUplink.runningId === id) code |= 1024;
  const leaseMs = host?.state?.config.timing.leaseMs ?? 0;
  for (const r of s.right.requests) {
    if (r.id === id && r.sentAtMs + leaseMs > nowMs) code += 1_000_000 + Math.round(nowMs - r.sentAtMs);
  }
  return code;
}

/** What a message says but for its number. */
function content(m: Message): void {
  word(m.type);
  if ('term' in m) term(m.term);
  switch (m.type) {
    case 'STATUS':
      word(m.phase);
      add(m.tableSeq);
      table(m.table);
      return;
    case 'REPORT':
      word(m.activity);
      add((m.fit ? 1 : 0) + (m.standby ? 2 : 0) + (m.downlink ? 4 : 0));
      term(m.tableTerm);
      add(m.tableSeq);
      return;
    case 'PROBE':
      term(m.claim);
      flag(m.blame);
      return;
    case 'PROBED':
      word(m.activity);
      flag(m.serving);
      add(m.downlinkAgeMs ?? NEVER);
      return;
    case 'OBJECT':
      word(m.reason);
      add(m.restMs);
      add(m.downlinkAgeMs ?? NEVER);
      return;
    case 'GRANT':
      table(m.table);
      return;
    case 'RELEASED':
      word(m.successor);
      add(m.restMs);
      return;
    case 'CHECK':
      flag(m.insist);
      return;
    case 'CHECKED':
      flag(m.ok);
      return;
    default:
  }
}

const ANSWERS = new Set(['ACK', 'GRANT', 'OBJECT', 'PROBED', 'CHECKED']);

/** Whose number a message carries: the sender's, for an answer the receiver's, for RELEASED the successor's. */
function owner(cluster: Cluster, node: Node, flight: Flight): Host | undefined {
  const m = flight.message;
  if (m.type === 'RELEASED') return node.hosts[cluster.names.indexOf(m.successor ?? '')];
  return node.hosts[ANSWERS.has(m.type) ? flight.to : flight.from];
}

/** A word in flight, as a number of 53 bits. */
export function flightKey(cluster: Cluster, node: Node, flight: Flight): number {
  reset();
  add(flight.from * 16 + flight.to * 2 + flight.link);
  // Before it is due a word may come at any time; how old it is decides when it must have come or is refused.
  time(flight.dueMs, node.nowMs);
  if (node.hosts[flight.to]?.frozen === true || flight.dueMs > flight.sentAtMs + 100) {
    add(Math.round(node.nowMs - flight.sentAtMs) % (MAX_AGE_MS * 4));
  }
  content(flight.message);
  if ('id' in flight.message) add(meaning(owner(cluster, node, flight), flight.message.id, node.nowMs));
  const { a, b } = sum();
  return a * 2097152 + (b >>> 11);
}
