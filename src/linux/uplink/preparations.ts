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
  /** By device: the services that may soon want it. */
  private readonly wanting = new Map<string, Set<string>>();
  private readonly nowMs: () => number;

  constructor(nowMs: () => number = () => performance.now()) {
    this.nowMs = nowMs;
  }

  has(device: string): boolean {
    return this.timers.has(device);
  }

  /**
   * Begins one, or joins the one that runs, for that service; calls `onLimit` when it has lasted too long, whoever still wants it.
   * Returns why it may not, or null.
   */
  begin(device: string, service: string, onLimit: () => void): string | null {
    const restMs = (this.pauses.get(device)?.notBeforeMs ?? 0) - this.nowMs();
    if (!this.timers.has(device) && restMs > 0)
      return `${device} was prepared in vain lately; not again for ${Math.ceil(restMs)} ms`;
    const wanting = this.wanting.get(device) ?? new Set();
    this.wanting.set(device, wanting.add(service));
    if (this.timers.has(device)) return null;
    const over = (): void => {
      this.wanting.delete(device);
      onLimit();
    };
    this.timers.set(device, setTimeout(over, LONGEST_MS));
    return null;
  }

  /** That service does not need it. Returns whether there was one, and nobody else may need it either: it is over. */
  end(device: string, service: string): boolean {
    const wanting = this.wanting.get(device);
    wanting?.delete(service);
    if ((wanting?.size ?? 0) > 0 || !this.stop(device)) return false;
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
    this.wanting.delete(device);
    clearTimeout(this.timers.get(device));
    return this.timers.delete(device);
  }
}
