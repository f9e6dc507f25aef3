/**
 * What the actuator lets the network process ask for, whatever it has become (spec/threats.md, H11). An uplink may be
 * raised only while tokens are left; that opens a window, and only inside it may the service be activated and its gate
 * opened for the first time. A gate that is open may be renewed, so often and no more. Lowering is always allowed. Pure.
 */
import { IdleUplinks } from './idle.ts';

export interface PermitOptions {
  /** The longest handover: how long a window is. */
  readonly windowMs: number;
  /** The longest that an uplink is up without an order to open its gate: no attempt, nor a suspension after a lease, lasts as long. */
  readonly idleMs: number;
  /** How many raisings of one uplink may come at once, and after how long there is one more. */
  readonly burst: number;
  readonly everyMs: number;
  /** A gate is renewed twice an interval. */
  readonly intervalMs: number;
}

/** Orders that lower: never refused for being late. */
export const LOWERING: ReadonlySet<string> = new Set([
  'deactivateService',
  'deactivateUplink',
  'announceReleaseUplink',
  'announceReleaseDownlink',
]);

/** Orders to open that may come at once: a busy host's come in heaps. */
const RENEWALS_BURST = 40;
/** A renewal each half interval; under `quorum` the answers of a round may lengthen the right in steps. */
const RENEWALS_AN_INTERVAL = 4;

/** Tokens that come back with time. */
export class Bucket {
  private readonly burst: number;
  private everyMs: number;
  private left: number;
  private atMs: number | null = null;

  constructor(burst: number, everyMs: number) {
    this.burst = burst;
    this.everyMs = everyMs;
    this.left = burst;
  }

  /** Takes one, if there is one. */
  take(nowMs: number): boolean {
    if (this.atMs !== null)
      this.left = Math.min(this.burst, this.left + Math.max(0, nowMs - this.atMs) / this.everyMs);
    this.atMs = nowMs;
    if (this.left < 1) return false;
    this.left--;
    return true;
  }

  /** The same tokens under other numbers. */
  changed(burst: number, everyMs: number): Bucket {
    const next = new Bucket(burst, everyMs);
    next.left = Math.min(burst, this.left);
    next.atMs = this.atMs;
    return next;
  }
}

interface Standing {
  /** The uplink that it was raised for and not lowered since; null: none. */
  uplink: string | null;
  windowUntilMs: number;
  isActive: boolean;
  wasOpened: boolean;
  readonly renewals: Bucket;
}

export class Permit {
  private options: PermitOptions;
  /** By uplink. Outlives every session: whoever connects anew has no more of it. */
  private readonly raisings = new Map<string, Bucket>();
  private readonly services = new Map<string, Standing>();
  private readonly uplinks = new IdleUplinks();

  constructor(options: PermitOptions) {
    this.options = options;
  }

  configure(options: PermitOptions): void {
    this.options = options;
    for (const [uplink, bucket] of this.raisings)
      this.raisings.set(uplink, bucket.changed(options.burst, options.everyMs));
  }

  /** The host was made harmless: nothing is active, no window open. */
  forget(): void {
    this.services.clear();
    this.uplinks.forget();
  }

  /** Services whose uplink is up though no gate of theirs was opened for too long; they count as lowered from now on. */
  takeIdle(nowMs: number): string[] {
    const idle = this.uplinks.over(nowMs);
    for (const service of idle) this.lowered(service);
    return idle;
  }

  /** activateUplink. Inside a window it may be ordered again; an uplink that another service holds up is not raised by it. */
  mayRaise(service: string, uplink: string, nowMs: number): boolean {
    const standing = this.of(service);
    if (nowMs < standing.windowUntilMs) return true;
    const holders = [...this.services].flatMap(([other, { uplink: held }]) =>
      other !== service && held === uplink ? [other] : [],
    );
    if (holders.length === 0 && !this.bucketOf(uplink).take(nowMs)) return false;
    standing.uplink = uplink;
    standing.windowUntilMs = nowMs + this.options.windowMs;
    standing.wasOpened = false;
    const { idleMs } = this.options;
    if (holders.length === 0) this.uplinks.used(service, nowMs, idleMs);
    else this.uplinks.joined(service, holders, nowMs, idleMs);
    return true;
  }

  /** activateService. */
  mayActivate(service: string, nowMs: number): boolean {
    const standing = this.of(service);
    if (nowMs >= standing.windowUntilMs) return false;
    standing.isActive = true;
    return true;
  }

  /** The gate, open until some time. */
  mayOpen(service: string, nowMs: number): boolean {
    const standing = this.of(service);
    if (!standing.isActive || (!standing.wasOpened && nowMs >= standing.windowUntilMs)) return false;
    if (!standing.renewals.take(nowMs)) return false;
    standing.wasOpened = true;
    this.uplinks.used(service, nowMs, this.options.idleMs);
    return true;
  }

  /** deactivateService: from here on the gate stays shut. */
  deactivated(service: string): void {
    const standing = this.of(service);
    standing.isActive = false;
    standing.wasOpened = false;
  }

  /** deactivateUplink: the window is over. */
  lowered(service: string): void {
    this.deactivated(service);
    this.uplinks.lowered(service);
    const standing = this.of(service);
    standing.windowUntilMs = Number.NEGATIVE_INFINITY;
    standing.uplink = null;
  }

  private bucketOf(uplink: string): Bucket {
    const { burst, everyMs } = this.options;
    const found = this.raisings.get(uplink) ?? new Bucket(burst, everyMs);
    this.raisings.set(uplink, found);
    return found;
  }

  private of(service: string): Standing {
    let found = this.services.get(service);
    if (found === undefined) {
      const everyMs = this.options.intervalMs / RENEWALS_AN_INTERVAL;
      found = {
        uplink: null,
        windowUntilMs: Number.NEGATIVE_INFINITY,
        isActive: false,
        wasOpened: false,
        renewals: new Bucket(RENEWALS_BURST, everyMs),
      };
      this.services.set(service, found);
    }
    return found;
  }
}
