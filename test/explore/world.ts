/**
 * The world that the checker explores: hosts that run the real core, the words in flight between them, and a kernel and
 * procedures as simple as they can be. Values only: an action makes a new node and leaves the old one as it is. All
 * clocks run alike here, in whole milliseconds.
 */
import {
  type CoreConfig,
  type Event,
  type HostState,
  initialState,
  type Message,
  type Policy,
  type ServiceState,
  type Side,
  type SwitchProcedure,
  type step,
  type Term,
  type TestProcedure,
} from '../../src/core/index.ts';

export const SERVICE = 'gw';

/** Who takes part, and by which rules. */
export interface Cluster {
  readonly names: readonly string[];
  readonly policy: Policy;
  readonly configs: readonly CoreConfig[];
  /** The core; tests hand a broken one in. */
  readonly step: typeof step;
}

/** A word takes at most so long, as does whatever a host has ordered of its kernel, unless a fault says otherwise. */
export const DELAY_MS = 10;
/** A word that a fault holds up is accepted until this age (`max_age`: two intervals). */
export const MAX_AGE_MS = 400;
/** A round of address probes: two probes, a time-out each. */
const ADDRESS_ROUND_MS = 40;

/** What is under way on one host: orders of the core, and news for it. Of switches and of gate orders only the first moves. */
export type Work =
  | { readonly kind: 'gate'; readonly id: number; readonly untilMs: number | null; readonly dueMs: number }
  | {
      readonly kind: 'switch';
      readonly procedure: SwitchProcedure;
      readonly id: number;
      readonly dueMs: number;
    }
  | {
      readonly kind: 'test';
      readonly procedure: TestProcedure;
      readonly id: number;
      readonly dueMs: number;
      readonly startedAtMs: number;
    }
  | { readonly kind: 'addresses'; readonly side: Side; readonly id: number; readonly dueMs: number }
  | { readonly kind: 'news'; readonly event: Event; readonly dueMs: number };

export interface Kernel {
  readonly gateUntilMs: number;
  readonly configured: boolean;
  readonly uplink: boolean;
  readonly talking: boolean;
}

/** `ended`: that host let go of that term since. `silentFromMs`: from when on hearing nothing of a master is silence. */
export interface Heard {
  readonly term: Term;
  readonly silentFromMs: number;
  readonly ended: boolean;
}

/** What the judges remember of a host, from outside: what it was told, not what it made of it. */
export interface Memory {
  /** The highest term in which it heard somebody serve. */
  readonly heard: Heard | null;
  /** When its last ended downlink check began, if that was confirmed; null otherwise. */
  readonly confirmedAtMs: number | null;
}

/** One machine. `state` null: the daemon is not running; the kernel keeps what it has. */
export interface Host {
  readonly state: HostState | null;
  readonly frozen: boolean;
  readonly kernel: Kernel;
  readonly work: readonly Work[];
  readonly memory: Memory;
  /** Where the next run's numbers begin: the wire ties an answer to the run that asked, numbers here do the same. */
  readonly nextId: number;
  /** Kept by canonical.ts. */
  digest: { readonly nowMs: number; readonly a: number; readonly b: number } | null;
}

/** A word in flight; hosts by index. */
export interface Flight {
  readonly from: number;
  readonly to: number;
  readonly link: number;
  readonly message: Message;
  readonly sentAtMs: number;
  readonly dueMs: number;
}

/** How many faults of each kind are still to come. `disorder`: choices other than the calm one. */
export interface Budget {
  readonly disorder: number;
  readonly loss: number;
  readonly copy: number;
  readonly delay: number;
  readonly lie: number;
  readonly crash: number;
  readonly freeze: number;
  readonly cut: number;
  readonly order: number;
}

export const NO_FAULTS: Budget = {
  disorder: 0,
  loss: 0,
  copy: 0,
  delay: 0,
  lie: 0,
  crash: 0,
  freeze: 0,
  cut: 0,
  order: 0,
};

export interface Node {
  readonly nowMs: number;
  readonly hosts: readonly Host[];
  readonly flights: readonly Flight[];
  /** Broken links: `lan a` and `wan a` a port without carrier, `mute a` one without frames, `words a b` no LAN words between the two. */
  readonly cuts: readonly string[];
  readonly budget: Budget;
  /** `available`: when all paths between two hosts were last cut. */
  readonly deafAtMs: number | null;
}

/** The configuration of every host: times on a grid of 10 ms, so that moments coincide and fewer states differ. */
export function configs(hosts: number, witnesses: number, policy: Policy): CoreConfig[] {
  const gateways = ['a', 'b', 'c', 'd'].slice(0, hosts);
  const voters = ['w', 'x'].slice(0, witnesses);
  const members = [
    ...gateways.map((name, i) => ({ name, role: 'gateway' as const, priority: 100 - i })),
    ...voters.map((name) => ({ name, role: 'witness' as const, priority: 0 })),
  ];
  return members.map(({ name }) => ({
    membership: { self: name, version: 1, members, voterSets: [members.map((m) => m.name)] },
    timing: {
      intervalMs: 200,
      leaseMs: 300,
      promiseMs: 380,
      slackMs: 10,
      probeTimeoutMs: 20,
      probes: 2,
      slotMs: 10,
      conflictWindowMs: 40,
      handoverLimitMs: 2000,
      holdDownMs: 1000,
      holdDownMaxMs: 4000,
      trustHoldMs: 2000,
    },
    services: [
      {
        name: SERVICE,
        policy,
        checkIntervalMs: 200,
        fall: 2,
        rise: 2,
        preparesEarly: true,
        uplinkLimitMs: 200,
        switchLimitMs: 200,
        alone: 'suspend',
        apart: [],
        feedback: null,
        downlinkLink: 1,
        preemptDelayMs: null,
        digest: 'd',
      },
    ],
  }));
}

const DARK: Kernel = { gateUntilMs: 0, configured: false, uplink: false, talking: false };

/** Every host off, nothing configured. */
export function darkness(cluster: Cluster, budget: Budget): Node {
  return {
    nowMs: 1000,
    hosts: cluster.names.map(() => ({
      state: null,
      frozen: false,
      kernel: DARK,
      work: [],
      memory: { heard: null, confirmedAtMs: null },
      nextId: 1,
      digest: null,
    })),
    flights: [],
    cuts: [],
    budget,
    deafAtMs: null,
  };
}

/** A kernel after the power was cut. */
export function unpowered(): Kernel {
  return DARK;
}

/** That host with some of it changed. */
export function changed(host: Host, patch: Partial<Host>): Host {
  return { ...host, ...patch, digest: null };
}

export function withHost(node: Node, index: number, host: Host): Node {
  const hosts = node.hosts.slice();
  hosts[index] = host;
  return { ...node, hosts };
}

export function hostAt(node: Node, index: number): Host {
  const host = node.hosts[index];
  if (host === undefined) throw new Error(`no host ${index}`);
  return host;
}

/** The host's one service; undefined while its daemon is not running. */
export function serviceOf(host: Host): ServiceState | undefined {
  return host.state?.services[SERVICE];
}

/** The daemon starts: it learns so, and every pair of running hosts learns that they can talk. */
export function started(cluster: Cluster, node: Node, index: number): Node {
  const config = cluster.configs[index];
  if (config === undefined) throw new Error(`no host ${index}`);
  const dueMs = node.nowMs + DELAY_MS;
  const news = (event: Event): Work => ({ kind: 'news', event, dueMs });
  const joined = (i: number) => news({ type: 'peer-joined', host: cluster.names[i] ?? '' });
  const hosts = node.hosts.map((host, i) => {
    if (i === index) {
      const others = node.hosts.flatMap((h, j) => (j !== i && h.state !== null ? [joined(j)] : []));
      return changed(host, {
        state: { ...initialState(config, node.nowMs), nextId: host.nextId },
        frozen: false,
        work: [news({ type: 'started' }), ...others],
        memory: { heard: null, confirmedAtMs: null },
      });
    }
    return host.state === null ? host : changed(host, { work: [...host.work, joined(index)] });
  });
  return { ...node, hosts };
}

/** All faults over: links whole, everybody awake, and with `restart` running. */
export function mended(cluster: Cluster, node: Node, restart: boolean): Node {
  let next: Node = {
    ...node,
    budget: NO_FAULTS,
    cuts: [],
    hosts: node.hosts.map((host) => (host.frozen ? changed(host, { frozen: false }) : host)),
  };
  node.hosts.forEach((host, i) => {
    if (restart && host.state === null) next = started(cluster, next, i);
  });
  return next;
}

/** When work may end at the earliest: a round of address probes that nobody answers takes its time. */
export function earliestMs(work: Work): number {
  return work.kind === 'addresses' ? work.dueMs : 0;
}

/** When a round of address probes that begins now is over. */
export function addressRoundMs(nowMs: number): number {
  return nowMs + ADDRESS_ROUND_MS;
}
