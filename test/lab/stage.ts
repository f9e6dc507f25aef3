/** What a scenario's fault may touch, and the runner's small helpers for it. */
import type { Faults } from './faults.ts';
import { type Cluster, type Policy, portcullis } from './gateway.ts';
import { sleep, until } from './process.ts';

const FIT_LIMIT_MS = 20_000;

/** The fault's first order found that the service had moved just before: nothing was done yet. */
export class MovedBefore extends Error {}

export class Stage {
  readonly cluster: Cluster;
  readonly faults: Faults;
  readonly policy: Policy;
  /** All hosts of the cluster, the witness too. */
  readonly hosts: readonly string[];
  readonly gateways: readonly string[];
  /** Hosts whose daemon was not started. */
  readonly absent: readonly string[];
  /** The master when the fault began. */
  readonly master: string;
  readonly #gone = new Set<string>();
  #hasOrdered = false;
  /** What the fault itself saw that must not be, in words. */
  readonly seen: string[] = [];

  constructor(
    parts: Pick<Stage, 'cluster' | 'faults' | 'policy' | 'hosts' | 'gateways' | 'absent' | 'master'>,
  ) {
    this.cluster = parts.cluster;
    this.faults = parts.faults;
    this.policy = parts.policy;
    this.hosts = parts.hosts;
    this.gateways = parts.gateways;
    this.absent = parts.absent;
    this.master = parts.master;
  }

  sleep(ms: number): Promise<void> {
    return sleep(ms);
  }

  /** That host is cut off: it may still believe that it serves, so it is not asked any more. */
  forget(host: string): void {
    this.#gone.add(host);
  }

  /** The master among the hosts that are not cut off. */
  async waitForMaster(limitMs: number): Promise<string> {
    const endMs = performance.now() + limitMs;
    while (performance.now() < endMs) {
      const master = await this.cluster.master(this.gateways.filter((host) => !this.#gone.has(host)));
      if (master !== null) return master;
      await sleep(10);
    }
    throw new Error(`no host became master within ${limitMs} ms`);
  }

  /** Until that master has heard from that host that it would take over. */
  async waitForFit(master: string, host: string): Promise<void> {
    const isFit = async (): Promise<boolean> => {
      const table = (await this.cluster.status(master))?.services[0]?.table ?? [];
      return table.some((row) => row.host === host && row.fit);
    };
    if (!(await until(isFit, FIT_LIMIT_MS, 50)))
      throw new Error(`${master} does not hear that ${host} is fit within ${FIT_LIMIT_MS} ms`);
  }

  /** An operator's command on that host; throws with its words when it fails, `MovedBefore` where nothing has begun yet. */
  async command(verb: string, host: string, ...more: string[]): Promise<void> {
    const result = await portcullis(verb, '--config', this.cluster.config(host), ...more);
    const words = `portcullis ${verb}: exit ${result.code}: ${result.stderr.trim() || result.stdout.trim()}`;
    if (result.code !== 0 && !this.#hasOrdered && /refused: this host is not master/.test(words))
      throw new MovedBefore(words);
    this.#hasOrdered = true;
    if (result.code !== 0) throw new Error(words);
  }
}
