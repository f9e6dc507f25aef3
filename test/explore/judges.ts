/**
 * What must be true of every node and step, as it is seen from outside: kernels, links and words, not the hosts' opinion.
 * Only `core invariant` asks the core itself.
 */

import { compareTerms } from '../../src/core/basics.ts';
import {
  brokenInvariants,
  type Effect,
  type HostState,
  mainState,
  type Term,
  type Verdict,
} from '../../src/core/index.ts';
import { active } from './physics.ts';
import {
  type Cluster,
  changed,
  DELAY_MS,
  type Flight,
  type Heard,
  type Host,
  hostAt,
  type Memory,
  type Node,
  SERVICE,
  serviceOf,
} from './world.ts';

/** What a host was told of masters, before it steps. */
export function heard(cluster: Cluster, node: Node, flight: Flight): Host {
  const host = hostAt(node, flight.to);
  const intervalMs = host.state?.config.timing.intervalMs ?? 0;
  const now = toldOf(host.memory.heard, cluster.names[flight.from] ?? '', flight, node.nowMs, intervalMs);
  return now === host.memory.heard ? host : changed(host, { memory: { ...host.memory, heard: now } });
}

function toldOf(
  old: Heard | null,
  from: string,
  flight: Flight,
  nowMs: number,
  intervalMs: number,
): Heard | null {
  const m = flight.message;
  const serves =
    m.type === 'STATUS' && m.phase === 'serving' ? m.term : m.type === 'PROBED' && m.serving ? m.term : null;
  if (serves !== null) {
    const order = old === null ? 1 : compareTerms(serves, old.term);
    if (order < 0 || (order === 0 && old?.ended === true)) return old;
    return { term: serves, silentFromMs: nowMs + intervalMs, ended: false };
  }
  if (old === null || old.term.host !== from) return old;
  if (m.type === 'STATUS' && m.phase === 'suspended') return { ...old, silentFromMs: nowMs + intervalMs };
  if (m.type !== 'RELEASED' || compareTerms(m.term, old.term) < 0) return old;
  // Silence that has begun goes on. Else it begins now, or, with a successor, an interval later.
  const silentFromMs = Math.min(old.silentFromMs, m.successor === null ? nowMs : nowMs + intervalMs);
  return { ...old, silentFromMs, ended: true };
}

/** A downlink check ended. */
export function tested(host: Host, startedAtMs: number, verdict: Verdict): Memory {
  return { ...host.memory, confirmedAtMs: verdict === 'confirmed' ? startedAtMs : null };
}

/** After one step of one host, before its words leave. */
export function judgeStep(
  cluster: Cluster,
  node: Node,
  index: number,
  before: HostState,
  effects: readonly Effect[],
  problems: string[],
): void {
  const host = hostAt(node, index);
  const name = cluster.names[index] ?? '';
  if (host.state === null) return;
  for (const text of brokenInvariants(host.state)) problems.push(`core invariant on ${name}: ${text}`);
  for (const effect of effects) {
    if (effect.type !== 'send') continue;
    const m = effect.message;
    if ((m.type === 'RELEASED' || m.type === 'WITHDRAW') && host.kernel.gateUntilMs > node.nowMs) {
      problems.push(`gave up, gate open: ${name} says ${m.type} while its kernel's gate is open`);
    }
    if ((m.type === 'STATUS' || m.type === 'CLAIM') && m.term.host !== name) {
      problems.push(`one term, two hosts: ${name} speaks in the term of ${m.term.host}`);
    }
    if (m.type === 'CLAIM' && before.services[SERVICE]?.term === null) {
      judgeClaim(node, host, name, problems);
    }
  }
}

/** A new claim, not ordered by anybody, needs a downlink check that began after the silence did and was confirmed. */
function judgeClaim(node: Node, host: Host, name: string, problems: string[]): void {
  const { heard: last, confirmedAtMs } = host.memory;
  if (host.state === null || serviceOf(host)?.forced === true) return;
  const silentFromMs = last === null ? 0 : last.silentFromMs;
  if (confirmedAtMs !== null && confirmedAtMs >= silentFromMs) return;
  const was =
    confirmedAtMs === null
      ? 'the last is not confirmed'
      : `the last began ${node.nowMs - confirmedAtMs} ms ago`;
  problems.push(`claim without downlink: ${name} claims without a check since the silence began (${was})`);
}

/** Every node. */
export function judgeNode(cluster: Cluster, node: Node, problems: string[]): void {
  const serving: number[] = [];
  const terms: Term[] = [];
  node.hosts.forEach((host, i) => {
    const s = serviceOf(host);
    if (active(node, i) && s?.forced !== true) serving.push(i);
    if (s === undefined) return;
    const main = mainState(s.place);
    if (host.kernel.uplink && main !== 'handover' && main !== 'service' && s.place !== 'init.cleaning') {
      problems.push(`uplink up outside Handover and Service: ${cluster.names[i]} in ${s.place}`);
    }
    if (main === 'service' && s.term !== null) terms.push(s.term);
  });
  if (terms.some((t, i) => terms.some((u, j) => i < j && compareTerms(t, u) === 0))) {
    problems.push('one term, two hosts: two hosts serve in it');
  }
  if (serving.length < 2) return;
  const who = serving.map((i) => cluster.names[i]).join(' and ');
  if (cluster.policy === 'quorum') problems.push(`two active: ${who}`);
  else if (!excused(cluster, node)) problems.push(`two active without a split: ${who}`);
}

/**
 * `available` may have two active hosts in one case: all paths between two hosts are cut, and until the first words are
 * heard when they no longer are, which takes an interval and the way there, twice.
 */
function excused(cluster: Cluster, node: Node): boolean {
  if (node.deafAtMs === null) return false;
  const intervalMs = cluster.configs[0]?.timing.intervalMs ?? 0;
  return node.nowMs - node.deafAtMs <= intervalMs + 3 * DELAY_MS;
}

/** Keeps when hosts could last not hear each other on any path. */
export function overlapping(cluster: Cluster, node: Node): Node {
  if (cluster.policy === 'quorum' || node.cuts.length === 0) return node;
  const cut = (what: string) => node.cuts.includes(what);
  const names = cluster.names;
  const deaf = names.some((a, i) =>
    names.some((b, j) => {
      if (i >= j) return false;
      const lan = [
        `lan ${a}`,
        `lan ${b}`,
        `mute ${a}`,
        `mute ${b}`,
        `words ${a} ${b}`,
        `deaf ${a} ${b}`,
        `deaf ${b} ${a}`,
      ];
      return lan.some(cut) && (cut(`wan ${a}`) || cut(`wan ${b}`));
    }),
  );
  return deaf ? { ...node, deafAtMs: node.nowMs } : node;
}
