/**
 * The judge: several hosts' logs, the roster, and checkpoints, against each other. It trusts no single host: what
 * convicts a log is what its own host signed elsewhere. Pure; the segments were summarized before, perhaps elsewhere.
 */
import type { Chain, Finding, LogFiles, Severity } from './chain.ts';
import { chainOf } from './chain.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { Members } from './members.ts';
import { hashAfter, type SeenHead } from './summary.ts';

export interface LogVerdict {
  readonly path: string;
  readonly host: string;
  readonly first: number;
  readonly last: number;
  /** The last entry that is proven. */
  readonly provenTo: number;
  /** The highest entry that another host, or a checkpoint, holds a head of; 0: none. */
  readonly witnessedTo: number;
  /** By whom. */
  readonly witnesses: readonly string[];
}

export interface Verdict {
  /** Nothing is broken, and nothing is missing that should be there. */
  readonly ok: boolean;
  readonly logs: readonly LogVerdict[];
  readonly findings: readonly Finding[];
  /** Hosts that have a log, as others' logs show, which was not given. */
  readonly withheld: readonly string[];
  readonly chains: readonly Chain[];
}

/** A head of some host's log, signed by that host, and where it was found. */
interface Held {
  readonly author: string;
  readonly kid: string;
  readonly run: string;
  readonly n: number;
  readonly hash: string;
  /** Who recorded it, and in which entry; a checkpoint has no chain. */
  readonly by: string;
  readonly chain: Chain | null;
  readonly at: number;
}

/** `complete`: the log of every host that has one must be there. */
export function verifyLogs(
  logs: readonly LogFiles[],
  members: Members,
  checkpoints: readonly Checkpoint[] = [],
  complete = false,
): Verdict {
  const chains = logs.map((files) => chainOf(files, members));
  const findings: Finding[] = chains.flatMap((chain) => chain.findings);
  const held = [...heldHeads(chains, members, findings), ...checkpointHeads(checkpoints, members, findings)];
  findings.push(...twoChains(chains));
  findings.push(...equivocations(held));
  const logVerdicts = chains.map((chain) => judge(chain, chains, held, members, findings));
  const present = new Set(chains.map(({ host }) => host));
  const withheld = [...new Set(held.map(({ author }) => author))].filter((host) => !present.has(host)).sort();
  for (const host of withheld) {
    const newest = held.filter(({ author }) => author === host).reduce((a, b) => (a.n >= b.n ? a : b));
    const text = `no log of ${host} was given; ${newest.by} holds its head, entry ${newest.n}`;
    findings.push({ severity: complete ? 'missing' : 'doubt', host, path: '', n: null, text });
  }
  const ok = findings.every(({ severity }) => severity === 'doubt') && chains.length > 0;
  return { ok, logs: logVerdicts, findings: findings.toSorted(byWeight), withheld, chains };
}

const WEIGHT: { readonly [S in Severity]: number } = { broken: 0, missing: 1, doubt: 2 };

function byWeight(a: Finding, b: Finding): number {
  return WEIGHT[a.severity] - WEIGHT[b.severity];
}

/** What the logs hold of each other. A record that proves nothing convicts the log that made it. */
function heldHeads(chains: readonly Chain[], members: Members, findings: Finding[]): Held[] {
  const held: Held[] = [];
  for (const chain of chains) {
    for (const seen of chain.segments.flatMap(({ heads }) => heads)) {
      const wrong = recordFault(seen, members);
      if (wrong !== null) {
        const text = `records a head of ${seen.host} that proves nothing: ${wrong}`;
        findings.push({ severity: 'broken', host: chain.host, path: chain.path, n: seen.n, text });
        continue;
      }
      const { kid, run, hash, headN } = seen;
      held.push({ author: seen.host, kid, run, n: headN, hash, by: chain.host, chain, at: seen.n });
    }
  }
  return held;
}

function recordFault(seen: SeenHead, members: Members): string | null {
  if (seen.fault !== null) return seen.fault;
  const author = members.hostOf(seen.kid);
  return author === seen.host ? null : `it was signed by ${author ?? 'nobody'}`;
}

function checkpointHeads(checkpoints: readonly Checkpoint[], members: Members, findings: Finding[]): Held[] {
  return checkpoints.flatMap((checkpoint) => {
    const { path, kid, run, n, hash } = checkpoint;
    const author = members.hostOf(kid);
    if (author !== null) return [{ author, kid, run, n, hash, by: `checkpoint ${path}`, chain: null, at: 0 }];
    const text = 'a checkpoint by a key that no host of the roster has had';
    findings.push({ severity: 'broken', host: null, path, n, text });
    return [];
  });
}

/** Two files of one host that hold different entries of one number and run, whoever signed them. */
function twoChains(chains: readonly Chain[]): Finding[] {
  const findings: Finding[] = [];
  for (const [i, a] of chains.entries())
    for (const b of chains.slice(i + 1)) {
      if (a.host !== b.host || a.host === '') continue;
      const n = firstDifference(a, b);
      if (n === null) continue;
      const isOneRun = runAt(a, n) === runAt(b, n);
      const text = isOneRun
        ? `${b.path} has another entry ${n} of the same run: the host signed two logs`
        : `${b.path} goes another way from entry ${n} on, in another run: one of them was set back`;
      findings.push({ severity: 'broken', host: a.host, path: a.path, n, text });
    }
  return findings;
}

/** The last entry of the first block whose hash the other chain does not have at that place. */
function firstDifference(a: Chain, b: Chain): number | null {
  for (const { ends } of a.segments)
    for (const end of ends) {
      if (end < b.first || end > b.last) continue;
      const [mine, other] = [hashIn(a, end), hashIn(b, end)];
      if (other !== null && mine !== other) return end;
    }
  return null;
}

/** One host signed two heads of one number in one run: no crash and no honest restore does that. */
function equivocations(held: readonly Held[]): Finding[] {
  const first = new Map<string, Held>();
  const findings: Finding[] = [];
  for (const head of held) {
    const id = `${head.author} ${head.run} ${head.n}`;
    const before = first.get(id);
    if (before === undefined) first.set(id, head);
    else if (before.hash !== head.hash) {
      const text = `signed two different heads for entry ${head.n}: ${before.by} holds one, ${head.by} the other`;
      findings.push({ severity: 'broken', host: head.author, path: '', n: head.n, text });
      first.set(id, { ...before, hash: head.hash });
    }
  }
  return findings;
}

/** One log against what others hold of it. */
function judge(
  chain: Chain,
  chains: readonly Chain[],
  held: readonly Held[],
  members: Members,
  findings: Finding[],
): LogVerdict {
  const find = (severity: Severity, n: number | null, text: string): void =>
    void findings.push({ severity, host: chain.host, path: chain.path, n, text });
  const witnesses = new Set<string>();
  let witnessedTo = 0;
  const told = new Set<string>();
  for (const head of held) {
    if (head.author !== chain.host || head.chain === chain) continue;
    if (has(chain, head)) {
      witnessedTo = Math.max(witnessedTo, head.n);
      witnesses.add(head.by);
      continue;
    }
    // Another log of the same host may have it: a later copy, or a state directory that was lost and begun anew.
    const elsewhere = chains.some(
      (other) => other !== chain && other.host === chain.host && has(other, head),
    );
    if (elsewhere || head.n < chain.first) continue;
    const [severity, n, text] = contradiction(chain, head, chains);
    // What follows from one cut or rewriting is told once for each that holds it.
    const id = `${severity} ${head.by} ${head.run}`;
    if (!told.has(id)) find(severity, n, text);
    told.add(id);
  }
  const provenTo = revokedTo(chain, held, members, find);
  return {
    path: chain.path,
    host: chain.host,
    first: chain.first,
    last: chain.last,
    provenTo,
    witnessedTo,
    witnesses: [...witnesses].sort(),
  };
}

function has(chain: Chain, head: Held): boolean {
  return hashIn(chain, head.n) === head.hash && runAt(chain, head.n) === head.run;
}

function contradiction(
  chain: Chain,
  head: Held,
  chains: readonly Chain[],
): [Severity, number | null, string] {
  const { by, n } = head;
  const where = head.chain === null ? by : `${by}, entry ${head.at},`;
  if (n > chain.last) {
    const text = `ends with entry ${chain.last}, but ${where} holds its head, entry ${n}`;
    return isOfSecondCopy(head, chains)
      ? ['doubt', chain.last + 1, `${text}; that was recorded after the earlier copy of ${by}’s log`]
      : [
          'missing',
          chain.last + 1,
          `${text}: ${n - chain.last} entries were cut off, or written since this log was copied: copy it again`,
        ];
  }
  if (runAt(chain, n) === head.run)
    return [
      'broken',
      n,
      `is not the log that ${where} holds a head of: entry ${n} of that run was signed twice`,
    ];
  const said = chain.segments
    .flatMap(({ moments }) => moments)
    .some(({ kind, data }) => kind === 'lost' && data.run === head.run && Number(data.n) >= n);
  return [
    said ? 'doubt' : 'missing',
    n,
    `does not have entry ${n} of the run that ${where} holds a head of: it goes on with another run${said ? ', as the host said itself' : ''}`,
  ];
}

/**
 * Whether an earlier copy of the recorder's log was given, which ends before that record. Logs of running hosts are
 * copied one after the other, so each may hold heads of what another wrote after it was copied. Whoever copies all of
 * them, and then all again, has in each second copy all that any first copy holds a head of.
 */
function isOfSecondCopy({ chain, at }: Held, chains: readonly Chain[]): boolean {
  if (chain === null) return false;
  return chains.some(
    (copy) =>
      copy.host === chain.host &&
      copy.last > 0 &&
      copy.last < at &&
      hashIn(copy, copy.last) === hashIn(chain, copy.last),
  );
}

/** For each host the log that goes furthest, of those that were given. */
export function fullest(chains: readonly Chain[]): Chain[] {
  const best = new Map<string, Chain>();
  for (const chain of chains) if (chain.last > (best.get(chain.host)?.last ?? 0)) best.set(chain.host, chain);
  return [...best.values()];
}

/** A revoked key proves no more than what an honest host had recorded before it took the revocation. */
function revokedTo(
  chain: Chain,
  held: readonly Held[],
  members: Members,
  find: (severity: Severity, n: number | null, text: string) => void,
): number {
  for (const { value: kid, first } of chain.segments.flatMap(({ kids }) => kids)) {
    const version = members.revokedIn(kid);
    if (version === null) continue;
    const before = held.filter(
      (head) => head.kid === kid && has(chain, head) && head.chain !== chain && isBefore(head, version),
    );
    const provenTo = Math.max(first - 1, ...before.map(({ n }) => n));
    if (provenTo >= chain.last) continue;
    find(
      'missing',
      provenTo + 1,
      `its key was revoked in roster version ${version}: from entry ${provenTo + 1} on, whoever has the key may have written it`,
    );
    return provenTo;
  }
  return chain.last;
}

/** Whether it was recorded before the recorder took that version. A checkpoint says nothing of that. */
function isBefore({ chain, at }: Held, version: number): boolean {
  if (chain === null) return false;
  const taken = chain.segments.flatMap(({ rosters }) => rosters).find((mark) => mark.version >= version);
  return taken === undefined || at < taken.n;
}

function hashIn(chain: Chain, n: number): string | null {
  const segment = chain.segments.find(({ first, last }) => n >= first && n <= last);
  return segment === undefined ? null : hashAfter(segment, n);
}

function runAt(chain: Chain, n: number): string | null {
  const runs = chain.segments.flatMap(({ runs: spans }) => spans);
  return runs.find(({ first, last }) => n >= first && n <= last)?.value ?? null;
}
