/** What is fuzzed of event logs: segments, entries and checkpoints, as a broken disk or a liar makes them. */
import assert from 'node:assert/strict';
import { NO_HASH, readBlock, signBlock } from '../../src/audit/block.ts';
import { formatCheckpoint, parseCheckpoint } from '../../src/audit/checkpoint.ts';
import { decodeEntry, type Entry, encodeEntry } from '../../src/audit/entry.ts';
import { Members } from '../../src/audit/members.ts';
import { hashAfter, summarize } from '../../src/audit/summary.ts';
import { entryJson, entryLine, printable } from '../../src/audit/words.ts';
import { thumbprint } from '../../src/trust/fingerprint.ts';
import { hex } from '../../src/wire/hex.ts';
import { testIdentity } from '../unit/wire-fixture.ts';
import { roster } from '../unit/wire-net.ts';
import type { Target } from './targets.ts';

const members = new Members(roster);
const identity = testIdentity('fw1');
const { clusterId } = roster;

function entry(n: number, kind: Entry['kind'], text: string): Entry {
  const rest = { service: 'firewall', event: 'timer', detail: null, roster: null, heads: [] } as const;
  return {
    n,
    kind,
    text,
    wallMs: 1_790_000_000_000 + n,
    monoUs: 1000 * n,
    data: { from: 'a', to: 'b', n },
    ...rest,
  };
}

function block(first: number, before: Uint8Array, entries: readonly Entry[]): Uint8Array {
  const encoded = entries.map(encodeEntry);
  const run = new Uint8Array(16).fill(4);
  return signBlock(
    { run, first, before, entries: encoded },
    clusterId,
    thumbprint(identity.publicKey),
    identity,
  );
}

const one = block(1, NO_HASH, [entry(1, 'opened', 'the log begins'), entry(2, 'note', 'second')]);
const after = readBlock(one, 0)?.hash ?? NO_HASH;
const two = block(3, after, [entry(3, 'checkpoint', '')]);
const whole = Uint8Array.from([...one, ...two]);

export const LOG_TARGETS: readonly Target[] = [
  {
    name: 'log-segment',
    corpus: [whole, one, two],
    share: 0.3,
    run(input) {
      const summary = summarize('x', input, clusterId, members.keys);
      const honest = summarize('x', whole, clusterId, members.keys);
      // Whatever holds is what was signed: one of the two blocks, in its place.
      for (const n of summary.ends) assert.equal(hashAfter(summary, n), hashAfter(honest, n));
      assert.ok(summary.fault === null || summary.fault.reason.length > 0);
    },
  },
  {
    name: 'log-entry',
    corpus: [1, 2, 3].map((n) => encodeEntry(entry(n, 'transition', 'a -> b'))),
    share: 0.5,
    run(input) {
      const read = decodeEntry(input);
      if (read === null) return;
      const line = entryLine(read, 'fw1');
      assert.equal(printable(line), line, 'a line of a log that steers a terminal');
      JSON.stringify(entryJson(read, 'fw1', NO_HASH));
    },
  },
  {
    name: 'log-checkpoint',
    corpus: ['dmz', 'other'].map((name) =>
      Uint8Array.from(Buffer.from(formatCheckpoint(name, 'fw1', readBlock(two, 0) as never, two))),
    ),
    share: 0.3,
    run(input) {
      const read = parseCheckpoint('x', Buffer.from(input).toString('utf8'), clusterId, members.keys);
      if (typeof read === 'string') assert.ok(read.length > 0);
      else
        assert.equal(read.hash, hex(readBlock(two, 0)?.hash ?? NO_HASH), 'an altered checkpoint was taken');
    },
  },
];
