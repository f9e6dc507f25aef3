/** Once faults have stopped: within the bound exactly one host serves on both sides, and it is the same to the end. */
import type { Host } from '../host.ts';
import type { World } from '../world.ts';
import type { Judge } from './judge.ts';

export class LivenessJudge implements Judge {
  readonly #fromMs: number;
  /** Preemption may move the service in good order: a gap of so much, another master after it. */
  readonly #gapMs: number;
  #master: Host | null = null;
  #goneMs: number | null = null;
  #told = false;

  constructor(w: World, boundMs: number, gapMs: number) {
    this.#fromMs = w.nowMs + boundMs;
    this.#gapMs = gapMs;
    w.at(boundMs, () => w.touch());
  }

  changed(w: World): void {
    if (w.nowMs < this.#fromMs || this.#told) return;
    const active = w.hosts.filter((h) => h.active(w.nowMs));
    const [one] = active.filter((h) => h.lanPort && h.wanPort);
    if (active.length > 1) this.#tell(w, `${active.map((h) => h.name).join(' and ')} serve`);
    else if (one === undefined) {
      this.#goneMs ??= w.nowMs;
      // Looked at again when the gap has become too long.
      if (w.nowMs - this.#goneMs >= this.#gapMs)
        this.#tell(w, this.#master === null ? 'nobody serves' : `${this.#master.name} no longer serves`);
      else w.at(this.#goneMs + this.#gapMs - w.nowMs, () => w.touch());
    } else {
      if (this.#master !== null && one !== this.#master && this.#gapMs === 0) {
        this.#tell(w, `${this.#master.name} did not stay master; ${one.name} is`);
      }
      this.#master = one;
      this.#goneMs = null;
    }
  }

  #tell(w: World, what: string): void {
    this.#told = true;
    const places = w.hosts.map((h) => `${h.name} ${h.up ? h.place : 'down'}`).join(', ');
    w.violation('liveness', null, `${what}: ${places}`);
  }
}
