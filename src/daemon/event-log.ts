/**
 * The event log's writer: entries are queued at once, and written, signed and synced by a loop of its own, as many
 * together as have come meanwhile. Invariants: what is durable is never written otherwise again (bytes that failed are
 * tried again as they are); a disk that is full or slow costs entries, which are counted and stated, never a takeover.
 */
import { chainedAll, ENTRY_OVERHEAD_BYTES, signBlock } from '../audit/block.ts';
import { type Entry, encodeEntry } from '../audit/entry.ts';
import { KINDS, type Kind } from '../audit/kinds.ts';
import { BLOCK_PAYLOAD_MAX_BYTES } from '../audit/limits.ts';
import { type Position, segmentName } from '../audit/segment.ts';
import type { Journal, JournalEntry } from '../driver/ports.ts';
import type { Roster } from '../trust/roster.ts';
import type { VerifyKey } from '../wire/ed25519.ts';
import type { Head, ShownHead } from '../wire/head.ts';
import type { LogDisk, LogFile } from './log-disk.ts';
import { recover } from './log-recovery.ts';
import { retire } from './log-retention.ts';

/** What this process itself has to say, beside what the core says. */
export type LogDraft = Partial<Pick<Entry, 'service' | 'text' | 'data' | 'heads' | 'roster'>> & {
  readonly kind: Kind;
};

export interface LogLimits {
  readonly segmentBytes: number;
  readonly segmentAgeMs: number;
  readonly keepBytes: number;
  /** Null: however old. */
  readonly keepAgeMs: number | null;
}

export interface EventLogOptions {
  readonly disk: LogDisk;
  readonly clusterId: Uint8Array;
  /** This host's key id, and its signature. */
  readonly kid: Uint8Array;
  readonly sign: (message: Uint8Array) => Uint8Array;
  /** By key id in hex: keys that may have signed what is there. */
  readonly keys: ReadonlyMap<string, VerifyKey>;
  /** This run of the log; 16 random bytes. */
  readonly run: Uint8Array;
  readonly roster: Roster;
  readonly limits: LogLimits;
  /** Raw monotonic milliseconds, and the wall clock's. */
  readonly now: () => number;
  readonly wall: () => number;
  /** Called when writing begins to fail, and when it works again (null). */
  readonly onTrouble: (error: string | null) => void;
  /** The durable head has moved. */
  readonly onDurable?: (head: ShownHead) => void;
  /** What is new, said once the log is open. */
  readonly opened?: LogDraft['data'];
}

/** Entries that may wait for the disk, and their texts together (characters). */
const QUEUE_LIMIT = 20_000;
const QUEUE_CHARACTERS = 16 * 1024 * 1024;
const RETRY_MS = 1000;
/** How long the first entry of a block waits for others: one sync for all that a takeover says at once. */
const GATHER_MS = 10;
/** Entries that are encoded at a time, before the loop is let go on: about two milliseconds of work. */
const AT_ONCE = 256;
const PAYLOAD_ROOM_BYTES = BLOCK_PAYLOAD_MAX_BYTES - 256;

type Waiting = Omit<Entry, 'n'>;

/** A block that is signed and on its way to the disk. */
interface Pending {
  readonly bytes: Uint8Array;
  readonly after: Position;
  readonly weighty: number;
  readonly news: number;
}

export class EventLog implements Journal {
  readonly #options: EventLogOptions;
  #roster: Roster;
  #queue: Waiting[] = [];
  #queueCharacters = 0;
  #position: Position | null = null;
  #previous: { readonly run: Uint8Array; readonly position: Position } | null = null;
  #pending: Pending | null = null;
  #file: LogFile | null = null;
  #segment: { name: string; bytes: number; startMs: number } | null = null;
  #weighty = 0;
  #news = 0;
  #lost: { count: number; firstMs: number; stamp: Pick<Entry, 'wallMs' | 'monoUs'> } | null = null;
  #lostInAll = 0;
  #failing = false;
  #writing: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #heads: ReadonlyMap<string, Head> = new Map();

  constructor(options: EventLogOptions) {
    this.#options = options;
    this.#roster = options.roster;
  }

  /** Opens or makes the log and repairs its end. Never fails: trouble is told, and tried again. */
  async open(): Promise<void> {
    await this.flush();
  }

  /** Resolves when all that waits now is durable, or the disk has failed. */
  async flush(): Promise<void> {
    await this.#writing;
    this.#begin();
    await this.#writing;
  }

  append(entry: JournalEntry): void {
    const { service, kind, text, event = null, data = {}, detail = null, roster } = entry;
    if (roster !== undefined) this.#roster = roster;
    const mark = roster === undefined ? null : { version: roster.version, hash: roster.hash };
    this.#enqueue({ ...this.#stamp(), service, kind, text, event, data, detail, roster: mark, heads: [] });
  }

  /** An entry of this process's own. */
  add(draft: LogDraft): void {
    this.#enqueue({ ...BLANK, ...this.#stamp(), ...draft });
  }

  /** Writes what waits, at most for that long, and closes. Nothing may be added afterwards. */
  async close(limitMs: number): Promise<void> {
    this.add({ kind: 'closed', text: 'the log was closed in good order' });
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, limitMs);
    });
    await Promise.race([this.flush(), limit]);
    clearTimeout(timer);
    if (this.#timer !== null) clearTimeout(this.#timer);
    await Promise.race([this.#file?.close().catch(() => undefined), limit]);
    this.#file = null;
  }

  status(): { entries: number; lost: number; failing: boolean } {
    return { entries: this.#position?.n ?? 0, lost: this.#lostInAll, failing: this.#failing };
  }

  /** Where the log stood when this run began; null: it was new, or is not open yet. */
  get previous(): { readonly run: Uint8Array; readonly position: Position } | null {
    return this.#previous;
  }

  get isOpen(): boolean {
    return this.#position !== null;
  }

  /** What the log's end holds of peers, from before this run. */
  get heads(): ReadonlyMap<string, Head> {
    return this.#heads;
  }

  #stamp(): Pick<Entry, 'wallMs' | 'monoUs'> {
    const { now, wall } = this.#options;
    return { wallMs: Math.max(0, Math.round(wall())), monoUs: Math.max(0, Math.round(now() * 1000)) };
  }

  #enqueue(entry: Waiting): void {
    const characters = entry.text.length + (entry.detail?.length ?? 0) + (entry.event?.length ?? 0) + 100;
    if (this.#queue.length >= QUEUE_LIMIT || this.#queueCharacters + characters > QUEUE_CHARACTERS) {
      this.#lost ??= { count: 0, firstMs: entry.wallMs, stamp: entry };
      this.#lost = { ...this.#lost, count: this.#lost.count + 1, stamp: entry };
      this.#lostInAll++;
      return;
    }
    this.#stateLoss(entry);
    this.#queue.push(entry);
    this.#queueCharacters += characters;
    this.#gather();
  }

  /** What was lost is said where it is missing: before the first entry that there is room for again. */
  #stateLoss(next: Waiting | null): void {
    const lost = this.#lost;
    if (lost === null) return;
    this.#lost = null;
    const { count, firstMs, stamp } = lost;
    const text = `${count} entries were lost: the log could not be written`;
    const data = { count, fromMs: firstMs, toMs: stamp.wallMs };
    const { wallMs, monoUs } = next ?? stamp;
    this.#queue.push({ ...BLANK, wallMs, monoUs, kind: 'lost', text, data });
  }

  /** The one place where the loop begins: two of them would write one number twice. */
  #begin(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#writing ??= this.#write().then(() => {
      this.#writing = null;
      if (this.#queue.length > 0) this.#gather();
    });
  }

  #gather(): void {
    if (this.#writing === null) this.#timer ??= setTimeout(() => this.#begin(), GATHER_MS).unref();
  }

  async #write(): Promise<void> {
    try {
      if (this.#position === null) await this.#open();
      while (this.#pending !== null || this.#queue.length > 0) {
        if (this.#pending === null) await this.#rotateIfDue();
        this.#pending ??= this.#nextBlock();
        await this.#writePending(this.#pending);
        if (this.#queue.length === 0) this.#stateLoss(null);
      }
      if (this.#failing) this.#options.onTrouble(null);
      this.#failing = false;
    } catch (error) {
      await this.#failed(error);
    }
  }

  async #open(): Promise<void> {
    const { disk, clusterId, keys, opened = {} } = this.#options;
    const recovered = await recover(disk, clusterId, keys);
    const { position, run, segment, repair } = recovered;
    this.#heads = recovered.heads;
    this.#segment = segment;
    this.#position = position;
    this.#previous = run === null ? null : { run, position };
    const [first] = this.#queue;
    const stamp = first ?? this.#stamp();
    const text = run === null ? 'the log begins' : 'the log goes on with a new run';
    const front: Waiting[] = [{ ...this.#plain(stamp, 'opened', text), data: opened, roster: this.#mark() }];
    if (repair !== null) front.push({ ...this.#plain(stamp, 'repaired', repair.text), data: repair.data });
    this.#queue.unshift(...front);
  }

  #plain({ wallMs, monoUs }: Pick<Entry, 'wallMs' | 'monoUs'>, kind: Kind, text: string): Waiting {
    return { ...BLANK, wallMs, monoUs, kind, text };
  }

  #mark(): Entry['roster'] {
    return { version: this.#roster.version, hash: this.#roster.hash };
  }

  /** Takes as many entries as one block may hold. A checkpoint stands alone. */
  #nextBlock(): Pending {
    const { clusterId, kid, sign, run } = this.#options;
    const before = this.#position;
    if (before === null) throw new Error('the log is not open');
    const entries: Uint8Array[] = [];
    let [bytes, weighty, news] = [0, this.#weighty, this.#news];
    let taken = 0;
    for (const entry of this.#queue) {
      const alone = entry.kind === 'checkpoint';
      if (entries.length === AT_ONCE || (alone && entries.length > 0)) break;
      const n = before.n + 1 + entries.length;
      const encoded = encodeEntry({ ...entry, n });
      if (bytes + encoded.length + ENTRY_OVERHEAD_BYTES > PAYLOAD_ROOM_BYTES) break;
      entries.push(encoded);
      bytes += encoded.length + ENTRY_OVERHEAD_BYTES;
      const { weight } = KINDS[entry.kind];
      if (weight === 'heavy') weighty = n;
      if (weight !== 'none') news = n;
      this.#queueCharacters -=
        entry.text.length + (entry.detail?.length ?? 0) + (entry.event?.length ?? 0) + 100;
      taken++;
      if (alone) break;
    }
    this.#queue.splice(0, taken);
    this.#queueCharacters = Math.max(0, this.#queueCharacters);
    const block = { run, first: before.n + 1, before: before.hash, entries };
    const after = { n: before.n + entries.length, hash: chainedAll(before.hash, entries) };
    return { bytes: signBlock(block, clusterId, kid, { sign }), after, weighty, news };
  }

  async #writePending(pending: Pending): Promise<void> {
    const { disk, onDurable, run, wall } = this.#options;
    if (this.#segment === null) {
      const name = segmentName((this.#position?.n ?? 0) + 1);
      this.#file = await this.#createAnew(name);
      this.#segment = { name, bytes: 0, startMs: wall() };
    }
    const segment = this.#segment;
    if (this.#file === null) {
      this.#file = await disk.open(segment.name);
      // Part of what failed may be there.
      await this.#file.truncate(segment.bytes);
    }
    await this.#file.append(pending.bytes);
    await this.#file.sync();
    segment.bytes += pending.bytes.length;
    this.#position = pending.after;
    this.#weighty = pending.weighty;
    this.#news = pending.news;
    this.#pending = null;
    onDurable?.({
      run,
      n: pending.after.n,
      hash: pending.after.hash,
      weighty: pending.weighty,
      news: pending.news,
    });
  }

  /** A file of that name can only be what is left of a creation that failed: there was nothing in it yet. */
  async #createAnew(name: string): Promise<LogFile> {
    const { disk } = this.#options;
    if ((await disk.list()).some((file) => file.name === name)) await disk.remove(name);
    return disk.create(name);
  }

  async #rotateIfDue(): Promise<void> {
    const { disk, limits, wall } = this.#options;
    const segment = this.#segment;
    const [next] = this.#queue;
    if (segment === null || next === undefined) return;
    const reason =
      segment.bytes >= limits.segmentBytes
        ? 'size'
        : Math.abs(wall() - segment.startMs) >= limits.segmentAgeMs
          ? 'age'
          : null;
    if (reason === null) return;
    await this.#file?.close();
    this.#file = null;
    this.#segment = null;
    const opening = { ...this.#plain(next, 'segment', 'a new segment'), roster: this.#mark() };
    const retired = await retire(disk, limits, segment.name, wall()).catch(() => []);
    const told = retired.map(({ text, data }) => ({ ...this.#plain(next, 'retired', text), data }));
    this.#queue.unshift({ ...opening, data: { reason } }, ...told);
  }

  async #failed(error: unknown): Promise<void> {
    if (!this.#failing) this.#options.onTrouble(error instanceof Error ? error.message : String(error));
    this.#failing = true;
    await this.#file?.close().catch(() => undefined);
    this.#file = null;
    this.#timer ??= setTimeout(() => this.#begin(), RETRY_MS).unref();
  }
}

const BLANK = {
  service: null,
  text: '',
  event: null,
  data: {},
  detail: null,
  roster: null,
  heads: [],
} as const;
