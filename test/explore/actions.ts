/**
 * What may happen next in a node. The calm choice comes first: words in the order of their sending, then orders under
 * way, then deadlines, then time. Everything else is a fault and costs its budget, but for the end of a fault.
 */
import type { Order, Verdict } from '../../src/core/index.ts';
import { nextDeadline } from '../../src/core/index.ts';
import { flightKey } from './flights.ts';
import { truth } from './physics.ts';
import {
  type Cluster,
  earliestMs,
  type Flight,
  type Host,
  MAX_AGE_MS,
  type Node,
  type Work,
} from './world.ts';

export type Action =
  | { readonly do: 'deliver' | 'copy' | 'lose' | 'delay'; readonly flight: number }
  /** `lie`: another end than the truth. */
  | { readonly do: 'finish'; readonly host: number; readonly work: number; readonly lie: Verdict | null }
  | { readonly do: 'timer'; readonly host: number }
  | { readonly do: 'time'; readonly toMs: number }
  | { readonly do: 'kill' | 'power' | 'start' | 'freeze' | 'thaw'; readonly host: number }
  | { readonly do: 'cut' | 'heal'; readonly what: string }
  /** All faults are over; never a choice of a search. */
  | { readonly do: 'mend'; readonly restart: boolean }
  | { readonly do: 'order'; readonly host: number; readonly order: Order };

/** What an explored run may contain beside its budget. */
export interface Choices {
  /** Every order of events is free; without it each choice beside the calm one costs `disorder`. */
  readonly anyOrder: boolean;
  /** The links that may be cut, as in `Node.cuts`. */
  readonly cuts: readonly string[];
  readonly orders: readonly Order[];
}

/** All that may happen now; the calm choice first. */
export function enabled(cluster: Cluster, node: Node, choices: Choices): Action[] {
  const usual = undisturbed(cluster, node);
  const free = choices.anyOrder || node.budget.disorder > 0;
  const actions = free ? usual : usual.slice(0, 1);
  const { budget } = node;
  ends(node, actions);
  if (budget.loss > 0 || budget.copy > 0 || budget.delay > 0) words(node, actions);
  if (budget.lie > 0) lies(cluster, node, actions);
  node.hosts.forEach((host, i) => {
    if (host.state === null) return;
    if (budget.crash > 0) actions.push({ do: 'kill', host: i }, { do: 'power', host: i });
    if (budget.freeze > 0 && !host.frozen) actions.push({ do: 'freeze', host: i });
    if (budget.order > 0 && !host.frozen) {
      for (const order of choices.orders) actions.push({ do: 'order', host: i, order });
    }
  });
  if (budget.cut > 0) {
    for (const what of choices.cuts) if (!node.cuts.includes(what)) actions.push({ do: 'cut', what });
  }
  return actions;
}

/** The only action of a world without faults. */
export function calmChoice(cluster: Cluster, node: Node): Action {
  const [first] = undisturbed(cluster, node);
  if (first === undefined) throw new Error('nothing can happen any more');
  return first;
}

/** All that may happen without a fault. */
function undisturbed(cluster: Cluster, node: Node): Action[] {
  const actions: Action[] = [];
  let urgent = false;
  let nextMs = Number.POSITIVE_INFINITY;
  const later = (atMs: number) => {
    if (atMs > node.nowMs && atMs < nextMs) nextMs = atMs;
  };
  node.flights.forEach((flight, i) => {
    if (!hears(node, flight)) later(flight.sentAtMs + MAX_AGE_MS + 1);
    else {
      if (!twin(cluster, node, i)) actions.push({ do: 'deliver', flight: i });
      if (flight.dueMs <= node.nowMs) urgent = true;
      later(flight.dueMs);
    }
  });
  node.hosts.forEach((host, i) => {
    for (const w of movable(host)) {
      const work = host.work[w] as Work;
      if (earliestMs(work) <= node.nowMs) actions.push({ do: 'finish', host: i, work: w, lie: null });
      if (work.dueMs <= node.nowMs) urgent = true;
      later(work.dueMs);
    }
  });
  node.hosts.forEach((host, i) => {
    if (host.kernel.gateUntilMs > node.nowMs) later(host.kernel.gateUntilMs);
    if (host.state === null) return;
    const dueMs = nextDeadline(host.state);
    if (dueMs === null) return;
    if (host.frozen) {
      // It may come back a little late, or so late that timers prove nothing any more.
      later(dueMs + 10);
      later(dueMs + host.state.config.timing.intervalMs / 4 + 10);
    } else if (dueMs <= node.nowMs) {
      actions.push({ do: 'timer', host: i });
      urgent = true;
    } else later(dueMs);
  });
  if (!urgent && Number.isFinite(nextMs)) actions.push({ do: 'time', toMs: nextMs });
  return actions;
}

/** Whether the receiver of that word turns now. */
function hears(node: Node, flight: Flight): boolean {
  return node.hosts[flight.to]?.frozen !== true;
}

/** Whether an earlier word in flight is the same in everything that counts. */
function twin(cluster: Cluster, node: Node, index: number): boolean {
  const flight = node.flights[index] as Flight;
  for (let i = 0; i < index; i++) {
    const other = node.flights[i] as Flight;
    if (other.to !== flight.to || other.from !== flight.from || other.message.type !== flight.message.type) {
      continue;
    }
    if (flightKey(cluster, node, other) === flightKey(cluster, node, flight)) return true;
  }
  return false;
}

/** The indices of the work that may end next: the first gate order, the first switch, every test and piece of news. */
function movable(host: Host): number[] {
  if (host.state === null || host.frozen) return [];
  const found: number[] = [];
  let gate = false;
  let switched = false;
  host.work.forEach((work, i) => {
    if (work.kind === 'gate') {
      if (!gate) found.push(i);
      gate = true;
    } else if (work.kind === 'switch') {
      if (!switched) found.push(i);
      switched = true;
    } else found.push(i);
  });
  return found;
}

/** The ends of faults are free. */
function ends(node: Node, actions: Action[]): void {
  node.hosts.forEach((host, i) => {
    if (host.state === null) actions.push({ do: 'start', host: i });
    else if (host.frozen) actions.push({ do: 'thaw', host: i });
  });
  for (const what of node.cuts) actions.push({ do: 'heal', what });
}

function words(node: Node, actions: Action[]): void {
  const { loss, copy, delay } = node.budget;
  node.flights.forEach((flight, i) => {
    if (loss > 0) actions.push({ do: 'lose', flight: i });
    if (copy > 0 && hears(node, flight)) actions.push({ do: 'copy', flight: i });
    if (delay > 0 && flight.dueMs < flight.sentAtMs + MAX_AGE_MS) actions.push({ do: 'delay', flight: i });
  });
}

/** Every end of pending work that is not true: tests that see what is not there, switches and gates that fail. */
function lies(cluster: Cluster, node: Node, actions: Action[]): void {
  node.hosts.forEach((host, i) => {
    for (const w of movable(host)) {
      const work = host.work[w] as Work;
      if (work.kind === 'news' || earliestMs(work) > node.nowMs) continue;
      if (work.kind === 'gate' && work.untilMs === null) continue;
      const sees: Verdict[] =
        work.kind !== 'test'
          ? ['unknown']
          : truth(cluster, node, i, work.procedure) === 'confirmed'
            ? ['lost', 'refuted']
            : ['confirmed'];
      for (const lie of sees) actions.push({ do: 'finish', host: i, work: w, lie });
    }
  });
}
