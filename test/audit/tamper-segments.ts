/** Whole segments taken away or exchanged, and logs that were set back. */
import assert from 'node:assert/strict';
import { at, blocksOf, fileOf, NEW_RUN, story, withBlocks, withFile } from './altered.ts';
import { privateKey, rebuilt, takeApart } from './forge.ts';
import { type Case, others, own } from './tamper-case.ts';

export const SEGMENTS: readonly Case[] = [
  {
    name: 'the first segments taken away',
    by: 'the numbers; it is said where the evidence begins',
    from: own,
    host: 'fw1',
    severity: 'doubt',
    text: /begins with entry/,
    make: () => {
      const segments = [...(story.logs.get('fw1') ?? [])];
      assert.ok(segments.length > 1);
      return { logs: new Map(story.logs).set('fw1', new Map(segments.slice(1))) };
    },
  },
  {
    name: 'a segment in the middle taken away',
    by: 'the numbers',
    from: own,
    host: 'fw2',
    severity: 'broken',
    text: /are missing/,
    make: () => {
      const segments = [...(story.logs.get('fw2') ?? [])];
      assert.ok(segments.length > 2);
      return { logs: new Map(story.logs).set('fw2', new Map(segments.toSpliced(1, 1))) };
    },
  },
  {
    name: 'a segment exchanged for one signed anew',
    by: 'the next segment',
    from: own,
    host: 'fw2',
    severity: 'broken',
    text: /does not follow|something was exchanged/,
    make: () => {
      const segments = [...(story.logs.get('fw2') ?? [])];
      const [name, bytes] = segments[0] ?? assert.fail();
      const blocks = takeApart(bytes).map(({ block }) => block);
      const last = blocks.at(-1) ?? assert.fail();
      last.entries = last.entries.map((entry) => new Map(entry).set(6, 'nothing'));
      const forged = rebuilt(blocks, story.roster.clusterId, privateKey('fw2'));
      return { logs: new Map(story.logs).set('fw2', new Map([[name, forged], ...segments.slice(1)])) };
    },
  },
  {
    name: 'an older copy of the log put back',
    by: 'S, which holds a higher head',
    from: others,
    host: 'fw1',
    severity: 'missing',
    text: /entries were cut off/,
    make: () => {
      const file = fileOf('fw1');
      const { end } = takeApart(file)[8] ?? assert.fail();
      return { logs: withFile('fw1', file.slice(0, end)) };
    },
  },
  {
    name: 'set back and gone on with under another run, unsaid',
    by: 'S, which holds heads of the run before',
    from: others,
    host: 'fw1',
    severity: 'missing',
    text: /goes on with another run$/,
    make: () => {
      const blocks = blocksOf('fw1');
      const from = at(blocks, 'a quiet hour, number 1');
      return {
        logs: withBlocks(
          'fw1',
          blocks.map((block, i) => (i < from ? block : { ...block, run: NEW_RUN })),
        ),
      };
    },
  },
];
