/** The words of the audit commands: verdicts and entries as lines for people. Text out of a log is never trusted to be harmless. */

import type { Verdict } from '../audit/verify.ts';
import { findingLine, printable } from '../audit/words.ts';

/** The verdict as lines. `judgedBy`: the roster, in words. */
export function verdictText(verdict: Verdict, judgedBy: string): string {
  const lines = verdict.logs.map((log) => {
    const range = log.last === 0 ? 'no entry' : `entries ${log.first} to ${log.last}`;
    const proven = log.last === 0 ? 'holds' : log.provenTo >= log.last ? 'hold' : `proven to ${log.provenTo}`;
    const by =
      log.witnesses.length === 0
        ? 'no other log holds a head of it'
        : `${log.witnesses.join(', ')} ${log.witnesses.length === 1 ? 'holds' : 'hold'} its head up to ${log.witnessedTo}`;
    return `${log.host === '' ? 'unknown host' : log.host}  ${printable(log.path)}: ${range} ${proven}; ${by}`;
  });
  const findings = verdict.findings.map(findingLine);
  const doubts = findings.length;
  const last = !verdict.ok
    ? 'NOT verified'
    : doubts === 0
      ? 'verified'
      : `verified, but for ${doubts} doubt${doubts === 1 ? '' : 's'} that the lines above name`;
  return [printable(judgedBy), ...lines, ...findings, last, ''].join('\n');
}
