/** Where a search begins: depth is spent where it matters. Each point is reached by the calm world and named faults. */
import type { Policy } from '../../src/core/index.ts';
import type { Action } from './actions.ts';
import { applied } from './apply.ts';
import { masters, runCalm } from './calm.ts';
import {
  type Budget,
  type Cluster,
  darkness,
  hostAt,
  NO_FAULTS,
  type Node,
  serviceOf,
  started,
} from './world.ts';

export const STARTS = {
  boot: 'all hosts start at once',
  linking: 'all hosts are up, nobody has served yet, and the first claims are due',
  advert: 'a settled cluster, the master has just sent its advert',
  checks: 'a settled cluster, half an interval after an advert',
  died: 'a settled cluster whose master has just lost its power',
  killed: 'a settled cluster whose master’s daemon has just been killed; its kernel still serves',
  split: 'a settled cluster whose master and first backup have just stopped hearing each other on the LAN',
  claim: 'the master lost its power, and the first claim is on its way',
  prepared: 'the master lost its power, and its successor has prepared the service behind the shut gate',
  asked: 'a settled cluster whose master was just told to hand over',
  ready: 'a planned handover: READY is on its way',
  released: 'a planned handover: RELEASED is on its way',
  suspended: 'the master’s right ran out for want of answers, which can now come again',
} as const;
export type Start = keyof typeof STARTS;

/** Two voters have no majority without one of them: nobody takes over there. */
export function possible(start: Start, hosts: number, witnesses: number, policy: Policy): boolean {
  return policy === 'available' || hosts + witnesses > 2 || (start !== 'claim' && start !== 'prepared');
}

export function startPoint(cluster: Cluster, name: Start, budget: Budget): Node {
  return { ...begin(cluster, name), budget };
}

function begin(cluster: Cluster, name: Start): Node {
  let node = darkness(cluster, NO_FAULTS);
  for (let i = 0; i < cluster.names.length; i++) node = started(cluster, node, i);
  if (name === 'boot') return node;
  if (name === 'linking') return until(cluster, node, (n) => someoneAt(n, 'decide.electing'));
  node = until(cluster, node, (n) => masters(n).length === 1);
  // Long enough for tables and reports to have gone round.
  const settledMs = node.nowMs + 1100;
  node = until(cluster, node, (n) => n.nowMs >= settledMs && sending(n, 'STATUS'));
  const [master] = masters(node);
  if (master === undefined) throw new Error('no master in a calm cluster');
  const act = (action: Action) => applied(cluster, node, action, null).node;
  switch (name) {
    case 'advert':
      return node;
    case 'checks': {
      const atMs = node.nowMs + 100;
      return until(cluster, node, (n) => n.nowMs >= atMs);
    }
    case 'killed':
      return act({ do: 'kill', host: master });
    case 'died':
      return act({ do: 'power', host: master });
    case 'split':
      return act({ do: 'cut', what: `words ${cluster.names[0]} ${cluster.names[1]}` });
    case 'claim':
      return until(cluster, act({ do: 'power', host: master }), (n) => someoneAt(n, 'handover.claiming'));
    case 'prepared':
      return until(cluster, act({ do: 'power', host: master }), (n) =>
        n.hosts.some((h, i) => i !== master && serviceOf(h)?.attempt?.prepared === 'tested'),
      );
    case 'asked':
    case 'ready':
    case 'released': {
      const order = { kind: 'handover', service: null, to: null, force: false } as const;
      node = act({ do: 'order', host: master, order });
      if (name === 'asked') return node;
      return until(cluster, node, (n) => sending(n, name === 'ready' ? 'READY' : 'RELEASED'));
    }
    case 'suspended': {
      if (cluster.policy === 'available') {
        // Only a stalled daemon lets its own renewal run out.
        node = act({ do: 'freeze', host: master });
        const lapsedMs = (serviceOf(hostAt(node, master))?.right.ownUntilMs ?? 0) + 10;
        node = until(cluster, node, (n) => n.nowMs >= lapsedMs);
        node = act({ do: 'thaw', host: master });
        return until(cluster, node, (n) => serviceOf(hostAt(n, master))?.place === 'service.suspended');
      }
      node = act({ do: 'cut', what: `mute ${cluster.names[master]}` });
      node = until(cluster, node, (n) => serviceOf(hostAt(n, master))?.place === 'service.suspended');
      return act({ do: 'heal', what: `mute ${cluster.names[master]}` });
    }
  }
}

/** The calm world does not come to where the search should begin: that is a violation itself. */
export class Unreachable extends Error {}

function until(cluster: Cluster, from: Node, done: (node: Node) => boolean): Node {
  const node = runCalm(cluster, from, 10_000, done);
  if (typeof node === 'string') throw new Unreachable(`calm: ${node}`);
  return node;
}

function sending(node: Node, type: string): boolean {
  return node.flights.some((f) => f.message.type === type);
}

function someoneAt(node: Node, place: string): boolean {
  return node.hosts.some((h) => serviceOf(h)?.place === place);
}
