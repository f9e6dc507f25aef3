/**
 * Takeovers of ours and of keepalived in turn, fault by fault and interval by interval: same cables, client and judges,
 * so that the machine's load meets both alike; the ratio is taken pair by pair. What both cost at rest, and false takeovers.
 *   npm run -s bench -- takeover [--faults power,stop] [--intervals 1s,200ms] [--runs 3] [--block 5] [--peers unicast,multicast]
 *     [--policy available|quorum] [--hosts N] [--witness] [--rest SECONDS] [--warm SECONDS] [--quiet 10m] [--loaded 2m] [--out FILE [--resume]] [--json]
 * A cluster lives through `--block` faults before the other's turn comes. `quorum` is three hosts, or two and a witness; the peer has as
 * many gateways. `--json`: one line of JSON at the end; progress goes to standard error. `--out`: a line of JSON for each
 * figure as soon as it is there; `--resume` goes on with such a file. Exit status 1 when a fault could not be measured so often.
 */
import { parseArgs } from 'node:util';
import { BLOWS, type Blow, blowNamed } from '../lab/blows.ts';
import { measureCalm } from '../lab/calm.ts';
import type { GatewayKind } from '../lab/gateway.ts';
import { whyNoPeer } from '../lab/keepalived.ts';
import { cleanUpOnSignals, closeAll, removeWorkDirectory } from '../lab/lab.ts';
import { Living } from '../lab/living.ts';
import { measureRest, WARM_SECONDS } from '../lab/rest.ts';
import { milliseconds, policyNamed, seconds as secondsOf, UsageError, whole } from '../lab/usage.ts';
import { goalsOf } from './goals.ts';
import { Records } from './records.ts';
import { type About, OURS, reportOf, type TakeoverRecord } from './takeover-report.ts';
import { calmLine, failedLine, goalLine, heading, partsTable, restLine, rowLine } from './takeover-text.ts';

const INTERVALS = '1s,200ms,100ms,50ms,20ms,10ms';
/** In one turn; after that the next one begins anew. */
const FAILURES_MAX = 2;
const PEERS: { readonly [name: string]: GatewayKind } = {
  unicast: 'keepalived',
  multicast: 'keepalived-multicast',
};

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    faults: { type: 'string', default: BLOWS.map(({ name }) => name).join(',') },
    intervals: { type: 'string', default: INTERVALS },
    runs: { type: 'string', default: '3' },
    block: { type: 'string', default: '5' },
    peers: { type: 'string', default: 'unicast' },
    policy: { type: 'string', default: 'available' },
    hosts: { type: 'string' },
    witness: { type: 'boolean', default: false },
    rest: { type: 'string', default: '10' },
    warm: { type: 'string', default: String(WARM_SECONDS) },
    quiet: { type: 'string', default: '0' },
    loaded: { type: 'string', default: '0' },
    out: { type: 'string' },
    resume: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});

const policy = policyNamed(values.policy) ?? 'available';
const { witness } = values;
const usualHosts = policy === 'quorum' && !witness ? 3 : 2;
const cluster = { policy, hosts: whole(values.hosts ?? String(usualHosts), 2, 16, '--hosts'), witness };
const blows = values.faults.split(',').filter(Boolean).map(blowNamed);
const intervals = values.intervals.split(',').map(milliseconds);
const runs = whole(values.runs, 1, 1_000, '--runs');
const block = whole(values.block, 1, 1_000, '--block');
const restSeconds = whole(values.rest, 0, 600, '--rest');
const warmSeconds = whole(values.warm, 0, 600, '--warm');
const calms = [
  { seconds: secondsOf(values.quiet, '--quiet'), isLoaded: false },
  { seconds: secondsOf(values.loaded, '--loaded'), isLoaded: true },
].filter(({ seconds }) => seconds > 0);
const kinds: GatewayKind[] = [OURS, ...values.peers.split(',').filter(Boolean).map(peerNamed)];
const missing = kinds.length > 1 ? whyNoPeer() : null;
if (missing !== null) throw new UsageError(missing);
const records = new Records<TakeoverRecord>(values.out ?? null, values.resume);
const say = (text: string): boolean => (values.json ? process.stderr : process.stdout).write(`${text}\n`);

function peerNamed(name: string): GatewayKind {
  const kind = PEERS[name];
  if (kind === undefined) throw new UsageError(`--peers is unicast, multicast or both, not ${name}`);
  return kind;
}

function isAbout(record: TakeoverRecord, about: Partial<About>): boolean {
  return Object.entries(about).every(([key, value]) => record[key as keyof About] === value);
}

function report() {
  return reportOf(records.all.filter((record) => isAbout(record, cluster)));
}

let lastMs = performance.now();
/** Seconds since it was asked last. */
function spent(): number {
  const nowMs = performance.now();
  const seconds = Math.round((nowMs - lastMs) / 100) / 10;
  lastMs = nowMs;
  return seconds;
}

function doneSoFar(blow: Blow, about: About): number {
  const faults = records.all.filter((record) => record.record === 'fault' && record.fault === blow.name);
  return faults.filter((record) => isAbout(record, about)).length;
}

/** All faults at one interval: the networks of all kinds are there at once, the daemons of one kind at a time. */
async function takeovers(intervalMs: number): Promise<void> {
  const about = (kind: GatewayKind): About => ({ ...cluster, kind, intervalMs });
  const toDo = blows.filter((blow) => kinds.some((kind) => doneSoFar(blow, about(kind)) < runs));
  if (toDo.length === 0) return;
  const living = new Map<GatewayKind, Living>();
  try {
    for (const blow of toDo) {
      spent();
      for (let end = block; end - block < runs; end += block)
        for (const kind of kinds) await takeTurn(blow, about(kind), Math.min(end, runs), living);
      const row = report().rows.find((one) => one.fault === blow.name && one.intervalMs === intervalMs);
      if (row !== undefined) say(rowLine(row));
    }
  } finally {
    await Promise.all([...living.values()].map((one) => one.close()));
  }
}

/** One kind's turn: until it has lived through so many of these faults. */
async function takeTurn(
  blow: Blow,
  about: About,
  end: number,
  living: Map<GatewayKind, Living>,
): Promise<void> {
  let failures = 0;
  while (doneSoFar(blow, about) < end) {
    try {
      const one = living.get(about.kind) ?? (await Living.open(about));
      living.set(about.kind, one);
      await one.wake();
      while (doneSoFar(blow, about) < end) {
        const survived = await one.survive(blow);
        records.add({ record: 'fault', fault: blow.name, ...about, spentS: spent(), ...survived });
      }
      await one.rest();
    } catch (error) {
      // A cluster that does not come to rest is a finding, and no reason to lose the hours after it.
      const what = error instanceof Error ? error.message : String(error);
      records.add({ record: 'failed', fault: blow.name, ...about, what });
      say(`${about.kind}, ${blow.name}, ${about.intervalMs} ms: ${what}`);
      await living.get(about.kind)?.close();
      living.delete(about.kind);
      failures += 1;
      if (failures > FAILURES_MAX) return;
    }
  }
}

/** What costs no fault: at rest, and false takeovers. */
async function calmly(intervalMs: number): Promise<void> {
  for (const kind of kinds) {
    const about: About = { ...cluster, kind, intervalMs };
    const isDone = records.all.some((record) => record.record === 'rest' && isAbout(record, about));
    if (restSeconds > 0 && !isDone) {
      const rest = await measureRest(about, restSeconds, warmSeconds);
      records.add({ record: 'rest', ...about, rest });
      say(restLine(about, rest));
    }
  }
  for (const { seconds, isLoaded } of calms)
    for (const kind of kinds) {
      const about: About = { ...cluster, kind, intervalMs };
      const isDone = records.all.some(
        (record) => record.record === 'calm' && isAbout(record, about) && record.loops > 0 === isLoaded,
      );
      if (isDone) continue;
      const calm = await measureCalm(about, seconds, isLoaded);
      records.add({ record: 'calm', ...about, ...calm });
      say(calmLine(about, calm));
    }
}

cleanUpOnSignals();
try {
  say(heading());
  for (const intervalMs of intervals) {
    await takeovers(intervalMs);
    await calmly(intervalMs);
  }
} finally {
  await closeAll();
  removeWorkDirectory();
}
const all = report();
const goals = goalsOf(all, policy);
say(partsTable(all.rows));
for (const failed of all.failed) say(failedLine(failed));
for (const goal of goals) say(goalLine(goal));
if (values.json)
  process.stdout.write(`${JSON.stringify({ node: process.version, ...cluster, runs, ...all, goals })}\n`);
const isWhole = intervals.every((intervalMs) =>
  blows.every((blow) => kinds.every((kind) => doneSoFar(blow, { ...cluster, kind, intervalMs }) >= runs)),
);
process.exitCode = isWhole ? 0 : 1;
