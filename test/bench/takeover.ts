/**
 * Takeovers of ours and of keepalived in turn, fault by fault and interval by interval: same cables, client and judges,
 * so that the machine's load meets both alike; the ratio is taken pair by pair. And what both cost at rest.
 *   npm run -s bench -- takeover [--faults power,stop] [--intervals 1s,200ms] [--runs 3] [--rest SECONDS] [--json]
 * `--json`: one line of JSON at the end; progress goes to standard error.
 */
import { parseArgs } from 'node:util';
import { whyNoPeer } from '../lab/keepalived.ts';
import { cleanUpOnSignals, closeAll, removeWorkDirectory } from '../lab/lab.ts';
import { optionsOf } from '../lab/options.ts';
import { measureRest, type Rest } from '../lab/rest.ts';
import { type RunResult, runScenario } from '../lab/run.ts';
import type { Scenario } from '../lab/scenario.ts';
import { SCENARIOS } from '../lab/scenarios.ts';
import type { Parts } from '../lab/takeover-parts.ts';
import { milliseconds, row, whole } from '../lab/usage.ts';

const FAULTS = ['power', 'stop', 'handover', 'service', 'downcut', 'upcut', 'kill9', 'hang'];
const INTERVALS = '1s,200ms,100ms,50ms,20ms,10ms';
const KINDS = ['portcullis', 'keepalived'] as const;
/** Below this a known flow lost so little that a ratio says nothing. */
const LEAST_MS = 20;

interface Series {
  readonly outageMs: readonly number[];
  readonly medianMs: number;
  readonly maxMs: number;
  /** What a newcomer waits for the gateway's address. */
  readonly unansweredMs: readonly number[];
  readonly takeoverMs: readonly (number | null)[];
  readonly overlapMs: readonly number[];
  readonly lost: readonly number[];
  readonly endMasters: readonly number[];
  readonly tcpSurvived: number;
  readonly problems: readonly string[];
}
interface Row {
  readonly fault: string;
  readonly intervalMs: number;
  readonly portcullis: Series;
  readonly keepalived: Series;
  /** Of ours to the peer's outage, pair by pair, and their median; null where the peer's known flow lost next to nothing. */
  readonly ratios: readonly (number | null)[];
  readonly ratio: number | null;
  /** Medians of the parts of our takeovers. */
  readonly parts: Parts | null;
}

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    faults: { type: 'string', default: FAULTS.join(',') },
    intervals: { type: 'string', default: INTERVALS },
    runs: { type: 'string', default: '3' },
    rest: { type: 'string', default: '10' },
  },
  allowPositionals: true,
});

function scenarioNamed(name: string): Scenario {
  const scenario = SCENARIOS.find((candidate) => candidate.name === name);
  if (scenario === undefined || !FAULTS.includes(name))
    throw new RangeError(`${name} cannot be done to both; there are ${FAULTS.join(', ')}`);
  // The operator's command is each one's own.
  if (name === 'handover') return { ...scenario, fault: (stage) => stage.cluster.handOver(stage.master) };
  return scenario;
}

/** The upper median of what is there; null of nothing. */
function median(all: readonly (number | null)[]): number | null {
  const sorted = all.filter((value) => value !== null).sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? null;
}

function seriesOf(results: readonly RunResult[]): Series {
  const outageMs = results.map((result) => result.outageMs);
  return {
    outageMs,
    medianMs: median(outageMs) ?? Number.NaN,
    maxMs: Math.max(...outageMs),
    unansweredMs: results.map((result) => result.unansweredMs),
    takeoverMs: results.map((result) => result.takeoverMs),
    overlapMs: results.map((result) => result.overlapMs),
    lost: results.map((result) => result.lost),
    endMasters: results.map((result) => result.endMasters),
    tcpSurvived: results.filter((result) => result.tcpSurvived).length,
    problems: results.flatMap((result) => result.problems),
  };
}

function partsMedian(results: readonly RunResult[]): Parts | null {
  const all = results.flatMap(({ parts }) => (parts === null ? [] : [parts]));
  const [first] = all;
  if (first === undefined) return null;
  const names = Object.keys(first) as (keyof Parts)[];
  return Object.fromEntries(
    names.map((name) => [name, median(all.map((parts) => parts[name]))]),
  ) as unknown as Parts;
}

async function compare(scenario: Scenario, intervalMs: number, runs: number): Promise<Row> {
  const results = { portcullis: [] as RunResult[], keepalived: [] as RunResult[] };
  for (let i = 0; i < runs; i += 1)
    for (const kind of KINDS) {
      const options = { ...optionsOf(scenario, 2, false, intervalMs), kind };
      results[kind].push(await runScenario(scenario, options));
    }
  const ratios = results.portcullis.map(({ outageMs }, i) => {
    const peerMs = results.keepalived[i]?.outageMs ?? 0;
    return peerMs < LEAST_MS ? null : Math.round((outageMs / peerMs) * 100) / 100;
  });
  return {
    ...{ fault: scenario.name, intervalMs },
    portcullis: seriesOf(results.portcullis),
    keepalived: seriesOf(results.keepalived),
    ...{ ratios, ratio: median(ratios), parts: partsMedian(results.portcullis) },
  };
}

const WIDTHS = [10, 7, 22, 22, 7, 14, 14, 14];
const HEADINGS = [
  ...['fault', 'I ms', 'ours: median max', 'keepalived', 'ratio', 'nobody answers', 'two act', 'at the end'],
];

function line({ fault, intervalMs, portcullis, keepalived, ratio }: Row): string {
  const both = (pick: (series: Series) => readonly number[]): string =>
    [portcullis, keepalived].map((series) => Math.round(median(pick(series)) ?? 0)).join(' / ');
  const figures = (series: Series): string => `${Math.round(series.medianMs)} ${Math.round(series.maxMs)}`;
  const cells = [fault, String(intervalMs), figures(portcullis), figures(keepalived), String(ratio ?? '-')];
  const more = [both((s) => s.unansweredMs), both((s) => s.overlapMs), both((s) => s.endMasters)];
  return `${row([...cells, ...more], WIDTHS)}${portcullis.problems.join('; ')}`.trimEnd();
}

function restLine(kind: string, intervalMs: number, rest: Rest): string {
  const { packetsPerSecond, bytesPerSecond, questionsPerSecond, master, backup } = rest;
  return (
    `at rest, ${kind}, ${intervalMs} ms: ${packetsPerSecond} packets/s, ${bytesPerSecond} bytes/s between the hosts, ` +
    `${questionsPerSecond} questions/s to test links and service; CPU ${master.cpuPercent} % / ${backup.cpuPercent} %, ` +
    `PSS ${master.pssMiB} / ${backup.pssMiB} MiB (master / backup); standby into its uplink: ${rest.standbyUplinkFrames} frames`
  );
}

const scenarios = values.faults.split(',').filter(Boolean).map(scenarioNamed);
const intervals = values.intervals.split(',').map(milliseconds);
const runs = whole(values.runs, 1, 100, '--runs');
const seconds = whole(values.rest, 0, 600, '--rest');
const missing = whyNoPeer();
if (missing !== null) throw new Error(missing);
const say = (text: string): boolean => (values.json ? process.stderr : process.stdout).write(`${text}\n`);
const rows: Row[] = [];
const rests: { kind: string; intervalMs: number; rest: Rest }[] = [];
cleanUpOnSignals();
try {
  say(row(HEADINGS, WIDTHS));
  for (const intervalMs of intervals) {
    for (const scenario of scenarios) {
      const done = await compare(scenario, intervalMs, runs);
      rows.push(done);
      say(line(done));
    }
    if (seconds > 0)
      for (const kind of KINDS) {
        const rest = await measureRest(kind, intervalMs, seconds);
        rests.push({ kind, intervalMs, rest });
        say(restLine(kind, intervalMs, rest));
      }
  }
} finally {
  await closeAll();
  removeWorkDirectory();
}
if (values.json)
  process.stdout.write(`${JSON.stringify({ node: process.version, runs, rows, rest: rests })}\n`);
else
  for (const { fault, intervalMs, parts } of rows)
    if (parts !== null)
      say(
        `${fault}, ${intervalMs} ms, our parts: ${Object.entries(parts)
          .map(([part, ms]) => `${part} ${ms ?? '-'}`)
          .join(', ')}`,
      );
