/**
 * The world without faults: every word arrives, everything ends truly, deadlines are kept. It makes the points where a
 * search begins, and says of a point that a search reached whether the cluster finds back to one master that stays.
 */
import { type Action, calmChoice } from './actions.ts';
import { applied } from './apply.ts';
import { active } from './physics.ts';
import { type Cluster, type Node, serviceOf } from './world.ts';

/** Runs on until `done` holds, for at most `limitMs`. A text says what came instead. */
export function runCalm(
  cluster: Cluster,
  from: Node,
  limitMs: number,
  done: (node: Node) => boolean,
): Node | string {
  let node = from;
  const endMs = node.nowMs + limitMs;
  // Many actions share one moment; without end they may not.
  for (let left = 200_000; left > 0 && node.nowMs <= endMs; left--) {
    if (done(node)) return node;
    const outcome = applied(cluster, node, calmChoice(cluster, node), null);
    if (outcome.problems[0] !== undefined) return outcome.problems[0];
    node = outcome.node;
  }
  return `not within ${limitMs} ms`;
}

/** The hosts whose service is active. */
export function masters(node: Node): number[] {
  return node.hosts.flatMap((_, i) => (active(node, i) ? [i] : []));
}

/** The one master, if there is one in its own eyes and in the kernel's and everybody else that runs watches it. */
function settledMaster(node: Node): number | null {
  const [first, ...others] = masters(node);
  if (first === undefined || others.length > 0) return null;
  const settled = node.hosts.every((host, i) => {
    const place = serviceOf(host)?.place;
    return place === undefined || place === (i === first ? 'service.serving' : 'backup.watching');
  });
  return settled ? first : null;
}

/** Hold-downs order claims and never forbid them: within this a mended cluster has its master, and keeps it. */
export const CALM_MS = 6000;
const STAYS_MS = 1500;

/**
 * What a mended cluster comes to: null when within `CALM_MS` exactly one host serves and goes on so, and all others that
 * run watch it; else what is wrong, and the actions that show it. Hosts that are down come back, and in a second run
 * stay down, if enough are left for a master.
 */
export function continuation(cluster: Cluster, from: Node): Wrong | null {
  const wrong = calmAfter(cluster, from, { do: 'mend', restart: true });
  return wrong ?? (enough(cluster, from) ? calmAfter(cluster, from, { do: 'mend', restart: false }) : null);
}

/** Whether some hosts are down, and those that run can have a master. */
function enough(cluster: Cluster, node: Node): boolean {
  const { members } = cluster.configs[0]?.membership ?? { members: [] };
  const running = node.hosts.map(
    (host) => host.state !== null && !host.state.standby && !host.state.stopping,
  );
  const up = running.filter((is) => is).length;
  const gateway = members.some((m, i) => m.role === 'gateway' && running[i] === true);
  return up < members.length && gateway && (cluster.policy === 'available' || 2 * up > members.length);
}

function calmAfter(cluster: Cluster, from: Node, mend: Action): Wrong | null {
  const path: Action[] = [mend];
  let { node } = applied(cluster, from, mend, null);
  const limitMs = node.nowMs + CALM_MS;
  let since = { host: null as number | null, atMs: 0 };
  for (let left = 200_000; left > 0; left--) {
    const action = calmChoice(cluster, node);
    path.push(action);
    const outcome = applied(cluster, node, action, null);
    if (outcome.problems.length > 0) return { what: `calm: ${outcome.problems[0]}`, path };
    node = outcome.node;
    const host = settledMaster(node);
    if (host !== since.host) since = { host, atMs: node.nowMs };
    if (since.host !== null && node.nowMs - since.atMs >= STAYS_MS) return null;
    if (since.host === null && node.nowMs > limitMs) break;
  }
  const places = node.hosts.map((h, i) => `${cluster.names[i]} ${serviceOf(h)?.place ?? 'down'}`).join(', ');
  const what = `calm: no master that stays within ${CALM_MS} ms of calm: ${places}`;
  return { what, path: path.slice(0, 300) };
}

interface Wrong {
  readonly what: string;
  readonly path: readonly Action[];
}
