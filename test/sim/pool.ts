/**
 * Many seeds over several processes. A worker is this file started as a child: it gets one chunk of seeds at a time
 * and answers with their summary, so that a slow seed holds up nothing but its own chunk.
 */
import { fork } from 'node:child_process';
import { drawPlan, type Restriction } from './plan.ts';
import { run } from './run.ts';

export interface Summary {
  seeds: number;
  simulatedMs: number;
  steps: number;
  /** The first violation of each failing seed. */
  readonly failed: { readonly seed: number; readonly judge: string; readonly what: string }[];
  /** By the last fault before an outage began: the longest such outage (ms). */
  readonly outages: { [fault: string]: number };
}

export function emptySummary(): Summary {
  return { seeds: 0, simulatedMs: 0, steps: 0, failed: [], outages: {} };
}

interface Chunk {
  readonly first: number;
  readonly last: number;
  readonly restriction: Restriction;
}

const CHUNK = 20;

/** Runs the seeds of one chunk in this process. */
export function runChunk(first: number, last: number, restriction: Restriction): Summary {
  const sum = emptySummary();
  for (let seed = first; seed <= last; seed++) {
    try {
      const outcome = run(drawPlan(seed, restriction));
      const [violation] = outcome.violations;
      if (violation !== undefined) sum.failed.push({ seed, judge: violation.judge, what: violation.what });
      sum.simulatedMs += outcome.simulatedMs;
      sum.steps += outcome.steps;
      takeOutages(sum, outcome.outages);
    } catch (error) {
      sum.failed.push({
        seed,
        judge: 'simulator',
        what: error instanceof Error ? error.message : String(error),
      });
    }
    sum.seeds++;
  }
  return sum;
}

function takeOutages(sum: Summary, outages: { readonly [fault: string]: number }): void {
  for (const [fault, ms] of Object.entries(outages))
    sum.outages[fault] = Math.max(sum.outages[fault] ?? 0, ms);
}

/** Runs `first` to `last` in `workers` processes; `progress` hears of every chunk. Stops early after `mostFailed`. */
export async function runMany(
  first: number,
  last: number,
  restriction: Restriction,
  workers: number,
  mostFailed: number,
  progress: (sum: Summary) => void,
): Promise<Summary> {
  const sum = emptySummary();
  let next = first;
  const worker = () =>
    new Promise<void>((resolve, reject) => {
      const child = fork(import.meta.filename, ['worker'], {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
        // Every processor has its worker: helpers of the garbage collector would only get in their way.
        execArgv: [...process.execArgv, '--single-threaded-gc'],
      });
      const give = () => {
        if (next > last || sum.failed.length >= mostFailed) {
          child.disconnect();
          return;
        }
        const chunk: Chunk = { first: next, last: Math.min(next + CHUNK - 1, last), restriction };
        next = chunk.last + 1;
        child.send(chunk);
      };
      child.on('message', (part: Summary) => {
        sum.seeds += part.seeds;
        sum.simulatedMs += part.simulatedMs;
        sum.steps += part.steps;
        sum.failed.push(...part.failed);
        takeOutages(sum, part.outages);
        progress(sum);
        give();
      });
      child.on('error', reject);
      child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a worker ended with ${code}`))));
      give();
    });
  await Promise.all(Array.from({ length: workers }, worker));
  sum.failed.sort((a, b) => a.seed - b.seed);
  return sum;
}

if (process.argv[1] === import.meta.filename && process.argv[2] === 'worker') {
  // Datagrams come out of Node's pool (src/wire/bytes.ts); made in larger pieces it costs less.
  Buffer.poolSize = 2 ** 17;
  process.on('message', ({ first, last, restriction }: Chunk) => {
    process.send?.(runChunk(first, last, restriction));
  });
}
