/**
 * A segment: one file of a log, a sequence of blocks. Here its name, and the walk over its blocks that the writer (at a
 * start) and the auditor share: form, numbers and hashes; no signature is judged.
 */
import { sameBytes } from '../wire/bytes.ts';
import { hasPrefix } from '../wire/cose.ts';
import { type ReadBlock, readBlock } from './block.ts';
import { BLOCK_MAX_BYTES } from './limits.ts';

/** A place behind an entry: where the next block must begin. */
export interface Position {
  /** Of the last entry; 0 at the beginning of a log. */
  readonly n: number;
  readonly hash: Uint8Array;
}

export interface Step {
  readonly block: ReadBlock;
  /** Where it lies in the file (bytes). */
  readonly start: number;
  readonly end: number;
}

/** Why a walk ended before the end of the file. */
export interface SegmentFault {
  /** Where what is sound ends (bytes). */
  readonly at: number;
  /** The first entry that is not proven; null: it cannot be told, the file begins so. */
  readonly n: number | null;
  readonly reason: string;
  /** It looks as if the last write had been cut off. */
  readonly torn: boolean;
}

const NAME = /^(\d{15})\.log$/;

export function segmentName(first: number): string {
  return `${String(first).padStart(15, '0')}.log`;
}

/** The number of the first entry of a segment of that name; null: it is none. */
export function segmentFirst(name: string): number | null {
  const [, digits] = NAME.exec(name) ?? [];
  return digits === undefined ? null : Number(digits);
}

/**
 * The blocks of a segment, one after the other; returns the fault that ended the walk, or null at the end of the
 * file. `from`: what came before, where that is known; else the first block is believed in that.
 */
export function* walk(bytes: Uint8Array, from: Position | null): Generator<Step, SegmentFault | null> {
  let place = from;
  for (let at = 0; at < bytes.length; ) {
    const block = readBlock(bytes, at);
    const n = place === null ? null : place.n + 1;
    const fail = (reason: string): SegmentFault => ({
      at,
      n,
      reason,
      torn: block === null && isTorn(bytes, at),
    });
    if (block === null) return fail('not a whole block');
    if (place !== null && block.first !== place.n + 1)
      return fail(`entry ${place.n + 1} is missing: the next block begins with ${block.first}`);
    if (place !== null && !sameBytes(block.before, place.hash))
      return fail('the block does not follow from the entries before it');
    yield { block, start: at, end: block.sign1.end };
    place = { n: block.last, hash: block.hash };
    at = block.sign1.end;
  }
  return null;
}

/**
 * Whether the file may end so because its last write was cut off: no more is there than one write, and no other block in it.
 * (What only looks like the beginning of one may be a peer's word that the block was to record.)
 */
function isTorn(bytes: Uint8Array, at: number): boolean {
  if (bytes.length - at > BLOCK_MAX_BYTES) return false;
  for (let i = at + 1; i < bytes.length; i++)
    if (bytes[i] === 0xd2 && hasPrefix(bytes, i) && readBlock(bytes, i) !== null) return false;
  return true;
}
