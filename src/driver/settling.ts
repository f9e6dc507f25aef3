/**
 * When a version of the roster is settled (R21): from then on nobody can serve by an older one, so the voters of
 * older versions need not be asked any more. Version k is settled once every version from the last settled one to
 * k - 1 has been left by a majority of its voters (each showed, signed, a later one, and so promises nothing to a
 * host with that one or an older one), and one promise has passed since: what they promised before is over.
 */
import type { HostName } from '../core/basics.ts';
import type { Roster } from '../trust/roster.ts';
import type { Fork } from '../trust/roster-merge.ts';

export class Settling {
  readonly #promiseMs: number;
  #settled: number;
  /** Versions that were left by majorities, and since when without a break. */
  #reached: { readonly version: number; readonly sinceMs: number }[] = [];

  constructor(settled: number, promiseMs: number) {
    this.#settled = settled;
    this.#promiseMs = promiseMs;
  }

  get settled(): number {
    return this.#settled;
  }

  /** When the next version becomes settled if nothing changes; Infinity when none does. */
  get dueMs(): number {
    const [next] = this.#reached;
    return next === undefined ? Number.POSITIVE_INFINITY : next.sinceMs + this.#promiseMs;
  }

  /** The branch was changed: what was seen of the former one from `fork` on means nothing on this one. */
  follow(fork: Fork | null): void {
    if (fork === null) return;
    this.#reached = [];
    this.#settled = Math.min(this.#settled, fork.version - 1);
  }

  /** `has`: the version of this chain that a host showed last; 0 when none. Returns a newly settled version, or null. */
  look(nowMs: number, roster: Roster, has: (host: HostName) => number): number | null {
    const before = this.#settled;
    this.#settled = Math.max(before, roster.body.settled);
    let version = this.#settled;
    while (version < roster.version && isLeft(roster, version, has)) version++;
    const kept = this.#reached.filter((r) => r.version > this.#settled && r.version <= version);
    const highest = kept.at(-1)?.version ?? this.#settled;
    if (version > highest) kept.push({ version, sinceMs: nowMs });
    const over = kept.filter((r) => r.sinceMs + this.#promiseMs <= nowMs);
    this.#settled = over.at(-1)?.version ?? this.#settled;
    this.#reached = kept.filter((r) => r.version > this.#settled);
    return this.#settled > before ? this.#settled : null;
  }
}

/** Whether a majority of that version's voters showed a later one; without a change of voters it need not. */
function isLeft(roster: Roster, version: number, has: (host: HostName) => number): boolean {
  const voters = roster.history[version - 1]?.voters ?? [];
  const next = roster.history[version]?.voters ?? [];
  if (voters.toSorted().join() === next.toSorted().join()) return true;
  return voters.filter((host) => has(host) > version).length > voters.length / 2;
}
