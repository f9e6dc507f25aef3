/**
 * Whether the other process lives, from what it says itself: each beat says until when it will have beaten again. Late is
 * not dead: who was paused himself first reads what has come meanwhile, and then judges. Pure but for the clock.
 */

/** Shortest time between two beats that counts as silence: a busy host is kept from running for some of it. */
const SHORTEST_ALIVE_MS = 200;
const SHORTEST_PATIENCE_MS = 1000;
/** As pulse.ts beats. */
const PERIOD_MS = 250;

/** How long a beat counts: one lease, but not less than a busy host needs to say it again. */
export function aliveMs(leaseMs: number): number {
  return Math.max(leaseMs, SHORTEST_ALIVE_MS);
}

/** How long either side then waits for a sign of life before it takes the other for dead. */
export function patienceMs(leaseMs: number): number {
  return Math.max(aliveMs(leaseMs), SHORTEST_PATIENCE_MS);
}

export class Liveness {
  leaseMs: number;
  private readonly nowMs: () => number;
  private deadlineMs = Number.NEGATIVE_INFINITY;
  /** From when on silence is judged. */
  private judgeFromMs: number;
  private tickedMs: number;

  constructor(leaseMs: number, nowMs: () => number) {
    this.leaseMs = leaseMs;
    this.nowMs = nowMs;
    this.judgeFromMs = nowMs();
    this.tickedMs = nowMs();
  }

  /** How often `isDead` is to be asked. */
  get periodMs(): number {
    return PERIOD_MS;
  }

  get untilMs(): number {
    return this.deadlineMs;
  }

  get isAlive(): boolean {
    return this.nowMs() < this.deadlineMs;
  }

  /** Never further ahead than one beat from now, whatever was said. */
  beat(deadlineMs: number): void {
    const nowMs = this.nowMs();
    const untilMs = Math.min(deadlineMs, nowMs + aliveMs(this.leaseMs));
    if (untilMs > nowMs) this.deadlineMs = Math.max(this.deadlineMs, untilMs);
  }

  /** Nothing that was said counts any more. */
  forget(): void {
    this.deadlineMs = Number.NEGATIVE_INFINITY;
  }

  /** Whether the silence has lasted too long; to be asked once a period. */
  isDead(): boolean {
    const nowMs = this.nowMs();
    if (nowMs - this.tickedMs > 2 * this.periodMs) this.judgeFromMs = nowMs;
    this.tickedMs = nowMs;
    return nowMs - Math.max(this.deadlineMs, this.judgeFromMs) > patienceMs(this.leaseMs);
  }
}
