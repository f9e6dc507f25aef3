/** The host's end of an agent's port: questions and answers, each with a limit. What a guest says is read here and nowhere run. */
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Finished } from '../lab/process.ts';
import type { Question } from './agent.ts';

type Unnumbered<Q> = Q extends unknown ? Omit<Q, 'id'> : never;
interface Answer {
  readonly id: number;
  readonly failed?: string;
  readonly [key: string]: unknown;
}

/** How the guest's wall clock stood to the host's at a moment: guest = host + offset, known to within half the round trip. */
export interface ClockSample {
  readonly hostMs: number;
  readonly offsetMs: number;
  readonly roundTripMs: number;
}

export class Channel {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, (answer: Answer | null) => void>();
  #next = 1;
  readonly ready: Promise<void>;

  constructor(path: string) {
    this.#socket = connect(path);
    this.#socket.on('error', () => undefined); // the guest has lost its power; who waits is told by `close`
    let ready: () => void = () => undefined;
    this.ready = new Promise((resolve) => {
      ready = resolve;
    });
    const lines = createInterface({ input: this.#socket });
    lines.on('error', () => undefined); // it passes on the socket's
    lines.on('line', (line) => {
      const answer = parse(line);
      if (answer === null) return;
      if (answer.id === 0) return ready();
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
    this.#socket.on('close', () => {
      for (const tell of this.#waiting.values()) tell(null);
      this.#waiting.clear();
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Runs a program in the guest. Throws when the guest does not answer within the limit. */
  async run(argv: readonly string[], input = '', limitMs = 60_000): Promise<Finished> {
    const answer = await this.#must({ do: 'run', argv, input }, limitMs);
    return {
      code: typeof answer.code === 'number' ? answer.code : null,
      stdout: String(answer.stdout),
      stderr: String(answer.stderr),
    };
  }

  /** The same for one that must succeed; its output. */
  async must(argv: readonly string[], input = '', limitMs = 60_000): Promise<string> {
    const { code, stdout, stderr } = await this.run(argv, input, limitMs);
    if (code !== 0)
      throw new Error(`in the guest: ${argv.join(' ')}: exit ${code}: ${(stderr || stdout).trim()}`);
    return stdout;
  }

  async start(argv: readonly string[], log: string): Promise<number> {
    const { pid } = await this.#must({ do: 'start', argv, log }, 60_000);
    if (typeof pid !== 'number') throw new Error(`in the guest: ${argv.join(' ')} did not start`);
    return pid;
  }

  async signal(pid: number, signal: NodeJS.Signals): Promise<void> {
    await this.#must({ do: 'signal', pid, signal }, 30_000);
  }

  /** Whether what `start` started still runs. */
  async isAlive(pid: number): Promise<boolean> {
    return (await this.#must({ do: 'alive', pid }, 30_000)).alive === true;
  }

  async read(path: string): Promise<string | null> {
    const { text } = await this.#must({ do: 'read', path }, 30_000);
    return typeof text === 'string' ? text : null;
  }

  async write(path: string, text: string): Promise<void> {
    await this.#must({ do: 'write', path, text }, 30_000);
  }

  /** The same for a write that the guest may not outlive: nobody waits for an answer. */
  writeAndForget(path: string, text: string): void {
    this.#send({ do: 'write', path, text });
  }

  /** GET over a Unix socket of the guest; null when it does not answer within the limit. */
  async get(socket: string, path: string, limitMs: number): Promise<string | null> {
    const answer = await this.#ask({ do: 'get', socket, path }, limitMs);
    return typeof answer?.body === 'string' ? answer.body : null;
  }

  /** Compares the clocks; the sample with the shortest round trip of several. */
  async compareClocks(times = 12): Promise<ClockSample> {
    let best: ClockSample | null = null;
    for (let i = 0; i < times; i += 1) {
      const before = performance.now();
      const answer = await this.#must({ do: 'clock' }, 10_000);
      const after = performance.now();
      const hostMs = performance.timeOrigin + (before + after) / 2;
      const sample = { hostMs, offsetMs: Number(answer.wallMs) - hostMs, roundTripMs: after - before };
      if (best === null || sample.roundTripMs < best.roundTripMs) best = sample;
    }
    if (best === null) throw new Error('no sample was asked for');
    return best;
  }

  async #must(question: Unnumbered<Question>, limitMs: number): Promise<Answer> {
    const answer = await this.#ask(question, limitMs);
    if (answer === null)
      throw new Error(`the guest did not answer within ${limitMs} ms: ${JSON.stringify(question)}`);
    if (answer.failed !== undefined) throw new Error(`in the guest: ${answer.failed}`);
    return answer;
  }

  #ask(question: Unnumbered<Question>, limitMs: number): Promise<Answer | null> {
    return new Promise((resolve) => {
      const id = this.#send(question);
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        resolve(null);
      }, limitMs);
      this.#waiting.set(id, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
    });
  }

  #send(question: Unnumbered<Question>): number {
    const id = this.#next++;
    this.#socket.write(`${JSON.stringify({ ...question, id })}\n`);
    return id;
  }
}

function parse(line: string): Answer | null {
  try {
    return JSON.parse(line) as Answer;
  } catch {
    return null;
  }
}
