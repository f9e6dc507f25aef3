/**
 * A cluster in virtual time: the real driver, codec and core over a modelled network and kernel. The judge looks at
 * the modelled gates and ports, not at what the hosts believe. Everything follows from the arguments: no clock, no
 * chance but the seeded one.
 */
import type {
  CoreConfig,
  Effect,
  Event,
  HostState,
  Place,
  Policy,
  Procedure,
  Side,
  Verdict,
} from '../../src/core/index.ts';
import { Driver } from '../../src/driver/driver.ts';
import type { Roster } from '../../src/trust/roster.ts';
import { Endpoint, type Identity } from '../../src/wire/endpoint.ts';
import { seededRandom, testRoster } from './cluster.ts';

export const SERVICE = 'firewall';

export interface WorldOptions {
  readonly hosts: number;
  readonly witnesses?: number;
  readonly policy: Policy;
  readonly intervalMs?: number;
  readonly preemptDelayMs?: number;
  readonly seed?: number;
}

interface Task {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** One modelled host: its ports, its kernel, its daemon. */
export class Host {
  readonly name: string;
  /** Switch ports: a port that is off takes the carrier away; a mute one only the frames. */
  lan = true;
  wan = true;
  lanMute = false;
  wanMute = false;
  up = true;
  frozen = false;
  uplinkRaised = false;
  talking = false;
  configured = false;
  rulesFlushed = false;
  /** The kernel refuses to open the gate. */
  gateBroken = false;
  gateUntilMs = 0;
  driver: Driver | null = null;
  wakeAtMs: number | null = null;
  run = 0;
  readonly waiting: (() => void)[] = [];
  stopped = false;
  alarms = new Set<string>();
  places: { atMs: number; place: Place }[] = [];
  constructor(name: string) {
    this.name = name;
  }
}

export class World {
  nowMs = 0;
  readonly hosts: Host[];
  readonly options: WorldOptions;
  readonly roster: Roster;
  readonly identities: ReadonlyMap<string, Identity>;
  readonly random: () => number;
  /** Loss of cluster messages, 0 to 1; cluster frames cut on the LAN or the WAN; one-way cuts as `from>to`. */
  loss = 0;
  cutLan = false;
  cutWan = false;
  readonly oneWay = new Set<string>();
  /** Words lost on both sides, as `from>to`: what no second opinion over the uplink can mend. */
  readonly deaf = new Set<string>();
  nextHop = true;
  foreigners = true;
  /** Somebody outside answers for the roving addresses. */
  attacker = false;
  delayMs = 0.5;
  observe:
    | ((host: string, nowMs: number, event: Event, state: HostState, effects: readonly Effect[]) => void)
    | null = null;
  /** The judge's figures. */
  overlapMs = 0;
  outageMs = 0;
  standbyUplinkMs = 0;
  #gapMs = 0;
  readonly #tasks: Task[] = [];
  #order = 0;

  constructor(options: WorldOptions) {
    this.options = options;
    this.random = seededRandom(options.seed ?? 1);
    const { roster, identities } = testRoster(options.hosts, options.witnesses ?? 0);
    this.roster = roster;
    this.identities = identities;
    this.hosts = roster.members.map((m) => new Host(m.name));
  }

  host(name: string): Host {
    const host = this.hosts.find((h) => h.name === name);
    if (host === undefined) throw new Error(`no host ${name}`);
    return host;
  }

  at(afterMs: number, run: () => void): void {
    this.#tasks.push({ atMs: this.nowMs + afterMs, order: this.#order++, run });
  }

  config(self: string): CoreConfig {
    const intervalMs = this.options.intervalMs ?? 200;
    const leaseMs = 1.5 * intervalMs;
    return {
      membership: {
        self,
        version: this.roster.version,
        members: this.roster.members.map(({ name, role, priority }) => ({ name, role, priority })),
        voterSets: [this.roster.members.map((m) => m.name)],
      },
      timing: {
        intervalMs,
        leaseMs,
        promiseMs: Math.ceil((leaseMs * 1.1) / 0.9 + 8),
        slackMs: Math.max(2, intervalMs / 20),
        probeTimeoutMs: Math.min(25, Math.max(2, intervalMs / 12)),
        probes: 3,
        slotMs: Math.max(5, intervalMs / 20),
        conflictWindowMs: 50,
        handoverLimitMs: 10_000,
        holdDownMs: 1000,
        holdDownMaxMs: 60_000,
        trustHoldMs: 30_000,
      },
      services: [
        {
          name: SERVICE,
          policy: this.options.policy,
          checkIntervalMs: 200,
          fall: 2,
          rise: 2,
          uplinkLimitMs: 1000,
          switchLimitMs: 1000,
          downlinkLink: 1,
          preemptDelayMs: this.options.preemptDelayMs ?? null,
          digest: 'd'.repeat(64),
        },
      ],
    };
  }

  /** Starts, or starts again, a host's daemon; the kernel keeps what it has. */
  start(host: Host): void {
    const run = ++host.run;
    host.up = true;
    host.stopped = false;
    const identity = this.identities.get(host.name);
    if (identity === undefined) throw new Error('no key');
    const endpoint = new Endpoint({
      nowMs: this.nowMs,
      roster: this.roster,
      self: host.name,
      identity,
      randomBytes: (n) => Uint8Array.from({ length: n }, () => Math.floor(this.random() * 256)),
      intervalMs: this.options.intervalMs ?? 200,
      links: [1],
    });
    const alive = (then: () => void) => () => {
      if (!host.up || host.run !== run) return;
      if (host.frozen) host.waiting.push(then);
      else then();
    };
    const later = (ms: number, then: () => void) => this.at(ms, alive(then));
    const driver: Driver = new Driver({
      config: this.config(host.name),
      endpoint,
      clock: {
        nowMs: () => this.nowMs,
        wakeAt: (atMs) => {
          host.wakeAtMs = atMs;
          if (atMs === null) return;
          later(Math.max(0, atMs - this.nowMs), () => {
            if (host.wakeAtMs !== null && host.wakeAtMs <= this.nowMs) {
              host.wakeAtMs = null;
              driver.wake();
            }
          });
        },
      },
      transport: {
        send: (to, link, datagram) => this.#carry(host, this.host(to), link, datagram.slice()),
        links: () => (host.talking ? [1, 0] : [1]),
        uplinkTalk: (_service, open) => {
          host.talking = open && host.uplinkRaised;
        },
      },
      actuator: {
        run: (service, procedure, id) => {
          const [ms, outcome] = this.#procedure(host, procedure);
          later(ms, () => driver.actuatorEvents.procedureEnded(service, procedure, id, outcome(), ''));
        },
        probeAddresses: (service, side, id) => {
          later(40, () =>
            driver.actuatorEvents.addressesProbed(service, side, id, this.#answered(host, side), ''),
          );
        },
        gate: (service, untilMs, id) => {
          later(1, () => {
            host.gateUntilMs = untilMs !== null && untilMs > this.nowMs && !host.gateBroken ? untilMs : 0;
            driver.actuatorEvents.gateSet(service, id, host.gateUntilMs > 0 ? host.gateUntilMs : null);
          });
        },
      },
      journal: { append: () => undefined },
      operations: {
        alarm: (code, _service, on) => {
          if (on) host.alarms.add(code);
          else host.alarms.delete(code);
        },
        stopped: () => {
          host.stopped = true;
          host.up = false;
        },
      },
      observe: (nowMs, event, state, effects) => {
        const place = state.services[SERVICE]?.place;
        if (place !== undefined && host.places.at(-1)?.place !== place)
          host.places.push({ atMs: nowMs, place });
        this.observe?.(host.name, nowMs, event, state, effects);
      },
    });
    host.driver = driver;
    driver.start();
  }

  startAll(): void {
    for (const host of this.hosts) this.start(host);
  }

  /** kill -9: the kernel's state stays until its lease ends. */
  kill(host: Host): void {
    host.up = false;
    host.talking = false;
  }

  /** Both ports dark, and nothing left of its kernel. */
  powerOff(host: Host): void {
    this.kill(host);
    host.lan = false;
    host.wan = false;
    host.gateUntilMs = 0;
    host.configured = false;
    host.uplinkRaised = false;
  }

  freeze(host: Host): void {
    host.frozen = true;
  }

  thaw(host: Host): void {
    host.frozen = false;
    for (const then of host.waiting.splice(0)) this.at(0, () => host.up && then());
  }

  /** The kernel tells the daemon that a link changed. */
  linkChanged(host: Host, side: Side): void {
    this.at(1, () => {
      if (host.up && !host.frozen) host.driver?.actuatorEvents.linkChanged(SERVICE, side);
    });
  }

  #procedure(host: Host, procedure: Procedure): [number, () => Verdict] {
    const confirmed = (): Verdict => 'confirmed';
    const switched = (change: () => void) => (): Verdict => {
      change();
      return 'confirmed';
    };
    switch (procedure) {
      case 'activateUplink':
        return [
          5,
          switched(() => {
            host.uplinkRaised = true;
          }),
        ];
      case 'deactivateUplink':
        return [
          5,
          switched(() => {
            host.uplinkRaised = false;
          }),
        ];
      case 'activateService':
        return [
          10,
          switched(() => {
            host.configured = true;
          }),
        ];
      case 'deactivateService':
        return [
          10,
          switched(() => {
            host.configured = false;
            host.rulesFlushed = false;
          }),
        ];
      case 'checkUplink': {
        const good = () => host.uplinkRaised && host.wan && !host.wanMute && this.nextHop;
        return [good() ? 1 : 40, () => (good() ? 'confirmed' : host.wan ? 'unknown' : 'refuted')];
      }
      case 'checkDownlink': {
        if (!host.lan) return [1, () => 'refuted'];
        const good = () => host.lan && !host.lanMute && this.foreigners;
        return [good() ? 1 : 40, () => (good() ? 'confirmed' : 'lost')];
      }
      case 'checkServiceLocal':
        return [2, () => (host.configured && !host.rulesFlushed ? 'confirmed' : 'unknown')];
      case 'checkServiceRemote':
        return [
          this.#answered(host, 'downlink') ? 1 : 40,
          () => (this.#answered(host, 'downlink') ? 'confirmed' : 'unknown'),
        ];
      default:
        return [1, confirmed];
    }
  }

  active(host: Host): boolean {
    return host.configured && host.gateUntilMs > this.nowMs;
  }

  #port(host: Host, side: Side): boolean {
    return side === 'downlink' ? host.lan && !host.lanMute : host.wan && !host.wanMute && host.uplinkRaised;
  }

  /** Whether somebody else answers for a roving address where that host can hear it. */
  #answered(host: Host, side: Side): boolean {
    if (!this.#port(host, side)) return false;
    if (this.attacker) return true;
    return this.hosts.some((other) => other !== host && this.active(other) && this.#port(other, side));
  }

  #carry(from: Host, to: Host, link: number, datagram: Uint8Array): void {
    const passes = () =>
      link === 0
        ? from.talking && to.talking && this.#port(from, 'uplink') && this.#port(to, 'uplink') && !this.cutWan
        : this.#port(from, 'downlink') && this.#port(to, 'downlink') && !this.cutLan;
    if (
      this.deaf.has(`${from.name}>${to.name}`) ||
      !from.up ||
      !passes() ||
      this.random() < this.loss ||
      (link === 1 && this.oneWay.has(`${from.name}>${to.name}`))
    )
      return;
    this.at(this.delayMs * (0.5 + this.random()), () => {
      if (!to.up || to.driver === null || !passes()) return;
      if (to.frozen) to.waiting.push(() => to.driver?.datagramReceived(link, datagram));
      else to.driver.datagramReceived(link, datagram);
    });
  }

  /** Lets that much time pass; the judge looks once a millisecond. */
  pass(ms: number): void {
    const endMs = this.nowMs + ms;
    let lookMs = Math.floor(this.nowMs) + 1;
    for (let guard = 0; ; guard++) {
      if (guard > 5_000_000) throw new Error('livelock');
      this.#tasks.sort((a, b) => a.atMs - b.atMs || a.order - b.order);
      const next = this.#tasks[0];
      const atMs = Math.min(next?.atMs ?? endMs, endMs);
      for (; lookMs <= atMs; lookMs++) this.#judge(lookMs);
      if (next === undefined || next.atMs > endMs) break;
      this.#tasks.shift();
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.run();
    }
    this.nowMs = endMs;
  }

  #judge(atMs: number): void {
    const before = this.nowMs;
    this.nowMs = atMs;
    const active = this.hosts.filter((h) => this.active(h));
    const lan = active.filter((h) => this.#port(h, 'downlink')).length;
    const wan = active.filter((h) => this.#port(h, 'uplink')).length;
    if (lan > 1 || wan > 1) this.overlapMs++;
    const served =
      active.length > 0 && active.some((h) => this.#port(h, 'downlink') && this.#port(h, 'uplink'));
    this.#gapMs = served ? 0 : this.#gapMs + 1;
    this.outageMs = Math.max(this.outageMs, this.#gapMs);
    for (const h of this.hosts) {
      const place = h.places.at(-1)?.place ?? 'init.cleaning';
      if (h.up && h.uplinkRaised && !/^(handover|service|init.cleaning)/.test(place)) this.standbyUplinkMs++;
    }
    this.nowMs = before;
  }

  /** Begins to measure anew. */
  resetFigures(): void {
    this.overlapMs = 0;
    this.outageMs = 0;
    this.standbyUplinkMs = 0;
    this.#gapMs = 0;
  }

  masters(): string[] {
    return this.hosts.filter((h) => this.active(h)).map((h) => h.name);
  }

  place(host: Host): Place | undefined {
    return host.driver?.state.services[SERVICE]?.place;
  }
}
