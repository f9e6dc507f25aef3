/**
 * A cluster in virtual time: the real driver, codec and core over a modelled network and kernel. Judges look at the
 * modelled gates, ports and frames, not at what the hosts believe. Everything follows from the arguments: no clock,
 * no chance but the seeded one.
 */
import type {
  CoreConfig,
  Effect,
  Event,
  HostState,
  Place,
  Policy,
  ServiceConfig,
  Side,
} from '../../src/core/index.ts';
import { membershipOf, type Roster } from '../../src/trust/roster.ts';
import { type ClusterTimes, clusterTimes, coreConfig } from './cluster.ts';
import { simulatedCluster, simulatedIdentity } from './crypto.ts';
import { Host } from './host.ts';
import type { Judge, Violation } from './judges/judge.ts';
import { Service } from './judges/service.ts';
import { HostClock } from './kernel.ts';
import { type Frame, Network } from './network.ts';
import { TaskQueue } from './queue.ts';
import { Chance, derivedSeed } from './random.ts';

export { SERVICE } from './cluster.ts';
export { Host } from './host.ts';

export interface WorldOptions {
  readonly hosts: number;
  readonly witnesses?: number;
  readonly policy: Policy;
  readonly intervalMs?: number;
  readonly preemptDelayMs?: number;
  readonly alone?: ServiceConfig['alone'];
  /** False: `activateService` is a program, which waits for the conflict window. */
  readonly preparesEarly?: boolean;
  readonly trustHoldMs?: number;
  readonly seed?: number;
  /** Each host's clock by its place in the roster; without it all clocks are right. */
  readonly clocks?: readonly HostClock[];
  /** Ed25519 and HMAC instead of the cheap stand-ins. */
  readonly realCrypto?: boolean;
  /** For the judges' own test: a late gate order is not made anew. */
  readonly staleGate?: boolean;
}

/** More tasks than this at one moment are a livelock. */
const MOST_TASKS_AT_ONCE = 50_000;

export class World {
  nowMs = 0;
  readonly hosts: Host[];
  readonly options: WorldOptions;
  readonly roster;
  readonly identities;
  readonly primitives;
  readonly times: ClusterTimes;
  readonly random: () => number;
  readonly network: Network;
  readonly judges: Judge[] = [];
  readonly violations: Violation[] = [];
  /** Gets a line for everything that happens; null: nobody reads. */
  transcript: ((line: string) => void) | null = null;
  /** Tasks done so far. */
  tasks = 0;
  /** Steps of the core so far. */
  steps = 0;
  /** One-way cuts of cluster frames on the LAN, as `from>to`; words lost on both sides. */
  readonly oneWay = new Set<string>();
  readonly deaf = new Set<string>();
  #cutLan = false;
  #cutWan = false;
  nextHop = true;
  #foreigners = true;
  /** Somebody outside answers for the roving addresses. */
  attacker = false;
  observe:
    | ((host: string, nowMs: number, event: Event, state: HostState, effects: readonly Effect[]) => void)
    | null = null;
  readonly #byName: Map<string, Host>;
  readonly #queue = new TaskQueue();
  readonly figures = new Service();
  #dirty = true;

  constructor(options: WorldOptions) {
    this.options = options;
    const seed = options.seed ?? 1;
    this.random = new Chance(seed).next;
    const { hosts, witnesses = 0, realCrypto = false } = options;
    const { roster, identities, primitives } = simulatedCluster(hosts, witnesses, realCrypto);
    this.roster = roster;
    this.identities = identities;
    this.primitives = primitives;
    this.times = clusterTimes(options.intervalMs ?? 200, options.trustHoldMs);
    this.network = new Network(new Chance(derivedSeed(seed, 1)), () => this.touch());
    this.hosts = roster.members.map(
      (m, i) => new Host(this, m.name, i, options.clocks?.[i] ?? new HostClock(), derivedSeed(seed, 100 + i)),
    );
    this.#byName = new Map(this.hosts.map((h) => [h.name, h]));
    for (const host of this.hosts) host.changed = () => this.touch();
    this.judges.push(this.figures);
  }

  /** One more machine, not started yet: a host that comes in with a newer roster. */
  addHost(name: string, roster: Roster): Host {
    const host = new Host(
      this,
      name,
      this.hosts.length,
      new HostClock(),
      derivedSeed(this.options.seed ?? 1, 200),
    );
    host.changed = () => this.touch();
    host.roster = roster;
    host.config = { ...host.config, membership: membershipOf(roster, name) };
    host.identity = simulatedIdentity(name, this.options.realCrypto ?? false);
    this.hosts.push(host);
    this.#byName.set(name, host);
    return host;
  }

  host(name: string): Host {
    const host = this.#byName.get(name);
    if (host === undefined) throw new Error(`no host ${name}`);
    return host;
  }

  config(self: string): CoreConfig {
    const { policy, preemptDelayMs, alone = 'suspend', preparesEarly = true } = this.options;
    const config = coreConfig(this.roster, self, this.times.timing, policy, preemptDelayMs ?? null);
    return { ...config, services: config.services.map((service) => ({ ...service, alone, preparesEarly })) };
  }

  at(afterMs: number, run: () => void): void {
    this.#queue.add(this.nowMs + Math.max(0, afterMs), run);
  }

  /** Something that judges look at has changed. */
  touch(): void {
    this.#dirty = true;
  }

  violation(judge: string, host: string | null, what: string): void {
    this.violations.push({ atMs: this.nowMs, judge, host, what });
    this.say(`VIOLATION ${judge}${host === null ? '' : ` ${host}`}: ${what}`);
  }

  say(line: string): void {
    this.transcript?.(`${this.nowMs.toFixed(2).padStart(10)} ${line}`);
  }

  get cutLan(): boolean {
    return this.#cutLan;
  }
  set cutLan(cut: boolean) {
    this.#cutLan = cut;
    this.touch();
  }
  get cutWan(): boolean {
    return this.#cutWan;
  }
  set cutWan(cut: boolean) {
    this.#cutWan = cut;
    this.touch();
  }
  get loss(): number {
    return this.network.loss;
  }
  set loss(share: number) {
    this.network.loss = share;
    this.touch();
  }
  get delayMs(): number {
    return this.network.delayMs;
  }
  set delayMs(ms: number) {
    this.network.delayMs = ms;
  }
  /** Hosts outside the cluster on the downlink. */
  get foreigners(): boolean {
    return this.#foreigners;
  }
  set foreigners(there: boolean) {
    const first = there && !this.#foreigners;
    this.#foreigners = there;
    if (first) for (const host of this.hosts) host.tell('foreigner');
    this.touch();
  }

  /** How long something that may be answered is waited for. */
  get patienceMs(): number {
    return this.times.timing.probes * this.times.timing.probeTimeoutMs;
  }

  start(host: Host): void {
    host.start();
  }
  startAll(): void {
    for (const host of this.hosts) host.start();
  }
  kill(host: Host): void {
    host.kill();
  }
  powerOff(host: Host): void {
    host.powerOff();
  }
  freeze(host: Host): void {
    host.freeze();
  }
  thaw(host: Host): void {
    host.thaw();
  }
  linkChanged(host: Host, side: Side): void {
    host.tell(side === 'downlink' ? 'lan' : 'wan');
  }

  active(host: Host): boolean {
    return host.active(this.nowMs);
  }

  #port(host: Host, side: Side): boolean {
    return side === 'downlink' ? host.lanPort : host.wanPort;
  }

  /** Whether somebody else answers for a roving address where that host can hear it. */
  answered(host: Host, side: Side): boolean {
    if (!this.#port(host, side)) return false;
    if (this.attacker) return true;
    return this.hosts.some((other) => other !== host && this.active(other) && this.#port(other, side));
  }

  /** A host announces that the roving addresses are its own: another active one hears it. */
  announced(host: Host, side: Side): void {
    if (!this.#port(host, side)) return;
    for (const other of this.hosts) {
      if (other !== host && this.active(other) && this.#port(other, side)) {
        other.tell(side === 'downlink' ? 'rival-lan' : 'rival-wan');
      }
    }
  }

  /** The core of that host took a step. */
  stepped(host: Host, atMs: number, event: Event, state: HostState, effects: readonly Effect[]): void {
    this.steps++;
    for (const judge of this.judges) judge.stepped?.(this, host, event, state, effects);
    this.observe?.(host.name, atMs, event, state, effects);
  }

  /** Whether frames pass from one host's port to the other's on that link. */
  passes(from: Host, to: Host, link: number): boolean {
    if (link === 0) return from.talking && to.talking && from.wanPort && to.wanPort && !this.#cutWan;
    return from.lanPort && to.lanPort && !this.#cutLan;
  }

  /** Whether words from one host to the other are lost on that link, by a fault of the two alone. */
  #mute(from: Host, to: Host, link: number): boolean {
    if (this.deaf.size === 0 && this.oneWay.size === 0) return false;
    const pair = `${from.name}>${to.name}`;
    return this.deaf.has(pair) || (link === 1 && this.oneWay.has(pair));
  }

  /** Whether a word would get from one to the other, by whatever link, undisturbed and soon. */
  reaches(from: Host, to: Host): boolean {
    const on = (link: number) =>
      this.passes(from, to, link) &&
      this.network.sound(from.name, to.name, link) &&
      !this.#mute(from, to, link) &&
      !(link === 1 && this.network.tap !== null);
    return on(1) || on(0);
  }

  /** A host's daemon sends. */
  send(from: Host, to: Host, link: number, datagram: Uint8Array): void {
    if (!from.up || (link === 0 && !from.talking)) return;
    const frame: Frame = { from: from.name, to: to.name, link, datagram };
    for (const judge of this.judges) judge.sent?.(this, from, frame);
    if (link === 0 ? !from.wanPort : !from.lanPort) return;
    if (this.#mute(from, to, link)) return;
    this.network.carry(frame, (afterMs, bytes) => {
      this.at(afterMs, () => {
        if (this.passes(from, to, link)) this.deliver(to, { ...frame, datagram: bytes });
      });
    });
  }

  /** A frame comes in at a host's port, wherever it is from. */
  deliver(to: Host, frame: Frame): void {
    if (!to.up || to.driver === null) return;
    to.alive(() => {
      for (const judge of this.judges) judge.delivered?.(this, to, frame);
      to.driver?.datagramReceived(frame.link, frame.datagram);
    }, true)();
  }

  /** Lets that much time pass. */
  pass(ms: number): void {
    const endMs = this.nowMs + ms;
    this.#look();
    let atOnce = 0;
    while (this.#queue.nextMs <= endMs) {
      const task = this.#queue.take();
      if (task === undefined) break;
      if (task.atMs > this.nowMs) atOnce = 0;
      else if (++atOnce > MOST_TASKS_AT_ONCE) throw new Error(`livelock at ${this.nowMs} ms`);
      this.nowMs = Math.max(this.nowMs, task.atMs);
      this.tasks++;
      task.run();
      if (this.#dirty) this.#look();
    }
    this.nowMs = endMs;
    this.#dirty = true;
    this.#look();
  }

  #look(): void {
    if (!this.#dirty) return;
    this.#dirty = false;
    for (const judge of this.judges) judge.changed?.(this);
  }

  get overlapMs(): number {
    return this.figures.overlapMs;
  }
  /** The longest time without a host that serves on both sides. */
  get outageMs(): number {
    return this.figures.outageMs;
  }
  get standbyUplinkMs(): number {
    return this.figures.standbyUplinkMs;
  }

  /** Begins to measure anew. */
  resetFigures(): void {
    this.figures.reset(this.nowMs);
  }

  masters(): string[] {
    return this.hosts.filter((h) => this.active(h)).map((h) => h.name);
  }

  place(host: Host): Place | undefined {
    return host.place;
  }
}
