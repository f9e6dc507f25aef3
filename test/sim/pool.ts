/**
 * Many seeds over several processes. A worker is this file started as a child: it gets one chunk of seeds at a time
 * and answers with their summary, so that a slow seed holds up nothing but its own chunk. A worker that dies costs its
 * chunk: the seed at which it died counts as failed, another worker goes on behind it.
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

/** What a worker says: the seed that it begins, or the summary of its chunk. */
type Word = { readonly begins: number } | { readonly done: Summary };

/** Runs the seeds of one chunk in this process. */
export function runChunk(
  first: number,
  last: number,
  restriction: Restriction,
  begins: (seed: number) => void = () => undefined,
): Summary {
  const sum = emptySummary();
  for (let seed = first; seed <= last; seed++) {
    begins(seed);
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
  /** Chunks that a dead worker left, to be done before the rest. */
  const left: Chunk[] = [];
  let next = first;
  const chunk = (): Chunk | undefined => {
    if (sum.failed.length >= mostFailed) return undefined;
    const again = left.pop();
    if (again !== undefined || next > last) return again;
    const fresh = { first: next, last: Math.min(next + CHUNK - 1, last), restriction };
    next = fresh.last + 1;
    return fresh;
  };
  const take = (part: Summary) => {
    sum.seeds += part.seeds;
    sum.simulatedMs += part.simulatedMs;
    sum.steps += part.steps;
    sum.failed.push(...part.failed);
    takeOutages(sum, part.outages);
    progress(sum);
  };
  const died = (given: Chunk, seed: number, what: string) => {
    take({ ...emptySummary(), seeds: 1, failed: [{ seed, judge: 'simulator', what }] });
    // What the worker had done of its chunk was lost with it, and is done again.
    if (seed > given.first) left.push({ ...given, last: seed - 1 });
    if (seed < given.last) left.push({ ...given, first: seed + 1 });
  };
  const keepOneWorking = async () => {
    for (let given = chunk(); given !== undefined; given = chunk()) await work(given, chunk, take, died);
  };
  await Promise.all(Array.from({ length: workers }, keepOneWorking));
  sum.failed.sort((a, b) => a.seed - b.seed);
  return sum;
}

/** One worker from its start to its end, in good order when there is no chunk left, or by a fault (`died`). */
function work(
  first: Chunk,
  next: () => Chunk | undefined,
  take: (part: Summary) => void,
  died: (given: Chunk, seed: number, what: string) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = fork(import.meta.filename, ['worker'], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      // Every processor has its worker: helpers of the garbage collector would only get in their way.
      execArgv: [...process.execArgv, '--single-threaded-gc'],
    });
    let given: Chunk | undefined = first;
    let seed = first.first;
    child.on('message', (word: Word) => {
      if ('begins' in word) {
        seed = word.begins;
        return;
      }
      take(word.done);
      given = next();
      if (given === undefined) child.disconnect();
      else child.send(given);
    });
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      if (given !== undefined) died(given, seed, `the worker ended with ${signal ?? code}`);
      resolve();
    });
    child.send(given);
  });
}

if (process.argv[1] === import.meta.filename && process.argv[2] === 'worker') {
  // Datagrams come out of Node's pool (src/wire/bytes.ts); made in larger pieces it costs less.
  Buffer.poolSize = 2 ** 17;
  const say = (word: Word) => process.send?.(word);
  process.on('message', ({ first, last, restriction }: Chunk) => {
    say({ done: runChunk(first, last, restriction, (seed) => say({ begins: seed })) });
  });
}
