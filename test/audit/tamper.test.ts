/**
 * Logs altered by whoever owns the hosts' private keys and can sign whole chains anew (forge.ts shares no code with the
 * writer). For each manipulation: who is convicted, by whose log, and at which entry; and what cannot be found (P65, P68, P69, P71,
 * P72, P73). The table in spec/protocol.md is this list.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { thumbprint } from '../../src/trust/fingerprint.ts';
import { readText } from '../unit/vectors.ts';
import { testIdentity } from '../unit/wire-fixture.ts';
import { type ForgedBlock, hashOf, privateKey, rebuilt, signed, takeApart } from './forge.ts';
import { judged, type Logs, type Question, type Story, tell } from './story.ts';

const story = await tell();
const other = await tell('other');
const revoked = await tell('dmz', true);

const NEW_RUN = Uint8Array.from({ length: 16 }, (_, i) => i);

/** All blocks of a host's log. */
function blocksOf(host: string, from: Story = story): ForgedBlock[] {
  return [...(from.logs.get(host)?.values() ?? [])].flatMap((file) =>
    takeApart(file).map(({ block }) => block),
  );
}

/** The logs with one host's exchanged for these blocks, chained and signed anew by that host or another. */
function withBlocks(host: string, blocks: readonly ForgedBlock[], signer = host, from: Story = story): Logs {
  return withFile(host, rebuilt(blocks, from.roster.clusterId, privateKey(signer)), from);
}

function withFile(host: string, file: Uint8Array, from: Story = story): Logs {
  return new Map(from.logs).set(host, new Map([['000000000000001.log', file]]));
}

/** The whole log of a host as one file, its blocks as they are. */
function fileOf(host: string, from: Story = story): Uint8Array {
  return Uint8Array.from(Buffer.concat([...(from.logs.get(host)?.values() ?? [])]));
}

function edited(
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
function at(blocks: readonly ForgedBlock[], text: string): number {
  const found = blocks.findIndex(({ entries }) => String(entries[0]?.get(6)).includes(text));
  assert.ok(found > 0, text);
  return found;
}

const QUIET = 'a quiet hour, number 3';
const UNHEARD = 'said to nobody';

interface Case {
  readonly name: string;
  /** As in the specification's table. */
  readonly by: string;
  readonly from: string;
  readonly make: () => { logs: Logs | [string, Map<string, Uint8Array>][] } & Partial<Question>;
  readonly host: string | null;
  readonly severity: 'broken' | 'missing' | 'doubt';
  readonly text: RegExp;
}

const own = 'H’s own log';
const others = 'any other log';
const fw1 = { host: 'fw1', severity: 'broken' } as const;
const twice = /signed twice/;

const CASES: readonly Case[] = [
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
    text: /entries are gone/,
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
    text: /goes on with another run|entries are gone/,
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
    text: /entries are gone/,
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
  {
    name: 'the clock set back for new entries',
    by: 'the clock of the entry before',
    from: own,
    host: 'fw1',
    severity: 'doubt',
    text: /clock was set back by/,
    make: () => ({
      logs: edited(
        'fw1',
        (entry) => entry.set(2, (entry.get(2) as number) - 7_200_000),
        (text) => text === UNHEARD,
      ),
    }),
  },
  {
    name: 'all times moved back, all signed anew',
    by: 'S, which holds later heads',
    from: others,
    ...fw1,
    text: twice,
    make: () => ({
      logs: edited(
        'fw1',
        (entry) => entry.set(2, (entry.get(2) as number) - 7_200_000),
        () => true,
      ),
    }),
  },
  {
    name: 'an entry written out of its time',
    by: 'the monotonic clock of the entry before',
    from: own,
    ...fw1,
    text: /monotonic clock is before/,
    make: () => ({
      logs: edited(
        'fw1',
        (entry) => entry.set(3, 1),
        (text) => text === UNHEARD,
      ),
    }),
  },
  {
    name: 'another roster named as the one in force',
    by: 'the roster',
    from: own,
    ...fw1,
    text: /another roster version/,
    make: () => ({
      logs: edited(
        'fw1',
        (entry) => entry.set(10, [2, new Uint8Array(32)]),
        (text) => text === UNHEARD,
      ),
    }),
  },
];

/** All three rewrite what fw1 did, and agree on it. */
function collusion(): { logs: Logs } {
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

test('what is to be altered is sound to begin with, and the forger’s tools make of it exactly what it was', () => {
  for (const from of [story, other]) {
    const { ok, findings } = judged(from.logs, { roster: from.roster });
    assert.deepEqual(findings, []);
    assert.ok(ok);
  }
  // Compared as a whole: the differences of two long arrays take minutes to print.
  for (const host of ['fw1', 'fw2', 'fw3']) {
    const again = withBlocks(host, blocksOf(host)).get(host)?.values().next().value ?? assert.fail();
    assert.equal(Buffer.compare(again, fileOf(host)), 0, host);
  }
});

for (const { name, make, host, severity, text } of CASES)
  test(`found: ${name}`, () => {
    const { logs, roster = story.roster, ...question } = make();
    const { ok, findings } = judged(logs, { roster, ...question });
    const shown = findings
      .map((finding) => `${finding.severity} ${finding.host} ${finding.n}: ${finding.text}`)
      .join('\n');
    const found = findings.filter(
      (finding) => finding.severity === severity && finding.host === host && text.test(finding.text),
    );
    assert.ok(found.length > 0, `not found; instead:\n${shown}`);
    if (severity !== 'doubt') assert.ok(!ok);
  });

test('found: a bit flipped, wherever in the file it is', () => {
  const file = fileOf('fw1');
  for (let at = 3; at < file.length; at += 97) {
    const spoilt = Uint8Array.from(file);
    spoilt[at] = (spoilt[at] ?? 0) ^ (1 << (at % 8));
    const { ok, findings } = judged(withFile('fw1', spoilt), { roster: story.roster });
    assert.ok(!ok, `byte ${at}: ${findings.map(({ text }) => text).join()}`);
  }
});

test('an honest host whose disk was restored says so, and is not called a forger', () => {
  const blocks = blocksOf('fw1');
  const from = at(blocks, 'a quiet hour, number 1');
  const gone = blocks.at(-1) ?? assert.fail();
  const kept = blocks.slice(0, from);
  const like = kept.at(-1)?.entries[0] ?? assert.fail();
  const said = new Map(like)
    .set(4, 12)
    .set(6, 'lost')
    .set(8, [
      ['run', Buffer.from(gone.run).toString('hex')],
      ['n', gone.first + 9],
    ]);
  const restored = withBlocks('fw1', [
    ...kept,
    ...Array.from({ length: 40 }, () => ({ ...gone, run: NEW_RUN, entries: [said] })),
  ]);
  const { ok, findings } = judged(restored, { roster: story.roster });
  assert.ok(ok, findings.map(({ text }) => text).join('\n'));
  assert.ok(
    findings.some(({ severity, text }) => severity === 'doubt' && /as the host said itself/.test(text)),
  );
});

test('not found, as the specification says: entries after the last head that anybody recorded', () => {
  const blocks = blocksOf('fw1');
  const { ok, findings } = judged(withBlocks('fw1', blocks.slice(0, at(blocks, UNHEARD))), {
    roster: story.roster,
  });
  assert.ok(ok && findings.length === 0);
});

test('not found, as the specification says: all hosts rewrite their logs together, and nothing outside holds against it', () => {
  const { ok, findings } = judged(collusion().logs, { roster: story.roster });
  assert.ok(ok, findings.map(({ text }) => text).join('\n'));
});

test('the table in spec/protocol.md is this list', () => {
  assert.ok(CASES.length >= 25);
  const rows = CASES.map(({ name, by, from }) => `| ${name} | ${by} | ${from} |`);
  const spec = readText('spec/protocol.md');
  assert.ok(spec.includes(rows.join('\n')), rows.join('\n'));
});
