/**
 * `npm run -s sim -- --seeds A..B | --seed N | --scenario NAME`: the simulator on the command line. Data goes to
 * standard output, progress to standard error; exit status 0 clean, 1 violation, 2 wrong usage.
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FAULT_NAMES, type FaultName } from './faults.ts';
import { SCENARIOS } from './pains.ts';
import { drawPlan, type Restriction } from './plan.ts';
import { runMany, type Summary } from './pool.ts';
import { describePlan, run, transcriptHash } from './run.ts';
import { shrink } from './shrink.ts';

const USAGE = `usage: npm run -s sim -- --seeds A..B [--json] [--workers N]
       npm run -s sim -- --seed N [--json] [--shrink]
       npm run -s sim -- --scenario NAME | --list
options: --minutes N, --hosts N, --policy quorum|available, --interval MS, --faults NAME,NAME`;

/** Seeds are whole numbers up to this. */
const MOST_SEED = 2 ** 32;

class UsageError extends Error {}

function whole(text: string | undefined, name: string, least: number, most: number): number | undefined {
  if (text === undefined) return undefined;
  const n = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(n >= least && n <= most))
    throw new UsageError(`--${name} must be a whole number from ${least} to ${most}`);
  return n;
}

function restrictionOf(values: { [name: string]: string | boolean | undefined }): Restriction {
  const text = (name: string) => (typeof values[name] === 'string' ? (values[name] as string) : undefined);
  const { policy, faults } = { policy: text('policy'), faults: text('faults')?.split(',') };
  if (policy !== undefined && policy !== 'quorum' && policy !== 'available')
    throw new UsageError('--policy must be quorum or available');
  const unknown = faults?.find((name) => !(FAULT_NAMES as readonly string[]).includes(name));
  if (unknown !== undefined)
    throw new UsageError(`no fault ${JSON.stringify(unknown)}; there are: ${FAULT_NAMES.join(', ')}`);
  const hosts = whole(text('hosts'), 'hosts', 2, 16);
  const minutes = whole(text('minutes'), 'minutes', 1, 1440);
  const intervalMs = whole(text('interval'), 'interval', 10, 60_000);
  return {
    ...(hosts === undefined ? {} : { hosts }),
    ...(minutes === undefined ? {} : { minutes }),
    ...(intervalMs === undefined ? {} : { intervalMs }),
    ...(policy === undefined ? {} : { policy }),
    ...(faults === undefined ? {} : { faults: faults as FaultName[] }),
  };
}

/** One seed with its transcript; what identifies the run is the hash of that. */
function one(seed: number, restriction: Restriction, json: boolean, shrinks: boolean): number {
  const plan = drawPlan(seed, restriction);
  let outcome = run(plan, { transcript: true });
  if (shrinks && outcome.violations.length > 0) {
    const without = shrink(plan, outcome);
    outcome = run(plan, { transcript: true, without });
    process.stderr.write(
      `sim: ${plan.strikes.length - without.size} of ${plan.strikes.length} faults are needed\n`,
    );
  }
  const hash = transcriptHash(outcome);
  const { violations, steps, simulatedMs, lines } = outcome;
  if (json)
    process.stdout.write(`${JSON.stringify({ seed, plan, hash, steps, simulatedMs, violations, lines })}\n`);
  else {
    process.stdout.write(`${describePlan(plan)}\n${lines.join('\n')}\n`);
    process.stdout.write(`hash ${hash}, ${steps} steps, ${violations.length} violation(s)\n`);
  }
  return violations.length > 0 ? 1 : 0;
}

/** A failing seed, shrunk, in a file for people. */
function writeTranscript(folder: string, seed: number, restriction: Restriction): string {
  const plan = drawPlan(seed, restriction);
  const without = shrink(plan, run(plan));
  const { lines, violations } = run(plan, { transcript: true, without });
  const file = join(folder, `seed-${seed}.txt`);
  const found = violations.map((v) => `${v.atMs.toFixed(2)} ${v.judge} ${v.host ?? ''} ${v.what}`);
  const kept = plan.strikes.length - without.size;
  const head = [describePlan(plan), `${kept} of ${plan.strikes.length} faults are needed`, ...found, ''];
  writeFileSync(file, `${[...head, ...lines].join('\n')}\n`);
  return file;
}

async function many(
  range: string,
  restriction: Restriction,
  workers: number,
  json: boolean,
): Promise<number> {
  const [, first, last] = /^(\d+)\.\.(\d+)$/.exec(range) ?? [];
  if (first === undefined || last === undefined || Number(first) > Number(last) || Number(last) > MOST_SEED)
    throw new UsageError(`--seeds must be A..B, two whole numbers up to ${MOST_SEED}, the lower first`);
  const startedMs = performance.now();
  let toldMs = startedMs;
  let told = 0;
  const sum = await runMany(Number(first), Number(last), restriction, workers, 20, (so) => {
    // At once: a long run may be stopped before its end.
    for (const { seed, judge, what } of so.failed.slice(told))
      process.stderr.write(`sim: seed ${seed}: ${judge}: ${what}\n`);
    told = so.failed.length;
    if (performance.now() - toldMs < 5000) return;
    toldMs = performance.now();
    const perS = (so.seeds / (toldMs - startedMs)) * 1000;
    process.stderr.write(`sim: ${so.seeds} seeds, ${perS.toFixed(1)}/s, ${so.failed.length} failed\n`);
  });
  const seconds = (performance.now() - startedMs) / 1000;
  const folder = sum.failed.length > 0 ? mkdtempSync(join(tmpdir(), 'portcullis-sim-')) : '';
  const transcripts = sum.failed.slice(0, 3).map(({ seed }) => writeTranscript(folder, seed, restriction));
  if (json)
    process.stdout.write(
      `${JSON.stringify({ range, seconds, seedsPerSecond: sum.seeds / seconds, virtualMinutes: sum.simulatedMs / 60_000, ...sum, transcripts })}\n`,
    );
  else process.stdout.write(summaryText(range, seconds, sum, transcripts));
  return sum.failed.length > 0 ? 1 : 0;
}

function summaryText(range: string, seconds: number, sum: Summary, transcripts: readonly string[]): string {
  const hours = (sum.simulatedMs / 3_600_000).toFixed(1);
  const outages = Object.entries(sum.outages).sort(([, a], [, b]) => b - a);
  return [
    `seeds ${range}: ${sum.seeds} run in ${seconds.toFixed(0)} s (${(sum.seeds / seconds).toFixed(1)}/s), ${hours} simulated hours, ${sum.steps} steps`,
    `violations: ${sum.failed.length} seed(s)`,
    ...sum.failed.map(({ seed, judge, what }) => `  seed ${seed}: ${judge}: ${what}`),
    ...transcripts.map((file) => `  transcript: ${file}`),
    'longest outage by the last fault before it (ms):',
    ...outages.map(([fault, ms]) => `  ${fault.padEnd(20)} ${ms.toFixed(0).padStart(8)}`),
    '',
  ].join('\n');
}

function scenario(name: string): number {
  const found = SCENARIOS.find((s) => s.name === name || (name !== '' && s.name.startsWith(name)));
  if (found === undefined) throw new UsageError(`no scenario ${JSON.stringify(name)}; --list names them`);
  try {
    found.run((line) => process.stdout.write(`${line}\n`));
  } catch (error) {
    process.stderr.write(
      `sim: error: ${found.name}: ${error instanceof Error ? error.message : String(error)}\n`,
    );
    return 1;
  }
  process.stdout.write(`${found.name}: as it must be\n`);
  return 0;
}

async function main(args: string[]): Promise<number> {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const { values } = parseArgs({
    args,
    options: {
      ...{ seeds: text, seed: text, scenario: text, list: flag, json: flag, shrink: flag, help: flag },
      ...{ workers: text, minutes: text, hosts: text, policy: text, interval: text, faults: text },
    },
  });
  if ([values.seeds, values.seed, values.scenario].filter((v) => v !== undefined).length > 1)
    throw new UsageError('only one of --seeds, --seed and --scenario');
  const restriction = restrictionOf(values);
  const json = values.json === true;
  const workers = whole(values.workers, 'workers', 1, 256) ?? availableParallelism();
  if (values.help === true) process.stdout.write(`${USAGE}\n`);
  else if (values.list === true) process.stdout.write(`${SCENARIOS.map((s) => s.name).join('\n')}\n`);
  else if (values.scenario !== undefined) return scenario(values.scenario);
  else if (values.seeds !== undefined) return await many(values.seeds, restriction, workers, json);
  else {
    const seed = whole(values.seed, 'seed', 0, MOST_SEED);
    if (seed === undefined) throw new UsageError('say --seeds, --seed or --scenario');
    return one(seed, restriction, json, values.shrink === true);
  }
  return 0;
}

if (process.argv[1] === import.meta.filename) {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // Whoever reads may have seen enough (`| head`); the exit status still says what was found.
    if (error.code !== 'EPIPE') throw error;
  });
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    const usage =
      error instanceof UsageError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS') === true;
    process.stderr.write(`sim: error: ${error instanceof Error ? error.message : String(error)}\n`);
    if (usage) process.stderr.write(`sim: hint: ${USAGE}\n`);
    process.exitCode = usage ? 2 : 1;
  }
}
