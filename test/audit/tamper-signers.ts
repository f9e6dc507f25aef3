/** Blocks that another signed than the host whose log it is, or signed for another cluster. */
import assert from 'node:assert/strict';
import { thumbprint } from '../../src/trust/fingerprint.ts';
import { testIdentity } from '../unit/wire-fixture.ts';
import { blocksOf, fileOf, other, story, withBlocks, withFile } from './altered.ts';
import { hashOf, privateKey, signed, takeApart } from './forge.ts';
import { type Case, fw1, own } from './tamper-case.ts';

export const SIGNERS: readonly Case[] = [
  {
    name: 'signed anew with a key that nobody has',
    by: 'the roster',
    from: own,
    host: null,
    severity: 'broken',
    text: /no host of the roster has had/,
    make: () => {
      const kid = thumbprint(testIdentity('stranger').publicKey);
      return {
        logs: withBlocks(
          'fw1',
          blocksOf('fw1').map((block) => ({ ...block, kid })),
          'stranger',
        ),
      };
    },
  },
  {
    name: 'signed with that key in H’s name',
    by: 'the signature',
    from: own,
    host: null,
    severity: 'broken',
    text: /signature does not hold/,
    make: () => ({ logs: withBlocks('fw1', blocksOf('fw1'), 'stranger') }),
  },
  {
    name: 'no signature at all',
    by: 'the signature',
    from: own,
    host: null,
    severity: 'broken',
    text: /signature does not hold/,
    make: () => {
      const file = fileOf('fw1');
      for (const { end } of takeApart(file)) file.fill(0, end - 64, end);
      return { logs: withFile('fw1', file) };
    },
  },
  {
    name: 'the tail written by another member with its own key',
    by: 'the roster',
    from: own,
    ...fw1,
    text: /signed by fw2, in a log of fw1/,
    make: () => {
      const blocks = blocksOf('fw1');
      const last = blocks.at(-1) ?? assert.fail();
      const file = fileOf('fw1');
      const { start } = takeApart(file).at(-1) ?? assert.fail();
      const forged = signed(
        { ...last, kid: thumbprint(testIdentity('fw2').publicKey) },
        story.roster.clusterId,
        privateKey('fw2'),
      );
      return { logs: withFile('fw1', Uint8Array.from([...file.slice(0, start), ...forged])) };
    },
  },
  {
    name: 'a log of another cluster with the same keys',
    by: 'the signature, which binds the cluster',
    from: own,
    host: null,
    severity: 'broken',
    text: /signature does not hold/,
    make: () => ({ logs: withFile('fw1', fileOf('fw1', other)) }),
  },
  {
    name: 'a block of another cluster spliced in, numbered and chained to fit',
    by: 'the signature',
    from: own,
    ...fw1,
    text: /signature does not hold/,
    make: () => {
      const blocks = blocksOf('fw1');
      const last = blocks.at(-1) ?? assert.fail();
      const foreign = signed(
        {
          ...last,
          before: hashOf(last),
          first: last.first + 1,
          entries: last.entries.map((entry) => new Map(entry).set(1, last.first + 1)).slice(0, 1),
        },
        other.roster.clusterId,
        privateKey('fw1'),
      );
      return { logs: withFile('fw1', Uint8Array.from([...fileOf('fw1'), ...foreign])) };
    },
  },
];
