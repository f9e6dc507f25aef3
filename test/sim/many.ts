/**
 * Many services on several hosts, in virtual time: the real core of each host over an even network and a Linux side
 * that does what it is told, but for the faults of a test; between the two what joins groups (`together`). No driver, codec
 * or kernel: world.ts has those, with one service. Here it is about what services have to do with one another.
 */
import {
  brokenInvariants,
  type CoreConfig,
  type Effect,
  type Event,
  type HostState,
  initialState,
  type Message,
  nextDeadline,
  type Policy,
  type Procedure,
  type ServiceConfig,
  type ServiceState,
  step,
} from '../../src/core/index.ts';
import { Grouping } from '../../src/daemon/grouping.ts';
import { clusterTimes, coreConfig } from './cluster.ts';
import { simulatedCluster } from './crypto.ts';
import { TaskQueue } from './queue.ts';
import { Chance } from './random.ts';

export interface ManyOptions {
  readonly hosts: number;
  readonly witnesses?: number;
  readonly services: number;
  /** So many services stand together in each of these; 1 unless said otherwise. */
  readonly members?: number;
  readonly policy: Policy;
  readonly seed?: number;
  /** These speak the protocol's former number: of their load nobody hears. */
  readonly former?: readonly string[];
  /** Beside the defaults, by the service's place. */
  readonly service?: (index: number) => Partial<ServiceConfig>;
}

/** How long the Linux side takes, and a word from host to host. */
const PROCEDURE_MS = 3;
const GATE_MS = 1;
const DELAY_MS = 0.5;

interface Machine {
  readonly name: string;
  readonly config: CoreConfig;
  /** Null: no power. */
  state: HostState | null;
  /** Counts its starts: what an earlier one ordered is never heard of again. */
  run: number;
  /** Until when the kernel's gate is open, by member. */
  readonly gates: Map<string, number>;
  grouping: Grouping | null;
}

/** What a host of protocol 2 takes in of a word of protocol 1. */
function former(m: Message): Message {
  return m.type === 'REPORT' ? { ...m, load: 0, burdened: false } : m;
}

export class Many {
  nowMs = 0;
  readonly names: readonly string[];
  readonly services: readonly string[];
  readonly machines: readonly Machine[];
  readonly timing;
  readonly policy: Policy;
  /** Share of the words that are lost. */
  loss = 0;
  /** Two hosts had the gate open for one service; under `available` a moment of that is no fault. */
  readonly overlaps = new Set<string>();
  /** Steps in which a host said something, and what it said in each. */
  said: { readonly from: string; readonly atMs: number; readonly messages: readonly Message[] }[] = [];
  /** What does not work on a host, for one member: a procedure, or its gate, which stays shut. */
  isBroken: (host: string, member: string, what: Procedure | 'gate') => boolean = () => false;
  /** Looks at each step. */
  observe: ((host: string, before: HostState, after: HostState) => void) | null = null;
  readonly #queue = new TaskQueue();
  readonly #chance: Chance;
  readonly #former: readonly string[];
  readonly #together: ReadonlyMap<string, readonly string[]>;

  constructor(options: ManyOptions) {
    const { roster } = simulatedCluster(options.hosts, options.witnesses ?? 0, false);
    this.timing = clusterTimes(200).timing;
    this.policy = options.policy;
    this.#former = options.former ?? [];
    this.#chance = new Chance(options.seed ?? 1);
    this.services = Array.from({ length: options.services }, (_, i) => `s${String(i).padStart(2, '0')}`);
    this.#together = new Map(
      this.services.map((name) => [
        name,
        Array.from({ length: options.members ?? 1 }, (_, i) => (i === 0 ? name : `${name}-${i}`)),
      ]),
    );
    this.names = roster.members.map((member) => member.name);
    this.machines = this.names.map((name) => {
      const one = coreConfig(roster, name, this.timing, options.policy, null);
      const services = this.services.map((service, i) => ({
        ...(one.services[0] as ServiceConfig),
        name: service,
        ...options.service?.(i),
      }));
      return { name, config: { ...one, services }, state: null, run: 0, gates: new Map(), grouping: null };
    });
  }

  machine(name: string): Machine {
    const found = this.machines.find((machine) => machine.name === name);
    if (found === undefined) throw new Error(`no host ${name}`);
    return found;
  }

  service(host: string, service: string): ServiceState {
    const found = this.machine(host).state?.services[service];
    if (found === undefined) throw new Error(`${service} does not run on ${host}`);
    return found;
  }

  start(name: string): void {
    const machine = this.machine(name);
    machine.run++;
    machine.state = initialState(machine.config, this.nowMs);
    machine.grouping = this.#linuxSide(machine);
    this.happened(name, { type: 'started' });
    for (const other of this.machines) {
      if (other === machine || other.state === null) continue;
      this.happened(other.name, { type: 'peer-joined', host: name });
      this.happened(name, { type: 'peer-joined', host: other.name });
    }
  }

  startAll(): void {
    for (const name of this.names) this.start(name);
  }

  powerOff(name: string): void {
    const machine = this.machine(name);
    machine.state = null;
    machine.run++;
    machine.gates.clear();
  }

  /** Those that serve, by service: the gate of every member is open. */
  masters(service: string): string[] {
    const members = this.membersOf(service);
    return this.machines
      .filter((machine) => members.every((member) => this.isOpen(machine, member)))
      .map(({ name }) => name);
  }

  membersOf(service: string): readonly string[] {
    return this.#together.get(service) ?? [service];
  }

  /** Where a member's gate is open. */
  holders(member: string): string[] {
    return this.machines.filter((machine) => this.isOpen(machine, member)).map(({ name }) => name);
  }

  /** The services that a host serves. */
  servedBy(name: string): string[] {
    return this.services.filter((service) => this.masters(service).includes(name));
  }

  isOpen(machine: Machine, member: string): boolean {
    return (machine.gates.get(member) ?? 0) > this.nowMs;
  }

  pass(ms: number): void {
    const endMs = this.nowMs + ms;
    while (this.#queue.nextMs <= endMs) {
      const task = this.#queue.take();
      if (task === undefined) break;
      this.nowMs = Math.max(this.nowMs, task.atMs);
      task.run();
    }
    this.nowMs = endMs;
  }

  /** An event at a host that runs; its effects are carried out. */
  happened(name: string, event: Event): void {
    const machine = this.machine(name);
    if (machine.state === null) return;
    const before = machine.state;
    const { state, effects } = step(before, event, this.nowMs);
    machine.state = state;
    const broken = brokenInvariants(state, before);
    if (broken.length > 0) throw new Error(`${name}: ${broken.join('; ')}`);
    this.observe?.(name, before, state);
    for (const effect of effects) this.#carryOut(machine, effect);
    const messages = effects.flatMap((e) => (e.type === 'send' ? [e.message] : []));
    if (messages.length > 0) this.said.push({ from: name, atMs: this.nowMs, messages });
    this.#arm(machine);
  }

  #later(machine: Machine, ms: number, then: () => void): void {
    const { run } = machine;
    this.#queue.add(this.nowMs + ms, () => {
      if (machine.run === run) then();
    });
  }

  #arm(machine: Machine): void {
    const { state } = machine;
    const dueMs = state === null ? null : nextDeadline(state);
    if (dueMs === null) return;
    this.#later(machine, Math.max(0, dueMs - this.nowMs), () => {
      if (machine.state === state) this.happened(machine.name, { type: 'timer' });
    });
  }

  #carryOut(machine: Machine, effect: Effect): void {
    const { name } = machine;
    if (effect.type === 'run') machine.grouping?.run(effect.service, effect.procedure, effect.id);
    else if (effect.type === 'probe-addresses')
      machine.grouping?.probeAddresses(effect.service, effect.side, effect.id, effect.waitMs);
    else if (effect.type === 'gate') machine.grouping?.gate(effect.service, effect.untilMs, effect.id);
    else if (effect.type === 'send') {
      const { message } = this.#former.includes(name) ? { message: former(effect.message) } : effect;
      for (const to of this.machines) {
        if (to === machine || (effect.to !== 'all' && effect.to !== to.name)) continue;
        if (this.#chance.is(this.loss)) continue;
        this.#later(to, DELAY_MS, () =>
          this.happened(to.name, { type: 'message', from: name, link: 1, message }),
        );
      }
    }
  }

  /** The Linux side of one start of a host, by member, and what joins groups before it. */
  #linuxSide(machine: Machine): Grouping {
    const { name } = machine;
    const services = [...this.#together].flatMap(([, members]) =>
      members.map((member) => ({ gateway: { name: member }, together: members.filter((m) => m !== member) })),
    );
    const none = (): void => undefined;
    const grouping = new Grouping(services, {
      procedureEnded: (service, procedure, id, verdict) =>
        this.happened(name, { type: 'procedure-ended', service, procedure, id, verdict }),
      addressesProbed: (service, side, id, answered) =>
        this.happened(name, { type: 'addresses-probed', service, side, id, answered }),
      gateSet: (service, id, openUntilMs) =>
        this.happened(name, { type: 'gate-set', service, id, openUntilMs }),
      ...{ linkChanged: none, foreignerHeard: none, rivalHeard: none },
    });
    const { memberEvents } = grouping;
    grouping.over({
      run: (member, procedure, id) =>
        this.#later(machine, PROCEDURE_MS, () => {
          const isSeen = procedure !== 'checkServiceRemote' || this.holders(member).length > 0;
          const verdict = this.isBroken(name, member, procedure) ? 'unknown' : isSeen ? 'confirmed' : 'lost';
          memberEvents.procedureEnded(member, procedure, id, verdict, '');
        }),
      probeAddresses: (member, side, id, waitMs) =>
        this.#later(machine, this.timing.probes * waitMs, () => {
          const isAnswered = this.holders(member).some((other) => other !== name);
          memberEvents.addressesProbed(member, side, id, isAnswered, '');
        }),
      gate: (member, untilMs, id) =>
        this.#later(machine, GATE_MS, () => {
          const openUntilMs = this.isBroken(name, member, 'gate') ? null : untilMs;
          machine.gates.set(member, openUntilMs ?? 0);
          if (this.holders(member).length > 1) this.overlaps.add(member);
          memberEvents.gateSet(member, id, openUntilMs);
        }),
    });
    return grouping;
  }

  /** What is known of the places, for a test that fails. */
  describe(): string {
    const of = (machine: Machine) =>
      Object.values(machine.state?.services ?? {}).map((s) => `${s.service} ${s.place}`);
    return this.machines.map((machine) => `${machine.name}: ${of(machine).join(', ')}`).join('\n');
  }
}
