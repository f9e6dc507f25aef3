/**
 * Uplinks that were raised for nothing (spec/threats.md, H11). Whoever gives the orders may have an uplink raised, and then ask
 * for no more: it would stay up for as long as he beats. After a time in which any honest handover has either opened
 * its gate or rolled back, the actuator lowers it by itself.
 */
import type { LinuxActuator } from '../actuator.ts';
import type { Log } from './record.ts';

/** Per service, until when its uplink may be up without a gate that is opened. Pure. */
export class IdleUplinks {
  private readonly until = new Map<string, number>();

  /** Raised, or its gate opened: it has `idleMs` from now on. */
  used(service: string, nowMs: number, idleMs: number): void {
    this.until.set(service, nowMs + idleMs);
  }

  /** Raised, its uplink being up for those others already: it has what the best of them has left. Joining by turns must gain no time. */
  joined(service: string, others: readonly string[], nowMs: number, idleMs: number): void {
    const theirs = others.map((other) => this.until.get(other) ?? nowMs);
    this.until.set(service, Math.min(nowMs + idleMs, Math.max(...theirs)));
  }

  lowered(service: string): void {
    this.until.delete(service);
  }

  forget(): void {
    this.until.clear();
  }

  over(nowMs: number): string[] {
    return [...this.until].filter(([, untilMs]) => nowMs > untilMs).map(([service]) => service);
  }
}

/** Takes these services and their uplinks down, unasked; `log` is root's own record of it. */
export function lowerIdle(services: readonly string[], actuator: LinuxActuator | null, log: Log): void {
  for (const service of services) {
    log('warn', 'raised for nothing: lowered', { service });
    // Nobody's orders: their answers have no number, and pass for news that is no news.
    for (const procedure of ['deactivateService', 'deactivateUplink'] as const)
      actuator?.run(service, procedure, 0);
  }
}
