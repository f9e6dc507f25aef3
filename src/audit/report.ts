/**
 * The report: one page of HTML that stands for itself. No network, no script, nothing to be loaded; it says so to the browser,
 * too, so that a text out of a log could not do otherwise.
 */
import { fingerprint } from '../trust/fingerprint.ts';
import { rosterAt } from '../trust/roster.ts';
import { hex } from '../wire/hex.ts';
import { type Change, changesOf } from './changes.ts';
import type { Digest, Listed, Row } from './digest.ts';
import { escaped, STYLE, table } from './html.ts';
import type { Members } from './members.ts';
import { pictureOf } from './picture.ts';
import type { Gap, Relation } from './relation.ts';
import type { Tenure } from './tenure.ts';
import { fullest, type Verdict } from './verify.ts';
import { timeText } from './words.ts';

export interface ReportInput {
  readonly verdict: Verdict;
  readonly members: Members;
  /** The roster that the logs were judged by, in words. */
  readonly judgedBy: string;
  readonly tenures: readonly Tenure[];
  readonly relations: readonly Relation[];
  readonly digest: Digest;
  /** When the report was made, wall clock. */
  readonly madeMs: number;
}

const CSP = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/** The whole page. */
export function reportOf(input: ReportInput): string {
  const { verdict, members, judgedBy, madeMs } = input;
  const name = members.roster.clusterName;
  const sections = [verdictPart(input), mastersPart(input), overlapsPart(input), evidencePart(input)];
  const lists = [takeoversPart(input), refusalsPart(input), membershipPart(input), gapsPart(input)];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${CSP}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${escaped(`Event log of ${name}: ${verdict.ok ? 'verified' : 'NOT verified'}`)}</title>
<style>${STYLE}</style></head><body>
<h1>${escaped(`Event log of cluster ${name}`)}</h1>
<p class="faint">${escaped(`Cluster id ${hex(members.roster.clusterId)}. Made ${timeText(madeMs)} by portcullis audit report; ${judgedBy}.`)}</p>
${[...sections, ...lists].join('\n')}
</body></html>
`;
}

function verdictPart({ verdict, digest }: ReportInput): string {
  const { ok, logs, findings } = verdict;
  const bad = findings.filter(({ severity }) => severity !== 'doubt').length;
  const doubts = ok && findings.length > 0 ? ' What remains in doubt stands under Evidence.' : '';
  const text = ok
    ? `Verified: ${logs.length} log${logs.length === 1 ? '' : 's'}, ${digest.entries} entries. Every entry is signed, chained, and contradicted by no other log.${doubts}`
    : `NOT verified: ${bad} finding${bad === 1 ? '' : 's'} against these logs; see Evidence.`;
  return `<div class="verdict${ok ? '' : ' bad'}">${escaped(text)}</div>`;
}

function mastersPart({ tenures, digest, verdict }: ReportInput): string {
  const hosts = [...new Set(verdict.logs.map(({ host }) => host))].sort();
  const services = [...new Set(tenures.map(({ service }) => service))].sort();
  const parts = ['<h2>Who was master when</h2>'];
  if (services.length === 0) parts.push('<p>No host served in the time of these logs.</p>');
  else
    parts.push(
      '<p class="faint">By each host’s own clock. <span class="key bar" style="background:var(--bar)"></span>served <span class="key" style="background:var(--unsaid)"></span>served, and its log does not say when it ended</p>',
    );
  for (const service of services) {
    const own = tenures.filter((tenure) => tenure.service === service);
    parts.push(
      `<h3>${escaped(`Service ${service}`)}</h3>`,
      pictureOf(own, hosts, digest.firstMs, digest.lastMs),
      table(['host', 'term', 'from', 'to', 'why it began', 'why it ended'], own.map(tenureRow)),
    );
  }
  const changes = changesOf(tenures, fullest(verdict.chains)).map(changeRow);
  if (changes.length > 0)
    parts.push(
      '<h3>Changes of master</h3>',
      table(['new master', 'before', 'cause', 'nobody served for', 'suspicion to service'], changes),
      '<p class="faint">How long nobody served is measured between the hosts’ monotonic clocks, compared by the words that they recorded of each other. The last column is measured by the new master’s clock alone.</p>',
    );
  return parts.join('\n');
}

function changeRow({ before, after, cause, gap, suspectedMs }: Change): string[] {
  return [
    whose(after),
    before === null ? 'nobody' : whose(before),
    cause,
    before === null ? '' : gapText(before, gap),
    suspectedMs === null ? '' : `${suspectedMs.toFixed(0)} ms`,
  ];
}

/** On one line. */
function whose({ host, term }: Tenure): string {
  return `${host}, term ${term}`.replaceAll(' ', '\u00a0');
}

function gapText(before: Tenure, gap: Gap | null): string {
  const unsaid = before.to === null ? 'not said: the log before ends without it' : 'not comparable';
  if (gap === null) return unsaid;
  if (before.to === null) return `${unsaid}; ${gap.mostMs.toFixed(0)} ms at most`;
  // Below nothing the clocks are not known well enough to tell: whether both served is the next section's matter.
  if (gap.leastMs < 0) return `${Math.max(0, gap.mostMs).toFixed(0)} ms at most`;
  return `${gap.leastMs.toFixed(0)} to ${gap.mostMs.toFixed(0)} ms`;
}

function tenureRow({ host, term, from, to, lastSeen, harmless, forced }: Tenure): string[] {
  const end =
    to === null ? `not said (last seen ${timeText(lastSeen?.wallMs ?? from.wallMs)})` : timeText(to.wallMs);
  const began = `${String(from.data.cause ?? '')}${forced ? '; without a majority (forced)' : ''}`;
  const after = harmless === null ? '' : `; harmless again by entry ${harmless.n}`;
  const why = to === null ? `${lastSeen?.why ?? ''}${after}` : String(to.data.cause ?? '');
  return [`${host}#${from.n}`, term, timeText(from.wallMs), end, began, why];
}

const VERDICTS = { apart: 'one after the other', overlap: 'BOTH AT ONCE', open: 'not shown' } as const;

function overlapsPart({ relations }: ReportInput): string {
  const overlaps = relations.filter(({ verdict }) => verdict === 'overlap').length;
  const open = relations.filter(({ verdict }) => verdict === 'open').length;
  const text =
    overlaps > 0
      ? `${overlaps} time${overlaps === 1 ? '' : 's'} two hosts served at once.`
      : open > 0
        ? `No two hosts are shown to have served at once; ${open} time${open === 1 ? '' : 's'} the logs do not show that they did not.`
        : relations.length === 0
          ? 'There was no change of master.'
          : 'No two hosts served at once: every change of master is shown to have been one after the other.';
  const rows = relations.map(({ a, b, verdict, because }) => [
    VERDICTS[verdict],
    whose(a),
    whose(b),
    because,
  ]);
  const shown = table(['', 'first', 'second', 'because'], rows, (_, i) => relations[i]?.verdict ?? '');
  return `<h2>Did two hosts ever serve at once?</h2><p>${escaped(text)}</p>${rows.length === 0 ? '' : shown}`;
}

function evidencePart({ verdict }: ReportInput): string {
  const logs = verdict.logs.map((log) => [
    log.host === '' ? 'unknown' : log.host,
    log.last === 0 ? 'none' : `${log.first} to ${log.last}`,
    String(log.provenTo),
    log.witnesses.length === 0 ? 'nobody' : `${log.witnesses.join(', ')}: up to ${log.witnessedTo}`,
    log.path,
  ]);
  const findings = verdict.findings.map((finding) => [
    finding.severity,
    finding.host ?? '',
    finding.n === null ? '' : String(finding.n),
    finding.text,
  ]);
  const found =
    findings.length === 0
      ? '<p>Nothing was found against these logs.</p>'
      : table(['', 'host', 'entry', 'finding'], findings, ([severity = '']) => severity);
  return `<h2>Evidence</h2>${table(['host', 'entries', 'proven to', 'its head is held by', 'files'], logs)}
<p class="faint">What lies behind the last head that another host holds is that host’s own word alone.</p>${found}`;
}

function takeoversPart({ digest }: ReportInput): string {
  return `<h2>Takeovers, step by step</h2>${listed(digest.takeovers, 'No service changed its place.')}
<h2>Orders of operators</h2>${listed(digest.operators, 'None.')}`;
}

function refusalsPart({ digest }: ReportInput): string {
  const alarms = [...digest.alarms.values()].map((alarm) => [
    alarm.host,
    alarm.code,
    alarm.service,
    String(alarm.raised),
    timeText(alarm.firstMs),
    alarm.open ? 'still raised' : timeText(alarm.lastMs),
    alarm.text,
  ]);
  const refusals = [...digest.refusals].flatMap(([host, counts]) =>
    [...counts].sort(([, a], [, b]) => b - a).map(([what, count]) => [host, what, String(count)]),
  );
  const none = '<p>None.</p>';
  return `<h2>Alarms</h2>${alarms.length === 0 ? none : table(['host', 'alarm', 'service', 'raised', 'first', 'last cleared, or seen', 'the last time'], alarms)}
<h2>Refused messages</h2>${refusals.length === 0 ? none : table(['by', 'in whose name, and why', 'how often'], refusals)}`;
}

function membershipPart({ members, digest }: ReportInput): string {
  const { roster } = members;
  const versions = roster.versions.map((_, i) => {
    const at = rosterAt(roster, i + 1);
    const names = at?.members.map(
      ({ name, role, publicKey }) => `${name} (${role}, ${fingerprint(publicKey)})`,
    );
    const signer = roster.history[i]?.signer;
    const revoked = at?.body.revoked.length ?? 0;
    return [
      String(i + 1),
      signer === undefined ? '' : fingerprint(signer),
      names?.join(', ') ?? '',
      revoked === 0 ? '' : `${revoked} key${revoked === 1 ? '' : 's'}`,
    ];
  });
  return `<h2>Membership and keys</h2>${table(['version', 'signed by', 'members', 'revoked'], versions)}
<h3>As the hosts took it</h3>${listed(digest.rosters, 'No roster came while these logs were written.')}`;
}

function gapsPart({ digest }: ReportInput): string {
  return `<h2>Gaps in the evidence</h2>${listed(digest.losses, 'No log says that it lost, repaired or removed entries.')}
${digest.contradictions.rows.length === 0 ? '' : `<h3>Entries that contradict the order of others</h3>${listed(digest.contradictions, '')}`}`;
}

function listed({ rows, more }: Listed, none: string): string {
  if (rows.length === 0) return `<p>${escaped(none)}</p>`;
  const cells = rows.map(({ host, n, wallMs, service, text }: Row) => [
    timeText(wallMs),
    `${host}#${n}`,
    service ?? '',
    text,
  ]);
  const rest =
    more === 0 ? '' : `<p>${escaped(`${more} more are not shown; see portcullis audit merge.`)}</p>`;
  return `${table(['time (the host’s clock)', 'entry', 'service', 'what'], cells)}${rest}`;
}
