/**
 * What this host keeps of others' logs, and tells of its own: peers' heads as they signed them, in batches; refusals,
 * counted; checkpoints. Records of heads are never news themselves, or two idle hosts would record each other for ever.
 */
import { DATA_MAX } from '../audit/limits.ts';
import type { HostName } from '../core/basics.ts';
import type { Evidence } from '../driver/ports.ts';
import type { Head, ShownHead } from '../wire/head.ts';
import { hex } from '../wire/hex.ts';
import type { HeardHead } from '../wire/received.ts';
import type { RejectionCode } from '../wire/rejection.ts';
import type { LogDraft } from './event-log.ts';

/** The part of the log that is needed here; tests hand in their own. */
export interface EvidenceLog {
  add(draft: LogDraft): void;
  /** Null: the log was new, or is not open yet. */
  readonly previous: { readonly run: Uint8Array; readonly position: { readonly n: number } } | null;
  readonly isOpen: boolean;
  readonly heads: ReadonlyMap<string, Head>;
}

export interface EvidenceOptions {
  readonly log: EvidenceLog;
  /** This run of the log. */
  readonly run: Uint8Array;
  /** Raw monotonic milliseconds. */
  readonly now: () => number;
  readonly checkpointMs: number;
}

/** How long light news waits to be recorded, and heavy news: all that a takeover says goes into one entry. */
const LIGHT_MS = 60_000;
const HEAVY_MS = 1000;
/** Heavy records of one peer that are made at once, and how often one more: a peer must not fill this disk. */
const HEAVY_BURST = 20;
const HEAVY_EVERY_MS = 10_000;
const REFUSED_MS = 10_000;
/** The first checkpoint of a run comes no later than this: who is started anew each day has one, too. */
const FIRST_MS = 600_000;
const PEERS_MAX = 64;
const TOLD_MAX = 256;

interface Heard {
  readonly head: ShownHead;
  readonly word: Uint8Array;
  readonly atMs: number;
}

interface Peer {
  /** The newest head, and when something in it first was news (null: nothing is). */
  heard: Heard | null;
  lightSinceMs: number | null;
  heavySinceMs: number | null;
  recorded: { readonly run: string; readonly n: number } | null;
  budget: number;
  budgetMs: number;
}

export class EvidenceKeeper implements Evidence {
  readonly #options: EvidenceOptions;
  readonly #peers = new Map<HostName, Peer>();
  readonly #refused = new Map<string, number>();
  /** What the kernel's filter had counted when it was asked last. */
  #filtered: { readonly [code: string]: number } = {};
  /** Heads of our own log that we were told of and do not have. */
  readonly #told = new Set<string>();
  #refusedSinceMs: number | null = null;
  #checkpointMs: number;

  constructor(options: EvidenceOptions) {
    this.#options = options;
    this.#checkpointMs = options.now() - options.checkpointMs + Math.min(options.checkpointMs, FIRST_MS);
  }

  headHeard(from: HostName, { head, word }: HeardHead): void {
    const nowMs = this.#options.now();
    const peer = this.#peer(from, nowMs);
    const before = peer.heard?.head;
    if (before !== undefined && before.n === head.n && hex(before.run) === hex(head.run)) return;
    peer.heard = { head, word: Uint8Array.from(word), atMs: nowMs };
    const known = peer.recorded?.run === hex(head.run) ? peer.recorded.n : 0;
    if (head.news > known) peer.lightSinceMs ??= nowMs;
    if (head.weighty > known) peer.heavySinceMs ??= nowMs;
  }

  /** Somebody holds a head of ours. One of an earlier run that our log does not reach is a loss, and is said. */
  headHeld(from: HostName, head: Head): void {
    const { log, run } = this.#options;
    if (!log.isOpen || hex(head.run) === hex(run)) return;
    const reached = log.previous?.position.n ?? 0;
    if (head.n <= reached) return;
    const id = `${hex(head.run)} ${head.n}`;
    if (this.#told.has(id) || this.#told.size >= TOLD_MAX) return;
    this.#told.add(id);
    const text = `${from} holds entry ${head.n} of an earlier run of this log, which it does not have: it was lost or set back`;
    const data = { holder: from, run: hex(head.run), n: head.n, hash: hex(head.hash) };
    log.add({ kind: 'lost', text, data });
  }

  refused(host: HostName | null, code: RejectionCode): void {
    this.#count(`${host ?? 'nobody'} ${code}`, 1);
  }

  /**
   * What the kernel has dropped at the cluster's port, by reason, counted since the filter was made: only what is new is
   * told. A count below the last one is a filter that was made anew.
   */
  filtered(counts: { readonly [code: string]: number }): void {
    for (const [code, count] of Object.entries(counts)) {
      const before = this.#filtered[code] ?? 0;
      this.#count(`filtered:${code}`, count < before ? count : count - before);
    }
    this.#filtered = { ...counts };
  }

  #count(id: string, more: number): void {
    if (more === 0) return;
    this.#refused.set(id, (this.#refused.get(id) ?? 0) + more);
    this.#refusedSinceMs ??= this.#options.now();
  }

  /** What is held of a peer's log: its newest head, of this run or of the log's end before it. */
  heldOf(host: HostName): Head | null {
    const heard = this.#peers.get(host)?.heard?.head ?? this.#options.log.heads.get(host);
    return heard === undefined ? null : { run: heard.run, n: heard.n, hash: heard.hash };
  }

  /** To be called about once a second: writes what is due. */
  tick(): void {
    const nowMs = this.#options.now();
    this.#recordHeads(nowMs);
    if (this.#refusedSinceMs !== null && nowMs - this.#refusedSinceMs >= REFUSED_MS) this.#tellRefused();
    if (nowMs - this.#checkpointMs >= this.#options.checkpointMs) {
      this.#checkpointMs = nowMs;
      this.#options.log.add({ kind: 'checkpoint' });
    }
  }

  /** At the end: what was counted is told, due or not. */
  finish(): void {
    if (this.#refused.size > 0) this.#tellRefused();
  }

  #peer(host: HostName, nowMs: number): Peer {
    const known = this.#peers.get(host);
    if (known !== undefined) return known;
    if (this.#peers.size >= PEERS_MAX) this.#peers.clear(); // rosters that came and went, in one run
    const peer: Peer = {
      heard: null,
      lightSinceMs: null,
      heavySinceMs: null,
      recorded: null,
      budget: HEAVY_BURST,
      budgetMs: nowMs,
    };
    this.#peers.set(host, peer);
    return peer;
  }

  /** One entry for all peers, when one of them is due; those with any news go with it. */
  #recordHeads(nowMs: number): void {
    const peers = [...this.#peers].filter(
      ([, peer]) => peer.lightSinceMs !== null || peer.heavySinceMs !== null,
    );
    if (!peers.some(([, peer]) => this.#isDue(peer, nowMs))) return;
    const heads = peers.flatMap(([host, peer]) => {
      if (peer.heard === null) return [];
      const { head, word, atMs } = peer.heard;
      peer.recorded = { run: hex(head.run), n: head.n };
      peer.lightSinceMs = null;
      peer.heavySinceMs = null;
      return [{ host, ageMs: Math.min(Math.max(0, Math.round(nowMs - atMs)), 2 ** 32 - 1), word }];
    });
    const text = `heads of ${heads.map(({ host }) => host).join(', ')}`;
    this.#options.log.add({ kind: 'witness', text, heads: heads.slice(0, 16) });
  }

  #isDue(peer: Peer, nowMs: number): boolean {
    if (peer.lightSinceMs !== null && nowMs - peer.lightSinceMs >= LIGHT_MS) return true;
    if (peer.heavySinceMs === null || nowMs - peer.heavySinceMs < HEAVY_MS) return false;
    peer.budget = Math.min(HEAVY_BURST, peer.budget + (nowMs - peer.budgetMs) / HEAVY_EVERY_MS);
    peer.budgetMs = nowMs;
    if (peer.budget < 1) return false;
    peer.budget--;
    return true;
  }

  #tellRefused(): void {
    const counts = [...this.#refused].sort(([, a], [, b]) => b - a);
    this.#refused.clear();
    this.#refusedSinceMs = null;
    const shown = counts.slice(0, DATA_MAX - 1);
    const others = counts.slice(DATA_MAX - 1).reduce((sum, [, count]) => sum + count, 0);
    const total = counts.reduce((sum, [, count]) => sum + count, 0);
    const data = Object.fromEntries([...shown, ...(others > 0 ? [['others', others] as const] : [])]);
    const text = total === 1 ? '1 message was refused' : `${total} messages were refused`;
    this.#options.log.add({ kind: 'refused', text, data });
  }
}
