/** A command on a real pseudo-terminal, which `script` of bsdutils makes; its echo is on, as an operator's is. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { programArgs } from '../programs.ts';

/** Generous: the machine may be busy. A command that hangs ends the test, not the run. */
const LIMIT_MS = 60_000;

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

/** The command line that starts `portcullis`. */
export function programWords(): string[] {
  return [process.execPath, ...programArgs('src/cli/main.ts')];
}

export class TerminalSession {
  readonly #script: ChildProcess;
  readonly #closed: Promise<unknown>;
  #seen = '';
  #from = 0;

  /**
   * Starts `portcullis WORDS`, behind what else stands before it, and, when it is at its end, prints how the terminal was left. `around`:
   * what the shell does with that command, so that its status is the command's.
   */
  constructor(
    words: readonly string[],
    prefix: readonly string[] = [],
    around = (command: string): string => command,
  ) {
    const node = [...prefix, ...programWords(), ...words];
    // The shell outlives a Ctrl-C; a trap, unlike an ignored signal, is not handed on to the command.
    const line = `trap : INT; ${around(node.map(quoted).join(' '))}; status=$?; stty -a; exit $status`;
    this.#script = spawn('script', ['-q', '-e', '-E', 'always', '-c', line, '/dev/null'], {
      env: { ...process.env, TERM: 'xterm' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#closed = once(this.#script, 'close');
    this.#script.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#seen += text;
    });
  }

  /** All that the operator sees. */
  get seen(): string {
    return this.#seen;
  }

  /** Waits until `question` is on the screen, behind what was waited for before, then types. */
  async answer(question: string, keys: string | Uint8Array): Promise<void> {
    const untilMs = Date.now() + LIMIT_MS;
    while (!this.#seen.slice(this.#from).includes(question)) {
      if (Date.now() > untilMs || this.#script.exitCode !== null)
        throw new Error(`never asked: ${JSON.stringify(question)}; seen: ${this.#seen}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    this.#from = this.#seen.indexOf(question, this.#from) + question.length;
    this.#script.stdin?.write(keys);
  }

  /** Its exit status, and whether the terminal echoes again. */
  async end(): Promise<{ readonly status: number | null; readonly echoes: boolean }> {
    const timer = setTimeout(() => this.#script.kill('SIGKILL'), LIMIT_MS);
    await this.#closed;
    clearTimeout(timer);
    return {
      status: this.#script.exitCode,
      echoes: / echo /.test(this.#seen) && / icanon /.test(this.#seen),
    };
  }
}
