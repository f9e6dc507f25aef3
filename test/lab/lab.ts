/**
 * One laboratory: the network, the ears, the traffic and the cluster, opened and closed together.
 * Invariant: whatever happens, also on SIGINT, nothing is left behind: no process, no namespace.
 */
import type { ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Capture } from './capture.ts';
import { Faults } from './faults.ts';
import { Cluster, type ClusterOptions, type GatewayKind, PROJECT } from './gateway.ts';
import { Keepalived } from './keepalived.ts';
import { Household } from './process.ts';
import { type HostPlan, Topology } from './topology.ts';
import { startAsking, Traffic } from './traffic.ts';

let base: string | null = null;
const open = new Set<Lab>();

/** A directory of this process for keys, logs and captures; removed at the end unless `keepFiles` was called. */
export function workDirectory(): string {
  if (base === null) {
    base = mkdtempSync(join(tmpdir(), 'portcullis-lab-'));
    // The network processes are another user's: they may pass, and find what is theirs below.
    chmodSync(base, 0o711);
  }
  return base;
}
/** Puts the files of the run that just ended aside under that name; the next one starts from nothing. */
export function setRunAside(options: Pick<LabOptions, 'hosts' | 'outside' | 'kind'>, name: string): void {
  const directory = join(workDirectory(), nameOf(options));
  if (existsSync(directory)) renameSync(directory, join(workDirectory(), name));
}

export function removeWorkDirectory(): void {
  if (base !== null) rmSync(base, { recursive: true, force: true });
  base = null;
}

/** `g3` for three gateways, `g3w` with a witness, `g3l` with two links, `g3x1` with one not in the roster, `k2` (`m2`) two of the peer's (by multicast): these have the same keys in every run. */
function nameOf({ hosts, outside = [], kind }: Pick<LabOptions, 'hosts' | 'outside' | 'kind'>): string {
  const gateways = hosts.filter((host) => host.role === 'gateway').length;
  const links = hosts.some((host) => host.second !== undefined) ? 'l' : '';
  const others = outside.length > 0 ? `x${outside.length}` : '';
  const letter = { portcullis: 'g', keepalived: 'k', 'keepalived-multicast': 'm' }[kind ?? 'portcullis'];
  return `${letter}${gateways}${hosts.length > gateways ? 'w' : ''}${links}${others}`;
}

export interface LabOptions extends ClusterOptions {
  readonly hosts: readonly HostPlan[];
  /** This project's daemons unless said otherwise. */
  readonly kind?: GatewayKind;
  /** Whether client and asker answer broadcast pings; many real hosts do not. */
  readonly answerBroadcasts: boolean;
  /** How often the asker asks for each service's addresses, in milliseconds; null: there is none. Default: the usual ones, often. */
  readonly askMs?: number | null;
  /** With an attacker's station, and without captures, which a flood would fill. */
  readonly attacker?: boolean;
  /** With a host of another cluster. */
  readonly twin?: boolean;
}

export class Lab {
  readonly options: LabOptions;
  readonly topology: Topology;
  readonly faults: Faults;
  readonly cluster: Cluster;
  readonly #household = new Household();
  readonly #capture: Capture;
  #traffic: Traffic | null = null;
  #asker: { isSilent: boolean } | null = null;

  private constructor(options: LabOptions, directory: string) {
    this.options = options;
    this.topology = new Topology(options.hosts);
    this.faults = new Faults(this.topology);
    const Kind = (options.kind ?? 'portcullis') === 'portcullis' ? Cluster : Keepalived;
    this.cluster = new Kind(this.topology, this.#household, directory);
    this.#capture = new Capture(this.topology, this.#household, directory);
  }

  /** Makes the network and all files, and starts the ears; no daemon and no traffic yet. */
  static async open(options: LabOptions): Promise<Lab> {
    // Short, as the control sockets' paths are limited.
    const directory = join(workDirectory(), nameOf(options));
    await mkdir(directory, { recursive: true, mode: 0o711 });
    const lab = new Lab(options, directory);
    open.add(lab);
    try {
      await lab.topology.open(options.answerBroadcasts, [
        ...(options.attacker === true ? ['attacker'] : []),
        ...(options.twin === true ? ['twin'] : []),
      ]);
      await lab.cluster.prepare({ ...options, multicast: options.kind === 'keepalived-multicast' });
      if (options.attacker !== true) await lab.#capture.start();
      lab.#ask();
      return lab;
    } catch (error) {
      await lab.close();
      throw error;
    }
  }

  #ask(): void {
    const { askMs, services } = this.options;
    if (askMs === null) return;
    const asked = services?.flatMap(
      ({ lan, wan }) =>
        [
          ['eth0', lan],
          ['eth1', wan],
        ] as const,
    );
    this.#asker = startAsking(this.topology, this.#household, askMs, asked);
  }

  /** The asker asks, or keeps silent. */
  asks(isAsking: boolean): void {
    if (this.#asker !== null) this.#asker.isSilent = !isAsking;
  }

  get gateways(): string[] {
    return this.options.hosts.filter((host) => host.role === 'gateway').map((host) => host.name);
  }
  get traffic(): Traffic {
    if (this.#traffic === null) throw new Error('the traffic has not been started');
    return this.#traffic;
  }
  /** Starts a program of this project's tests inside a namespace; it is ended with the lab. */
  program(where: string, file: string, ...args: string[]): ChildProcess {
    return this.programOf(PROJECT, where, file, ...args);
  }
  /** The same, of another build: `home` is its directory. */
  programOf(home: string, where: string, file: string, ...args: string[]): ChildProcess {
    const argv = this.topology.inside(where, [process.execPath, join(home, 'dist/test/lab', file), ...args]);
    return this.#household.start(argv, { stdin: 'pipe', stdout: 'pipe' });
  }
  get capture(): Capture {
    return this.#capture;
  }

  get household(): Household {
    return this.#household;
  }

  async startTraffic(): Promise<void> {
    this.#traffic = await Traffic.start(this.topology, this.#household);
  }

  /** Ends every process inside the namespaces and all helpers, then removes the namespaces. */
  async close(): Promise<void> {
    open.delete(this);
    this.cluster.close();
    for (const host of this.options.hosts)
      await this.faults.signal(host.name, 'SIGKILL').catch(() => undefined); // may not exist yet
    await this.#household.endAll();
    await this.topology.close();
  }
}

/** Closes all laboratories of this process; for signals and failures. */
export async function closeAll(): Promise<void> {
  await Promise.all([...open].map((lab) => lab.close()));
}

/** On SIGINT, SIGTERM and SIGHUP: clean up, then end with 128 + the signal's number. */
export function cleanUpOnSignals(): void {
  const numbers = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;
  for (const [signal, number] of Object.entries(numbers))
    process.once(signal, () => {
      void closeAll().finally(() => {
        removeWorkDirectory();
        process.exit(128 + number);
      });
    });
}
