/**
 * Who may become master, as each host sees itself and the others: the source of REPORT, of the table's rows and of
 * the order of claims. Advice; what makes a takeover safe stands in voter.ts and lease.ts.
 */
import type { HostName } from './basics.ts';
import type { Ctx } from './context.ts';
import type { Report } from './messages.ts';
import { completed, reported } from './table.ts';

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
function differsFromMaster(c: Ctx): boolean {
  const master = c.s.known?.term.host;
  return master !== undefined && c.s.reports[master]?.sameDigest === false;
}

/** Sends REPORT to all when it is due or when what it says has changed. */
export function report(c: Ctx, due: boolean): void {
  const now = { fit: fit(c), downlink: c.s.checks.checkDownlink.sound, standby: c.host.standby };
  const said = c.s.said;
  const changed =
    said === null || said.fit !== now.fit || said.downlink !== now.downlink || said.standby !== now.standby;
  if (!due && !changed) return;
  c.set({ said: now });
  c.timer('report', c.nextOnGrid(REPORT_INTERVALS * c.t.intervalMs));
  c.send('all', reportMessage(c));
  if (c.main === 'service' && c.s.table !== null) {
    const table = reported(c.s.table, c.me, now.fit, now.standby);
    if (table !== c.s.table) c.set({ table, tableAdverts: 3 });
  }
}

export function reportMessage(c: Ctx): Report {
  return {
    type: 'REPORT',
    service: c.s.service,
    activity: c.main,
    fit: fit(c),
    standby: c.host.standby,
    downlink: c.s.checks.checkDownlink.sound,
    digest: c.cfg.digest,
    tableTerm: c.s.table?.term ?? null,
    tableSeq: c.s.table?.seq ?? 0,
    load: 0,
    burdened: false,
  };
}

/** Takes a peer's REPORT in. */
export function heardReport(c: Ctx, from: HostName, r: Report): void {
  const old = c.s.reports[from];
  const fitSinceMs = r.fit ? (old?.fitSinceMs ?? c.now) : null;
  const { fit: isFit, standby, downlink, activity, tableTerm, tableSeq } = r;
  const entry = {
    atMs: c.now,
    fit: isFit,
    standby,
    downlink,
    activity,
    sameDigest: r.digest === c.cfg.digest,
    fitSinceMs,
    tableTerm,
    tableSeq,
  };
  c.set({ reports: { ...c.s.reports, [from]: entry } });
  checkDigests(c);
  if (c.main === 'service' && c.s.table !== null) {
    const table = reported(c.s.table, from, isFit, standby);
    const stale = r.tableTerm === null || r.tableSeq !== table.seq || r.tableTerm.n !== table.term.n;
    c.set({ table, tableAdverts: table !== c.s.table ? 3 : Math.max(c.s.tableAdverts, stale ? 1 : 0) });
  }
}

/** H5: hosts whose configurations differ in what must be the same promise each other nothing; the operator hears of it. */
export function checkDigests(c: Ctx): void {
  const others = Object.entries(c.s.reports).filter(([host, r]) => !r.sameDigest && !gone(c, host));
  const names = others.map(([host]) => host).join(', ');
  c.alarm(
    'config-differs',
    others.length > 0,
    names === '' ? '' : `configuration differs from that of ${names}`,
  );
}

/** Whether a peer was not heard for so long that it is not counted on. */
function gone(c: Ctx, host: HostName): boolean {
  const r = c.s.reports[host];
  return r === undefined || c.now - r.atMs > FORGET_INTERVALS * c.t.intervalMs;
}

/** The other hosts that would take over if asked, in the order of the table; the roster's order without one. */
export function candidates(c: Ctx): HostName[] {
  const rows = completed(c.s.table?.rows ?? [], c.host.config.membership);
  return rows
    .map((r) => r.host)
    .filter((host) => host !== c.me && !gone(c, host) && c.s.reports[host]?.fit === true);
}

/**
 * How many hosts come before this one in the order of claims (R10): the fit ones above it in the table but for the
 * silent master; a held-down host comes after all others (R17).
 */
export function claimRank(c: Ctx): number {
  const silent = c.s.known?.term.host;
  const others = candidates(c).filter((host) => host !== silent);
  if (c.now < c.s.holdUntilMs) return others.length;
  const order = completed(c.s.table?.rows ?? [], c.host.config.membership).map((r) => r.host);
  const mine = order.indexOf(c.me);
  return others.filter((host) => order.indexOf(host) < mine).length;
}
