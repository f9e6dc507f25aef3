/** What an attack did, and what of it an operator sees: read from `status` before, during and after it. Pure. */
import type { Status } from './gateway.ts';

/** The damage while the master still had power; null: none. */
export function difference(before: Status, after: Status | null, serving: number): string | null {
  if (serving === 0) return 'nobody serves';
  if (serving > 1) return 'two hosts serve';
  const [a, b] = [before.services[0], after?.services[0]];
  if (before.host !== after?.host) return `the service moved from ${before.host} to ${after?.host}`;
  if (a?.term?.n !== b?.term?.n) return `the term changed from ${a?.term?.n} to ${b?.term?.n}`;
  return null;
}

/** What an operator can see: refusals, drops, alarms as `alarm:CODE`, members that are not heard, refused rosters. */
export function countersOf(
  all: readonly (Status | null)[],
  refusedRosters: number,
  unheardMs: number,
): { [name: string]: number } {
  const found: { [name: string]: number } = refusedRosters > 0 ? { 'log:roster': refusedRosters } : {};
  const note = (name: string, count: number): void => {
    found[name] = Math.max(found[name] ?? 0, count);
  };
  for (const status of all) {
    for (const [name, count] of Object.entries(status?.counters ?? {}))
      if (/^(refused|filtered):|^oversized$/.test(name)) note(name, count);
    for (const code of status === null ? [] : alarmsOf(status)) note(`alarm:${code}`, 1);
    const unheard = (status?.peers ?? []).filter(({ lastHeardMs }) => (lastHeardMs ?? 0) > unheardMs);
    if (unheard.length > 0) note('peer:unheard', unheard.length);
  }
  return found;
}

export function alarmsOf(status: Status | null): string[] {
  const own = status?.alarms ?? [];
  return [...own, ...(status?.services ?? []).flatMap((service) => service.alarms ?? [])].map(
    ({ code }) => code,
  );
}
