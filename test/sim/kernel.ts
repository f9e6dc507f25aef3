/**
 * One host's modelled kernel: what stays when its daemon dies. Switch ports, the uplink's device, the configured
 * service and the gate. What judges look at lives here and nowhere else; each change of it is told.
 * Times are true time (ms) unless said otherwise; the gate's own clock is the kernel's, which may be slewed.
 */

export type SwitchPort = 'lan' | 'wan' | 'lanMute' | 'wanMute';

/** A host's clock: it starts somewhere and runs at its own rate. That of its kernel's timers may be slewed beside it. */
export class HostClock {
  readonly offsetMs: number;
  /** Its seconds in a true second. */
  readonly rate: number;
  readonly kernelRate: number;

  constructor(offsetMs = 0, rate = 1, kernelRate = rate) {
    this.offsetMs = offsetMs;
    this.rate = rate;
    this.kernelRate = kernelRate;
  }

  at(trueMs: number): number {
    return this.offsetMs + this.rate * trueMs;
  }

  /** When it will show that time. */
  trueMs(atMs: number): number {
    return (atMs - this.offsetMs) / this.rate;
  }
}

export class Kernel {
  /** Set by the world: something that a judge may want to see has changed. */
  changed: () => void = () => undefined;
  #lan = true;
  #wan = true;
  #lanMute = false;
  #wanMute = false;
  #uplinkRaised = false;
  #configured = false;
  #gateUntilMs = 0;
  #frozen = false;
  rulesFlushed = false;
  /** The kernel refuses to open the gate. */
  gateBroken = false;
  /** Somebody raised the uplink behind the daemon's back: the guard has until then to take it down. */
  intruderUntilMs = 0;
  /** For the judges' own test: orders to shut, and the lease, are ignored. */
  gateStuck = false;

  /** Switch ports: one that is off takes the carrier away; a mute one only the frames. */
  get lan(): boolean {
    return this.#lan;
  }
  set lan(on: boolean) {
    this.#lan = on;
    this.changed();
  }
  get wan(): boolean {
    return this.#wan;
  }
  set wan(on: boolean) {
    this.#wan = on;
    this.changed();
  }
  get lanMute(): boolean {
    return this.#lanMute;
  }
  set lanMute(on: boolean) {
    this.#lanMute = on;
    this.changed();
  }
  get wanMute(): boolean {
    return this.#wanMute;
  }
  set wanMute(on: boolean) {
    this.#wanMute = on;
    this.changed();
  }
  get uplinkRaised(): boolean {
    return this.#uplinkRaised;
  }
  set uplinkRaised(up: boolean) {
    this.#uplinkRaised = up;
    this.changed();
  }
  /** Roving addresses, routes and rules are there; the gate decides whether anything passes. */
  get configured(): boolean {
    return this.#configured;
  }
  set configured(on: boolean) {
    this.#configured = on;
    this.changed();
  }
  /** When the gate shuts by itself. */
  get gateUntilMs(): number {
    return this.gateStuck && this.#gateUntilMs > 0 ? Number.POSITIVE_INFINITY : this.#gateUntilMs;
  }
  set gateUntilMs(atMs: number) {
    if (this.gateStuck && atMs === 0) return;
    this.#gateUntilMs = atMs;
    this.changed();
  }
  /** No process of this host gets the processor; the kernel goes on. */
  get frozen(): boolean {
    return this.#frozen;
  }
  set frozen(on: boolean) {
    this.#frozen = on;
    this.changed();
  }

  gateOpen(nowMs: number): boolean {
    return this.gateUntilMs > nowMs;
  }

  /** Service active: configured, and the gate open. */
  active(nowMs: number): boolean {
    return this.#configured && this.gateOpen(nowMs);
  }

  get lanPort(): boolean {
    return this.#lan && !this.#lanMute;
  }

  /** The uplink carries frames: raised, with a port that is on. */
  get wanPort(): boolean {
    return this.#wan && !this.#wanMute && this.#uplinkRaised;
  }
}
