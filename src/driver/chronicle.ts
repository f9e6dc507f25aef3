/**
 * What of a step is worth an entry of the event log, beside what the core itself says: the event that led to it, the
 * words by which hosts let each other in, how switches ended and how long each procedure took. Bounded: a member that
 * talks without end fills no disk, and what was left out is counted.
 */
import type { Effect, Event, HostName, LogEntry, Message, Side } from '../core/index.ts';
import { describeEvent, describeMessage } from '../core/index.ts';
import type { JournalEntry } from './ports.ts';

/** The words by which the right to serve is asked for, given, refused and given back. */
const TOLD: ReadonlySet<Message['type']> = new Set<Message['type']>([
  'CHECKED',
  'CLAIM',
  'GRANT',
  'OBJECT',
  'WITHDRAW',
  'RELEASE',
  'RELEASED',
  'HANDOVER',
  'READY',
  'BYE',
]);
/** Kinds of entries that one host's words can bring about as often as it likes. */
const BOUNDED: ReadonlySet<JournalEntry['kind']> = new Set<JournalEntry['kind']>([
  'message',
  'voted',
  'note',
]);
/** Words of one host that are told at once, with what they bring about, and how many more each second. */
const BURST = 50;
const PER_SECOND = 2;
/** Procedures under way that are remembered; one service has twelve. */
const RUNS_MAX = 1024;

const SIDES: readonly Side[] = ['downlink', 'uplink'];

/** The name of a round of address probes, as procedures have theirs. */
function addressRound(side: Side): string {
  return `${side} addresses`;
}

interface Allowance {
  left: number;
  atMs: number;
}

export class Chronicle {
  readonly #startedMs = new Map<number, number>();
  /** Of the run whose end is being worked on: what it told beside its verdict, and its duration in whole milliseconds. */
  readonly #ended = new Map<number, { readonly detail: string; readonly tookMs: number | null }>();
  readonly #allowances = new Map<HostName, Allowance>();
  /** The last word of each host, type and service: its copies over other links are not told again. */
  readonly #lastWords = new Map<string, string>();
  #untold = 0;
  /** By service and side: what the last round of address probes in this place said. */
  readonly #rounds = new Map<string, boolean>();

  /** A procedure was ordered. */
  started(id: number, nowMs: number): void {
    if (this.#startedMs.size >= RUNS_MAX) this.#startedMs.clear();
    this.#startedMs.set(id, nowMs);
  }

  /** A procedure ended; what it told goes with the entry that follows. */
  ended(id: number, detail: string, nowMs: number): void {
    const startedMs = this.#startedMs.get(id);
    this.#startedMs.delete(id);
    if (this.#ended.size >= RUNS_MAX) this.#ended.clear();
    this.#ended.set(id, { detail, tookMs: startedMs === undefined ? null : Math.round(nowMs - startedMs) });
  }

  /** The entries of one step, in their order: what was heard, what the core decided, what was said. */
  entries(event: Event, effects: readonly Effect[], nowMs: number): JournalEntry[] {
    const heard = this.#heard(event);
    const told = effects.filter((effect) => effect.type === 'log');
    const what = told.length > 0 ? this.#describe(event) : '';
    const decided = told.map(({ entry }) => ({ ...this.#withProcedure(entry, event), event: what }));
    const ended = told.some(({ entry }) => entry.kind === 'procedure') ? null : this.#switched(event);
    const said = effects.flatMap((effect) =>
      effect.type === 'send' && TOLD.has(effect.message.type)
        ? [messageEntry(`to ${effect.to}: ${describeMessage(effect.message)}`, effect.message)]
        : [],
    );
    const probed = this.#probed(event);
    for (const { entry } of told)
      if (entry.kind === 'transition')
        for (const side of SIDES) this.#rounds.delete(`${entry.service} ${side}`);
    if ('id' in event) this.#ended.delete(event.id);
    const entries = [heard, probed, ended, ...decided, ...said].filter((entry) => entry !== null);
    return event.type === 'message' ? this.#bounded(event.from, entries, nowMs) : entries;
  }

  #heard(event: Event): JournalEntry | null {
    if (event.type !== 'message' || !TOLD.has(event.message.type)) return null;
    const { from, message } = event;
    const text = describeMessage(message);
    const id = `${from} ${message.type} ${message.service}`;
    if (this.#lastWords.get(id) === text) return null;
    // Hosts are 16 at most, and services as many: only a changing roster makes more of them.
    if (this.#lastWords.size > 4096) this.#lastWords.clear();
    this.#lastWords.set(id, text);
    return messageEntry(`${describeEvent(event)}`, message, from);
  }

  /**
   * What a member's words bring about is told while it keeps measure. Changes of place, alarms and procedures always are:
   * this host alone decides how often those come.
   */
  #bounded(from: HostName, entries: readonly JournalEntry[], nowMs: number): JournalEntry[] {
    const kept = entries.filter(({ kind }) => !BOUNDED.has(kind));
    if (kept.length === entries.length) return kept;
    if (!this.#spend(from, nowMs)) {
      this.#untold += entries.length - kept.length;
      return kept;
    }
    const untold = this.#untold;
    this.#untold = 0;
    const first = entries.findIndex(({ kind }) => BOUNDED.has(kind));
    return entries.map((entry, i) =>
      i === first && untold > 0 ? { ...entry, data: { ...entry.data, untold } } : entry,
    );
  }

  #spend(from: HostName, nowMs: number): boolean {
    const before = this.#allowances.get(from) ?? { left: BURST, atMs: nowMs };
    const left = Math.min(BURST, before.left + ((nowMs - before.atMs) / 1000) * PER_SECOND);
    this.#allowances.set(from, { left: left >= 1 ? left - 1 : left, atMs: nowMs });
    return left >= 1;
  }

  /** A switch or an announcement that ended: the core decides by the tests alone, an auditor wants to see both. */
  #switched(event: Event): JournalEntry | null {
    if (event.type !== 'procedure-ended' || event.procedure.startsWith('check')) return null;
    const { service, procedure, verdict } = event;
    // Announcements that go as they should are repeated for as long as a host serves.
    if (procedure.startsWith('announce') && verdict === 'confirmed') return null;
    const data = { procedure, verdict };
    return this.#withProcedure({ service, kind: 'procedure', text: `${procedure}: ${verdict}`, data }, event);
  }

  /** A round of address probes: the first of a side in each place, and whenever the answer is another one. */
  #probed(event: Event): JournalEntry | null {
    if (event.type !== 'addresses-probed') return null;
    const { service, side, answered } = event;
    const round = `${service} ${side}`;
    if (this.#rounds.get(round) === answered) return null;
    this.#rounds.set(round, answered);
    const [procedure, verdict] = [addressRound(side), answered ? 'answered' : 'unanswered'];
    const data = { procedure, verdict };
    return this.#withProcedure({ service, kind: 'procedure', text: `${procedure}: ${verdict}`, data }, event);
  }

  #withProcedure(entry: LogEntry, event: Event): JournalEntry {
    const procedure = String(entry.data?.procedure ?? '');
    if (procedure === '') return entry;
    const { detail = '', tookMs = null } = ('id' in event ? this.#ended.get(event.id) : undefined) ?? {};
    const timed = tookMs === null ? entry : { ...entry, data: { ...entry.data, tookMs } };
    return detail === '' ? timed : { ...timed, detail };
  }

  #describe(event: Event): string {
    const text = describeEvent(event);
    const tookMs = event.type === 'procedure-ended' ? (this.#ended.get(event.id)?.tookMs ?? null) : null;
    return tookMs === null ? text : `${text} after ${tookMs} ms`;
  }
}

function messageEntry(text: string, message: Message, from?: HostName): JournalEntry {
  const data = { type: message.type, ...(from === undefined ? {} : { from }) };
  return { service: message.service, kind: 'message', text, data };
}
