/** The event log of a running daemon, put together: disk, writer, peers' heads, and what the endpoint shows of it. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Scalar } from '../audit/entry.ts';
import { Members } from '../audit/members.ts';
import type { JournalEntry } from '../driver/ports.ts';
import { rawNowMs } from '../linux/libc.ts';
import { thumbprint } from '../trust/fingerprint.ts';
import type { Endpoint } from '../wire/endpoint.ts';
import { RUN_BYTES, type ShownHead } from '../wire/head.ts';
import type { Alarms, AnyAlarm } from './alarms.ts';
import type { Config } from './config/config.ts';
import { groupsOf } from './config/groups.ts';
import type { Loaded } from './config/read.ts';
import { EventLog } from './event-log.ts';
import { EvidenceKeeper } from './evidence.ts';
import { nodeDisk } from './log-disk.ts';

const TICK_MS = 1000;

/** Where a host's log lies. */
export function logDirectory(state: string): string {
  return join(state, 'log');
}

export class AuditTrail {
  readonly log: EventLog;
  readonly evidence: EvidenceKeeper;
  readonly #timer: NodeJS.Timeout;
  #endpoint: Endpoint | null = null;
  #head: ShownHead | null = null;
  #filtered: () => { readonly [code: string]: number } = () => ({});

  private constructor({ config, identity }: Loaded, alarms: Alarms) {
    const { settings, roster } = config;
    const run = Uint8Array.from(randomBytes(RUN_BYTES));
    this.log = new EventLog({
      disk: nodeDisk(logDirectory(settings.state)),
      clusterId: roster.clusterId,
      kid: thumbprint(identity.publicKey),
      sign: identity.sign,
      keys: new Members(roster).keys,
      run,
      roster,
      limits: settings.log,
      now: rawNowMs,
      wall: Date.now,
      onTrouble: (error) =>
        alarms.set('event-log', null, error !== null, `the event log cannot be written: ${error}`),
      onDurable: (head) => this.#show(head),
      opened: { host: settings.host, cluster: settings.cluster, pid: process.pid },
    });
    const { checkpointMs } = settings.log;
    this.evidence = new EvidenceKeeper({ log: this.log, run, now: rawNowMs, checkpointMs });
    this.#timer = setInterval(() => {
      this.evidence.filtered(this.#filtered());
      this.evidence.tick();
    }, TICK_MS).unref();
    alarms.onChange = (code, service, on, detail) => this.log.append(alarmEntry(code, service, on, detail));
  }

  /** Opens the log, and repairs it where a crash tore it. Never fails: trouble is an alarm, and tried again. */
  static async open(loaded: Loaded, alarms: Alarms): Promise<AuditTrail> {
    const trail = new AuditTrail(loaded, alarms);
    await trail.log.open();
    trail.configured(loaded.config);
    return trail;
  }

  /** Says by what each service is decided from here on: without it nobody could reckon a guard anew. */
  configured({ core: { timing, services }, settings }: Pick<Config, 'core' | 'settings'>): void {
    const groups = groupsOf(settings.services);
    for (const { name, ...service } of services) {
      // The log names a group by the first of its members' names.
      const group = groups.find(([first]) => first === name) ?? [name];
      const together = group.length > 1 ? { together: group } : {};
      const all = Object.entries({ ...timing, ...service, ...together });
      const data = Object.fromEntries(all.map(([key, value]) => [key, scalar(value)] as const));
      const text = `policy ${service.policy}, lease ${timing.leaseMs} ms`;
      this.log.add({ kind: 'configured', service: name, text, data });
    }
  }

  /** An operator's order that the core does not hear of. */
  operator(text: string): void {
    this.log.append({ service: null, kind: 'operator', text });
  }

  /** The uplink was raised by somebody else, and is down again. */
  guarded(service: string, text: string): void {
    this.log.append({ service, kind: 'alarm', text, data: { code: 'uplink-raised' } });
  }

  /**
   * From here on this endpoint's words show how far the log has come. `filtered`: what the kernel has dropped at the
   * cluster's port so far, by reason.
   */
  attach(endpoint: Endpoint, filtered: () => { readonly [code: string]: number }): void {
    this.#endpoint = endpoint;
    this.#filtered = filtered;
    this.#show(this.#head);
  }

  async close(limitMs: number): Promise<void> {
    clearInterval(this.#timer);
    this.evidence.filtered(this.#filtered());
    this.evidence.finish();
    await this.log.close(limitMs);
  }

  #show(head: ShownHead | null): void {
    this.#head = head;
    this.#endpoint?.setHeads(head, (host) => this.evidence.heldOf(host));
  }
}

function scalar(value: unknown): Scalar {
  const isScalar = value === null || ['string', 'number', 'boolean'].includes(typeof value);
  return isScalar ? (value as Scalar) : JSON.stringify(value);
}

/** An alarm in the words that the core has for those of a service. */
function alarmEntry(code: AnyAlarm, service: string | null, on: boolean, detail: string): JournalEntry {
  const text = `${code} ${on ? 'raised' : 'cleared'}${!on || detail === '' ? '' : `: ${detail}`}`;
  return { service, kind: 'alarm', text, data: { code, on } };
}
