/** What is explored: clusters, points to begin at, and faults. */
import { type Policy, step } from '../../src/core/index.ts';
import type { Choices } from './actions.ts';
import { type Limits, type Result, search } from './search.ts';
import { type Start, startPoint, Unreachable } from './starts.ts';
import { type Budget, type Cluster, configs, darkness, NO_FAULTS, type Node } from './world.ts';

export interface Plan {
  readonly hosts: number;
  readonly witnesses: number;
  readonly policy: Policy;
  readonly start: Start;
  /** `disorder` null: any order of events is free. */
  readonly disorder: number | null;
  readonly faults: Partial<Omit<Budget, 'disorder'>>;
  readonly limits: Partial<Limits>;
}

export function clusterOf(
  plan: Pick<Plan, 'hosts' | 'witnesses' | 'policy'>,
  core: typeof step = step,
): Cluster {
  const all = configs(plan.hosts, plan.witnesses, plan.policy);
  return { names: all.map((c) => c.membership.self), policy: plan.policy, configs: all, step: core };
}

/** The links that faults may cut: every port, every pair of hosts on the LAN, every direction. */
function allCuts(names: readonly string[]): string[] {
  const ports = names.flatMap((n) => [`lan ${n}`, `mute ${n}`, `wan ${n}`]);
  const pairs = names.flatMap((x, i) =>
    names.slice(i + 1).flatMap((y) => [`words ${x} ${y}`, `deaf ${x} ${y}`, `deaf ${y} ${x}`]),
  );
  return [...ports, ...pairs];
}

export interface Explored {
  readonly cluster: Cluster;
  readonly from: Node;
  readonly choices: Choices;
  readonly result: Result;
  readonly ms: number;
}

/** Carries a plan out. */
export function explore(plan: Plan, core: typeof step = step): Explored {
  const budget = { ...NO_FAULTS, ...plan.faults, disorder: plan.disorder ?? 0 };
  const cluster = clusterOf(plan, core);
  const choices: Choices = {
    anyOrder: plan.disorder === null,
    cuts: allCuts(cluster.names),
    orders: [
      { kind: 'handover', service: null, to: null, force: false },
      { kind: 'standby' },
      { kind: 'stop' },
    ],
  };
  const limits: Limits = {
    depth: 1000,
    states: 2_000_000,
    calm: 20,
    violations: 1,
    deadlineMs: Number.POSITIVE_INFINITY,
    ...plan.limits,
  };
  const began = Date.now();
  // The point is reached by the sound core, so that a broken one is seen at work from there on.
  const from = beginning(plan, budget);
  if (typeof from !== 'string') {
    return { cluster, from, choices, result: search(cluster, from, choices, limits), ms: Date.now() - began };
  }
  const result: Result = {
    states: 0,
    transitions: 0,
    depth: 0,
    exhausted: false,
    calmRuns: 1,
    searchMs: 0,
    violations: [{ what: `${from}, on the way to the point ${plan.start}`, path: [] }],
  };
  return { cluster, from: darkness(cluster, budget), choices, result, ms: Date.now() - began };
}

function beginning(plan: Plan, budget: Budget): Node | string {
  try {
    return startPoint(clusterOf(plan), plan.start, budget);
  } catch (error) {
    if (error instanceof Unreachable) return error.message;
    throw error;
  }
}

/** A plan in one line. */
export function planText(plan: Plan): string {
  const faults = Object.entries(plan.faults)
    .filter(([, n]) => (n ?? 0) > 0)
    .map(([name, n]) => `${n} ${name}`);
  const order = plan.disorder === null ? 'any order' : `${plan.disorder} out of order`;
  const who = `${plan.hosts} hosts${plan.witnesses > 0 ? ` and ${plan.witnesses} witness` : ''}`;
  return [`${who}, ${plan.policy}`, plan.start, order, ...faults].join(', ');
}
