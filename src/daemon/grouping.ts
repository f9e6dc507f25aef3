/**
 * Between the core, which knows a group of services as one, and the Linux side, which knows each: an order for a group is
 * carried out for every member, and the results are joined to one. Invariant: a group is told as confirmed, open or
 * silent only when each of its members is; as shut only when none is open.
 */
import type { ServiceName } from '../core/basics.ts';
import type { Order, Side } from '../core/events.ts';
import type { Procedure, Verdict } from '../core/procedures.ts';
import type { Actuator, ActuatorEvents } from '../driver/ports.ts';
import { type Group, groupsOf } from './config/groups.ts';

/** From good to bad: of several verdicts the worst counts. */
const WORSE: readonly Verdict[] = ['confirmed', 'unknown', 'lost', 'refuted'];

/** What came of one order so far. */
interface Pending<T> {
  readonly waiting: Set<ServiceName>;
  readonly results: Map<ServiceName, T>;
}

interface Ended {
  readonly verdict: Verdict;
  readonly detail: string;
}
interface Probed {
  readonly answered: boolean;
  readonly detail: string;
}

/** The results of orders that several carry out, each told once all are there. */
class Joins<T> {
  private readonly pending = new Map<string, Pending<T>>();

  begin(order: string, members: readonly ServiceName[]): void {
    this.pending.set(order, { waiting: new Set(members), results: new Map() });
  }

  /** All results, once that member's was the last one; null before, and for an order that was not joined. */
  end(order: string, member: ServiceName, result: T): ReadonlyMap<ServiceName, T> | null {
    const found = this.pending.get(order);
    if (found === undefined || !found.waiting.delete(member)) return null;
    found.results.set(member, result);
    if (found.waiting.size > 0) return null;
    this.pending.delete(order);
    return found.results;
  }
}

type Services = Parameters<typeof groupsOf>[0];

export class Grouping implements Actuator {
  #linux: Actuator | null = null;
  readonly #events: ActuatorEvents;
  readonly #procedures = new Joins<Ended>();
  readonly #probes = new Joins<Probed>();
  readonly #gates = new Joins<number | null>();
  /** Gates that are being shut again, since not every member's opened. */
  readonly #backing = new Joins<number | null>();
  /** By group: the latest order about its gate, the only one that counts. */
  readonly #newest = new Map<ServiceName, { readonly id: number; readonly isOpening: boolean }>();
  #groups: ReadonlyMap<ServiceName, Group> = new Map();
  #leaders: ReadonlyMap<ServiceName, ServiceName> = new Map();

  /** `events`: the core's, who knows groups only. */
  constructor(services: Services, events: ActuatorEvents) {
    this.#events = events;
    this.configure(services);
  }

  /** The Linux side, by member. Before any order. */
  over(actuator: Actuator): void {
    this.#linux = actuator;
  }

  get #actuator(): Actuator {
    if (this.#linux === null) throw new Error('no Linux side yet');
    return this.#linux;
  }

  /** After a reload. Which services stand together never changes while they run. */
  configure(services: Services): void {
    const groups = groupsOf(services);
    this.#groups = new Map(groups.map((group) => [group[0], group]));
    this.#leaders = new Map(groups.flatMap((group) => group.map((name) => [name, group[0]] as const)));
  }

  membersOf(name: ServiceName): readonly ServiceName[] {
    return this.#groups.get(name) ?? [name];
  }

  /** The group that a member belongs to. */
  leaderOf(name: ServiceName): ServiceName {
    return this.#leaders.get(name) ?? name;
  }

  /** An operator names a member; the core knows its group. */
  ofGroup(order: Order): Order {
    if (order.kind !== 'handover' || order.service === null) return order;
    return { ...order, service: this.leaderOf(order.service) };
  }

  run(name: ServiceName, procedure: Procedure, id: number): void {
    const members = this.membersOf(name);
    this.#procedures.begin(`${id}`, members);
    for (const member of members) this.#actuator.run(member, procedure, id);
  }

  probeAddresses(name: ServiceName, side: Side, id: number, waitMs: number): void {
    const members = this.membersOf(name);
    this.#probes.begin(`${id}`, members);
    for (const member of members) this.#actuator.probeAddresses(member, side, id, waitMs);
  }

  gate(name: ServiceName, untilMs: number | null, id: number): void {
    const members = this.membersOf(name);
    this.#newest.set(name, { id, isOpening: untilMs !== null });
    this.#gates.begin(`${id}`, members);
    for (const member of members) this.#actuator.gate(member, untilMs, id);
  }

  prepareUplink(name: ServiceName, wanted: boolean): void {
    for (const member of this.membersOf(name)) this.#actuator.prepareUplink?.(member, wanted);
  }

  /** What the Linux side tells of members. */
  readonly memberEvents: ActuatorEvents = {
    procedureEnded: (member, procedure, id, verdict, detail) => {
      const all = this.#procedures.end(`${id}`, member, { verdict, detail });
      if (all === null) return;
      const [worst] = [...all].sort(([, a], [, b]) => WORSE.indexOf(b.verdict) - WORSE.indexOf(a.verdict));
      if (worst === undefined) return;
      const [of, result] = worst;
      const said = all.size > 1 ? `${of}: ${result.detail}` : result.detail;
      this.#events.procedureEnded(this.leaderOf(member), procedure, id, result.verdict, said);
    },
    addressesProbed: (member, side, id, answered, detail) => {
      const all = this.#probes.end(`${id}`, member, { answered, detail });
      if (all === null) return;
      const heard = [...all].find(([, probe]) => probe.answered);
      const said = heard === undefined ? detail : heard[1].detail;
      this.#events.addressesProbed(this.leaderOf(member), side, id, heard !== undefined, said);
    },
    gateSet: (member, id, openUntilMs) => this.#gateSet(member, id, openUntilMs),
    linkChanged: (member, side) => this.#events.linkChanged(this.leaderOf(member), side),
    foreignerHeard: (member) => this.#events.foreignerHeard(this.leaderOf(member)),
    rivalHeard: (member, side, detail) => this.#events.rivalHeard(this.leaderOf(member), side, detail),
    loadMeasured: (load, detail) => this.#events.loadMeasured?.(load, detail),
  };

  #gateSet(member: ServiceName, id: number, openUntilMs: number | null): void {
    const name = this.leaderOf(member);
    const backed = this.#backing.end(`${id}`, member, openUntilMs);
    const all = backed ?? this.#gates.end(`${id}`, member, openUntilMs);
    const newest = this.#newest.get(name);
    if (all === null || newest?.id !== id) return;
    const ends = [...all.values()].flatMap((untilMs) => untilMs ?? []);
    if (ends.length === 0) this.#events.gateSet(name, id, null);
    else if (!newest.isOpening || backed !== null) this.#events.gateSet(name, id, Math.max(...ends));
    else if (ends.length === all.size) this.#events.gateSet(name, id, Math.min(...ends));
    else {
      // Neither open nor shut: what is open of it must not go on alone.
      const members = [...all.keys()];
      this.#backing.begin(`${id}`, members);
      for (const one of members) this.#actuator.gate(one, null, id);
    }
  }
}
