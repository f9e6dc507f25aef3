/**
 * `npm run -s model -- [SLICE | SLICE.VARIANT]...`: searches the slices of spec/model and prints a table.
 * Exit status: 0 all as expected, 1 something was not, 2 wrong usage.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { MODEL_DIRECTORY, runAll } from './runner.ts';
import { type Job, nameOf, type Outcome } from './slice.ts';
import { allJobs } from './slices.ts';

const USAGE = `usage: npm run -s model -- [SLICE | SLICE.VARIANT]... [--all | --ci] [--json] [--traces] [--list]
Without a name: what the tests run (--ci). --all: the large searches, too. --traces: writes the counterexamples
that spec/model/traces keeps.`;

class UsageError extends Error {}

function chosen(names: readonly string[], all: boolean): Job[] {
  const jobs = allJobs();
  for (const name of names) {
    if (!jobs.some((job) => job.slice.name === name || nameOf(job) === name))
      throw new UsageError(`there is no slice ${JSON.stringify(name)}; --list tells them`);
  }
  if (names.length > 0) return jobs.filter((j) => names.includes(j.slice.name) || names.includes(nameOf(j)));
  return all ? jobs : jobs.filter((job) => job.variant.ci);
}

const COLUMNS = ['slice', 'variant', 'result', 'expected', 'states', 'transitions', 'depth', 's', 'search'];

function row(cells: readonly string[]): string {
  const widths = [11, 24, 32, 9, 12, 13, 9, 8, 10];
  return cells
    .map((cell, i) => (i >= 4 && i <= 7 ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
    .join(' ')
    .trimEnd();
}

function rowOf(o: Outcome): string {
  const count = (n: number) => n.toLocaleString('en');
  const verdict = o.asExpected ? 'yes' : `NO: ${o.expected}`;
  const figures = [count(o.states), count(o.transitions), count(o.depth), o.seconds.toFixed(1), o.search];
  return row([o.slice, o.variant, o.result, verdict, ...figures]);
}

async function main(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      all: { type: 'boolean', default: false },
      ci: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      traces: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  if (values.all && values.ci) throw new UsageError('--all or --ci, not both');
  const jobs = chosen(positionals, values.all);
  if (values.list) {
    for (const job of jobs) process.stdout.write(`${nameOf(job)}: ${job.slice.property}\n`);
    return 0;
  }
  if (!values.json) process.stdout.write(`${row(COLUMNS)}\n`);
  const outcomes = await runAll(jobs, (outcome) => {
    process.stdout.write(`${values.json ? JSON.stringify(outcome) : rowOf(outcome)}\n`);
  });
  if (values.traces) await keepTraces(outcomes);
  const wrong = outcomes.filter((outcome) => !outcome.asExpected).length;
  if (!values.json) {
    process.stdout.write(
      `${outcomes.length} searches, ${wrong === 0 ? 'all as expected' : `${wrong} NOT as expected`}\n`,
    );
  }
  return wrong === 0 ? 0 : 1;
}

async function keepTraces(outcomes: readonly Outcome[]): Promise<void> {
  for (const { slice, variant, trace } of outcomes) {
    if (trace !== null) await writeFile(join(MODEL_DIRECTORY, 'traces', `${slice}.${variant}.txt`), trace);
  }
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // Whoever reads may have seen enough (`| head`); the exit status still says what was found.
  if (error.code !== 'EPIPE') throw error;
});

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const usage = error instanceof UsageError || (error instanceof TypeError && 'code' in error);
  process.stderr.write(`portcullis: error: ${error instanceof Error ? error.message : error}\n`);
  if (usage)
    process.stderr.write(
      `${USAGE.split('\n')
        .map((l) => `portcullis: hint: ${l}`)
        .join('\n')}\n`,
    );
  process.exitCode = usage ? 2 : 1;
}
