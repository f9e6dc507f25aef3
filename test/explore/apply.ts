/** What an action makes of a node: the core's step where a host acts, and what the world makes of its effects. */
import type { Effect, Event, Verdict } from '../../src/core/index.ts';
import type { Action } from './actions.ts';
import { heard, judgeNode, judgeStep, overlapping, tested } from './judges.ts';
import { answered, passes, truth } from './physics.ts';
import {
  addressRoundMs,
  type Budget,
  type Cluster,
  changed,
  DELAY_MS,
  type Flight,
  type Host,
  hostAt,
  MAX_AGE_MS,
  mended,
  type Node,
  SERVICE,
  started,
  unpowered,
  type Work,
  withHost,
} from './world.ts';

export interface Outcome {
  readonly node: Node;
  /** What the judges object to. */
  readonly problems: readonly string[];
}

/** One step of a host, for whoever writes a transcript. */
export type Witness = (host: number, event: Event, effects: readonly Effect[]) => void;

/** Carries the action out. `cost`: what it takes from the budget. */
export function applied(
  cluster: Cluster,
  before: Node,
  action: Action,
  cost: keyof Budget | null,
  witness?: Witness,
): Outcome {
  const paid =
    cost === null ? before : { ...before, budget: { ...before.budget, [cost]: before.budget[cost] - 1 } };
  const problems: string[] = [];
  const node = overlapping(cluster, change(cluster, paid, action, problems, witness));
  judgeNode(cluster, node, problems);
  return { node, problems };
}

function change(
  cluster: Cluster,
  node: Node,
  action: Action,
  problems: string[],
  witness: Witness | undefined,
): Node {
  const happens = (at: Node, host: number, event: Event) =>
    stepped(cluster, at, host, event, problems, witness);
  switch (action.do) {
    case 'deliver':
    case 'copy': {
      const flight = node.flights[action.flight] as Flight;
      const rest = action.do === 'copy' ? node : without(node, action.flight);
      const { from, to, link, message } = flight;
      const told = withHost(rest, to, heard(cluster, rest, flight));
      return happens(told, to, { type: 'message', from: cluster.names[from] ?? '', link, message });
    }
    case 'lose':
      return without(node, action.flight);
    case 'delay': {
      const flights = node.flights.map((f, i) =>
        i === action.flight ? { ...f, dueMs: f.sentAtMs + MAX_AGE_MS } : f,
      );
      return { ...node, flights };
    }
    case 'finish':
      return finished(cluster, node, action.host, action.work, action.lie, happens);
    case 'timer':
      return happens(node, action.host, { type: 'timer' });
    case 'time':
      return {
        ...node,
        nowMs: action.toMs,
        flights: node.flights.filter((f) => f.sentAtMs + MAX_AGE_MS >= action.toMs),
      };
    case 'kill':
    case 'power':
      return stopped(node, action.host, action.do === 'power');
    case 'start':
      return started(cluster, node, action.host);
    case 'freeze':
    case 'thaw':
      return withHost(
        node,
        action.host,
        changed(hostAt(node, action.host), { frozen: action.do === 'freeze' }),
      );
    case 'cut':
      return relinked(cluster, { ...node, cuts: [...node.cuts, action.what].sort() }, action.what);
    case 'heal':
      return relinked(cluster, { ...node, cuts: node.cuts.filter((c) => c !== action.what) }, action.what);
    case 'mend':
      return mended(cluster, node, action.restart);
    case 'order':
      return happens(node, action.host, { type: 'operator', order: action.order });
  }
}

function without(node: Node, flight: number): Node {
  return { ...node, flights: node.flights.filter((_, i) => i !== flight) };
}

/** The daemon ends: what it had ordered and what was under way to it is gone; the kernel stays as it is. */
function stopped(node: Node, index: number, power: boolean): Node {
  const host = hostAt(node, index);
  const dead = changed(host, {
    state: null,
    frozen: false,
    work: [],
    nextId: host.state?.nextId ?? host.nextId,
    kernel: power ? unpowered() : { ...host.kernel, talking: false },
  });
  return {
    ...withHost(node, index, dead),
    flights: node.flights.filter((f) => f.to !== index && (!power || f.from !== index)),
  };
}

/** A link changed: words on it are lost, the kernel tells the daemon of a port's carrier. */
function relinked(cluster: Cluster, node: Node, what: string): Node {
  const flights = node.flights.filter((f) => passes(cluster, node, f.from, f.to, f.link));
  const [kind, name] = what.split(' ');
  const index = cluster.names.indexOf(name ?? '');
  const host = node.hosts[index];
  if ((kind !== 'lan' && kind !== 'wan') || host === undefined || host.state === null)
    return { ...node, flights };
  const side = kind === 'lan' ? 'downlink' : 'uplink';
  const news: Work = {
    kind: 'news',
    event: { type: 'link-changed', service: SERVICE, side },
    dueMs: node.nowMs + DELAY_MS,
  };
  return { ...withHost(node, index, changed(host, { work: [...host.work, news] })), flights };
}

/** Pending work ends: truly, or with `lie`. */
function finished(
  cluster: Cluster,
  node: Node,
  index: number,
  at: number,
  lie: Verdict | null,
  happens: (node: Node, host: number, event: Event) => Node,
): Node {
  const host = hostAt(node, index);
  const work = host.work[at] as Work;
  const rest = host.work.filter((_, i) => i !== at);
  const service = SERVICE;
  switch (work.kind) {
    case 'news':
      return happens(withHost(node, index, changed(host, { work: rest })), index, work.event);
    case 'gate': {
      // What comes late opens nothing (R6).
      const opens = work.untilMs !== null && work.untilMs > node.nowMs && lie === null;
      const kernel = { ...host.kernel, gateUntilMs: opens ? (work.untilMs ?? 0) : 0 };
      const next = withHost(node, index, changed(host, { work: rest, kernel }));
      const openUntilMs = opens ? work.untilMs : null;
      return happens(next, index, { type: 'gate-set', service, id: work.id, openUntilMs });
    }
    case 'switch': {
      const { procedure, id } = work;
      const kernel = lie === null ? switched(host, procedure) : host.kernel;
      const next = withHost(node, index, changed(host, { work: rest, kernel }));
      const verdict = lie ?? 'confirmed';
      return happens(next, index, { type: 'procedure-ended', service, procedure, id, verdict });
    }
    case 'test': {
      const { procedure, id } = work;
      const verdict = lie ?? truth(cluster, node, index, procedure);
      const memory = procedure === 'checkDownlink' ? tested(host, work.startedAtMs, verdict) : host.memory;
      const next = withHost(node, index, changed(host, { work: rest, memory }));
      return happens(next, index, { type: 'procedure-ended', service, procedure, id, verdict });
    }
    case 'addresses': {
      const { side, id } = work;
      const is = answered(cluster, node, index, side) !== (lie !== null);
      const next = withHost(node, index, changed(host, { work: rest }));
      return happens(next, index, { type: 'addresses-probed', service, side, id, answered: is });
    }
  }
}

function switched(host: Host, procedure: (Work & { kind: 'switch' })['procedure']): Host['kernel'] {
  if (procedure === 'activateUplink') return { ...host.kernel, uplink: true };
  if (procedure === 'deactivateUplink') return { ...host.kernel, uplink: false, talking: false };
  return { ...host.kernel, configured: procedure === 'activateService' };
}

/** One step of the core on that host, and its effects in their order. */
function stepped(
  cluster: Cluster,
  node: Node,
  index: number,
  event: Event,
  problems: string[],
  witness: Witness | undefined,
): Node {
  const host = hostAt(node, index);
  if (host.state === null) return node;
  let result: ReturnType<Cluster['step']>;
  try {
    result = cluster.step(host.state, event, node.nowMs);
  } catch (error) {
    problems.push(`step threw: ${error instanceof Error ? error.message : String(error)}`);
    return node;
  }
  const { state, effects } = result;
  witness?.(index, event, effects);
  let { kernel } = host;
  const work = host.work.slice();
  const dueMs = node.nowMs + DELAY_MS;
  const sends: (Effect & { type: 'send' })[] = [];
  let ended = false;
  for (const effect of effects) {
    if (effect.type === 'gate') work.push({ kind: 'gate', id: effect.id, untilMs: effect.untilMs, dueMs });
    else if (effect.type === 'probe-addresses') {
      work.push({
        kind: 'addresses',
        side: effect.side,
        id: effect.id,
        dueMs: addressRoundMs(node.nowMs),
      });
    } else if (effect.type === 'run') {
      const run = running(effect.procedure, effect.id, node.nowMs);
      if (run !== null) work.push(run);
    } else if (effect.type === 'uplink-talk') kernel = { ...kernel, talking: effect.open && kernel.uplink };
    else if (effect.type === 'send') sends.push(effect);
    else if (effect.type === 'stopped') ended = true;
  }
  const after = withHost(node, index, changed(host, { state, kernel, work }));
  judgeStep(cluster, after, index, host.state, effects, problems);
  const flights = after.flights.slice();
  for (const send of sends) {
    cluster.names.forEach((name, to) => {
      if (to === index || (send.to !== 'all' && send.to !== name)) return;
      if (hostAt(after, to).state === null) return;
      for (const link of [1, 0]) {
        if (!passes(cluster, after, index, to, link)) continue;
        flights.push({ from: index, to, link, message: send.message, sentAtMs: node.nowMs, dueMs });
      }
    });
  }
  const sent = { ...after, flights };
  return ended ? stopped(sent, index, false) : sent;
}

/** The pending run of a procedure. Announcements are left out: the core takes no notice of their end. */
function running(procedure: (Effect & { type: 'run' })['procedure'], id: number, nowMs: number): Work | null {
  const dueMs = nowMs + DELAY_MS;
  switch (procedure) {
    case 'activateUplink':
    case 'deactivateUplink':
    case 'activateService':
    case 'deactivateService':
      return { kind: 'switch', procedure, id, dueMs };
    case 'checkUplink':
    case 'checkDownlink':
    case 'checkServiceLocal':
    case 'checkServiceRemote':
      return { kind: 'test', procedure, id, dueMs, startedAtMs: nowMs };
    default:
      return null;
  }
}
