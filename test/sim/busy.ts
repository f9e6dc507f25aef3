/**
 * Many services on hosts with little processor, in virtual time: the real driver and core of each host over a model of its event
 * loop, where reading, stepping, signing and verifying take their time, and what comes meanwhile waits. Codec and kernel are
 * not in it; many.ts has the same without time, world.ts the rest.
 */
import type { Message, Procedure, ServiceConfig } from '../../src/core/index.ts';
import { Driver } from '../../src/driver/driver.ts';
import type { ActuatorEvents } from '../../src/driver/ports.ts';
import type { Roster } from '../../src/trust/roster.ts';
import type { Endpoint, Outgoing, Received } from '../../src/wire/endpoint.ts';
import { clusterTimes, coreConfig } from './cluster.ts';
import { simulatedCluster } from './crypto.ts';
import { TaskQueue } from './queue.ts';

/** Milliseconds that each costs the loop of its host. */
export interface Costs {
  readonly step: number;
  readonly sign: number;
  readonly verify: number;
}

export interface BusyOptions {
  readonly gateways: number;
  readonly services: number;
  readonly intervalMs: number;
  readonly costs: Costs;
  /** How long one switch takes; a host's run one after the other, as programs that share a lock do. */
  readonly switchMs: number;
}

const DELAY_MS = 0.5;
const TEST_MS = 3;
const GATE_MS = 1;
/** Records in one datagram, about. */
const RECORDS = 14;

type Mail = { readonly from: string; readonly messages: Message[] };

/** One host: its loop, and the Linux side, which has a processor of its own. */
class Machine {
  readonly name: string;
  readonly driver: Driver;
  /** How far this turn of the loop has come. */
  nowMs = 0;
  /** For a test: how long turns took, and what was verified and signed. */
  longestTurnMs = 0;
  verified = 0;
  signed = 0;
  readonly gates = new Map<string, number>();
  readonly #world: Busy;
  #isBusy = false;
  #come: (() => void)[] = [];
  readonly #mail = new WeakMap<Uint8Array, Mail>();
  #isSoon = false;
  #wakeAtMs = Number.POSITIVE_INFINITY;
  #switchedMs = 0;

  constructor(world: Busy, name: string, roster: Roster) {
    this.#world = world;
    this.name = name;
    const { options, timing } = world;
    const one = coreConfig(roster, name, timing, 'quorum', null);
    const services = world.services.map((service) => ({
      ...(one.services[0] as ServiceConfig),
      name: service,
    }));
    const ignore = () => undefined;
    const later = (ms: number, tell: (events: ActuatorEvents) => void): void =>
      world.later(this.nowMs + ms, () => this.comes(() => tell(this.driver.actuatorEvents)));
    this.driver = new Driver({
      config: { ...one, services },
      endpoint: this.#endpoint(roster),
      clock: {
        nowMs: () => this.nowMs,
        wakeAt: (atMs) => this.#arm(atMs ?? Number.POSITIVE_INFINITY),
        wakeSoon: () => {
          this.#isSoon = true;
        },
      },
      transport: {
        send: (to, _link, datagram) => {
          const mail = this.#mail.get(datagram);
          if (mail !== undefined) world.later(this.nowMs + DELAY_MS, () => world.machine(to).hears(mail));
        },
        links: () => [1],
        uplinkTalk: ignore,
      },
      actuator: {
        run: (service, procedure, id) => {
          const verdict =
            procedure === 'checkServiceRemote' && world.masters(service).length === 0 ? 'lost' : 'confirmed';
          later(this.#procedureMs(procedure), (events) =>
            events.procedureEnded(service, procedure, id, verdict, ''),
          );
        },
        probeAddresses: (service, side, id, waitMs) =>
          later(timing.probes * waitMs, (events) => events.addressesProbed(service, side, id, false, '')),
        gate: (service, untilMs, id) =>
          later(GATE_MS, (events) => {
            this.gates.set(service, untilMs ?? 0);
            events.gateSet(service, id, untilMs);
          }),
      },
      journal: { append: ignore },
      operations: { alarm: ignore, stopped: ignore },
      observe: () => this.#spend(options.costs.step),
    });
  }

  start(): void {
    this.comes(() => this.driver.start());
  }

  hears(mail: Mail): void {
    this.comes(() => {
      this.verified++;
      this.#spend(this.#world.options.costs.verify);
      const datagram = new Uint8Array();
      this.#mail.set(datagram, mail);
      this.driver.datagramReceived(1, datagram);
    });
  }

  /** Something is to be read; when the loop turns next. */
  comes(read: () => void): void {
    this.#come.push(read);
    this.#turnOnce();
  }

  #turnOnce(): void {
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.#world.later(this.#world.nowMs, () => this.#turn());
  }

  /** As Node's loop turns: timers, whatever has come, then what was put off to the turn's end. */
  #turn(): void {
    const beganMs = this.#world.nowMs;
    this.nowMs = beganMs;
    if (this.#wakeAtMs <= beganMs) {
      this.#wakeAtMs = Number.POSITIVE_INFINITY;
      this.#isSoon = true;
    }
    for (const read of this.#come.splice(0)) read();
    if (this.#isSoon) {
      this.#isSoon = false;
      this.driver.wake();
    }
    this.longestTurnMs = Math.max(this.longestTurnMs, this.nowMs - beganMs);
    this.#world.later(this.nowMs, () => {
      this.#isBusy = false;
      if (this.#come.length > 0 || this.#wakeAtMs <= this.#world.nowMs) this.#turnOnce();
    });
  }

  #arm(atMs: number): void {
    this.#wakeAtMs = atMs;
    // Node's timers have whole milliseconds.
    if (Number.isFinite(atMs))
      this.#world.later(Math.ceil(Math.max(atMs, this.nowMs + 1)), () => {
        if (this.#wakeAtMs === atMs) this.#turnOnce();
      });
  }

  #spend(ms: number): void {
    this.nowMs += ms;
  }

  #procedureMs(procedure: Procedure): number {
    if (!/^(de)?activate/.test(procedure)) return TEST_MS;
    this.#switchedMs = Math.max(this.#switchedMs, this.nowMs) + this.#world.options.switchMs;
    return this.#switchedMs - this.nowMs;
  }

  /** Sessions that stand, signatures that cost time. STATUS is signed once for all, as the real one does it. */
  #endpoint(roster: Roster): Endpoint {
    const shown = { version: roster.version, hash: roster.hash };
    const sealed = (to: string, messages: Message[]): Outgoing => {
      const datagram = new Uint8Array(1);
      this.#mail.set(datagram, { from: this.name, messages });
      return { to, link: 1, datagram } as Outgoing;
    };
    return {
      roster,
      isMember: true,
      peers: () => [],
      setLinks: () => undefined,
      nextTickMs: () => Number.POSITIVE_INFINITY,
      receive: (_nowMs: number, link: number, datagram: Uint8Array): Received => {
        const { from, messages } = this.#mail.get(datagram) as Mail;
        return { kind: 'messages', from, link, messages, shown, head: null, replies: [] };
      },
      seal: (_nowMs: number, to: string, messages: readonly Message[]): Outgoing[] => {
        const targets = this.#world.machines.filter((m) => m !== this && (to === 'all' || m.name === to));
        const out: Outgoing[] = [];
        for (const type of new Set(messages.map((m) => m.type))) {
          const records = messages.filter((m) => m.type === type);
          for (let at = 0; at < records.length; at += RECORDS) {
            const body = records.slice(at, at + RECORDS);
            const signatures = to === 'all' && (type === 'STATUS' || type === 'BYE') ? 1 : targets.length;
            this.signed += signatures;
            this.#spend(signatures * this.#world.options.costs.sign);
            for (const { name } of targets) out.push(sealed(name, body));
          }
        }
        return out;
      },
    } as unknown as Endpoint;
  }
}

export class Busy {
  nowMs = 0;
  readonly options: BusyOptions;
  readonly timing;
  readonly services: readonly string[];
  readonly machines: readonly Machine[];
  readonly #queue = new TaskQueue();

  /** So many gateways and a witness, `quorum`. */
  constructor(options: BusyOptions) {
    this.options = options;
    this.timing = clusterTimes(options.intervalMs).timing;
    this.services = Array.from({ length: options.services }, (_, i) => `s${String(i).padStart(2, '0')}`);
    const { roster } = simulatedCluster(options.gateways, 1, false);
    this.machines = roster.members.map(({ name }) => new Machine(this, name, roster));
  }

  machine(name: string): Machine {
    const found = this.machines.find((one) => one.name === name);
    if (found === undefined) throw new Error(`no host ${name}`);
    return found;
  }

  masters(service: string): string[] {
    return this.machines.filter((m) => (m.gates.get(service) ?? 0) > this.nowMs).map(({ name }) => name);
  }

  startAll(): void {
    for (const machine of this.machines) machine.start();
  }

  /** Until every service is served, for `holdsMs` on end; the milliseconds until then, or Infinity after `limitMs`. */
  settledMs(limitMs: number, holdsMs: number): number {
    const endMs = this.nowMs + limitMs;
    let sinceMs = Number.POSITIVE_INFINITY;
    while (this.nowMs < endMs) {
      this.pass(10);
      const isServed = this.services.every((service) => this.masters(service).length === 1);
      sinceMs = isServed ? Math.min(sinceMs, this.nowMs) : Number.POSITIVE_INFINITY;
      if (this.nowMs - sinceMs >= holdsMs) return sinceMs;
    }
    return Number.POSITIVE_INFINITY;
  }

  later(atMs: number, run: () => void): void {
    this.#queue.add(Math.max(atMs, this.nowMs), run);
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
}
