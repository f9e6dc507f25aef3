/**
 * The people and programs above the cluster: orders, reloads, and the admin who changes the set of voters one host a
 * version. A version counts as settled when a majority of the former voters has it; until then hosts need a majority
 * in both sets, and no further change is made (R21).
 */
import type { Order } from '../../src/core/index.ts';
import { SERVICE } from './cluster.ts';
import type { Host } from './host.ts';
import type { Chance } from './random.ts';
import type { World } from './world.ts';

interface Version {
  readonly number: number;
  readonly voters: readonly string[];
}

export class Operator {
  readonly #world: World;
  readonly #versions: Version[];
  /** By host: the place in `#versions` of what it has. */
  readonly #has = new Map<string, number>();
  /** Whose file was changed by itself, in this run. */
  readonly edited = new Set<Host>();
  /** Where a majority of the former voters was seen to have the version. */
  #settled = 0;

  constructor(world: World) {
    this.#world = world;
    this.#versions = [{ number: world.roster.version, voters: world.hosts.map((h) => h.name) }];
    for (const host of world.hosts) this.#has.set(host.name, 0);
  }

  /** Gives an order to a host, if its daemon can hear it. Whether it obeys. */
  order(host: Host, order: Order): boolean {
    if (!host.up || host.frozen) return false;
    let refused: string | null = 'no daemon';
    host.enter(() => {
      refused = host.driver?.order(order) ?? null;
      this.#world.say(
        `operator: ${order.kind} on ${host.name}${refused === null ? '' : `: refused: ${refused}`}`,
      );
    });
    return refused === null;
  }

  /** The admin signs a version with one voter more or less; hosts get it one by one within `overMs`. */
  changeVoters(overMs: number, chance: Chance, later: (ms: number, then: () => void) => void): void {
    const current = this.#versions.at(-1) as Version;
    this.#settle();
    if (this.#settled < this.#versions.length - 1) return;
    const all = this.#world.hosts.map((h) => h.name);
    const out = all.filter((name) => !current.voters.includes(name));
    const adds = out.length > 0 && (chance.is(0.5) || current.voters.length <= 2);
    if (!adds && current.voters.length <= 2) return;
    const one = chance.pick(adds ? out : current.voters);
    const voters = adds ? [...current.voters, one] : current.voters.filter((name) => name !== one);
    this.#versions.push({ number: current.number + 1, voters });
    this.#world.say(`admin: roster ${current.number + 1}: voters ${voters.join(' ')}`);
    for (const host of this.#world.hosts) later(chance.next() * overMs, () => this.#give(host));
    later(overMs * 1.5, () => {
      this.#settle();
      for (const host of this.#world.hosts) this.#give(host);
    });
  }

  /** Every host gets the newest version, and learns that it is settled. */
  bringUpToDate(): void {
    for (const host of this.#world.hosts) this.#give(host);
    this.#settle();
    for (const host of this.#world.hosts) this.#give(host);
  }

  /** Whether these hosts can make the majorities that any roster in force asks for. */
  viable(hosts: readonly Host[]): boolean {
    const names = new Set(hosts.map((h) => h.name));
    return this.#versions
      .slice(this.#settled)
      .every(({ voters }) => 2 * voters.filter((name) => names.has(name)).length > voters.length);
  }

  /** Another digest for one host: somebody edited one file only. */
  setDigest(host: Host, digest: string): void {
    this.edited.add(host);
    const services = host.config.services.map((s) => ({ ...s, digest }));
    this.#configure(host, { ...host.config, services });
  }

  #settle(): void {
    const newest = this.#versions.length - 1;
    if (newest === 0) return;
    const former = (this.#versions[newest - 1] as Version).voters;
    const having = former.filter((name) => (this.#has.get(name) ?? 0) >= newest).length;
    if (2 * having > former.length) this.#settled = newest;
  }

  /** A host that is down reads it at its next start; its roster lies on its disk. */
  #give(host: Host): void {
    const newest = this.#versions.length - 1;
    this.#has.set(host.name, newest);
    const settled = Math.min(this.#settled, newest);
    const sets = this.#versions.slice(settled, newest + 1).map((v) => v.voters);
    const version = (this.#versions[newest] as Version).number;
    const { membership } = host.config;
    if (membership.version === version && membership.voterSets.length === sets.length) return;
    this.#configure(host, { ...host.config, membership: { ...membership, version, voterSets: sets } });
  }

  #configure(host: Host, config: Host['config']): void {
    host.config = config;
    // A frozen daemon reads its files when it thaws: the present ones, whatever they were when it was told.
    host.alive(() => host.driver?.configure(host.config))();
  }
}

/** Whether that host is in Service now, as its own core has it: an operator would ask there. */
export function inService(host: Host): boolean {
  return host.up && host.driver?.state.services[SERVICE]?.place.startsWith('service.') === true;
}
