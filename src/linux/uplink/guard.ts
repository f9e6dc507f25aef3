/**
 * The uplink guard (M4): an uplink that appears or is raised while no service holds it, by whomever, is taken down again.
 * An event means "look now": what counts is the kernel's state and what the uplink is meant to be at that moment,
 * in the same lane as the orders. The gate's tables keep it silent meanwhile.
 */
import type { GatewayService } from '../config.ts';
import { everyQuarters } from '../pulse.ts';
import { textOf } from '../tools.ts';
import type { LinkEvents } from './linkevents.ts';
import type { Intrusion, Uplinks } from './uplinks.ts';

/** A device that cannot be taken away is tried again so much later, twice as long each time. */
const AGAIN_MS = 1000;
const AGAIN_MAX_MS = 60_000;
/** An alarm goes on for so long after the last intrusion. */
const QUIET_MS = 60_000;
/** More in a minute than this: somebody else thinks that the card is his. */
const RAISES_A_MINUTE = 10;
const COUNTED = 100;
const NOTE_MS = 5000;

export interface GuardReport {
  readonly device: string;
  /** What is wrong, for an alarm; null: nothing was, for a minute. */
  readonly alarm: string | null;
  /** What happened just now, for the log; null: nothing new. */
  readonly note: string | null;
}

interface Watched {
  /** A look is ordered and has not begun. */
  pending: boolean;
  /** Within the last minute, at most `COUNTED`. */
  raisedMs: number[];
  notedMs: number;
  trouble: boolean;
  againMs: number;
  againAtMs: number;
}

const NOTHING_YET = {
  ...{ pending: false, notedMs: Number.NEGATIVE_INFINITY, trouble: false },
  ...{ againMs: 0, againAtMs: 0 },
};

export class UplinkGuard {
  private readonly uplinks: Uplinks;
  private readonly events: LinkEvents;
  private readonly services: () => readonly GatewayService[];
  private readonly report: (report: GuardReport) => void;
  private readonly watched = new Map<string, Watched>();
  private stopListening: (() => void) | null = null;
  private stopLooking: (() => void) | null = null;

  /** `services`: those of the configuration as it is then. */
  constructor(
    uplinks: Uplinks,
    events: LinkEvents,
    services: () => readonly GatewayService[],
    report: (report: GuardReport) => void,
  ) {
    this.uplinks = uplinks;
    this.events = events;
    this.services = services;
    this.report = report;
  }

  /** What it finds amiss at once is an earlier run's, and no alarm. */
  async start(): Promise<void> {
    for (const service of this.guarded()) await this.uplinks.enforce(service).catch(() => null);
    this.stopListening = this.events.listen((device) => this.changed(device));
    // Events can be lost: all uplinks are looked at once a second in any case.
    this.stopLooking = everyQuarters(4, () => this.lookAtAll());
    this.lookAtAll();
  }

  stop(): void {
    this.stopListening?.();
    this.stopListening = null;
    this.stopLooking?.();
    this.stopLooking = null;
  }

  /** One service for each device: those that share it mean the same by it. */
  private guarded(): GatewayService[] {
    return [...new Map(this.services().map((s) => [s.uplink.device, s])).values()];
  }

  private changed(device: string | null): void {
    for (const service of this.guarded())
      if (device === null || this.uplinks.concerns(service, device)) this.look(service);
  }

  private lookAtAll(): void {
    for (const service of this.guarded()) {
      this.look(service);
      this.calmDown(service.uplink.device);
    }
  }

  private look(service: GatewayService): void {
    const watched = this.of(service.uplink.device);
    if (watched.pending || !this.isAmiss(service)) return;
    const isTriedAgain = watched.againMs > 0 && !this.uplinks.isUp(service);
    if (isTriedAgain && performance.now() < watched.againAtMs) return;
    watched.pending = true;
    const seenMs = performance.now();
    const { device } = service.uplink;
    this.uplinks
      .enforce(service)
      .then(
        (intrusion) => this.happened(device, intrusion, performance.now() - seenMs),
        (error) => this.tell(device, textOf(error), null),
      )
      .then(() => {
        watched.pending = false;
        // It may have been raised again meanwhile, and that event was passed over.
        if (this.stopListening !== null) this.look(service);
      });
  }

  private isAmiss(service: GatewayService): boolean {
    try {
      return this.uplinks.isAmiss(service);
    } catch {
      return true;
    }
  }

  private happened(device: string, intrusion: Intrusion | null, tookMs: number): void {
    if (intrusion === null) return;
    const watched = this.of(device);
    const { found, outcome, isNew } = intrusion;
    const isDone = outcome.verdict === 'confirmed';
    watched.againMs = isDone ? 0 : Math.min(Math.max(watched.againMs * 2, AGAIN_MS), AGAIN_MAX_MS);
    watched.againAtMs = performance.now() + watched.againMs;
    if (!isNew) return;
    const nowMs = performance.now();
    const lately = watched.raisedMs.filter((at) => at > nowMs - QUIET_MS);
    watched.raisedMs = [...lately.slice(1 - COUNTED), nowMs];
    const often = watched.raisedMs.length > RAISES_A_MINUTE;
    const count = often ? 'again and again: another manager thinks that the card is its own' : 'by others';
    const state = isDone ? '' : `; ${outcome.detail}`;
    // Of a duel not every round is noted.
    const isNoted = !often || nowMs - watched.notedMs > NOTE_MS;
    if (isNoted) watched.notedMs = nowMs;
    const note = `${found} though no service holds it: ${outcome.detail} ${Math.round(tookMs)} ms later`;
    this.tell(device, `${device} was raised ${count}${state}`, isNoted ? note : null);
  }

  private tell(device: string, alarm: string | null, note: string | null): void {
    const watched = this.of(device);
    watched.trouble = alarm !== null;
    if (this.stopListening !== null) this.report({ device, alarm, note });
  }

  private calmDown(device: string): void {
    const watched = this.of(device);
    if (!watched.trouble || watched.againMs > 0) return;
    const lastMs = watched.raisedMs.at(-1) ?? Number.NEGATIVE_INFINITY;
    if (performance.now() - lastMs > QUIET_MS) this.tell(device, null, null);
  }

  private of(device: string): Watched {
    let found = this.watched.get(device);
    if (found === undefined) {
      found = { ...NOTHING_YET, raisedMs: [] };
      this.watched.set(device, found);
    }
    return found;
  }
}
