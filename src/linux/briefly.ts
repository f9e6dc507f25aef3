/**
 * What was read of the kernel a moment ago: the services of a host look at the same tables at the same time, and one look serves
 * them all. What this process changes itself is forgotten at once, so that a change is always read back anew.
 */

/** Nobody else's change is missed for longer. */
const MOMENT_MS = 20;

export class Briefly<T> {
  private readonly read: () => T;
  private readonly nowMs: () => number;
  private held: { readonly atMs: number; readonly value: T } | null = null;

  constructor(read: () => T, nowMs: () => number = () => performance.now()) {
    this.read = read;
    this.nowMs = nowMs;
  }

  get(): T {
    const atMs = this.nowMs();
    if (this.held === null || atMs - this.held.atMs > MOMENT_MS) this.held = { atMs, value: this.read() };
    return this.held.value;
  }

  /** What is held, however old; null: nothing. */
  get last(): T | null {
    return this.held?.value ?? null;
  }

  forget(): void {
    this.held = null;
  }
}
