/** What is true of a node's links and kernels, whatever the hosts believe. */
import type { Side, TestProcedure, Verdict } from '../../src/core/index.ts';
import { type Cluster, hostAt, type Node } from './world.ts';

/** Whether that host's clients and upstream would be served by it now. */
export function active(node: Node, index: number): boolean {
  const { kernel } = hostAt(node, index);
  return kernel.configured && kernel.gateUntilMs > node.nowMs;
}

function port(cluster: Cluster, node: Node, index: number, side: Side): boolean {
  const name = cluster.names[index];
  if (side === 'uplink') return hostAt(node, index).kernel.uplink && !node.cuts.includes(`wan ${name}`);
  return !node.cuts.includes(`lan ${name}`) && !node.cuts.includes(`mute ${name}`);
}

/** Whether words pass from one host to another on that link (0: their uplinks). */
export function passes(cluster: Cluster, node: Node, from: number, to: number, link: number): boolean {
  if (link === 0) {
    const talking = hostAt(node, from).kernel.talking && hostAt(node, to).kernel.talking;
    return talking && port(cluster, node, from, 'uplink') && port(cluster, node, to, 'uplink');
  }
  if (node.cuts.length === 0) return true;
  const pair = from < to ? [from, to] : [to, from];
  const words = `words ${cluster.names[pair[0] ?? 0]} ${cluster.names[pair[1] ?? 0]}`;
  return (
    port(cluster, node, from, 'downlink') &&
    port(cluster, node, to, 'downlink') &&
    !node.cuts.includes(words) &&
    !node.cuts.includes(`deaf ${cluster.names[to]} ${cluster.names[from]}`)
  );
}

/** Whether somebody else answers for a roving address where that host hears it. */
export function answered(cluster: Cluster, node: Node, index: number, side: Side): boolean {
  if (!port(cluster, node, index, side)) return false;
  return node.hosts.some((_, i) => i !== index && active(node, i) && port(cluster, node, i, side));
}

/** What a test would find now. */
export function truth(cluster: Cluster, node: Node, index: number, procedure: TestProcedure): Verdict {
  const name = cluster.names[index];
  switch (procedure) {
    case 'checkDownlink':
      if (node.cuts.includes(`lan ${name}`)) return 'refuted';
      return node.cuts.includes(`mute ${name}`) ? 'lost' : 'confirmed';
    case 'checkUplink':
      return port(cluster, node, index, 'uplink') ? 'confirmed' : 'unknown';
    case 'checkServiceLocal':
      return hostAt(node, index).kernel.configured ? 'confirmed' : 'unknown';
    case 'checkServiceRemote':
      return answered(cluster, node, index, 'downlink') ? 'confirmed' : 'unknown';
  }
}
