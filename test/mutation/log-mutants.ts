/** Faults made by hand in the event log; as in guard-mutants.ts, which takes them in. */
import type { GuardMutant } from './guard-mutants.ts';
import type { Catcher } from './mutants.ts';

const audit = (file: string, name: string): Catcher => ({
  by: 'test',
  file: `test/audit/${file}.test.ts`,
  name,
});

export const LOG_MUTANTS: readonly GuardMutant[] = [
  {
    finding: 'S4',
    file: 'daemon/evidence.ts',
    find: 'if (head.news > known) peer.lightSinceMs ??= nowMs;',
    replace: 'peer.lightSinceMs ??= nowMs;',
    breaks: 'idle hosts record each other’s records for ever',
    catcher: audit('evidence', 'P66, P68: hosts record each other’s heads once there is news'),
  },
  {
    finding: 'S4',
    file: 'audit/witness.ts',
    find: 'if (!key.verify(sigStructure(',
    replace: 'if (false && !key.verify(sigStructure(',
    breaks: 'a host is framed with a head that it never signed',
    catcher: audit('tamper', 'found: a head of H that H never signed'),
  },
  {
    finding: 'H12',
    file: 'audit/verify.ts',
    find: 'if (version === null) continue;',
    replace: 'if (version !== undefined) continue;',
    breaks: 'what a revoked key signs counts as proven',
    catcher: audit('tamper', 'found: written on with a revoked key'),
  },
  {
    finding: 'M10',
    file: 'audit/words.ts',
    find: 'return text.replace(HARMFUL, ',
    replace: 'return text.replace(/(?!)/g, ',
    breaks: 'a log’s text steers the terminal that shows it',
    catcher: audit('format', 'P74: what is shown of a log'),
  },
  {
    finding: 'M11',
    file: 'daemon/event-log.ts',
    find: "'segment', 'a new segment'), roster: this.#mark() };",
    replace: "'segment', 'a new segment'), roster: null };",
    breaks: 'a log whose beginning was removed names no roster to judge its keys by',
    catcher: audit('writer', 'P71: segments end by size'),
  },
];
