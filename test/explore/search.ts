/** The search: breadth first, so that the first way to a violation is a shortest one. */
import { type Action, type Choices, enabled } from './actions.ts';
import { applied } from './apply.ts';
import { continuation } from './calm.ts';
import { digest } from './canonical.ts';
import { Seen } from './seen.ts';
import type { Budget, Cluster, Node } from './world.ts';

export interface Limits {
  /** Actions from the start. */
  readonly depth: number;
  /** No more nodes than this are kept. */
  readonly states: number;
  /** From so many nodes at the most, spread over all that were found, the calm world goes on. */
  readonly calm: number;
  /** Stop at so many violations; the same words count once. */
  readonly violations: number;
  readonly deadlineMs: number;
}

export interface Violation {
  readonly what: string;
  /** From the start point. */
  readonly path: readonly Action[];
}

export interface Result {
  readonly states: number;
  readonly transitions: number;
  /** The last level that was searched wholly. */
  readonly depth: number;
  /** Nothing is left to explore: every state that these budgets allow was visited. */
  readonly exhausted: boolean;
  readonly calmRuns: number;
  /** Without the calm runs. */
  readonly searchMs: number;
  readonly violations: readonly Violation[];
}

/** What that action takes from the budget; null: nothing. */
export function cost(action: Action, calm: Action, choices: Choices): keyof Budget | null {
  switch (action.do) {
    case 'lose':
      return 'loss';
    case 'copy':
      return 'copy';
    case 'delay':
      return 'delay';
    case 'kill':
    case 'power':
      return 'crash';
    case 'freeze':
      return 'freeze';
    case 'cut':
      return 'cut';
    case 'order':
      return 'order';
    case 'start':
    case 'thaw':
    case 'heal':
    case 'mend':
      return null;
    case 'finish':
      if (action.lie !== null) return 'lie';
  }
  return choices.anyOrder || same(action, calm) ? null : 'disorder';
}

function same(x: Action, y: Action): boolean {
  if (x.do !== y.do) return false;
  if (x.do === 'deliver' && y.do === 'deliver') return x.flight === y.flight;
  if (x.do === 'finish' && y.do === 'finish') return x.host === y.host && x.work === y.work;
  if (x.do === 'timer' && y.do === 'timer') return x.host === y.host;
  return true;
}

/** How a node was reached: its parent's number, and which of the parent's actions. */
class Ways {
  readonly #parent: number[] = [-1];
  readonly #action: number[] = [-1];

  push(parent: number, action: number): number {
    this.#parent.push(parent);
    return this.#action.push(action) - 1;
  }

  /** The actions' numbers from the start to that node. */
  to(node: number): number[] {
    const numbers: number[] = [];
    for (let at = node; at > 0; at = this.#parent[at] ?? 0) numbers.push(this.#action[at] ?? 0);
    return numbers.reverse();
  }
}

interface Open {
  readonly node: Node;
  readonly way: number;
}

/** Every n-th node found, so that there are never more than `most`. */
class Samples {
  kept: Open[] = [];
  #stride = 1;
  #count = 0;
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  offer(open: Open): void {
    if (this.#most === 0 || this.#count++ % this.#stride !== 0) return;
    this.kept.push(open);
    if (this.kept.length <= this.#most) return;
    this.kept = this.kept.filter((_, i) => i % 2 === 0);
    this.#stride *= 2;
  }
}

/** Explores from one point. */
export function search(cluster: Cluster, start: Node, choices: Choices, limits: Limits): Result {
  const beganMs = Date.now();
  const seen = new Seen();
  const ways = new Ways();
  const violations: Violation[] = [];
  const told = new Set<string>();
  const found = (what: string, path: readonly Action[]) => {
    const kind = what.replace(/:.*/, '');
    if (told.has(kind)) return;
    told.add(kind);
    violations.push({ what, path });
  };
  const root = digest(cluster, start);
  seen.add(root.a, root.b);
  let level: Open[] = [{ node: start, way: 0 }];
  let transitions = 0;
  let depth = 0;
  let full = false;
  let calmRuns = 0;
  const samples = new Samples(limits.calm);
  const enough = () => violations.length >= limits.violations || Date.now() > limits.deadlineMs;
  while (level.length > 0 && depth < limits.depth && !full && !enough()) {
    const next: Open[] = [];
    for (const open of level) {
      if (full || enough()) break;
      const actions = enabled(cluster, open.node, choices);
      const calm = actions[0] as Action;
      for (let i = 0; i < actions.length; i++) {
        const action = actions[i] as Action;
        const { node, problems } = applied(cluster, open.node, action, cost(action, calm, choices));
        transitions++;
        if (problems.length > 0) {
          for (const what of problems)
            found(what, [...replay(cluster, start, choices, ways.to(open.way)), action]);
          continue;
        }
        const d = digest(cluster, node);
        if (!seen.add(d.a, d.b)) continue;
        const reached = { node, way: ways.push(open.way, i) };
        next.push(reached);
        samples.offer(reached);
        if (seen.size >= limits.states) full = true;
      }
    }
    if (full || enough()) break;
    depth++;
    level = next;
  }
  const searchMs = Date.now() - beganMs;
  const exhausted = level.length === 0;
  for (const open of samples.kept) {
    if (enough()) break;
    const wrong = continuation(cluster, open.node);
    calmRuns++;
    if (wrong !== null) {
      found(wrong.what, [...replay(cluster, start, choices, ways.to(open.way)), ...wrong.path]);
    }
  }
  return { states: seen.size, transitions, depth, exhausted, calmRuns, searchMs, violations };
}

/** The actions with those numbers, one after the other. */
function replay(cluster: Cluster, start: Node, choices: Choices, numbers: readonly number[]): Action[] {
  let node = start;
  return numbers.map((number) => {
    const actions = enabled(cluster, node, choices);
    const action = actions[number] as Action;
    node = applied(cluster, node, action, cost(action, actions[0] as Action, choices)).node;
    return action;
  });
}
