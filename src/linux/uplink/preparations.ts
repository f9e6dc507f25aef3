/**
 * Which uplinks are prepared: their device is there, down, before it is known whether it will be needed. Bounds it, since a lossy
 * network suspects often, and whoever may ask for it could ask for ever.
 */

/** A preparation that nobody used by then ends by itself. */
const LONGEST_MS = 30_000;
/** After one that was not needed the next may begin so much later, twice as long each time. */
const PAUSE_MS = 5_000;
const PAUSE_MAX_MS = 600_000;

interface Pause {
  readonly ms: number;
  readonly notBeforeMs: number;
}

export class Preparations {
  private readonly timers = new Map<string, NodeJS.Timeout>();
  private readonly pauses = new Map<string, Pause>();
  private readonly nowMs: () => number;

  constructor(nowMs: () => number = () => performance.now()) {
    this.nowMs = nowMs;
  }

  has(device: string): boolean {
    return this.timers.has(device);
  }

  /** Begins one, which calls `onLimit` when it has lasted too long. Returns why it may not, or null; one that runs goes on. */
  begin(device: string, onLimit: () => void): string | null {
    if (this.timers.has(device)) return null;
    const restMs = (this.pauses.get(device)?.notBeforeMs ?? 0) - this.nowMs();
    if (restMs > 0) return `${device} was prepared in vain lately; not again for ${Math.ceil(restMs)} ms`;
    this.timers.set(device, setTimeout(onLimit, LONGEST_MS));
    return null;
  }

  /** It was not needed. Returns whether there was one. */
  end(device: string): boolean {
    if (!this.stop(device)) return false;
    const ms = Math.min((this.pauses.get(device)?.ms ?? PAUSE_MS / 2) * 2, PAUSE_MAX_MS);
    this.pauses.set(device, { ms, notBeforeMs: this.nowMs() + ms });
    return true;
  }

  /** The uplink is raised, or lowered after that: whatever was prepared is over, and was worth it. */
  used(device: string): void {
    this.stop(device);
    this.pauses.delete(device);
  }

  close(): void {
    for (const device of [...this.timers.keys()]) this.stop(device);
  }

  private stop(device: string): boolean {
    clearTimeout(this.timers.get(device));
    return this.timers.delete(device);
  }
}
