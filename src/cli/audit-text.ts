/** The words of the audit commands: verdicts and entries as lines for people. Text out of a log is never trusted to be harmless. */

import type { Verdict } from '../audit/verify.ts';
import { findingLine, printable } from '../audit/words.ts';

/** The verdict as lines. */
export function verdictText(verdict: Verdict): string {
  const lines = verdict.logs.map((log) => {
    const range = log.last === 0 ? 'no entry' : `entries ${log.first} to ${log.last}`;
    const proven = log.provenTo >= log.last ? 'hold' : `proven to ${log.provenTo}`;
    const by =
      log.witnesses.length === 0
        ? 'no other log holds a head of it'
        : `${log.witnesses.join(', ')} hold its head up to ${log.witnessedTo}`;
    return `${log.host === '' ? 'unknown host' : log.host}  ${printable(log.path)}: ${range} ${proven}; ${by}`;
  });
  const findings = verdict.findings.map(findingLine);
  const last = verdict.ok ? 'verified' : 'NOT verified';
  return [...lines, ...findings, last, ''].join('\n');
}
