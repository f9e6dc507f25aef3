/**
 * `npm run -s lab -- beside [SCENARIO...]`: the same faults for ours and for keepalived, in turn, so that the machine's load
 * meets both alike; same cables, client, judges and interval. A table of medians (least..most), or a JSON line a run.
 * Exit status 1 when a run of ours was not as expected; of the peer nothing is expected, it is only shown.
 */
import { parseArgs } from 'node:util';
import { whyNoPeer } from './keepalived.ts';
import { cleanUpOnSignals, closeAll, removeWorkDirectory, setRunAside, workDirectory } from './lab.ts';
import { optionsOf } from './options.ts';
import { type RunResult, runScenario } from './run.ts';
import type { Scenario } from './scenario.ts';
import { SCENARIOS } from './scenarios.ts';
import { planHosts } from './topology.ts';
import { milliseconds, row, UsageError, whole } from './usage.ts';

/** What can be done to both: nothing here needs an answer from a daemon. */
const COMPARABLE = [
  'kill9',
  'hang',
  'power',
  'stop',
  'downcut',
  'upcut',
  'downmute',
  'upmute',
  'split',
  'service',
];
const USUAL = COMPARABLE.slice(0, 6);
const KINDS = ['portcullis', 'keepalived'] as const;
const HOSTS = 2;
const HEADINGS = [
  ...['scenario', 'gateway', 'outage', 'nobody answers', 'two act', 'lost', 'at the end', 'tcp'],
];
const WIDTHS = [10, 12, 20, 20, 22, 16, 12, 8];

/** Plays the scenarios named, or the usual ones; the exit status. */
export async function beside(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      runs: { type: 'string', default: '1' },
      interval: { type: 'string', default: '200ms' },
      json: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
    },
  });
  const scenarios = (positionals.length === 0 ? USUAL : positionals).map(comparable);
  const runs = whole(values.runs, 1, 1_000, '--runs');
  const intervalMs = milliseconds(values.interval);
  const missing = whyNoPeer();
  if (missing !== null) throw new Error(missing);
  let isGood = true;
  cleanUpOnSignals();
  if (values.keep) process.stderr.write(`files are kept in ${workDirectory()}\n`);
  if (!values.json) process.stdout.write(`${row(HEADINGS, WIDTHS)}\n`);
  try {
    for (const scenario of scenarios) {
      const results: RunResult[] = [];
      for (let i = 0; i < runs; i += 1)
        for (const kind of KINDS) {
          const result = await runScenario(scenario, {
            ...optionsOf(scenario, HOSTS, false, intervalMs),
            kind,
          });
          results.push(result);
          if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
          if (values.keep)
            setRunAside({ hosts: planHosts(HOSTS, false), kind }, `${scenario.name}-${kind}-${i + 1}`);
          if (kind === 'portcullis') isGood &&= result.problems.length === 0;
        }
      if (!values.json) for (const kind of KINDS) process.stdout.write(`${line(results, kind)}\n`);
    }
  } finally {
    await closeAll();
    if (!values.keep) removeWorkDirectory();
  }
  return isGood ? 0 : 1;
}

function comparable(name: string): Scenario {
  const scenario = SCENARIOS.find((candidate) => candidate.name === name);
  if (scenario === undefined || !COMPARABLE.includes(name))
    throw new UsageError(`${name} cannot be done to both; there are ${COMPARABLE.join(', ')}`);
  return scenario;
}

function line(all: readonly RunResult[], kind: RunResult['gateway']): string {
  const results = all.filter(({ gateway }) => gateway === kind);
  const ends = [...new Set(results.map(({ endMasters }) => endMasters))].sort().join(' or ');
  const whole = results.filter(({ tcpSurvived }) => tcpSurvived).length;
  const cells = [
    ...[results[0]?.scenario ?? '', kind],
    ...(['outageMs', 'unansweredMs', 'overlapMs', 'lost'] as const).map((figure) =>
      spread(results.map((result) => result[figure])),
    ),
    ...[`${ends} acting`, `${whole}/${results.length}`],
  ];
  const problems = kind === 'portcullis' ? results.flatMap((result) => result.problems) : [];
  return `${row(cells, WIDTHS)}${problems.join('; ')}`.trimEnd();
}

/** `median (least..most)`, or the one value. */
export function spread(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b).map(Math.round);
  const median = sorted[sorted.length >> 1] ?? Number.NaN;
  return sorted.length === 1 ? String(median) : `${median} (${sorted[0]}..${sorted.at(-1)})`;
}
