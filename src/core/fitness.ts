/**
 * Who may become master, as each host sees itself and the others: the source of REPORT, of the table's rows and of
 * the order of claims. Advice; what makes a takeover safe stands in voter.ts and lease.ts.
 */
import type { HostName } from './basics.ts';
import type { Ctx } from './context.ts';
import type { Report } from './messages.ts';
import type { ServiceState } from './state.ts';
import { reported } from './table.ts';

/** A host sends a REPORT every so many intervals, at least; one unheard for thrice that is not counted on. */
export const REPORT_INTERVALS = 5;
const FORGET_INTERVALS = 3 * REPORT_INTERVALS;

/** Whether a trust hold stops this host's claims (R19); under `quorum` the grants decide. */
export function trustHeld(c: Ctx): boolean {
  const until = c.host.trustHoldUntilMs;
  return c.policy === 'available' && until !== null && c.now < until;
}

/** Whether this host would take over if asked. */
export function fit(c: Ctx): boolean {
  return (
    c.member(c.me)?.role === 'gateway' &&
    !c.host.standby &&
    !c.host.stopping &&
    c.main !== 'init' &&
    c.s.checks.checkDownlink.sound &&
    !differsFromMaster(c)
  );
}

/** H5: a host whose configuration is not the master's does not take over from it. */
export function differsFromMaster(c: Ctx): boolean {
  const master = c.s.known?.term.host;
  return master !== undefined && c.s.reports[master]?.sameDigest === false;
}

/** What this host says of itself now. */
export function ofMyself(c: Ctx): NonNullable<ServiceState['said']> {
  const { standby, load } = c.host;
  const { burdened } = c.s.burden;
  return { fit: fit(c), downlink: c.s.checks.checkDownlink.sound, standby, burdened, load };
}

/** Sends REPORT to all when it is due or when what it says has changed. */
export function report(c: Ctx, due: boolean): void {
  const now = ofMyself(c);
  const { said } = c.s;
  const changed =
    said === null || (Object.keys(now) as (keyof typeof now)[]).some((key) => said[key] !== now[key]);
  if (!due && !changed) return;
  c.set({ said: now });
  c.timer('report', c.nextOnGrid(REPORT_INTERVALS * c.t.intervalMs));
  c.send('all', reportMessage(c));
  if (c.main === 'service' && c.s.table !== null) {
    const table = reported(c.s.table, c.me, now);
    if (table !== c.s.table) c.set({ table, tableAdverts: 3 });
  }
}

export function reportMessage(c: Ctx): Report {
  return {
    type: 'REPORT',
    service: c.s.service,
    activity: c.main,
    ...ofMyself(c),
    digest: c.cfg.digest,
    tableTerm: c.s.table?.term ?? null,
    tableSeq: c.s.table?.seq ?? 0,
  };
}

/** That host may be a new run of itself: how long it has been fit counts from now (R26), whatever its first REPORTs were, or if they were lost. */
export function fitAnew(c: Ctx, host: HostName): void {
  const known = c.s.reports[host];
  if (known === undefined || known.fitSinceMs === null) return;
  c.set({ reports: { ...c.s.reports, [host]: { ...known, fitSinceMs: c.now } } });
}

/** Takes a peer's REPORT in. */
export function heardReport(c: Ctx, from: HostName, r: Report): void {
  const { fit: isFit, standby, downlink, activity, tableTerm, tableSeq, load, burdened } = r;
  const since = c.s.reports[from]?.fitSinceMs ?? c.now;
  const entry = {
    atMs: c.now,
    fit: isFit,
    standby,
    downlink,
    activity,
    sameDigest: r.digest === c.cfg.digest,
    load,
    burdened,
    fitSinceMs: isFit && !burdened ? since : null,
    tableTerm,
    tableSeq,
  };
  c.set({ reports: { ...c.s.reports, [from]: entry } });
  checkDigests(c);
  if (c.main === 'service' && c.s.table !== null) {
    const table = reported(c.s.table, from, entry);
    const stale = r.tableTerm === null || r.tableSeq !== table.seq || r.tableTerm.n !== table.term.n;
    c.set({ table, tableAdverts: table !== c.s.table ? 3 : Math.max(c.s.tableAdverts, stale ? 1 : 0) });
  }
}

/** H5: hosts whose configurations differ in what must be the same promise each other nothing; the operator hears of it. */
export function checkDigests(c: Ctx): void {
  const others = Object.entries(c.s.reports).filter(([host, r]) => !r.sameDigest && !gone(c, c.s, host));
  const names = others.map(([host]) => host).join(', ');
  c.alarm(
    'config-differs',
    others.length > 0,
    names === '' ? '' : `configuration differs from that of ${names}`,
  );
}

/** Whether a peer was not heard of a service for so long that it is not counted on. */
export function gone(c: Ctx, s: ServiceState, host: HostName): boolean {
  return isOld(s.reports[host], c.now, c.t.intervalMs);
}

/** The same of a report as it is kept; undefined: there was none. */
export function isOld(
  report: { readonly atMs: number } | undefined,
  nowMs: number,
  intervalMs: number,
): boolean {
  return report === undefined || nowMs - report.atMs > FORGET_INTERVALS * intervalMs;
}
