/**
 * Tells one side's neighbours where the roving addresses are now: gratuitous ARP, unsolicited neighbour
 * advertisements, and the slides' broadcast ping, at growing distance. Invariant: nothing is said while the
 * service's gate is not open: raw frames pass by the kernel's gate, so that each one is weighed here.
 */
import type { AddressPrefix } from './config.ts';
import type { Ear } from './ear.ts';
import { advertisement, BROADCAST_MAC, echoRequest4, gratuitousArp } from './frames.ts';
import { parseIp } from './ip.ts';
import { confirmed, type Outcome, unknown } from './outcome.ts';

/** When to announce after a takeover; then once in `LATER_MS`, since a switch may forget or be replaced. */
const AT_MS = [30, 120, 500, 2000];
const LATER_MS = 30_000;
/** The broadcast ping comes late: its answers must not get into the way of the first clients. */
const PING_FROM_MS = 120;

export class Announcer {
  private readonly ear: Ear;
  private readonly addresses: readonly Buffer[];
  private readonly isOpen: () => boolean;
  private timers: NodeJS.Timeout[] = [];

  constructor(ear: Ear, addresses: readonly AddressPrefix[], isOpen: () => boolean) {
    this.ear = ear;
    this.addresses = addresses.flatMap((a) => parseIp(a.address)?.bytes ?? []);
    this.isOpen = isOpen;
    // Compiled before the first takeover, when everybody waits for these frames.
    this.frames(Buffer.alloc(6), true);
  }

  /** Announces at once and goes on until `stop`. */
  start(): Outcome {
    this.stop();
    const isOpen = this.isOpen();
    // Before all else: clients send to the old master till then.
    const errno = isOpen ? this.say(false) : 0;
    for (const atMs of AT_MS) this.timers.push(setTimeout(() => this.say(atMs >= PING_FROM_MS), atMs));
    this.timers.push(setInterval(() => this.say(false), LATER_MS));
    if (!isOpen) return unknown('the gate is shut: nothing was announced');
    return errno === 0
      ? confirmed(`announced on ${this.ear.device}`)
      : unknown(`${this.ear.device}: errno ${errno}`);
  }

  stop(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers = [];
  }

  private say(ping: boolean): number {
    const mac = this.ear.link?.mac;
    let errno = 0;
    if (mac === undefined) return errno;
    for (const frame of this.frames(mac, ping)) {
      if (!this.isOpen()) return errno;
      errno = this.ear.send(frame) || errno;
    }
    return errno;
  }

  private frames(mac: Buffer, ping: boolean): Buffer[] {
    return this.addresses.flatMap((address) => {
      if (address.length === 16) return [advertisement(mac, address)];
      const asked = Buffer.from([255, 255, 255, 255]);
      const pings = ping ? [echoRequest4(BROADCAST_MAC, mac, address, asked, 0, 0)] : [];
      return [...gratuitousArp(mac, address), ...pings];
    });
  }
}
