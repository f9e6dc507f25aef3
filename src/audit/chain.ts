/**
 * One host's log as a whole: its segments in their order, which entries hold together, and by which keys. Other hosts'
 * logs are not looked at here.
 */
import type { Members } from './members.ts';
import { follows, type Summary } from './summary.ts';

/** `broken`: a log does not hold. `missing`: there was more than there is. `doubt`: to be known, proves nothing. */
export type Severity = 'broken' | 'missing' | 'doubt';

export interface Finding {
  readonly severity: Severity;
  /** Whose log it is about; null: nobody's alone. */
  readonly host: string | null;
  readonly path: string;
  /** The first entry that fails, or that it is about; null: none. */
  readonly n: number | null;
  readonly text: string;
}

/** One directory of segments, or one file. */
export interface LogFiles {
  readonly path: string;
  readonly segments: readonly Summary[];
}

export interface Chain {
  readonly path: string;
  readonly host: string;
  readonly segments: readonly Summary[];
  readonly first: number;
  /** The last entry that holds together with all before it. */
  readonly last: number;
  readonly findings: readonly Finding[];
}

/** The chain of one log, as far as it holds; what is wrong is told in `findings`. */
export function chainOf(files: LogFiles, members: Members): Chain {
  const findings: Finding[] = [];
  const { path } = files;
  const sorted = files.segments.toSorted((a, b) => a.first - b.first || a.name.localeCompare(b.name));
  const host = hostOf(sorted, members);
  const find = (severity: Severity, n: number | null, text: string): void =>
    void findings.push({ severity, host: host === '' ? null : host, path, n, text });
  const sound: Summary[] = [];
  for (const segment of sorted) {
    const before = sound.at(-1);
    if (before !== undefined && before.fault !== null) break;
    if (segment.entries > 0) {
      if (before !== undefined && !follows(before, segment)) {
        find('broken', Math.min(before.last + 1, segment.first), gapText(before, segment));
        break;
      }
      sound.push(segment);
    }
    if (segment.fault !== null) {
      const { n, at, reason, torn } = segment.fault;
      const isLast = segment === sorted.at(-1);
      if (torn && isLast && segment.entries > 0)
        find('doubt', n, `${segment.name} ends in a write that was cut off (${segment.bytes - at} bytes)`);
      else
        find(
          'broken',
          segment.entries === 0 ? segmentStart(segment) : n,
          `${segment.name}, byte ${at}: ${reason}`,
        );
      if (segment.entries === 0) break;
    }
  }
  const first = sound[0]?.first ?? 1;
  const last = sound.at(-1)?.last ?? 0;
  if (sound.length === 0 && findings.length === 0) find('missing', null, 'holds no entry');
  if (first > 1) find('doubt', first, `begins with entry ${first}: what was before is not in these files`);
  keyFindings(sound, host, members, find);
  rosterFindings(sound, members, find);
  for (const { momentsEnd, name } of sound)
    if (momentsEnd !== null)
      find(
        'doubt',
        momentsEnd,
        `${name} has more changes than can be told: who served from here on is not shown`,
      );
  for (const { clockBack } of sound)
    for (const { n, ms } of clockBack) find('doubt', n, `the host’s clock was set back by ${ms} ms`);
  return { path, host, segments: sound, first, last, findings };
}

function segmentStart({ name }: Summary): number | null {
  const digits = /^\d+/.exec(name)?.[0];
  return digits === undefined ? null : Number(digits);
}

function gapText(before: Summary, after: Summary): string {
  if (after.first > before.last + 1)
    return `entries ${before.last + 1} to ${after.first - 1} are missing: ${after.name} begins with ${after.first}`;
  if (after.first <= before.last)
    return `${after.name} holds entry ${after.first}, which ${before.name} holds too`;
  return `${after.name} does not follow from ${before.name}: something was exchanged`;
}

function hostOf(segments: readonly Summary[], members: Members): string {
  for (const { kids } of segments)
    for (const { value } of kids) {
      const host = members.hostOf(value);
      if (host !== null) return host;
    }
  return '';
}

type Find = (severity: Severity, n: number | null, text: string) => void;

/** Every entry's key was that host's, by the roster that the log itself had in force there (never by a clock). */
function keyFindings(sound: readonly Summary[], host: string, members: Members, find: Find): void {
  const marks = sound.flatMap(({ rosters }) => rosters);
  for (const { value: kid, first, last } of sound.flatMap(({ kids }) => kids)) {
    const owner = members.hostOf(kid);
    if (owner !== host) {
      find('broken', first, `signed by ${owner ?? 'nobody'}, in a log of ${host}`);
      continue;
    }
    for (const { version, from } of versionsIn(marks, first, last)) {
      if (version > members.roster.version || members.isIn(kid, version)) continue;
      // A host learns of its own end by a roster without its key, and says so with that key.
      if (wasEverIn(members, kid, version))
        find('doubt', from, `from here on by a key that roster version ${version} does not have`);
      else
        find(
          'broken',
          from,
          `signed by a key that is in no roster up to version ${version}, which was in force`,
        );
    }
  }
}

function wasEverIn(members: Members, kid: string, before: number): boolean {
  for (let version = 1; version < before; version++) if (members.isIn(kid, version)) return true;
  return false;
}

/** The versions in force within those entries, and where each begins. */
function versionsIn(
  marks: readonly { readonly n: number; readonly version: number }[],
  first: number,
  last: number,
): { version: number; from: number }[] {
  const versions: { version: number; from: number }[] = [];
  for (const { n, version } of marks) {
    if (n > last) break;
    const from = Math.max(n, first);
    if (n <= first) versions.length = 0;
    if (versions.at(-1)?.version !== version) versions.push({ version, from });
  }
  return versions;
}

function rosterFindings(sound: readonly Summary[], members: Members, find: Find): void {
  for (const { n, version, hash } of sound.flatMap(({ rosters }) => rosters)) {
    if (version > members.roster.version)
      find('missing', n, `roster version ${version} is newer than the one that was given`);
    else if (!members.hasVersion(version, hash))
      find('broken', n, `names another roster version ${version} than the one that was given`);
    else continue;
    return; // the first one says it
  }
}
