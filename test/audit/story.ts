/** A story that three hosts' logs tell, for whoever wants to lie about it: three masters, restarts, words in between. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LogFiles } from '../../src/audit/chain.ts';
import {
  type Checkpoint,
  formatCheckpoint,
  isCheckpoint,
  parseCheckpoint,
} from '../../src/audit/checkpoint.ts';
import { Members } from '../../src/audit/members.ts';
import { walk } from '../../src/audit/segment.ts';
import { summarize } from '../../src/audit/summary.ts';
import { type Verdict, verifyLogs } from '../../src/audit/verify.ts';
import type { Roster } from '../../src/trust/roster.ts';
import { revokeMember } from '../../src/trust/roster-edit.ts';
import { appended } from '../unit/wire-fixture.ts';
import { LIMITS, LogCluster, note, takeover } from './cluster.ts';

/** Segments by name, and their bytes, by host. */
export type Logs = Map<string, Map<string, Uint8Array>>;

export interface Story {
  readonly logs: Logs;
  readonly roster: Roster;
  /** The roster with one more version, which revokes fw1's key. */
  readonly revoking: Roster;
  readonly checkpoint: Checkpoint;
}

const NAMES = ['fw1', 'fw2', 'fw3'];

/** `revoked`: fw2 and fw3 take a roster that revokes fw1's key, which goes on signing. */
export async function tell(clusterName = 'dmz', revoked = false): Promise<Story> {
  const cluster = new LogCluster(NAMES, { limits: { ...LIMITS, segmentBytes: 1800 } }, clusterName);
  try {
    await cluster.open();
    await takeover(cluster, null, 'fw1', 1);
    await gossip(cluster);
    for (let i = 0; i < 6; i++) await cluster.say('fw1', note(`a quiet hour, number ${i}`));
    await takeover(cluster, 'fw1', 'fw2', 2);
    await gossip(cluster);
    cluster.host('fw1').log.add({ kind: 'checkpoint' });
    await cluster.host('fw2').restart();
    await cluster.join();
    await gossip(cluster);
    await takeover(cluster, 'fw2', 'fw3', 3);
    await gossip(cluster);
    await gossip(cluster);
    const { roster } = cluster;
    const revoking = appended(roster, revokeMember(roster, 'fw1', roster.version + 1));
    if (revoked)
      for (const name of ['fw2', 'fw3'])
        await cluster.say(name, {
          service: null,
          kind: 'roster',
          text: `roster version ${revoking.version} is in force`,
          roster: revoking,
        });
    await cluster.say('fw1', note('said to nobody'), note('and this'));
    await cluster.close();
    const logs = read(cluster);
    return { logs, roster, revoking, checkpoint: checkpointOf(logs, roster) };
  } finally {
    cluster.remove();
  }
}

async function gossip(cluster: LogCluster): Promise<void> {
  await cluster.gossip();
  await cluster.gossip();
}

function read(cluster: LogCluster): Logs {
  return new Map(
    NAMES.map((name) => {
      const path = cluster.logPath(name);
      const files = readdirSync(path).sort();
      return [name, new Map(files.map((file) => [file, Uint8Array.from(readFileSync(join(path, file)))]))];
    }),
  );
}

function checkpointOf(logs: Logs, roster: Roster): Checkpoint {
  const { keys } = new Members(roster);
  for (const bytes of logs.get('fw1')?.values() ?? [])
    for (const { block, start, end } of walk(bytes, null)) {
      if (!isCheckpoint(block)) continue;
      const text = formatCheckpoint('dmz', 'fw1', block, bytes.subarray(start, end));
      const checkpoint = parseCheckpoint('paper', text, roster.clusterId, keys);
      if (typeof checkpoint !== 'string') return checkpoint;
    }
  throw new Error('the story has no checkpoint');
}

export interface Question {
  readonly roster: Roster;
  readonly checkpoints?: readonly Checkpoint[];
  readonly complete?: boolean;
}

/** The verdict over logs in memory. */
export function judged(logs: Logs | [string, Map<string, Uint8Array>][], question: Question): Verdict {
  const { roster, checkpoints = [], complete = false } = question;
  const members = new Members(roster);
  const files: LogFiles[] = [...logs].map(([path, segments]) => ({
    path,
    segments: [...segments].map(([name, bytes]) => summarize(name, bytes, roster.clusterId, members.keys)),
  }));
  return verifyLogs(files, members, checkpoints, complete);
}
