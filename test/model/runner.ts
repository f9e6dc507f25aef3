/**
 * Runs slices of the model: spin writes a verifier, tcc or gcc compiles it, the verifier searches; all in a temporary
 * directory. A search that was cut short (depth, memory, time) proves nothing and counts as a failure.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expectationOf, type Job, nameOf, type Outcome, type Search } from './slice.ts';

export const MODEL_DIRECTORY = modelDirectory();

const USUAL_DEPTH = 1_000_000;
const USUAL_MEMORY_MB = 6_000;
/** A run that takes longer is stopped. */
const LIMIT_MS = 3_600_000;
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

function modelDirectory(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'spec', 'model'))) {
    if (dirname(directory) === directory) throw new Error('spec/model is missing');
    directory = dirname(directory);
  }
  return join(directory, 'spec', 'model');
}

interface Ended {
  readonly status: number;
  readonly output: string;
  readonly seconds: number;
}

function run(command: string, args: readonly string[], cwd: string): Promise<Ended> {
  const startedAtMs = performance.now();
  return new Promise((resolve) => {
    const options = { cwd, maxBuffer: MAX_OUTPUT_BYTES, timeout: LIMIT_MS, killSignal: 'SIGKILL' as const };
    execFile(command, [...args], options, (error, stdout, stderr) => {
      const seconds = (performance.now() - startedAtMs) / 1000;
      const killed = error !== null && error.killed === true ? `\nstopped after ${LIMIT_MS / 1000} s` : '';
      const missing = error !== null && error.code === 'ENOENT' ? `${command} is not installed` : '';
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      resolve({ status, output: `${stdout}${stderr}${missing}${killed}`, seconds });
    });
  });
}

/** Both at once: the machine may have no more than two cores. */
export async function runAll(
  jobs: readonly Job[],
  ended: (outcome: Outcome) => void = () => {},
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const queue = jobs.map((job, index) => ({ job, index }));
  const worker = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const outcome = await runJob(next.job);
      outcomes[next.index] = outcome;
      ended(outcome);
    }
  };
  await Promise.all([worker(), worker()]);
  return outcomes;
}

export async function runJob(job: Job): Promise<Outcome> {
  const directory = await mkdtemp(join(tmpdir(), 'portcullis-model-'));
  try {
    return await runIn(job, directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function runIn(job: Job, directory: string): Promise<Outcome> {
  const search = { ...job.slice.search, ...job.variant.search };
  const defines = job.variant.defines.map((d) => `-D${d}`);
  const file = join(MODEL_DIRECTORY, job.slice.file);
  const written = await run('spin', ['-a', ...defines, file], directory);
  if (written.status !== 0 || !existsSync(join(directory, 'pan.c'))) {
    return failed(job, 'spin', written.output);
  }
  const [compiler, ...flags] = compilerOf(job, search);
  const compiled = await run(compiler, [...flags, '-o', 'pan', 'pan.c'], directory);
  if (compiled.status !== 0) return failed(job, compiler, compiled.output);
  const searched = await run(join(directory, 'pan'), runFlags(search), directory);
  const trail = (await readdir(directory)).find((name) => name.endsWith('.trail'));
  const trace =
    trail === undefined
      ? null
      : traceOf((await run('spin', ['-t', '-T', '-k', trail, ...defines, file], directory)).output);
  return outcomeOf(job, search, searched, trace);
}

/**
 * Of a short search compiling was the longer part: tcc needs a twentieth of gcc's time for it, and its code, a half to a
 * third as fast, is good enough there.
 */
function compilerOf(job: Job, search: Search): [program: string, ...flags: string[]] {
  const flags = compileFlags(job, search);
  if (!job.variant.ci) return ['gcc', '-O2', ...flags];
  return search.long === true ? ['gcc', '-O1', ...flags] : ['tcc', ...flags];
}

function compileFlags(job: Job, search: Search): string[] {
  const flags = ['-w', `-DMEMLIM=${search.memoryMb ?? USUAL_MEMORY_MB}`];
  const safety = search.safety ?? true;
  if (safety) flags.push('-DSAFETY');
  if (safety && job.variant.violates !== null && (search.shortest ?? true)) flags.push('-DBFS');
  if (search.bitstate !== undefined) flags.push('-DBITSTATE');
  return [...flags, ...(search.compile ?? [])];
}

function runFlags(search: Search): string[] {
  const bits = search.bitstate === undefined ? [] : [`-w${search.bitstate}`];
  return ['-n', `-m${search.depth ?? USUAL_DEPTH}`, ...bits, ...(search.run ?? [])];
}

function failed(job: Job, what: string, output: string): Outcome {
  return {
    ...outcomeOf(job, {}, { status: 1, output: '', seconds: 0 }, null),
    result: `failed: ${what}: ${output.trim().split('\n').slice(0, 5).join(' | ')}`,
  };
}

function outcomeOf(job: Job, search: Search, searched: Ended, trace: string | null): Outcome {
  const { output } = searched;
  const figure = (pattern: RegExp) => Number(pattern.exec(output)?.[1] ?? 0);
  const expected = expectationOf(job.variant);
  const result = resultOf(output);
  return {
    slice: job.slice.name,
    variant: job.variant.name,
    expected,
    result,
    asExpected: result === expected,
    states: figure(/^\s*([\d.e+]+) states, stored/m),
    transitions: figure(/^\s*([\d.e+]+) transitions/m),
    depth: figure(/depth reached (\d+)/),
    seconds: Math.round(searched.seconds * 10) / 10,
    search: search.bitstate === undefined ? 'exhaustive' : 'bit-state',
    trace: trace === null ? null : `${nameOf(job)}: ${job.slice.property}\n\n${trace}`,
  };
}

/** What pan's own words amount to. */
export function resultOf(output: string): string {
  const violated = /assertion violated \(?!?\(?(\w+)/.exec(output)?.[1];
  if (violated !== undefined) return `violates ${violated}`;
  if (/acceptance cycle|non-progress cycle/.test(output) && /errors: [1-9]/.test(output))
    return 'violates cycle';
  if (/invalid end state/.test(output) && /errors: [1-9]/.test(output)) return 'violates endState';
  if (/max search depth too small/.test(output)) return 'truncated: depth';
  if (/out of memory|reached -DMEMLIM|bounded memory/i.test(output)) return 'truncated: memory';
  if (/stopped after/.test(output)) return 'truncated: time';
  if (!/errors: 0/.test(output) || /Search not completed/.test(output)) {
    return `failed: ${output.trim().split('\n').slice(-3).join(' | ')}`;
  }
  return 'holds';
}

/** The lines that the model itself printed along the counterexample, numbered; without spin's own. */
function traceOf(output: string): string {
  const told = output
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^(spin:|\s*#processes)/.test(line));
  const end = told.findIndex((line) => line.startsWith('violated:'));
  const lines = (end === -1 ? told : told.slice(0, end + 1)).filter(
    (line) => !/^\s*\d+:\tproc|^\t\t/.test(line),
  );
  return `${lines.map((line) => line.trim()).join('\n')}\n`;
}
