/**
 * The roster as it lives: who shows which version, fetching what is newer, giving out what was asked for, and when a
 * version counts as settled (R21). Pure but for its own memory: time is handed in, words to be said and news are
 * handed back. It judges nothing by itself: a chain is taken only as `mergeRoster` says.
 */
import type { HostName } from '../core/basics.ts';
import { type Roster, type RosterMember, voterSets } from '../trust/roster.ts';
import { type Fork, type Merge, mergeRoster, type Standing, standingOf } from '../trust/roster-merge.ts';
import { sameBytes } from '../wire/bytes.ts';
import type { ShownRoster } from '../wire/endpoint.ts';
import { ROSTER_BURST, ROSTER_HASH_BYTES, ROSTER_LEAP_MAX } from '../wire/limits.ts';
import { CHUNKS_MAX, partOf, type RosterWord } from '../wire/roster-words.ts';
import { type Progress, RosterFetch } from './roster-fetch.ts';
import { Settling } from './settling.ts';

/** A host that shows an older roster is told of ours at most so often. */
const TELL_PAUSE_MS = 100;
/**
 * What one peer does not bring in this time another one is asked for, too, if it shows the same: the first may be the very one that
 * the newer roster takes out.
 */
const SECOND_AFTER_MS = 200;
/** A host that served nonsense is not asked for so long. */
const DISTRUST_MS = 10_000;
/** Versions that a host which is out is sent at most. */
const FAREWELL_MAX = 4;
/** Implementation: branches that were judged and are not fetched again. */
const JUDGED_MAX = 64;

export type RosterNews =
  | { readonly kind: 'taken'; readonly roster: Roster; readonly fork: Fork | null }
  | { readonly kind: 'settled'; readonly version: number }
  | { readonly kind: 'forked'; readonly fork: Fork }
  | { readonly kind: 'refused'; readonly version: number | null; readonly reason: string };

/** What is to be done, in this order: the news, then the words. */
export interface Outcome {
  readonly news: { readonly from: HostName | null; readonly what: RosterNews }[];
  readonly words: { readonly to: HostName | 'all'; readonly word: RosterWord }[];
}

export class RosterKeeper {
  readonly #self: HostName;
  readonly #settling: Settling;
  /** In force: shown to others, and what votes are counted by. */
  #roster: Roster;
  /** The newest that was verified; being stored while it is not in force. */
  #newest: Roster;
  /** What each peer showed last, signed. */
  readonly #shown = new Map<HostName, ShownRoster>();
  /** At most one a peer. */
  readonly #fetches = new Map<HostName, RosterFetch>();
  readonly #judged = new Set<string>();
  readonly #distrustedUntilMs = new Map<HostName, number>();
  readonly #toldMs = new Map<HostName, number>();

  /** `promiseMs`: P. */
  constructor(roster: Roster, self: HostName, promiseMs: number) {
    this.#roster = roster;
    this.#newest = roster;
    this.#self = self;
    this.#settling = new Settling(roster.body.settled, promiseMs);
  }

  /** The roster in force. */
  get roster(): Roster {
    return this.#roster;
  }

  /** The highest version that is settled as far as this host knows. */
  get settled(): number {
    return Math.max(this.#settling.settled, this.#roster.body.settled);
  }

  /** A majority is needed in each. */
  get voterSets(): readonly (readonly HostName[])[] {
    return voterSets(this.#roster, this.settled);
  }

  /** Members that showed, signed, that they have the newest version, and those that did not; both in its order. */
  confirmations(): { readonly confirmed: HostName[]; readonly unreached: HostName[] } {
    const names = this.#roster.members.map((member) => member.name);
    const confirmed = names.filter(
      (name) => name === this.#self || this.#standing(this.#shown.get(name)) === 'same',
    );
    return { confirmed, unreached: names.filter((name) => !confirmed.includes(name)) };
  }

  /** A signed word of a member showed its roster. `standing` null: not known. */
  heard(nowMs: number, from: HostName, shown: ShownRoster): Outcome & { readonly standing: Standing } {
    this.#shown.set(from, shown);
    const standing = this.#standing(shown) ?? 'newer';
    const outcome: Outcome = { news: [], words: [] };
    if (standing === 'newer' || standing === 'forked') this.#fetch(nowMs, from, outcome);
    else if (standing === 'older') this.#tell(nowMs, from, outcome);
    this.#settle(nowMs, outcome);
    return { ...outcome, standing };
  }

  /** A word about rosters; the header that it came with was `heard` before. */
  word(nowMs: number, from: HostName, word: RosterWord): Outcome {
    const outcome: Outcome = { news: [], words: [] };
    if (word.kind === 'ask') this.#serve(from, word, outcome);
    if (word.kind !== 'part') return outcome;
    const fetch = this.#fetches.get(from) ?? this.#unasked(nowMs, from, word);
    if (fetch === undefined) return outcome;
    this.#progress(nowMs, fetch, fetch.take(nowMs, this.#newest, word), outcome);
    return outcome;
  }

  /** An operator's file, or any sequence of versions. */
  offer(bytes: Uint8Array): Outcome & { readonly merge: Merge } {
    const outcome: Outcome = { news: [], words: [] };
    const merge = this.#merge(null, bytes, outcome);
    return { ...outcome, merge };
  }

  /**
   * What hosts are told that a newer roster has no more: the versions themselves, since their questions will not be
   * answered. An honest one lets go at once instead of when its lease is over.
   */
  farewell(roster: Roster): Outcome {
    const outcome: Outcome = { news: [], words: [] };
    for (const former of this.#roster.members) {
      if (former.name === this.#self || keepsKeys(former, roster)) continue;
      const shown = this.#shown.get(former.name)?.version ?? this.#roster.version;
      for (let version = shown + 1; version <= Math.min(roster.version, shown + FAREWELL_MAX); version++) {
        const [bytes, record] = [roster.versions[version - 1], roster.history[version - 1]];
        if (bytes === undefined || record === undefined) break;
        for (let chunk = 0; chunk < CHUNKS_MAX; chunk++) {
          const word = partOf(version, record.hash, bytes, chunk);
          if (word !== null) outcome.words.push({ to: former.name, word });
        }
      }
    }
    return outcome;
  }

  /** A roster that was `taken` is stored, or cannot be, and is in force from now on. It is told to all. */
  commit(nowMs: number, roster: Roster, fork: Fork | null): Outcome {
    const outcome: Outcome = { news: [], words: [{ to: 'all', word: { kind: 'tell' } }] };
    this.#roster = roster;
    this.#toldMs.clear();
    this.#settling.follow(fork);
    this.#settle(nowMs, outcome);
    return outcome;
  }

  /** R19: asks everybody for a newer roster. Who has one says so in answer to our own. */
  askAll(): Outcome {
    this.#distrustedUntilMs.clear();
    return { news: [], words: [{ to: 'all', word: { kind: 'tell' } }] };
  }

  /** Questions that are due again, and what has become settled. Harmless at any time. */
  tick(nowMs: number): Outcome {
    const outcome: Outcome = { news: [], words: [] };
    for (const fetch of [...this.#fetches.values()]) {
      if (nowMs < fetch.retryAtMs) continue;
      const ask = fetch.ask(nowMs);
      if (ask !== null) outcome.words.push({ to: fetch.from, word: ask });
      else this.#next(nowMs, fetch, outcome);
    }
    this.#settle(nowMs, outcome);
    return outcome;
  }

  /** When `tick` has something to do next; Infinity: not without a word. */
  nextTickMs(): number {
    let next = this.#settling.dueMs;
    for (const fetch of this.#fetches.values()) next = Math.min(next, fetch.retryAtMs);
    return next;
  }

  /** undefined for undefined. A branch that was judged and not taken is `forked`, however high its number is. */
  #standing(shown: ShownRoster | undefined): Standing | undefined {
    if (shown === undefined) return undefined;
    return this.#against(this.#roster, shown);
  }

  #against(roster: Roster, shown: ShownRoster): Standing {
    const standing = standingOf(roster, shown.version, shown.hash);
    return standing === 'newer' && this.#judged.has(keyOf(shown)) ? 'forked' : standing;
  }

  #fetch(nowMs: number, from: HostName, outcome: Outcome): void {
    const head = this.#shown.get(from);
    if (head === undefined || this.#judged.has(keyOf(head))) return;
    const standing = this.#against(this.#newest, head);
    if (standing === 'same' || standing === 'older') return;
    if (head.version > this.#newest.version + ROSTER_LEAP_MAX) return;
    if (this.#fetches.has(from) || nowMs < (this.#distrustedUntilMs.get(from) ?? 0)) return;
    for (const other of this.#fetches.values())
      if (keyOf(other.head) === keyOf(head) && nowMs - other.beganMs < SECOND_AFTER_MS) return;
    const fetch = new RosterFetch(nowMs, from, head);
    this.#fetches.set(from, fetch);
    const ask = fetch.ask(nowMs);
    if (ask !== null) outcome.words.push({ to: from, word: ask });
  }

  /** That peer does not answer, or too slowly: any other who shows the same, and it again later. */
  #next(nowMs: number, failed: RosterFetch, outcome: Outcome): void {
    this.#fetches.delete(failed.from);
    for (const [host, shown] of this.#shown) {
      if (host === failed.from || keyOf(shown) !== keyOf(failed.head)) continue;
      this.#fetch(nowMs, host, outcome);
      if (this.#fetches.has(host)) return;
    }
  }

  /** The very next version is taken unasked: from a host that will not talk to us any more (`farewell`). */
  #unasked(nowMs: number, from: HostName, { version, hash }: ShownRoster): RosterFetch | undefined {
    if (nowMs < (this.#distrustedUntilMs.get(from) ?? 0)) return undefined;
    if (version !== this.#newest.version + 1 || this.#judged.has(keyOf({ version, hash }))) return undefined;
    const fetch = new RosterFetch(nowMs, from, { version, hash });
    this.#fetches.set(from, fetch);
    return fetch;
  }

  #tell(nowMs: number, to: HostName, outcome: Outcome): void {
    if (nowMs - (this.#toldMs.get(to) ?? Number.NEGATIVE_INFINITY) < TELL_PAUSE_MS) return;
    this.#toldMs.set(to, nowMs);
    outcome.words.push({ to, word: { kind: 'tell' } });
  }

  #serve(to: HostName, ask: RosterWord & { kind: 'ask' }, outcome: Outcome): void {
    const record = this.#newest.history[ask.version - 1];
    const bytes = this.#newest.versions[ask.version - 1];
    if (record === undefined || bytes === undefined) return;
    if (!sameBytes(record.hash.subarray(0, ROSTER_HASH_BYTES), ask.hash)) return;
    for (let chunk = ask.chunk; chunk < ask.chunk + ROSTER_BURST; chunk++) {
      const word = partOf(ask.version, record.hash, bytes, chunk);
      if (word !== null) outcome.words.push({ to, word });
    }
  }

  #progress(nowMs: number, fetch: RosterFetch, progress: Progress, outcome: Outcome): void {
    if (progress.kind === 'waiting') {
      if (progress.ask !== null) outcome.words.push({ to: fetch.from, word: progress.ask });
      return;
    }
    this.#fetches.delete(fetch.from);
    if (progress.kind === 'failed') {
      this.#distrustedUntilMs.set(fetch.from, nowMs + DISTRUST_MS);
      const what = { kind: 'refused', version: fetch.head.version, reason: progress.reason } as const;
      outcome.news.push({ from: fetch.from, what });
      this.#next(nowMs, fetch, outcome);
      return;
    }
    const merge = this.#merge(fetch.from, progress.bytes, outcome);
    if (merge.kind === 'refused') this.#distrustedUntilMs.set(fetch.from, nowMs + DISTRUST_MS);
    // The same bytes lead to the same end: not again.
    if (merge.kind === 'refused' || merge.kind === 'forked') this.#judge(keyOf(fetch.head));
  }

  #judge(key: string): void {
    const [oldest] = this.#judged;
    if (this.#judged.size >= JUDGED_MAX && oldest !== undefined) this.#judged.delete(oldest);
    this.#judged.add(key);
  }

  #merge(from: HostName | null, bytes: Uint8Array, outcome: Outcome): Merge {
    const merge = mergeRoster(this.#newest, bytes);
    if (merge.kind === 'same' || merge.kind === 'older') return merge;
    outcome.news.push({ from, what: merge });
    if (merge.kind !== 'taken') return merge;
    this.#newest = merge.roster;
    // What was judged was judged beside another roster than this one.
    this.#judged.clear();
    for (const [host, fetch] of this.#fetches) {
      const standing = this.#against(this.#newest, fetch.head);
      if (standing === 'same' || standing === 'older') this.#fetches.delete(host);
    }
    return merge;
  }

  #settle(nowMs: number, outcome: Outcome): void {
    const has = (host: HostName): number => {
      if (host === this.#self) return this.#roster.version;
      const shown = this.#shown.get(host);
      const standing = this.#standing(shown);
      return shown !== undefined && (standing === 'same' || standing === 'older') ? shown.version : 0;
    };
    const version = this.#settling.look(nowMs, this.#roster, has);
    if (version !== null) outcome.news.push({ from: null, what: { kind: 'settled', version } });
  }
}

/** Whether the roster has all keys of that member under its name. */
function keepsKeys(former: RosterMember, roster: Roster): boolean {
  const now = roster.members.find((member) => member.name === former.name);
  const kids = [now?.kid, now?.oldKid];
  const keeps = (kid: Uint8Array) => kids.some((other) => other != null && sameBytes(other, kid));
  return keeps(former.kid) && (former.oldKid === null || keeps(former.oldKid));
}

function keyOf({ version, hash }: ShownRoster): string {
  return `${version} ${Buffer.from(hash.subarray(0, ROSTER_HASH_BYTES)).toString('hex')}`;
}
