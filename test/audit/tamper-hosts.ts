/** What only other hosts' logs show: two stories told, logs withheld, revoked keys, hosts that lie together or frame another. */
import assert from 'node:assert/strict';
import { at, blocksOf, edited, QUIET, revoked, story, withBlocks } from './altered.ts';
import { type ForgedBlock, hashOf, privateKey, rebuilt, takeApart } from './forge.ts';
import type { Logs } from './story.ts';
import { type Case, fw1, others, twice } from './tamper-case.ts';

export const HOSTS: readonly Case[] = [
  {
    name: 'two logs of H, one for each auditor',
    by: 'each other',
    from: 'both of H’s logs',
    ...fw1,
    text: /signed two logs/,
    make: () => {
      const forged = edited(
        'fw1',
        (entry) => entry.set(6, 'nothing'),
        (text) => text === QUIET,
      ).get('fw1');
      return { logs: [...story.logs, ['fw1 (second)', forged ?? assert.fail()]] };
    },
  },
  {
    name: 'different heads shown to two hosts, H’s own log withheld',
    by: 'each other',
    from: 'the logs of both',
    host: 'fw1',
    severity: 'broken',
    text: /signed two different heads/,
    make: () => {
      // fw1 went another way from a quiet hour on, and showed that to fw3 alone: a checkpoint of it is what fw3 was given.
      const forged = edited(
        'fw1',
        (entry) => entry.set(6, 'nothing'),
        (text) => text === QUIET,
      ).get('fw1');
      const heads = takeApart(forged?.values().next().value ?? assert.fail()).map(({ block }) => block);
      const checkpoints = heads.map((block) => ({
        ...story.checkpoint,
        path: 'what fw3 was shown',
        run: Buffer.from(block.run).toString('hex'),
        n: block.first + block.entries.length - 1,
        hash: Buffer.from(hashOf(block)).toString('hex'),
      }));
      const logs = new Map(story.logs);
      logs.delete('fw1');
      return { logs, checkpoints };
    },
  },
  {
    name: 'written on with a revoked key',
    by: 'S, by what it held before it took the revocation',
    from: others,
    host: 'fw1',
    severity: 'missing',
    text: /key was revoked in roster version/,
    make: () => ({ logs: revoked.logs, roster: revoked.revoking }),
  },
  {
    name: 'the past rewritten with a revoked key',
    by: 'S, which holds a later head',
    from: others,
    host: 'fw1',
    severity: 'broken',
    text: twice,
    make: () => {
      const blocks = blocksOf('fw1', revoked);
      const i = at(blocks, QUIET);
      return { logs: withBlocks('fw1', blocks.toSpliced(i, 1), 'fw1', revoked), roster: revoked.revoking };
    },
  },
  {
    name: 'H’s log withheld',
    by: 'S, which holds heads of it',
    from: others,
    host: 'fw1',
    severity: 'missing',
    text: /no log of fw1 was given/,
    make: () => {
      const logs = new Map(story.logs);
      logs.delete('fw1');
      return { logs, complete: true };
    },
  },
  {
    name: 'two hosts rewrite their logs together',
    by: 'the third',
    from: 'the third host’s log',
    host: 'fw1',
    severity: 'broken',
    text: /fw3.*signed twice/,
    make: () => {
      const logs = new Map(story.logs);
      for (const host of ['fw1', 'fw2']) logs.set(host, whitewashed(host));
      return { logs };
    },
  },
  {
    name: 'all three together, against a checkpoint on paper',
    by: 'the checkpoint',
    from: 'H’s log and the checkpoint',
    ...fw1,
    text: /checkpoint paper.*signed twice/,
    make: () => ({ ...collusion(), checkpoints: [story.checkpoint] }),
  },
  {
    name: 'S drops what it held of H',
    by: 'H and others, which hold later heads of S',
    from: others,
    host: 'fw2',
    severity: 'broken',
    text: twice,
    make: () => ({
      logs: withBlocks(
        'fw2',
        blocksOf('fw2').filter(({ entries }) => entries[0]?.get(4) !== 10),
      ),
    }),
  },
  {
    name: 'a head of H that H never signed, recorded to frame it',
    by: 'H’s signature',
    from: 'the framing host’s log',
    host: 'fw2',
    severity: 'broken',
    text: /head of fw1 that proves nothing: its signature does not hold/,
    make: () =>
      withWitness((word) => {
        // The hash within the head: 32 bytes somewhere behind its run.
        const spoilt = Uint8Array.from(word);
        spoilt[spoilt.length - 64 - 2 - 20] = (spoilt[spoilt.length - 64 - 2 - 20] ?? 0) ^ 1;
        return spoilt;
      }),
  },
  {
    name: 'a true head of H recorded in a third host’s name',
    by: 'the signature',
    from: 'the framing host’s log',
    host: 'fw2',
    severity: 'broken',
    text: /head of fw3 that proves nothing: it was signed by fw1/,
    make: () => withWitness((word) => word, 'fw3'),
  },
];

/** All three rewrite what fw1 did, and agree on it. */
export function collusion(): { logs: Logs } {
  const logs: Logs = new Map();
  for (const host of ['fw1', 'fw2', 'fw3']) logs.set(host, whitewashed(host));
  return { logs };
}

/** A host's log without others' heads and without the quiet hours, every number as it was. */
function whitewashed(host: string): Map<string, Uint8Array> {
  const blocks = blocksOf(host).map((block) => ({ ...block, entries: block.entries.map(harmless) }));
  return new Map([['000000000000001.log', rebuilt(blocks, story.roster.clusterId, privateKey(host))]]);
}

function harmless(entry: ForgedBlock['entries'][number]): ForgedBlock['entries'][number] {
  const text = String(entry.get(6));
  const isToGo = entry.get(4) === 10 || text.startsWith('a quiet hour');
  if (!isToGo) return entry;
  const copy = new Map(entry).set(4, 9).set(6, 'nothing');
  copy.delete(11);
  return copy;
}

/** fw2's log, signed anew from its last record of heads on, with one of fw1's changed. */
function withWitness(change: (word: Uint8Array) => Uint8Array, name = 'fw1'): { logs: Logs } {
  const blocks = blocksOf('fw2');
  const last = blocks.findLastIndex(({ entries }) =>
    (entries[0]?.get(11) as unknown[] | undefined)?.some((head) => (head as unknown[])[0] === 'fw1'),
  );
  const forged = blocks.map((block, i) =>
    i !== last
      ? block
      : {
          ...block,
          entries: block.entries.map((entry) => {
            const heads = entry.get(11) as [string, number, Uint8Array][];
            const changed = heads.map(([host, age, word]) =>
              host === 'fw1' ? [name, age, change(word)] : [host, age, word],
            );
            return new Map(entry).set(11, changed as never);
          }),
        },
  );
  return { logs: withBlocks('fw2', forged) };
}
