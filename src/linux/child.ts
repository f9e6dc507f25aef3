/**
 * One started program: its input, its words, its end. Never a shell; one that is late is killed with all that it started.
 * It may be started long before it gets its input (warm.ts).
 */
import { type ChildProcess, spawn } from 'node:child_process';

/** What a program may say on standard error; the rest is read and forgotten. */
const ERRORS_CHARACTERS_MAX = 4096;

export interface Program {
  readonly path: string;
  readonly args: readonly string[];
  /** All of its environment. */
  readonly env: { readonly [name: string]: string };
  /** How many characters of its standard output are kept. */
  readonly outputMax: number;
}

export interface Ended {
  /** Exit status; null when the program was killed or could not be started. */
  readonly status: number | null;
  readonly output: string;
  /** Said on standard error. */
  readonly errors: string;
  /** It was killed at its limit. */
  readonly late: boolean;
}

export class Child {
  readonly #process: ChildProcess;
  readonly #said = { output: '', errors: '' };
  readonly #done: Promise<{ status: number | null; problem: string }>;
  #hasEnded = false;

  /** Starts it. What goes wrong with that is told by `finish`. */
  constructor({ path, args, env, outputMax }: Program) {
    // Where no pipe could be made any more its streams are missing, and only the error is told.
    const child: ChildProcess = spawn(path, [...args], {
      cwd: '/',
      env: { ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    this.#process = child;
    const keep = (which: 'output' | 'errors', max: number) => (chunk: string) => {
      if (this.#said[which].length < max) this.#said[which] = (this.#said[which] + chunk).slice(0, max);
    };
    child.stdout?.setEncoding('utf8').on('data', keep('output', outputMax));
    child.stderr?.setEncoding('utf8').on('data', keep('errors', ERRORS_CHARACTERS_MAX));
    // A child that ends without reading its input must not end us.
    child.stdin?.on('error', () => {});
    this.#done = new Promise((resolve) => {
      const end = (status: number | null, problem: string): void => {
        this.#hasEnded = true;
        resolve({ status, problem });
      };
      child.on('error', (error) => end(null, error.message));
      child.on('close', (status) => end(status, ''));
    });
    child.on('exit', () => {
      this.kill();
      this.#hasEnded = true;
    });
  }

  /** Its process id; null when it was never started or has ended, as far as it is known. */
  get pid(): number | null {
    return this.#hasEnded ? null : (this.#process.pid ?? null);
  }

  /** When it has ended, however. */
  get ended(): Promise<unknown> {
    return this.#done;
  }

  /** This process may end without waiting for it. */
  unref(): void {
    this.#process.unref();
    for (const stream of [this.#process.stdin, this.#process.stdout, this.#process.stderr])
      if (stream !== null && 'unref' in stream) (stream as { unref: () => void }).unref();
  }

  /** Gives it all its input and waits for its end. Never throws: what goes wrong is in the answer. Once. */
  finish(input: string, limitMs: number): Promise<Ended> {
    return new Promise((resolve) => {
      let isOver = false;
      const end = (status: number | null, problem: string, late: boolean): void => {
        if (isOver) return;
        isOver = true;
        clearTimeout(timer);
        const { output, errors } = this.#said;
        resolve({ status, output, errors: errors + problem, late });
      };
      const timer = setTimeout(() => {
        this.kill();
        // Something may have left the group and hold the pipes open: do not wait for it.
        this.#process.stdout?.destroy();
        this.#process.stderr?.destroy();
        end(null, `killed after ${limitMs} ms`, true);
      }, limitMs);
      this.#done.then(({ status, problem }) => end(status, problem, false));
      this.#process.stdin?.end(input);
    });
  }

  /** Kills it with all that it started and that is left in its group. Nothing when it has ended: its number may be another's. */
  kill(): void {
    const { pid } = this;
    if (pid === null) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // The whole group is gone.
    }
  }
}
