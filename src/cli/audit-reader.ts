/**
 * The entries of one log in their order, read once or for as long as it grows: what was read is not read again. Form,
 * numbers and hashes are looked at as the entries come by; signatures, and other hosts' logs, are `audit verify`'s matter.
 */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { chained } from '../audit/block.ts';
import { decodeEntry, type Entry } from '../audit/entry.ts';
import type { Members } from '../audit/members.ts';
import { type Position, type Step, walk } from '../audit/segment.ts';
import { sameBytes } from '../wire/bytes.ts';
import { hex } from '../wire/hex.ts';
import { logAt, segmentBytes } from './audit-files.ts';

/** An entry with what is known of it. */
export interface Shown {
  readonly entry: Entry;
  /** The name that the roster has for the key; without a roster, the beginning of the key id. */
  readonly host: string;
  readonly hash: Uint8Array;
}

/** One log, read from where the last reading ended; `members` null: nobody is known, and no signature is judged. */
export class LogReader {
  readonly path: string;
  readonly #members: Members | null;
  /** Behind the last entry that was read: the segment, the byte in it, number and hash. */
  #segment = '';
  #at = 0;
  #place: Position | null = null;
  /** Where the log does not hold together, in words; what lies behind such a place was read nevertheless, where it could be. */
  readonly faults: string[] = [];
  /** The last write is not whole: of a host that runs it soon will be. Null: it is. */
  unfinished: string | null = null;

  constructor(path: string, members: Members | null) {
    this.path = path;
    this.#members = members;
  }

  /** Whether any entry was read. */
  get isEmpty(): boolean {
    return this.#place === null;
  }

  /** What was not read yet. Throws OperatorError when the log cannot be read, or is shorter than it was. */
  *more(): Generator<Shown> {
    const { segments } = logAt(this.path);
    this.unfinished = null;
    for (const segment of segments.filter((name) => name >= this.#segment)) {
      const from = segment === this.#segment ? this.#at : 0;
      const bytes = bytesUnlessGone(segment, from);
      if (bytes === null) continue;
      [this.#segment, this.#at] = [segment, from];
      // A segment that begins anew is held against the one before by itself: a gap must not hide what follows it.
      const steps = walk(bytes, from === 0 ? null : this.#place);
      for (let step = steps.next(); ; step = steps.next()) {
        if (step.done !== true) {
          yield* this.#taken(segment, from, step.value);
          continue;
        }
        const fault = step.value;
        if (fault === null) break;
        const where = `${basename(segment)}, byte ${from + fault.at}: ${fault.reason}`;
        if (fault.torn && segment === segments.at(-1)) this.unfinished = where;
        else this.faults.push(where);
        break;
      }
    }
  }

  *#taken(segment: string, from: number, { block, end }: Step): Generator<Shown> {
    const before = this.#place;
    if (before !== null && block.first !== before.n + 1)
      this.faults.push(`${basename(segment)} goes on with entry ${block.first} after entry ${before.n}`);
    else if (before !== null && !sameBytes(block.before, before.hash))
      this.faults.push(`entry ${block.first} does not follow from those before it`);
    this.#place = { n: block.last, hash: block.hash };
    this.#at = from + end;
    const kid = hex(block.sign1.kid);
    const host = this.#members?.hostOf(kid) ?? kid.slice(0, 8);
    let hash = block.before;
    for (const [i, item] of block.entries.entries()) {
      hash = chained(hash, item);
      const entry = decodeEntry(item);
      if (entry === null) this.faults.push(`entry ${block.first + i} is not of this format`);
      else yield { entry, host, hash };
    }
  }
}

/** Null: the host that keeps the log has removed the segment meanwhile, as being too old. */
function bytesUnlessGone(segment: string, from: number): Uint8Array | null {
  try {
    return segmentBytes(segment, from);
  } catch (error) {
    if (existsSync(segment)) throw error;
    return null;
  }
}

/** All entries of a log; what does not hold together ends in nothing here. */
export function entriesOf(path: string, members: Members | null): Generator<Shown> {
  return new LogReader(path, members).more();
}
