/** A writer alone on a disk, and what it wrote there: its files, its entries, and whether they verify. */
import assert from 'node:assert/strict';
import { chainOf } from '../../src/audit/chain.ts';
import { decodeEntry, type Entry } from '../../src/audit/entry.ts';
import { Members } from '../../src/audit/members.ts';
import { segmentFirst, walk } from '../../src/audit/segment.ts';
import { summarize } from '../../src/audit/summary.ts';
import { EventLog, type EventLogOptions } from '../../src/daemon/event-log.ts';
import type { LogDisk } from '../../src/daemon/log-disk.ts';
import { thumbprint } from '../../src/trust/fingerprint.ts';
import { seededBytes, testIdentity, testRoster } from '../unit/wire-fixture.ts';
import { LIMITS } from './cluster.ts';

export const roster = testRoster(['fw1', 'fw2']);
const members = new Members(roster);
export const identity = testIdentity('fw1');

/** The log of fw1 on that disk, not yet open. */
export function logOn(disk: LogDisk, options: Partial<EventLogOptions> = {}): EventLog {
  return new EventLog({
    disk,
    clusterId: roster.clusterId,
    kid: thumbprint(identity.publicKey),
    sign: identity.sign,
    keys: members.keys,
    run: seededBytes('run')(16),
    roster,
    limits: LIMITS,
    now: () => performance.now(),
    wall: Date.now,
    onTrouble: () => undefined,
    ...options,
  });
}

/** Segments by name, and their bytes. */
export async function filesOf(disk: LogDisk): Promise<Map<string, Uint8Array>> {
  const names = (await disk.list()).map(({ name }) => name).filter((name) => segmentFirst(name) !== null);
  return new Map(await Promise.all(names.map(async (name) => [name, await disk.read(name, 1e9)] as const)));
}

/** All entries, in the order of the files. */
export async function entriesOf(disk: LogDisk): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (const bytes of (await filesOf(disk)).values())
    for (const { block } of walk(bytes, null))
      for (const item of block.entries) entries.push(decodeEntry(item) ?? assert.fail());
  return entries;
}

/** The log verifies, with no finding at all. */
export async function assertSound(disk: LogDisk): Promise<void> {
  const segments = [...(await filesOf(disk))].map(([name, bytes]) =>
    summarize(name, bytes, roster.clusterId, members.keys),
  );
  const { findings } = chainOf({ path: 'log', segments }, members);
  assert.deepEqual(
    findings.filter(({ text }) => !text.startsWith('begins with')),
    [],
  );
}
