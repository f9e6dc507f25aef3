/**
 * Tests that several services ask for alike are made once for all who wait. Invariant: each asker gets the outcome of a test
 * that began after it had asked; at most one test of a kind runs at a time.
 */
import type { GatewayService } from './config.ts';

export class Shared<T> {
  private readonly running = new Map<string, Promise<T>>();
  private readonly next = new Map<string, Promise<T>>();

  /** Makes the test, or joins the one that begins when the present one of that kind has ended. */
  run(kind: string, test: () => Promise<T>): Promise<T> {
    const running = this.running.get(kind);
    if (running === undefined) return this.begin(kind, test);
    const waiting = this.next.get(kind);
    if (waiting !== undefined) return waiting;
    const begin = (): Promise<T> => {
      this.next.delete(kind);
      return this.begin(kind, test);
    };
    const joined = running.then(begin, begin);
    this.next.set(kind, joined);
    return joined;
  }

  private begin(kind: string, test: () => Promise<T>): Promise<T> {
    const made = test();
    this.running.set(kind, made);
    const ended = (): void => {
      if (this.running.get(kind) === made) this.running.delete(kind);
    };
    made.then(ended, ended);
    return made;
  }
}

/** Each service's, made once: a configuration is never changed, but replaced. */
const made = new WeakMap<GatewayService, { readonly uplink: string; readonly downlink: string }>();

/** What tests of the next hop have in common when one may stand for another. */
export function uplinkTest(service: GatewayService): string {
  return testsOf(service).uplink;
}

/** The same of the downlink; a program is told the service, so that its answer is that service's alone. */
export function downlinkTest(service: GatewayService): string {
  return testsOf(service).downlink;
}

function testsOf(service: GatewayService): { readonly uplink: string; readonly downlink: string } {
  let found = made.get(service);
  if (found === undefined) {
    const { name, uplink, downlink, limits } = service;
    const isOwn = downlink.checks.some(({ kind }) => kind === 'command');
    found = {
      uplink: JSON.stringify(['uplink', uplink.device, uplink.nextHops, limits.testMs]),
      downlink: JSON.stringify([
        'downlink',
        downlink.device,
        downlink.checks,
        limits.testMs,
        isOwn ? name : '',
      ]),
    };
    made.set(service, found);
  }
  return found;
}
