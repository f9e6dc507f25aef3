/** Figures, no verdicts: for how long nobody served, two did, an uplink was up in a wrong place. */
import type { World } from '../world.ts';
import type { Judge } from './judge.ts';

export class Service implements Judge {
  overlapMs = 0;
  outageMs = 0;
  standbyUplinkMs = 0;
  /** Ends of outages: when they began, and how long they were. */
  onOutage: ((fromMs: number, ms: number) => void) | null = null;
  #sinceMs = 0;
  #overlap = false;
  #wrongUplinks = 0;
  #outageSinceMs: number | null = 0;

  changed(w: World): void {
    const { nowMs } = w;
    this.#account(nowMs);
    let lan = 0;
    let wan = 0;
    let served = false;
    let wrong = 0;
    for (const host of w.hosts) {
      if (host.active(nowMs)) {
        if (host.lanPort) lan++;
        if (host.wanPort) wan++;
        served ||= host.lanPort && host.wanPort;
      }
      if (
        host.up &&
        host.uplinkRaised &&
        !/^(handover|service|init.cleaning)/.test(host.place ?? 'init.cleaning')
      )
        wrong++;
    }
    this.#overlap = lan > 1 || wan > 1;
    this.#wrongUplinks = wrong;
    if (!served) this.#outageSinceMs ??= nowMs;
    else if (this.#outageSinceMs !== null) {
      this.onOutage?.(this.#outageSinceMs, nowMs - this.#outageSinceMs);
      this.#outageSinceMs = null;
    }
  }

  reset(nowMs: number): void {
    this.#account(nowMs);
    this.overlapMs = 0;
    this.outageMs = 0;
    this.standbyUplinkMs = 0;
    if (this.#outageSinceMs !== null) this.#outageSinceMs = nowMs;
  }

  /** What was true since the last change. */
  #account(nowMs: number): void {
    const ms = nowMs - this.#sinceMs;
    this.#sinceMs = nowMs;
    if (this.#overlap) this.overlapMs += ms;
    this.standbyUplinkMs += ms * this.#wrongUplinks;
    if (this.#outageSinceMs !== null) this.outageMs = Math.max(this.outageMs, nowMs - this.#outageSinceMs);
  }
}
