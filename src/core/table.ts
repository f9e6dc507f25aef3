/**
 * The status table (slide "Solution by Generic State Machine"; spec R22): all hosts of a service in a total order.
 * It is advice for the order of claims and successors, never a matter of safety: hosts may hold different ones.
 */
import { compareTerms, type HostName, type Membership, type Term } from './basics.ts';
import type { Table, TableRow } from './messages.ts';

/** By roster, since many services ask often. */
const orders = new WeakMap<Membership, readonly TableRow[]>();

/** The order before anything is known: the roster's priority, the higher first; then the name. */
export function rosterOrder(membership: Membership): readonly TableRow[] {
  let order = orders.get(membership);
  if (order === undefined) {
    order = membership.members
      .filter((m) => m.role === 'gateway')
      .sort((a, b) => b.priority - a.priority || (a.name < b.name ? -1 : 1))
      .map((m) => ({ host: m.name, fit: false, standby: false, burdened: false }));
    orders.set(membership, order);
  }
  return order;
}

/** The rows of a table, cut and completed to today's members. */
export function completed(rows: readonly TableRow[], membership: Membership): TableRow[] {
  const all = rosterOrder(membership);
  const known = rows.filter((r) => all.some((a) => a.host === r.host));
  return [...known, ...all.filter((a) => !known.some((k) => k.host === a.host))];
}

/** Whether `a` is newer than `b`: by (term, seq). */
export function newer(a: Table, b: Table | null): boolean {
  if (b === null) return true;
  const byTerm = compareTerms(a.term, b.term);
  return byTerm !== 0 ? byTerm > 0 : a.seq > b.seq;
}

/** The first table of a new master: the newest known, the failed predecessor last, so that it does not come back first. */
export function succeeded(
  term: Term,
  base: Table | null,
  failed: HostName | null,
  membership: Membership,
): Table {
  const rows = completed(base?.rows ?? [], membership);
  const first = rows.filter((r) => r.host !== failed);
  return { term, seq: 1, rows: [...first, ...rows.filter((r) => r.host === failed)] };
}

/** The table with one row as that host reports itself; the same object when nothing changed. */
export function reported(table: Table, host: HostName, said: Omit<TableRow, 'host'>): Table {
  const { fit, standby, burdened } = said;
  const row = table.rows.find((r) => r.host === host);
  if (row === undefined || (row.fit === fit && row.standby === standby && row.burdened === burdened))
    return table;
  const rows = table.rows.map((r) => (r.host === host ? { host, fit, standby, burdened } : r));
  return { ...table, seq: table.seq + 1, rows };
}
