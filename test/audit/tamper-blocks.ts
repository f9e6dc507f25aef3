/** One host alters blocks and entries of its own log: drops, cuts, exchanges, edits, inserts, repeats. */
import assert from 'node:assert/strict';
import { at, blocksOf, edited, fileOf, NEW_RUN, QUIET, story, withBlocks, withFile } from './altered.ts';
import { type ForgedBlock, privateKey, signed, takeApart } from './forge.ts';
import { type Case, fw1, others, own, twice } from './tamper-case.ts';

export const BLOCKS: readonly Case[] = [
  {
    name: 'a bit flipped',
    by: 'the signature',
    from: own,
    ...fw1,
    text: /signature does not hold|not a whole block|does not follow/,
    make: () => {
      const file = fileOf('fw1');
      file[Math.floor(file.length / 2)] = (file[Math.floor(file.length / 2)] ?? 0) ^ 1;
      return { logs: withFile('fw1', file) };
    },
  },
  {
    name: 'a block dropped, the rest as it was',
    by: 'the chain',
    from: own,
    ...fw1,
    text: /is missing: the next block begins with/,
    make: () => {
      const parts = takeApart(fileOf('fw1'));
      const gone = parts[5] ?? assert.fail();
      const file = fileOf('fw1');
      return {
        logs: withFile('fw1', Uint8Array.from([...file.slice(0, gone.start), ...file.slice(gone.end)])),
      };
    },
  },
  {
    name: 'a block dropped, the rest numbered, chained and signed anew',
    by: 'S, which holds a later head',
    from: others,
    ...fw1,
    text: twice,
    make: () => {
      const blocks = blocksOf('fw1');
      return { logs: withBlocks('fw1', blocks.toSpliced(at(blocks, QUIET), 1)) };
    },
  },
  {
    name: 'the last entries cut off',
    by: 'S, which holds a higher head',
    from: others,
    host: 'fw1',
    severity: 'missing',
    text: /entries were cut off/,
    make: () => {
      const blocks = blocksOf('fw1');
      return { logs: withBlocks('fw1', blocks.slice(0, at(blocks, QUIET))) };
    },
  },
  {
    name: 'the file cut within a block',
    by: 'the form; S, which holds a higher head',
    from: own,
    host: 'fw1',
    severity: 'doubt',
    text: /write that was cut off/,
    make: () => ({ logs: withFile('fw1', fileOf('fw1').slice(0, -30)) }),
  },
  {
    name: 'the whole log begun anew',
    by: 'S, which holds heads of the run before',
    from: others,
    host: 'fw1',
    severity: 'missing',
    text: /goes on with another run|entries were cut off/,
    make: () => ({
      logs: withBlocks(
        'fw1',
        blocksOf('fw1')
          .slice(0, 3)
          .map((block) => ({ ...block, run: NEW_RUN })),
      ),
    }),
  },
  {
    name: 'two blocks exchanged',
    by: 'the chain',
    from: own,
    ...fw1,
    text: /is missing|does not follow/,
    make: () => {
      const file = fileOf('fw1');
      const [a, b] = takeApart(file).slice(4, 6);
      if (a === undefined || b === undefined) assert.fail();
      const parts = [
        file.slice(0, a.start),
        file.slice(b.start, b.end),
        file.slice(a.start, a.end),
        file.slice(b.end),
      ];
      return { logs: withFile('fw1', Uint8Array.from(Buffer.concat(parts))) };
    },
  },
  {
    name: 'two entries exchanged, all signed anew',
    by: 'S, which holds a later head',
    from: others,
    ...fw1,
    text: twice,
    make: () => {
      const blocks = blocksOf('fw1');
      const i = at(blocks, QUIET);
      const [a, b] = blocks.slice(i, i + 2);
      if (a === undefined || b === undefined) assert.fail();
      const stamps = (from: ForgedBlock, like: ForgedBlock): ForgedBlock => ({
        ...from,
        entries: from.entries.map((entry) => new Map(entry).set(3, like.entries[0]?.get(3) ?? 0)),
      });
      return { logs: withBlocks('fw1', blocks.toSpliced(i, 2, stamps(b, a), stamps(a, b))) };
    },
  },
  {
    name: 'an entry’s text edited, all signed anew',
    by: 'S, which holds a later head',
    from: others,
    ...fw1,
    text: twice,
    make: () => ({
      logs: edited(
        'fw1',
        (entry) => entry.set(6, 'nothing happened'),
        (text) => text === QUIET,
      ),
    }),
  },
  {
    name: 'a mastership denied: its term edited, all signed anew',
    by: 'S, which holds a later head',
    from: others,
    ...fw1,
    text: twice,
    make: () => ({
      logs: edited(
        'fw1',
        (entry) =>
          entry.set(8, [
            ['from', 'a'],
            ['to', 'b'],
          ]),
        (text) => text.includes('service.serving'),
      ),
    }),
  },
  {
    name: 'an entry inserted, all signed anew',
    by: 'S, which holds a later head',
    from: others,
    ...fw1,
    text: twice,
    make: () => {
      const blocks = blocksOf('fw1');
      const i = at(blocks, QUIET);
      return { logs: withBlocks('fw1', blocks.toSpliced(i, 0, blocks[i] ?? assert.fail())) };
    },
  },
  {
    name: 'a block repeated as it is',
    by: 'the chain',
    from: own,
    ...fw1,
    text: /the next block begins with/,
    make: () => {
      const file = fileOf('fw1');
      const last = takeApart(file).at(-1) ?? assert.fail();
      return { logs: withFile('fw1', Uint8Array.from([...file, ...file.slice(last.start, last.end)])) };
    },
  },
  {
    name: 'bytes behind the last block',
    by: 'the form',
    from: own,
    host: 'fw1',
    severity: 'doubt',
    text: /write that was cut off/,
    make: () => ({ logs: withFile('fw1', Uint8Array.from([...fileOf('fw1'), 1, 2, 3])) }),
  },
  {
    name: 'a number left out',
    by: 'the chain',
    from: own,
    ...fw1,
    text: /says that it is entry/,
    make: () => {
      const blocks = blocksOf('fw1');
      const last = blocks.at(-1) ?? assert.fail();
      const entries = last.entries.map((entry) => new Map(entry).set(1, (entry.get(1) as number) + 1));
      const file = fileOf('fw1');
      const { start } = takeApart(file).at(-1) ?? assert.fail();
      const forged = signed({ ...last, entries }, story.roster.clusterId, privateKey('fw1'));
      return { logs: withFile('fw1', Uint8Array.from([...file.slice(0, start), ...forged])) };
    },
  },
];
