/**
 * The lease gate (spec R6). Invariants: a service's gate is never ordered to stay open past the time that was
 * asked for, nor past one lease from now; what it reports as open was acknowledged by the kernel; with every
 * process of ours frozen or dead it shuts by itself, in the kernel.
 */
import type { ServiceName } from '../core/basics.ts';
import type { ActuatorConfig } from './config.ts';
import { changedTables, gateTables, leaseSet, SERVING_SET, tableName, talkSet } from './gatetable.ts';
import type { Generations } from './generations.ts';
import { LeaseSocket } from './lease.ts';
import { ENOENT } from './libc.ts';
import { textOf } from './tools.ts';

/** An element that lives for less than a jiffy (10 ms at HZ=100) could round to zero, which means for ever. */
const SHORTEST_MS = 10;

/**
 * Longest time between the clock's reading and the one after the kernel's call: by so much the gate may outlast the
 * right. Part of g in R24, beside the kernel's jiffy. A process that was paused longer tries again.
 */
const MAX_LATE_MS = 2;

/**
 * Each try asks for so much less than the right, and may come so much later. A busy host's kernel can need longer than
 * `MAX_LATE_MS` for every single call; without this its gate would be shut in the middle of its right.
 */
const EARLIER_MS = [0, 5, 20];

/**
 * How long the kernel may talk on an uplink that is held, after we last said so: one lease, as for the service itself, but not
 * less than a busy host needs to say so again.
 */
const SHORTEST_TALK_MS = 200;

export class Gate {
  private config: ActuatorConfig;
  private readonly nowMs: () => number;
  /** Until when whoever gives the orders is known to live. */
  private readonly aliveUntilMs: () => number;
  private readonly generations: Pick<Generations, 'nft'>;
  private lease: LeaseSocket;
  private readonly openUntil = new Map<ServiceName, number>();
  /** By device: the services that hold it. */
  private readonly talkers = new Map<string, Set<ServiceName>>();
  private talkTimer: NodeJS.Timeout | null = null;
  /** When the leave to talk runs out, for all that have it. */
  private talkUntilMs = Number.NEGATIVE_INFINITY;
  /** Those that slept through a lease and a leave: another host may serve in their place. No uplink is talked on for their sake. */
  private readonly hushed = new Set<ServiceName>();
  private editions = 0;
  /** Whether the host is to forward at all, where no standby rules say so. */
  private isForwarding = false;

  constructor(
    config: ActuatorConfig,
    nowMs: () => number,
    generations: Pick<Generations, 'nft'>,
    lease = new LeaseSocket(tableName(config)),
    aliveUntilMs: () => number = () => Number.POSITIVE_INFINITY,
  ) {
    this.config = config;
    this.nowMs = nowMs;
    this.aliveUntilMs = aliveUntilMs;
    this.generations = generations;
    this.lease = lease;
  }

  /** Grows whenever this process has changed the tables' rules, so that nobody takes that for another's doing. */
  get edition(): number {
    return this.editions;
  }

  /** Replaces whatever tables are there by new, shut ones. Throws when nft refuses. */
  async install(): Promise<void> {
    this.openUntil.clear();
    this.editions++;
    const ended = await this.generations.nft(gateTables(this.config));
    if (ended.status !== 0) throw new Error(`nft refused the lease gate: ${textOf(ended.errors)}`);
    this.renewTalk();
  }

  /** Brings the tables back as they were, with the leases that still run: for when somebody removed them. */
  async reinstall(): Promise<void> {
    const open = [...this.openUntil];
    await this.install();
    this.keepForwarding();
    for (const [service, untilMs] of open)
      if (this.config.services.some((s) => s.name === service)) this.set(service, untilMs);
  }

  /** Takes a new configuration. Its tables replace the former ones in one step; leases that run go on running. */
  async reconfigure(config: ActuatorConfig): Promise<void> {
    const before = this.config;
    const sameName = tableName(config) === tableName(before);
    if (!sameName) {
      await this.removeTables();
      this.lease.close();
      this.lease = new LeaseSocket(tableName(config));
    }
    this.config = config;
    this.stopTalking();
    this.keepTalking();
    if (!sameName) await this.reinstall();
    else if (gateTables(config) !== gateTables(before)) await this.change(before);
    const known = new Set(config.services.map((s) => s.name));
    for (const service of this.openUntil.keys()) if (!known.has(service)) this.openUntil.delete(service);
    for (const service of this.hushed) if (!known.has(service)) this.hushed.delete(service);
  }

  private async change(before: ActuatorConfig): Promise<void> {
    this.editions++;
    const ended = await this.generations.nft(changedTables(before, this.config));
    // Somebody may have changed or removed them meanwhile: then they are made anew.
    if (ended.status !== 0) await this.reinstall();
    this.editions++;
    this.renewTalk();
  }

  /** Until when this service's gate is open; null when it is shut or has lapsed. */
  openUntilMs(service: ServiceName): number | null {
    const until = this.openUntil.get(service);
    return until !== undefined && this.nowMs() < until ? until : null;
  }

  /**
   * Sets the gate to shut by itself at `untilMs`; null, or a time that has come, shuts it now. Returns what is
   * true afterwards; `missing`: the kernel has no such table, somebody removed it, and `install` must run.
   */
  set(service: ServiceName, untilMs: number | null): { openUntilMs: number | null; missing: boolean } {
    const endedMs = this.openUntil.get(service) ?? Number.POSITIVE_INFINITY;
    const outcome = this.setLease(service, untilMs);
    if (outcome.openUntilMs !== null) {
      this.hushed.delete(service);
      this.keepTalking();
    } else {
      if (this.nowMs() - endedMs > this.talkMs()) this.hushed.add(service);
      else this.talkUntilMs = this.nowMs() + this.talkRestMs();
      // With the answer: a successor waits for that, and what the network process says to it goes over the uplink, too.
      setImmediate(() => this.keepTalking());
    }
    return outcome;
  }

  private setLease(
    service: ServiceName,
    untilMs: number | null,
  ): { openUntilMs: number | null; missing: boolean } {
    const until = untilMs === null ? 0 : Math.min(untilMs, this.nowMs() + this.config.leaseMs);
    const set = leaseSet(service);
    for (const earlierMs of EARLIER_MS) {
      const before = this.nowMs();
      const shutsAtMs = until - earlierMs;
      const restMs = Math.floor(shutsAtMs - before);
      if (restMs < SHORTEST_MS) break;
      const errno = this.order(set, restMs);
      if (errno !== 0) return this.refused(service, errno);
      if (this.nowMs() - before <= earlierMs + MAX_LATE_MS) {
        this.openUntil.set(service, shutsAtMs);
        return { openUntilMs: shutsAtMs, missing: false };
      }
      // The element counts from the call, which may have come late: it must go at once (spec R6).
      const again = this.order(set, 0);
      if (again !== 0) return { openUntilMs: until, missing: again === ENOENT };
      this.openUntil.delete(service);
    }
    const errno = this.order(set, 0);
    if (errno !== 0) return this.refused(service, errno);
    this.openUntil.delete(service);
    return { openUntilMs: null, missing: false };
  }

  /**
   * Whether the host forwards at all, where no standby rules say so themselves (gatetable.ts). Resolves to whether the kernel
   * has acknowledged it; throws when the tables were removed and nft refuses new ones.
   */
  async forward(isForwarding: boolean): Promise<boolean> {
    this.isForwarding = isForwarding;
    const say = (): number => this.order(SERVING_SET, isForwarding ? Number.POSITIVE_INFINITY : 0);
    const errno = say();
    if (errno !== ENOENT) return errno === 0;
    await this.reinstall();
    return say() === 0;
  }

  /** Says again whether the host forwards: somebody may have changed that, either way. */
  keepForwarding(): void {
    this.order(SERVING_SET, this.isForwarding ? Number.POSITIVE_INFINITY : 0);
  }

  /** What is true after an order that changed nothing. */
  private refused(service: ServiceName, errno: number): { openUntilMs: number | null; missing: boolean } {
    if (errno !== ENOENT) return { openUntilMs: this.openUntilMs(service), missing: false };
    this.openUntil.delete(service);
    return { openUntilMs: null, missing: true };
  }

  /**
   * Lets the host talk on an uplink, from before it is raised. Without this or a lease not even the kernel's own
   * words leave there: multicast reports when an address runs out, and the like.
   */
  allowTalk(device: string, service: ServiceName): void {
    const talkers = this.talkers.get(device) ?? new Set();
    this.talkers.set(device, talkers.add(service));
    this.hushed.delete(service);
    this.stopTalking();
    this.keepTalking();
  }

  /** Nobody on the downlink has the roving addresses: who was hushed may talk on the uplink it holds, and ask there, too. */
  nobodyAnswered(service: ServiceName): void {
    if (this.hushed.delete(service)) this.renewTalk();
  }

  /** Ends it with the last service that holds the uplink. */
  forbidTalk(device: string, service: ServiceName): void {
    const talkers = this.talkers.get(device);
    talkers?.delete(service);
    if (talkers === undefined || talkers.size > 0) return;
    this.talkers.delete(device);
    this.order(talkSet(device), 0);
    if (this.talkers.size === 0) this.stopTalking();
  }

  /**
   * Whether this host may talk on that uplink now, by a lease or the leave. Raw frames pass by the kernel's tables: a process
   * that was frozen in the middle of a test must not go on asking when it wakes.
   */
  mayTalk(device: string): boolean {
    return (this.hasTalker(device) && this.nowMs() < this.talkUntilMs) || this.isLeased(device);
  }

  private hasTalker(device: string): boolean {
    return [...(this.talkers.get(device) ?? [])].some((service) => !this.hushed.has(service));
  }

  private isLeased(device: string): boolean {
    for (const name of this.openUntil.keys())
      if (this.openUntilMs(name) !== null && this.uplinkOf(name) === device) return true;
    return false;
  }

  private uplinkOf(service: ServiceName): string | undefined {
    return this.config.services.find(({ name }) => name === service)?.uplink.device;
  }

  private talkMs(): number {
    return Math.max(this.config.leaseMs, SHORTEST_TALK_MS);
  }

  private talkRestMs(): number {
    return Math.floor(Math.min(this.talkMs(), this.aliveUntilMs() - this.nowMs()));
  }

  /** While this process lives, and whoever gives it orders: silence follows the death of either. A lease is leave enough. */
  private renewTalk(): void {
    const restMs = this.talkRestMs();
    if (restMs < SHORTEST_MS) return;
    this.talkUntilMs = this.nowMs() + restMs;
    for (const device of this.talkers.keys())
      if (this.hasTalker(device) && !this.isLeased(device)) this.order(talkSet(device), restMs);
  }

  /** At the pace of the present lease, while an uplink is held that has none. Whoever lets a lease lapse is told to shut, too. */
  private keepTalking(): void {
    const isWanted = [...this.talkers.keys()].some((device) => !this.isLeased(device));
    if (!isWanted) this.stopTalking();
    else if (this.talkTimer === null) {
      this.renewTalk();
      this.talkTimer = setInterval(() => this.renewTalk(), this.talkMs() / 4);
    }
  }

  private stopTalking(): void {
    if (this.talkTimer !== null) clearInterval(this.talkTimer);
    this.talkTimer = null;
  }

  /** The ruleset's generation, our own lease transactions not counted. */
  foreignGeneration(): number | null {
    try {
      return this.lease.foreignGeneration();
    } catch {
      return null;
    }
  }

  /** The tables stay, shut: a host without a daemon must be harmless. */
  close(): void {
    this.stopTalking();
    for (const { name } of this.config.services) this.order(leaseSet(name), 0);
    for (const device of this.talkers.keys()) this.order(talkSet(device), 0);
    this.talkers.clear();
    this.order(SERVING_SET, 0);
    this.openUntil.clear();
    this.lease.close();
  }

  private order(set: string, timeoutMs: number): number {
    try {
      return this.lease.setLease(set, timeoutMs);
    } catch {
      return -1;
    }
  }

  private async removeTables(): Promise<void> {
    const table = tableName(this.config);
    const text = ['inet', 'arp'].map((f) => `table ${f} ${table}\ndelete table ${f} ${table}\n`).join('');
    await this.generations.nft(text);
  }
}
