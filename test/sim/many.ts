/**
 * Many services on several hosts, in virtual time: the real core of each host over an even network and a Linux side
 * that does what it is told. No driver, codec or kernel: world.ts has those, with one service. Here it is about what
 * services have to do with one another.
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
  type ServiceConfig,
  type ServiceState,
  step,
} from '../../src/core/index.ts';
import { clusterTimes, coreConfig } from './cluster.ts';
import { simulatedCluster } from './crypto.ts';
import { TaskQueue } from './queue.ts';
import { Chance } from './random.ts';

export interface ManyOptions {
  readonly hosts: number;
  readonly witnesses?: number;
  readonly services: number;
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
  /** Until when the kernel's gate is open, by service. */
  readonly gates: Map<string, number>;
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
  /** Looks at each step. */
  observe: ((host: string, before: HostState, after: HostState) => void) | null = null;
  readonly #queue = new TaskQueue();
  readonly #chance: Chance;
  readonly #former: readonly string[];

  constructor(options: ManyOptions) {
    const { roster } = simulatedCluster(options.hosts, options.witnesses ?? 0, false);
    this.timing = clusterTimes(200).timing;
    this.policy = options.policy;
    this.#former = options.former ?? [];
    this.#chance = new Chance(options.seed ?? 1);
    this.services = Array.from({ length: options.services }, (_, i) => `s${String(i).padStart(2, '0')}`);
    this.names = roster.members.map((member) => member.name);
    this.machines = this.names.map((name) => {
      const one = coreConfig(roster, name, this.timing, options.policy, null);
      const services = this.services.map((service, i) => ({
        ...(one.services[0] as ServiceConfig),
        name: service,
        ...options.service?.(i),
      }));
      return { name, config: { ...one, services }, state: null, run: 0, gates: new Map() };
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

  /** Those that serve, by service: the gate is open, and it says that it serves. */
  masters(service: string): string[] {
    return this.machines.filter((machine) => this.#active(machine, service)).map(({ name }) => name);
  }

  /** The services that a host serves. */
  servedBy(name: string): string[] {
    return this.services.filter((service) => this.masters(service).includes(name));
  }

  #active(machine: Machine, service: string): boolean {
    return (machine.gates.get(service) ?? 0) > this.nowMs;
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
    if (effect.type === 'run') {
      const { service, procedure, id } = effect;
      this.#later(machine, PROCEDURE_MS, () => {
        const verdict =
          procedure !== 'checkServiceRemote' || this.masters(service).length > 0 ? 'confirmed' : 'lost';
        this.happened(name, { type: 'procedure-ended', service, procedure, id, verdict });
      });
    } else if (effect.type === 'probe-addresses') {
      const { service, side, id } = effect;
      this.#later(machine, this.timing.probes * this.timing.probeTimeoutMs, () => {
        const answered = this.masters(service).some((other) => other !== name);
        this.happened(name, { type: 'addresses-probed', service, side, id, answered });
      });
    } else if (effect.type === 'gate') {
      const { service, id, untilMs } = effect;
      this.#later(machine, GATE_MS, () => {
        machine.gates.set(service, untilMs ?? 0);
        if (this.masters(service).length > 1) this.overlaps.add(service);
        this.happened(name, { type: 'gate-set', service, id, openUntilMs: untilMs });
      });
    } else if (effect.type === 'send') {
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

  /** What is known of the places, for a test that fails. */
  describe(): string {
    const of = (machine: Machine) =>
      Object.values(machine.state?.services ?? {}).map((s) => `${s.service} ${s.place}`);
    return this.machines.map((machine) => `${machine.name}: ${of(machine).join(', ')}`).join('\n');
  }
}
