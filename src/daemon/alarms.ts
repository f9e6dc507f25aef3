/** What is wrong now, for operators: kept for `status`, told to the operational log when it changes. */
import type { ServiceName } from '../core/basics.ts';
import type { AlarmCode } from '../core/effects.ts';
import type { Log } from './log.ts';

/** The core's alarms, and those of this process itself. */
export type AnyAlarm =
  | AlarmCode
  | 'event-log'
  | 'stall'
  | 'jitter'
  | 'roster-differs'
  | 'roster-trouble'
  | 'duplicate-host'
  | 'port-filter'
  | 'uplink-guard'
  | 'conntrackd'
  | 'actuator'
  | 'raised-too-often'
  | 'standby-record';

export interface Alarm {
  readonly code: AnyAlarm;
  readonly service: ServiceName | null;
  readonly detail: string;
  /** Wall clock, ISO 8601. */
  readonly since: string;
}

export class Alarms {
  readonly #log: Log;
  readonly #raised = new Map<string, Alarm>();
  /** Told when an alarm is raised or cleared that the core did not log itself. */
  onChange: (code: AnyAlarm, service: ServiceName | null, on: boolean, detail: string) => void = () =>
    undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  /** `logged`: the event log has it already, by the core's own words, as all that the core says of a service. */
  set(code: AnyAlarm, service: ServiceName | null, on: boolean, detail: string, logged = false): void {
    const id = `${code} ${service ?? ''}`;
    const before = this.#raised.get(id);
    if (!logged && on !== (before !== undefined)) this.onChange(code, service, on, detail);
    if (!on) {
      if (this.#raised.delete(id)) this.#log.info({ alarm: code, service }, 'alarm cleared');
      return;
    }
    if (before?.detail === detail) return;
    this.#raised.set(id, { code, service, detail, since: before?.since ?? new Date().toISOString() });
    this.#log.warn({ alarm: code, service, detail }, 'alarm');
  }

  /** A reload left these services; what was wrong with others concerns nobody any more. */
  keepOnly(services: readonly ServiceName[]): void {
    for (const { code, service } of this.list())
      if (service !== null && !services.includes(service)) this.set(code, service, false, '');
  }

  /** All that are raised, the oldest first. */
  list(): Alarm[] {
    return [...this.#raised.values()];
  }
}
