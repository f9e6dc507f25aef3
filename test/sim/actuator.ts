/**
 * The modelled Linux side of one host: procedures take time, may be slow or fail, tests may lie; the gate is ordered
 * as src/linux/gate.ts does it, with a pause between the clock read and the kernel call where a fault puts one.
 * A switch that runs when its daemon is killed is done, or not: the service manager ends what the daemon started.
 */
import type { Procedure, Side, Verdict } from '../../src/core/index.ts';
import type { Host } from './host.ts';
import type { World } from './world.ts';

/** The kernel's timer may be late by so much (one jiffy at 250 Hz). */
const JIFFY_MS = 4;
/** Nothing shorter is ordered (src/linux/gate.ts). */
const SHORTEST_MS = 10;
/** After a longer pause between clock read and kernel call the order is made anew (src/linux/gate.ts). */
const LATE_MS = 2;
const TRIES = 3;

/** A procedure is cut off after this time. */
const LIMIT_MS = 1000;

/** What a fault does to a procedure. */
export interface ProcedureFault {
  readonly slowMs: number;
  /** Ends without having done or seen anything. */
  readonly fails: boolean;
  /** A test that says this whatever is true; null: it says what it sees. */
  readonly says: Verdict | null;
}

export class Actuator {
  readonly #world: World;
  readonly #host: Host;
  readonly faults = new Map<Procedure, ProcedureFault>();
  /** When a test last lied by a fault's will; -1: never. */
  liedAtMs = -1;
  /** The pause between clock read and kernel call of the next gate orders (ms). */
  gatePauseMs = 0;
  /** What a process that is paused before its kernel call goes on with. */
  #interrupted: (() => void) | null = null;
  /** Procedures under way. */
  readonly #underway = new Set<{ readonly look: () => Verdict }>();
  #gateTimer = false;
  /** When the last gate order is carried out. */
  #gateMs = 0;
  /** When the last switch or announcement ends: they run one after the other, tests beside them (src/linux/lane.ts). */
  #laneMs = 0;

  constructor(world: World, host: Host) {
    this.#world = world;
    this.#host = host;
  }

  run(procedure: Procedure, ended: (verdict: Verdict) => void): void {
    const fault = this.faults.get(procedure);
    const [ms, look] = this.#procedure(procedure);
    const tookMs = Math.min(ms * (0.7 + 0.6 * this.#host.chance.next()) + (fault?.slowMs ?? 0), LIMIT_MS);
    let endsAfterMs = tookMs;
    if (!procedure.startsWith('check')) {
      this.#laneMs = Math.max(this.#laneMs, this.#world.nowMs) + tookMs;
      endsAfterMs = this.#laneMs - this.#world.nowMs;
    }
    const flight = { look };
    this.#underway.add(flight);
    this.#world.at(endsAfterMs, () => {
      if (!this.#underway.delete(flight)) return;
      const seen = fault?.fails === true ? 'unknown' : look();
      if (fault?.says != null) this.liedAtMs = this.#world.nowMs;
      this.#host.alive(() => ended(fault?.says ?? seen))();
    });
  }

  /** The daemon died, and its tools with it: each just before its end or just before its deed. */
  orphan(): void {
    for (const { look } of this.#underway) if (this.#host.chance.is(0.5)) look();
    this.forget();
  }

  /** The power went. */
  forget(): void {
    this.#underway.clear();
    this.#laneMs = 0;
  }

  probeAddresses(side: Side, ended: (answered: boolean) => void, waitMs: number): void {
    this.#world.at(
      this.#world.times.timing.probes * waitMs,
      this.#host.alive(() => ended(this.#world.answered(this.#host, side))),
    );
  }

  gate(untilMs: number | null, set: (openUntilMs: number | null) => void): void {
    const host = this.#host;
    // Orders are carried out in the order in which they were given.
    this.#gateMs = Math.max(this.#gateMs, this.#world.nowMs + 0.2 + 0.3 * host.chance.next());
    this.#world.at(
      this.#gateMs - this.#world.nowMs,
      host.alive(() => this.#setGate(untilMs, set, TRIES)),
    );
  }

  /** Whatever wakes a paused process, it makes the call first that it was about to make. */
  resume(): void {
    const goOn = this.#interrupted;
    this.#interrupted = null;
    goOn?.();
  }

  #setGate(untilMs: number | null, set: (openUntilMs: number | null) => void, tries: number): void {
    const host = this.#host;
    const world = this.#world;
    const beforeMs = host.clock.at(world.nowMs);
    const until = untilMs === null ? 0 : Math.min(untilMs, beforeMs + world.times.timing.leaseMs);
    const restMs = Math.floor(until - beforeMs);
    const opens = restMs >= SHORTEST_MS && !host.gateBroken;
    // A second pause between the late call and the look at the clock is beyond what any process can mend.
    const pauseMs = tries === TRIES ? this.gatePauseMs : 0;
    if (tries === TRIES) this.gatePauseMs = 0;
    const call = () => {
      this.#order(opens ? restMs : 0);
      // In the same breath the clock is read again: an order that came late stands for too long.
      const lateMs = host.clock.at(world.nowMs) - beforeMs;
      if (opens && lateMs > LATE_MS && !world.options.staleGate) {
        if (tries > 0) this.#setGate(untilMs, set, tries - 1);
        else {
          this.#order(0);
          set(null);
        }
      } else set(opens ? until : null);
    };
    if (pauseMs === 0) {
      call();
      return;
    }
    // The process is off the processor between the two: nothing else of it runs either.
    const wasFrozen = host.frozen;
    host.frozen = true;
    const { run } = host;
    const goOn = (): void => {
      if (host.up && host.run === run) host.enter(call);
    };
    this.#interrupted = goOn;
    world.at(pauseMs, () => {
      // Woken before.
      if (this.#interrupted !== goOn) return;
      this.resume();
      if (!wasFrozen && host.frozen && host.up && host.run === run) host.thaw();
    });
  }

  /** The kernel: open for that long by its own time, shut at 0. */
  #order(restMs: number): void {
    const host = this.#host;
    const world = this.#world;
    if (restMs === 0) {
      host.gateUntilMs = 0;
      return;
    }
    host.gateUntilMs = world.nowMs + restMs / host.clock.kernelRate + JIFFY_MS * host.chance.next();
    this.#watchLease();
  }

  /** The end of a lease is a change that judges must see. */
  #watchLease(): void {
    if (this.#gateTimer) return;
    this.#gateTimer = true;
    this.#world.at(this.#host.gateUntilMs - this.#world.nowMs, () => {
      this.#gateTimer = false;
      if (this.#host.gateUntilMs > this.#world.nowMs) {
        if (Number.isFinite(this.#host.gateUntilMs)) this.#watchLease();
      } else this.#host.changed();
    });
  }

  /** How long a procedure takes, and what it then does or finds. */
  #procedure(procedure: Procedure): [number, () => Verdict] {
    const host = this.#host;
    const world = this.#world;
    const does = (ms: number, change: () => void): [number, () => Verdict] => [
      ms,
      () => {
        change();
        return 'confirmed';
      },
    ];
    switch (procedure) {
      case 'activateUplink':
        return does(5, () => {
          host.uplinkRaised = true;
        });
      case 'deactivateUplink':
        return does(5, () => {
          host.uplinkRaised = false;
          host.talking = false;
        });
      case 'activateService':
        return does(10, () => {
          host.configured = true;
        });
      case 'deactivateService':
        return does(10, () => {
          host.gateUntilMs = 0;
          host.configured = false;
          host.rulesFlushed = false;
        });
      case 'checkUplink': {
        const good = () => host.wanPort && world.nextHop;
        return [
          good() ? 1 : world.patienceMs,
          () => (good() ? 'confirmed' : host.wan ? 'unknown' : 'refuted'),
        ];
      }
      case 'checkDownlink': {
        if (!host.lan) return [1, () => (host.lan ? 'unknown' : 'refuted')];
        const good = () => host.lanPort && world.foreigners;
        return [good() ? 1 : world.patienceMs, () => (good() ? 'confirmed' : 'lost')];
      }
      case 'checkServiceLocal':
        return [2, () => (host.configured && !host.rulesFlushed ? 'confirmed' : 'unknown')];
      case 'checkServiceRemote':
        return [
          world.answered(host, 'downlink') ? 1 : world.patienceMs,
          () => (world.answered(host, 'downlink') ? 'confirmed' : 'unknown'),
        ];
      case 'announceTakeoverDownlink':
      case 'announceTakeoverUplink':
        return does(1, () =>
          world.announced(host, procedure === 'announceTakeoverDownlink' ? 'downlink' : 'uplink'),
        );
      default:
        return does(1, () => undefined);
    }
  }
}
