/** Which host serves which service, from the hosts' own words on their control sockets; only to know whom to hurt, and when it is over. */
import type { Cluster, Status } from './gateway.ts';
import { until } from './process.ts';

/** By service: who serves it; null: nobody, or more than one. */
export type Placing = ReadonlyMap<string, string | null>;

export function placingOf(statuses: readonly (Status | null)[], services: readonly string[]): Placing {
  return new Map(
    services.map((name) => {
      const serving = statuses.flatMap((status) =>
        status?.services.some((s) => s.name === name && s.state === 'service') ? [status.host] : [],
      );
      return [name, serving.length === 1 ? (serving[0] ?? null) : null];
    }),
  );
}

/** How many services each host has. */
export function counted(placing: Placing, hosts: readonly string[]): { [host: string]: number } {
  const all = [...placing.values()];
  return Object.fromEntries(hosts.map((host) => [host, all.filter((at) => at === host).length]));
}

export class Placer {
  readonly #cluster: Cluster;
  readonly #services: readonly string[];

  constructor(cluster: Cluster, services: readonly string[]) {
    this.#cluster = cluster;
    this.#services = services;
  }

  async now(hosts: readonly string[]): Promise<Placing> {
    return placingOf(await this.#statuses(hosts), this.#services);
  }

  /** Waits until each service has one master among these hosts, and all others are its backups. Throws at the limit. */
  async settled(hosts: readonly string[], limitMs: number): Promise<Placing> {
    let statuses: (Status | null)[] = [];
    const isSettled = await until(
      async () => {
        statuses = await this.#statuses(hosts);
        const isPlaced = [...placingOf(statuses, this.#services).values()].every((host) => host !== null);
        return isPlaced && statuses.every((status) => status !== null && this.#isSettledAt(status));
      },
      limitMs,
      100,
    );
    if (isSettled) return placingOf(statuses, this.#services);
    const words = statuses.map((status, i) => `${hosts[i]} ${told(status)}`).join('; ');
    throw new Error(`not settled within ${limitMs} ms: ${words}`);
  }

  /** One service after the other, by planned handovers: the i-th goes to the i-th host, in turn. */
  async spread(hosts: readonly string[], limitMs: number): Promise<Placing> {
    for (const [i, service] of this.#services.entries()) {
      const to = hosts[i % hosts.length] ?? '';
      const isThere = async (): Promise<boolean> => {
        const at = (await this.now(hosts)).get(service);
        // Refused while another handover is under way, or its hosts are not fit yet: then again.
        if (at !== null && at !== undefined && at !== to)
          await this.#cluster.order(at, 'handover', { service, to }).catch(() => undefined);
        return at === to;
      };
      if (!(await until(isThere, limitMs, 150))) throw new Error(`${service} did not go to ${to}`);
    }
    return this.settled(hosts, limitMs);
  }

  /** Whether all these hosts have come to the same table, service by service; the first that differs, or null. */
  async tableProblem(hosts: readonly string[], limitMs: number): Promise<string | null> {
    let problem: string | null = null;
    await until(
      async () => {
        const statuses = await this.#statuses(hosts);
        const differing = this.#services.find(
          (name) => new Set(statuses.map((s) => orderAt(s, name))).size > 1,
        );
        problem =
          differing === undefined
            ? null
            : `${differing}: ${statuses.map((s) => orderAt(s, differing)).join(' / ')}`;
        return problem === null;
      },
      limitMs,
      200,
    );
    return problem;
  }

  #statuses(hosts: readonly string[]): Promise<(Status | null)[]> {
    return Promise.all(hosts.map((host) => this.#cluster.status(host, 2_000)));
  }

  #isSettledAt(status: Status): boolean {
    return this.#services.every((name) => {
      const service = status.services.find((one) => one.name === name);
      return service?.state === 'service' || (service?.state === 'backup' && service.master !== null);
    });
  }
}

function orderAt(status: Status | null, name: string): string {
  const service = status?.services.find((one) => one.name === name);
  return (service?.table ?? []).map(({ host }) => host).join(' ');
}

function told(status: Status | null): string {
  if (status === null) return 'is silent';
  return status.services.map((s) => `${s.name}=${s.state}@${s.master ?? '-'}`).join(' ');
}
