/** Old segments go when the log grows beyond its bounds, the oldest first, and what went is said in the log. */
import { readBlock } from '../audit/block.ts';
import { segmentFirst } from '../audit/segment.ts';
import { hex } from '../wire/hex.ts';
import type { LogLimits } from './event-log.ts';
import type { LogDisk } from './log-disk.ts';

export interface Retired {
  readonly text: string;
  readonly data: { readonly [key: string]: string | number };
}

/** At most this many in one go: a bound that was lowered must not hold up the writer. */
const AT_ONCE = 16;
const BLOCK_BYTES = 70_000;

/** Removes what is beyond the bounds; `newest` stays in any case. Rejects with the disk's error. */
export async function retire(
  disk: LogDisk,
  limits: Pick<LogLimits, 'keepBytes' | 'keepAgeMs' | 'segmentBytes'>,
  newest: string,
  wallMs: number,
): Promise<Retired[]> {
  const segments = (await disk.list()).filter(({ name }) => segmentFirst(name) !== null);
  // The segment that begins now counts as full already.
  let bytes = segments.reduce((sum, file) => sum + file.bytes, limits.segmentBytes);
  const retired: Retired[] = [];
  for (const [i, segment] of segments.entries()) {
    const next = segments[i + 1];
    const isOld = limits.keepAgeMs !== null && wallMs - segment.changedMs > limits.keepAgeMs;
    if (segment.name === newest || next === undefined || retired.length === AT_ONCE) break;
    if (bytes <= limits.keepBytes && !isOld) break;
    const after = readBlock(await disk.read(next.name, BLOCK_BYTES), 0);
    if (after === null) break; // what follows cannot be read: nothing is thrown away then
    await disk.remove(segment.name);
    bytes -= segment.bytes;
    const [first, last] = [segmentFirst(segment.name) ?? 0, after.first - 1];
    retired.push({
      text: `entries ${first} to ${last} are kept no longer`,
      data: { segment: segment.name, first, last, hash: hex(after.before) },
    });
  }
  return retired;
}
