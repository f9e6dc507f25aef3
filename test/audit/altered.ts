/**
 * The logs that are to be altered, and what every alteration begins with: a host's blocks taken out, and put back chained
 * and signed anew. The stories are told once for all who import this.
 */
import assert from 'node:assert/strict';
import { type ForgedBlock, privateKey, rebuilt, takeApart } from './forge.ts';
import { type Logs, type Story, tell } from './story.ts';

/** Three hosts' logs. */
export const story = await tell();
/** The same hosts, with the same keys, in another cluster. */
export const other = await tell('other');
/** The same, but fw2 and fw3 took a roster that revokes fw1's key, which went on signing. */
export const revoked = await tell('dmz', true);

/** A run that no host has had. */
export const NEW_RUN = Uint8Array.from({ length: 16 }, (_, i) => i);

/** All blocks of a host's log. */
export function blocksOf(host: string, from: Story = story): ForgedBlock[] {
  return [...(from.logs.get(host)?.values() ?? [])].flatMap((file) =>
    takeApart(file).map(({ block }) => block),
  );
}

/** The logs with one host's exchanged for these blocks, chained and signed anew by that host or another. */
export function withBlocks(
  host: string,
  blocks: readonly ForgedBlock[],
  signer = host,
  from: Story = story,
): Logs {
  return withFile(host, rebuilt(blocks, from.roster.clusterId, privateKey(signer)), from);
}

/** The logs with one host's exchanged for this one file. */
export function withFile(host: string, file: Uint8Array, from: Story = story): Logs {
  return new Map(from.logs).set(host, new Map([['000000000000001.log', file]]));
}

/** The whole log of a host as one file, its blocks as they are. */
export function fileOf(host: string, from: Story = story): Uint8Array {
  return Uint8Array.from(Buffer.concat([...(from.logs.get(host)?.values() ?? [])]));
}

/** The logs with those entries of a host changed, its log chained and signed anew. */
export function edited(
  host: string,
  change: (entry: ForgedBlock['entries'][number]) => void,
  pick: (text: string) => boolean,
): Logs {
  const blocks = blocksOf(host).map((block) => ({
    ...block,
    entries: block.entries.map((entry) => {
      const copy = new Map(entry);
      if (pick(String(entry.get(6)))) change(copy);
      return copy;
    }),
  }));
  return withBlocks(host, blocks);
}

/** The place of the first block whose first entry has that text. */
export function at(blocks: readonly ForgedBlock[], text: string): number {
  const found = blocks.findIndex(({ entries }) => String(entries[0]?.get(6)).includes(text));
  assert.ok(found > 0, text);
  return found;
}

/** An entry's text: others hold later heads than its. */
export const QUIET = 'a quiet hour, number 3';
/** An entry's text: nobody holds a later head than its. */
export const UNHEARD = 'said to nobody';
