/**
 * Programs that the lab runs: always an argument vector, never a shell. Each one that lives on is remembered, so that
 * clean-up can end it by its process id; the lab never ends anything that it did not start.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const OUTPUT_LIMIT = 4 * 1024 * 1024;

/** Runs a program to its end. Kills it at the limit. Never throws for an exit status. */
export async function run(argv: readonly string[], input = '', limitMs = 60_000): Promise<Finished> {
  const [file, ...rest] = argv;
  if (file === undefined) throw new Error('nothing to run');
  const child = spawn(file, rest, { stdio: ['pipe', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    if (stdout.length < OUTPUT_LIMIT) stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    if (stderr.length < OUTPUT_LIMIT) stderr += chunk;
  });
  child.stdin.on('error', () => undefined); // a program that does not read its input has closed it
  child.stdin.end(input);
  const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, stdout, stderr };
  } finally {
    clearTimeout(timer);
  }
}

/** Runs a program that must succeed; its output. Throws with its own words if it does not. */
export async function must(argv: readonly string[], input = '', limitMs = 60_000): Promise<string> {
  const result = await run(argv, input, limitMs);
  if (result.code !== 0)
    throw new Error(`${argv.join(' ')}: exit ${result.code}: ${(result.stderr || result.stdout).trim()}`);
  return result.stdout;
}

/** Programs that live on until the lab ends them. */
export class Household {
  readonly #children = new Set<ChildProcess>();
  #closed = false;

  /** After `endAll`: nothing more is to be started. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Starts a program. `stdout` and `stderr`: a file descriptor, or 'pipe', or 'ignore'. */
  start(
    argv: readonly string[],
    stdio: {
      stdin?: 'pipe' | 'ignore';
      stdout?: number | 'pipe' | 'ignore';
      stderr?: number | 'pipe' | 'ignore';
    } = {},
  ): ChildProcess {
    const [file, ...rest] = argv;
    if (file === undefined) throw new Error('nothing to start');
    const child = spawn(file, rest, {
      stdio: [stdio.stdin ?? 'ignore', stdio.stdout ?? 'ignore', stdio.stderr ?? 'ignore'],
    });
    this.#children.add(child);
    child.on('exit', () => this.#children.delete(child));
    child.on('error', () => this.#children.delete(child));
    child.stdin?.on('error', () => undefined);
    return child;
  }

  /** Ends one program: the signal, then SIGKILL after the limit. */
  async end(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM', limitMs = 3_000): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
    try {
      await gone;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends all that still runs. */
  async endAll(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#children].map((child) => this.end(child, 'SIGTERM', 1_000)));
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Asks again and again, at most until the limit; whether the answer ever was yes. */
export async function until(
  question: () => boolean | Promise<boolean>,
  limitMs: number,
  everyMs = 50,
): Promise<boolean> {
  const endMs = performance.now() + limitMs;
  while (performance.now() < endMs) {
    if (await question()) return true;
    await sleep(everyMs);
  }
  return question();
}
