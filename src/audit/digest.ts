/**
 * What a report tells beside the verdict, gathered while the entries of all logs go by: refusals, alarms, orders, takeovers and
 * their causes, membership, losses. Every list is bounded, and says how much it left out.
 */
import type { Told } from './merge.ts';

export const ROWS_MAX = 400;

export interface Row {
  readonly host: string;
  readonly n: number;
  readonly wallMs: number;
  readonly service: string | null;
  readonly text: string;
}

export interface Listed {
  readonly rows: Row[];
  /** Rows that were left out. */
  more: number;
}

export interface AlarmRow {
  readonly host: string;
  readonly code: string;
  readonly service: string;
  raised: number;
  firstMs: number;
  lastMs: number;
  text: string;
  open: boolean;
}

export class Digest {
  readonly takeovers = list();
  readonly operators = list();
  readonly rosters = list();
  readonly losses = list();
  readonly contradictions = list();
  readonly alarms = new Map<string, AlarmRow>();
  /** By `host`, then by what was refused (`whose name, code`). */
  readonly refusals = new Map<string, Map<string, number>>();
  readonly counts = new Map<string, number>();
  entries = 0;
  firstMs = Number.POSITIVE_INFINITY;
  lastMs = Number.NEGATIVE_INFINITY;

  add(told: Told, contradiction: boolean): void {
    const { entry, host } = told;
    const { kind, n, wallMs, service, data } = entry;
    this.entries++;
    this.firstMs = Math.min(this.firstMs, wallMs);
    this.lastMs = Math.max(this.lastMs, wallMs);
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    const cause = entry.event === null || entry.event === '' ? '' : ` (${entry.event})`;
    const row: Row = { host, n, wallMs, service, text: `${entry.text}${cause}` };
    if (contradiction) put(this.contradictions, row);
    if (kind === 'transition' && isTakeover(data)) put(this.takeovers, row);
    if (kind === 'operator') put(this.operators, row);
    if (kind === 'roster') put(this.rosters, row);
    if (kind === 'lost' || kind === 'repaired' || kind === 'retired') put(this.losses, row);
    if (kind === 'alarm') this.#alarm(told);
    if (kind === 'refused') this.#refused(told);
  }

  #alarm({ entry, host }: Told): void {
    const { data, service, wallMs, text } = entry;
    const code = String(data.code ?? '');
    const id = `${host} ${service} ${code}`;
    const known = this.alarms.get(id);
    const row = known ?? {
      host,
      code,
      service: service ?? '',
      raised: 0,
      firstMs: wallMs,
      lastMs: wallMs,
      text,
      open: false,
    };
    if (known === undefined && this.alarms.size < ROWS_MAX) this.alarms.set(id, row);
    row.open = data.on === true;
    row.lastMs = wallMs;
    // Without `on` it is an event: it happened, and nothing is to be cleared.
    if (row.open || data.on === undefined) {
      row.raised++;
      row.text = text;
    }
  }

  #refused({ entry, host }: Told): void {
    const counts = this.refusals.get(host) ?? new Map<string, number>();
    this.refusals.set(host, counts);
    for (const [what, count] of Object.entries(entry.data))
      if (typeof count === 'number' && (counts.has(what) || counts.size < ROWS_MAX))
        counts.set(what, (counts.get(what) ?? 0) + count);
  }
}

/** Steps that an auditor wants to see of a takeover: who suspects, claims, serves, lets go, fails. */
function isTakeover({ from, to }: Told['entry']['data']): boolean {
  const places: unknown[] = [from, to];
  return (
    to === 'backup.suspecting' ||
    to === 'handover.claiming' ||
    to === 'handover.withdrawing' ||
    places.includes('service.serving') ||
    to === 'service.releasing'
  );
}

function list(): Listed {
  return { rows: [], more: 0 };
}

function put(listed: Listed, row: Row): void {
  if (listed.rows.length < ROWS_MAX) listed.rows.push(row);
  else listed.more++;
}
