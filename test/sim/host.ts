/**
 * One modelled host: a kernel, and a daemon on it: the real driver, codec and core behind modelled ports. A daemon
 * can be killed at any call of a port, frozen, and started again; a run that has ended is never heard of again.
 */
import type { CoreConfig, Place, Side } from '../../src/core/index.ts';
import { CLOCK_DRIFT } from '../../src/daemon/config/timing.ts';
import { Driver } from '../../src/driver/driver.ts';
import type { RosterNews } from '../../src/driver/rosters.ts';
import { membershipOf, type Roster } from '../../src/trust/roster.ts';
import { Endpoint, type Identity } from '../../src/wire/endpoint.ts';
import { Actuator } from './actuator.ts';
import { SERVICE } from './cluster.ts';
import { type HostClock, Kernel } from './kernel.ts';
import { Chance } from './random.ts';
import type { World } from './world.ts';

/** Datagrams that wait for a frozen process; a full socket buffer drops the newest. */
const SOCKET_BUFFER = 256;

/** The Linux side tells of a rival on one side once in this time (src/linux/actuator.ts). */
const RIVAL_QUIET_MS = 1000;

/** Thrown by a port to end the daemon in the middle of what it does. */
class Crash extends Error {}

export class Host extends Kernel {
  readonly name: string;
  readonly index: number;
  readonly clock: HostClock;
  readonly actuator: Actuator;
  readonly chance: Chance;
  readonly #world: World;
  readonly #seed: number;
  up = true;
  talking = false;
  driver: Driver | null = null;
  /** Which start of the daemon this is. */
  run = 0;
  startedMs = 0;
  stopped = false;
  readonly alarms = new Set<string>();
  readonly places: { atMs: number; place: Place }[] = [];
  /** What the driver told of its uplink: may it soon be wanted? And where the core was then. */
  readonly hints: { readonly wanted: boolean; readonly place: Place | undefined }[] = [];
  /** The daemon dies at that call of a port from now; null: it does not. */
  crashAtCall: number | null = null;
  /** Log entries that the disk took, and those that it did not. */
  readonly journal = { written: 0, lost: 0, full: false };
  config: CoreConfig;
  /** What its disk holds of the roster, the key that it starts with, and what it was told of rosters. */
  roster: Roster;
  identity: Identity | undefined;
  readonly rosterNews: RosterNews[] = [];
  /** How long its disk takes for a roster. Who dies meanwhile finds the former one: it is replaced whole or not at all. */
  storeMs = 0;
  #waiting: { readonly datagram: boolean; readonly act: () => void }[] = [];
  #wakeAtMs: number | null = null;
  #isWokenSoon = false;
  readonly #rivalToldMs = new Map<string, number>();
  #alarmClockMs = Number.POSITIVE_INFINITY;

  constructor(world: World, name: string, index: number, clock: HostClock, seed: number) {
    super();
    this.#world = world;
    this.name = name;
    this.index = index;
    this.clock = clock;
    this.#seed = seed;
    this.chance = new Chance(seed);
    this.config = world.config(name);
    this.roster = world.roster;
    this.identity = world.identities.get(name);
    this.actuator = new Actuator(world, this);
  }

  get place(): Place | undefined {
    return this.driver?.state.services[SERVICE]?.place;
  }

  /** A callback of this run of the daemon: after its end never, while it is frozen later. */
  alive(then: () => void, datagram = false): () => void {
    const { run } = this;
    const callback = () => {
      if (!this.up || this.run !== run) return;
      if (!this.frozen) this.enter(then);
      else if (!datagram || this.#waiting.length < SOCKET_BUFFER)
        this.#waiting.push({ datagram, act: callback });
    };
    return callback;
  }

  /** Runs daemon code. What it throws ends the daemon; if it is not a crash that was ordered, it is a violation. */
  enter(code: () => void): void {
    try {
      code();
    } catch (error) {
      if (!(error instanceof Crash)) {
        this.#world.violation('invariant', this.name, error instanceof Error ? error.message : String(error));
      }
      this.kill();
    }
  }

  /** Counts a call of a port. */
  #call(): void {
    if (this.crashAtCall !== null && this.crashAtCall-- <= 0) {
      this.crashAtCall = null;
      throw new Crash('crash');
    }
  }

  /** Starts the daemon, or starts it again; the kernel keeps what it has. */
  start(): void {
    const world = this.#world;
    this.run++;
    this.up = true;
    this.stopped = false;
    this.crashAtCall = null;
    this.frozen = false;
    this.startedMs = world.nowMs;
    this.#waiting = [];
    this.#alarmClockMs = Number.POSITIVE_INFINITY;
    this.#isWokenSoon = false;
    this.alarms.clear();
    const { primitives, times } = world;
    const { roster, identity } = this;
    if (identity === undefined) throw new Error('no key');
    const nowMs = () => this.clock.at(world.nowMs);
    const { chance } = this;
    const endpoint = new Endpoint({
      nowMs: nowMs(),
      roster,
      self: this.name,
      identity,
      primitives,
      randomBytes: (n) => {
        const bytes = new Uint8Array(n);
        for (let i = 0; i < n; i++) bytes[i] = chance.next() * 256;
        return bytes;
      },
      intervalMs: times.timing.intervalMs,
      maxDrift: CLOCK_DRIFT,
      maxAgeMs: times.maxAgeMs,
      links: [1],
      // Versions are mixed, and each start may be another software's (P77): no word of what is judged hangs on it.
      protocol: 1 + ((this.#seed + this.run) % 2),
    });
    const driver: Driver = new Driver({
      config: this.config,
      endpoint,
      clock: {
        nowMs,
        wakeAt: (atMs) => this.#wakeAt(atMs, driver),
        wakeSoon: () => this.#wakeSoon(driver),
      },
      transport: {
        send: (to, link, datagram) => {
          this.#call();
          world.send(this, world.host(to), link, datagram);
        },
        links: () => (this.talking ? [1, 0] : [1]),
        uplinkTalk: (_service, open) => {
          this.#call();
          this.talking = open && this.uplinkRaised;
          this.changed();
        },
      },
      actuator: {
        run: (service, procedure, id) => {
          this.#call();
          this.actuator.run(procedure, (verdict) =>
            driver.actuatorEvents.procedureEnded(service, procedure, id, verdict, ''),
          );
        },
        probeAddresses: (service, side, id, waitMs) => {
          this.#call();
          const ended = (answered: boolean) =>
            driver.actuatorEvents.addressesProbed(service, side, id, answered, '');
          this.actuator.probeAddresses(side, ended, waitMs);
        },
        gate: (service, untilMs, id) => {
          this.#call();
          this.actuator.gate(untilMs, (openUntilMs) =>
            driver.actuatorEvents.gateSet(service, id, openUntilMs),
          );
        },
        // No place to die at: nothing is done about it here.
        prepareUplink: (_service, wanted) => this.hints.push({ wanted, place: this.place }),
      },
      journal: {
        append: () => {
          this.#call();
          if (this.journal.full) this.journal.lost++;
          else this.journal.written++;
        },
      },
      operations: {
        alarm: (code, _service, on) => {
          this.#call();
          if (on) this.alarms.add(code);
          else this.alarms.delete(code);
        },
        stopped: () => {
          this.stopped = true;
          this.up = false;
          this.changed();
        },
      },
      rosters: {
        adopt: (newer, inForce) => {
          this.#call();
          const stored = () => {
            this.roster = newer;
            this.config = { ...this.config, membership: membershipOf(newer, this.name) };
            inForce(this.config);
          };
          if (this.storeMs === 0) stored();
          else world.at(this.storeMs, this.alive(stored));
        },
        told: (_from, news) => this.rosterNews.push(news),
      },
      observe: (atMs, event, state, effects) => {
        const place = state.services[SERVICE]?.place;
        if (place !== undefined && this.places.at(-1)?.place !== place) {
          this.places.push({ atMs: world.nowMs, place });
          this.changed();
        }
        world.stepped(this, atMs, event, state, effects);
      },
    });
    this.driver = driver;
    this.changed();
    this.enter(() => driver.start());
  }

  #wakeAt(atMs: number | null, driver: Driver): void {
    const world = this.#world;
    this.#wakeAtMs = atMs === null || atMs === Number.POSITIVE_INFINITY ? null : atMs;
    if (this.#wakeAtMs === null) return;
    // A whisker later than asked for, as the clock's rate rounds: never early, or it would be asked for again at once.
    const dueMs = Math.max(world.nowMs, this.clock.trueMs(this.#wakeAtMs) + 1e-5);
    if (dueMs >= this.#alarmClockMs) return;
    this.#alarmClockMs = dueMs;
    const fire = this.alive(() => {
      if (this.#alarmClockMs <= world.nowMs) this.#alarmClockMs = Number.POSITIVE_INFINITY;
      if (this.#wakeAtMs === null) return;
      if (this.#wakeAtMs <= this.clock.at(world.nowMs)) {
        this.#wakeAtMs = null;
        this.#wakeSoon(driver);
      } else this.#wakeAt(this.#wakeAtMs, driver);
    });
    world.at(dueMs - world.nowMs, fire);
  }

  /** After all that comes at this moment. */
  #wakeSoon(driver: Driver): void {
    if (this.#isWokenSoon) return;
    this.#isWokenSoon = true;
    this.#world.at(
      0,
      this.alive(() => {
        this.#isWokenSoon = false;
        driver.wake();
      }),
    );
  }

  /** kill -9: the kernel's state stays until its lease ends. */
  kill(): void {
    this.up = false;
    this.frozen = false;
    this.talking = false;
    this.#waiting = [];
    this.actuator.orphan();
    this.changed();
  }

  /** Both ports dark, and nothing left of its kernel. */
  powerOff(): void {
    this.actuator.forget();
    this.kill();
    this.lan = false;
    this.wan = false;
    this.gateUntilMs = 0;
    this.configured = false;
    this.rulesFlushed = false;
    this.uplinkRaised = false;
  }

  freeze(): void {
    this.frozen = true;
  }

  /** The process runs again: timers first or sockets first, as it happens; datagrams in their order. */
  thaw(): void {
    this.actuator.resume();
    this.frozen = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    const datagramsFirst = this.chance.is(0.5);
    const order = [
      ...waiting.filter((w) => w.datagram === datagramsFirst),
      ...waiting.filter((w) => w.datagram !== datagramsFirst),
    ];
    for (const { act } of order) this.#world.at(0, act);
  }

  /** The kernel tells the daemon something. */
  tell(event: 'lan' | 'wan' | 'foreigner' | 'rival-lan' | 'rival-wan'): void {
    const { nowMs } = this.#world;
    if (event.startsWith('rival')) {
      if (nowMs - (this.#rivalToldMs.get(event) ?? Number.NEGATIVE_INFINITY) < RIVAL_QUIET_MS) return;
      this.#rivalToldMs.set(event, nowMs);
    }
    const side: Side = event.endsWith('wan') ? 'uplink' : 'downlink';
    this.#world.at(
      1,
      this.alive(() => {
        const events = this.driver?.actuatorEvents;
        if (event === 'foreigner') events?.foreignerHeard(SERVICE);
        else if (event.startsWith('rival')) events?.rivalHeard(SERVICE, side, '');
        else events?.linkChanged(SERVICE, side);
      }),
    );
  }
}
