/**
 * Where a log goes on after a start: the last segment is walked, what a crash tore is cut off, and what is more than
 * a torn write is set aside and never thrown away. Invariant: nothing that was ever durable and sound is cut.
 */

import { blockHolds, NO_HASH } from '../audit/block.ts';
import { decodeEntry } from '../audit/entry.ts';
import { SEGMENT_MAX_BYTES } from '../audit/limits.ts';
import { type Position, type Step, segmentFirst, walk } from '../audit/segment.ts';
import { readSign1 } from '../wire/cose.ts';
import type { VerifyKey } from '../wire/ed25519.ts';
import type { Head } from '../wire/head.ts';
import { hex } from '../wire/hex.ts';
import { readHeader } from '../wire/payload.ts';
import type { LogDisk } from './log-disk.ts';

export interface Recovered {
  readonly position: Position;
  /** The run of the last entry; null: the log is new. */
  readonly run: Uint8Array | null;
  /** The file to append to; null: none, or one that must not be touched any more. */
  readonly segment: { readonly name: string; readonly bytes: number; readonly startMs: number } | null;
  /** What was done, for an entry of its own; null: nothing. */
  readonly repair: { readonly text: string; readonly data: { [key: string]: string | number } } | null;
  /** The newest heads of peers that the last segment records. */
  readonly heads: ReadonlyMap<string, Head>;
}

/** Entries of this much of a segment's end are looked at for peers' heads (bytes). */
const HEADS_BYTES = 1024 * 1024;

/**
 * Reads the log's end and repairs it. `keys`: by key id in hex, those that may have signed it. Rejects with the
 * disk's error; then nothing was decided, and it can be tried again.
 */
export async function recover(
  disk: LogDisk,
  clusterId: Uint8Array,
  keys: ReadonlyMap<string, VerifyKey>,
): Promise<Recovered> {
  const names = (await disk.list()).map(({ name }) => name).filter((name) => segmentFirst(name) !== null);
  const start: Recovered = {
    position: { n: 0, hash: NO_HASH },
    run: null,
    segment: null,
    repair: null,
    heads: new Map(),
  };
  let repair: Recovered['repair'] = null;
  for (const name of names.toReversed()) {
    const bytes = await disk.read(name, SEGMENT_MAX_BYTES);
    const { steps, end, torn } = soundPart(bytes, clusterId, keys);
    if (end < bytes.length) repair = await mend(disk, name, bytes, end, torn);
    const last = steps.at(-1);
    // A file that was made and never written to: the one before is the last.
    if (last === undefined) {
      await disk.remove(name);
      continue;
    }
    const { block } = last;
    const position = { n: block.last, hash: block.hash };
    const startMs = firstWallMs(steps[0]);
    return {
      position,
      run: block.run,
      segment: { name, bytes: end, startMs },
      repair,
      heads: headsIn(steps, end),
    };
  }
  return { ...start, repair };
}

interface Sound {
  readonly steps: readonly Step[];
  readonly end: number;
  /** What is behind the end looks like a write that was cut off. */
  readonly torn: boolean;
}

/** The blocks that hold. All but the last are held by the hash in the next; the last one's bytes only by its signature. */
function soundPart(bytes: Uint8Array, clusterId: Uint8Array, keys: ReadonlyMap<string, VerifyKey>): Sound {
  const steps: Step[] = [];
  const walked = walk(bytes, null);
  let torn = true;
  for (let step = walked.next(); ; step = walked.next()) {
    if (step.done === true) {
      torn = step.value?.torn ?? true;
      break;
    }
    steps.push(step.value);
  }
  const last = steps.at(-1);
  if (last !== undefined) {
    const key = keys.get(hex(last.block.sign1.kid));
    // A key that is in no version of the roster any more cannot be judged here; the auditor can.
    if (key !== undefined && !blockHolds(last.block, clusterId, key)) {
      steps.pop();
      torn = false; // it has the form of a whole block: set aside, in case that somebody has an answer
    }
  }
  return { steps, end: steps.at(-1)?.end ?? 0, torn };
}

/** Cuts the file to its sound part. What is more than one write that a crash cut off is kept beside it first. */
async function mend(
  disk: LogDisk,
  name: string,
  bytes: Uint8Array,
  end: number,
  torn: boolean,
): Promise<NonNullable<Recovered['repair']>> {
  const cut = bytes.length - end;
  let kept = '';
  if (!torn) {
    kept = `${name}.damaged-${end}`;
    const known = (await disk.list()).some((file) => file.name === kept);
    if (!known) {
      const aside = await disk.create(kept);
      await aside.append(bytes.subarray(end));
      await aside.sync();
      await aside.close();
    }
  }
  const file = await disk.open(name);
  await file.truncate(end);
  await file.sync();
  await file.close();
  const text =
    kept === ''
      ? `the log's last write had been cut off: ${cut} bytes of ${name} were removed`
      : `the log was damaged: ${cut} bytes of ${name} were set aside as ${kept}`;
  return { text, data: { segment: name, bytes: cut, ...(kept === '' ? {} : { kept }) } };
}

function firstWallMs(step: Step | undefined): number {
  const [bytes] = step?.block.entries ?? [];
  return (bytes === undefined ? null : decodeEntry(bytes))?.wallMs ?? 0;
}

function headsIn(steps: readonly Step[], end: number): Map<string, Head> {
  const heads = new Map<string, Head>();
  for (const { block, start } of steps) {
    if (start < end - HEADS_BYTES) continue;
    for (const bytes of block.entries)
      for (const { host, word } of decodeEntry(bytes)?.heads ?? []) {
        const head = readHeader(readSign1(word)?.payload ?? new Uint8Array())?.head ?? null;
        if (head !== null) heads.set(host, { run: head.run, n: head.n, hash: head.hash });
      }
  }
  return heads;
}
