/**
 * The actuator's end of the checker: started without any right when it is first needed, asked by lines, and killed when
 * it talks garbage. Invariant: what does not come back in time, for whatever reason, is no evidence.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { isAnswerByte, Lines } from '../orders/lines.ts';
import { powerless, textOf } from '../tools.ts';
import type { SocketCheck } from './kinds.ts';
import type { Way } from './sockets.ts';
import { parseReply, REPLY_BYTES_MAX, type Reply } from './words.ts';

/** A checker that ended is not started again sooner. */
const REST_MS = 1000;
/** Beyond the check's own limit: the way to the checker and back. */
const SLACK_MS = 100;
/** The first one comes with the start of a process. */
const START_MS = 3000;
/** Questions under way; one more is not asked. */
const WAITING_MAX = 256;

const compiled = import.meta.url.endsWith('.js');
const MAIN = fileURLToPath(new URL(compiled ? 'checker-main.js' : 'checker-main.ts', import.meta.url));
const FLAGS = ['--disallow-code-generation-from-strings', '--disable-proto=throw', '--max-old-space-size=64'];

/** `isHeard`: the checker itself said so. */
type Answered = Pick<Reply, 'ok' | 'text'> & { readonly isHeard: boolean };

export class Checker {
  private child: ChildProcess | null = null;
  private readonly waiting = new Map<number, (answered: Answered) => void>();
  private lastId = 0;
  private endedMs = Number.NEGATIVE_INFINITY;
  private isFirst = true;
  private closed = false;

  /** Starts the process before it is needed, or ends it when it no longer is. */
  keep(isNeeded: boolean): void {
    if (isNeeded) this.started();
    else {
      this.end('no check needs it');
      // It was well: the next one need not wait.
      this.endedMs = Number.NEGATIVE_INFINITY;
    }
  }

  /** Whether the process can be started and speaks; null: it does. */
  async problem(): Promise<string | null> {
    const nobody = { kind: 'tcp', address: '127.0.0.1', port: 1, through: false } as const;
    const way = { device: 'lo', source: null, through: false };
    const { isHeard, text } = await this.ask(way, nobody, 100);
    return isHeard ? null : text;
  }

  /** Never rejects. */
  ask(way: Way, check: SocketCheck, limitMs: number): Promise<Answered> {
    return new Promise((resolve) => {
      const child = this.started();
      const id = ++this.lastId;
      if (typeof child === 'string' || this.waiting.size >= WAITING_MAX) {
        resolve({
          ok: false,
          isHeard: false,
          text: typeof child === 'string' ? child : 'too many checks wait',
        });
        return;
      }
      const limit = setTimeout(
        () => this.answer({ id, ok: false, text: `no answer after ${limitMs} ms` }, false),
        limitMs + (this.isFirst ? START_MS : SLACK_MS),
      );
      this.waiting.set(id, (answered) => {
        clearTimeout(limit);
        resolve(answered);
      });
      child.stdin?.write(`${JSON.stringify({ id, way, check, limitMs })}\n`);
    });
  }

  /** Ends the process; every open question is unanswered. */
  close(): void {
    this.closed = true;
    this.end('the checks end');
  }

  /** The running process, or why there is none. */
  private started(): ChildProcess | string {
    if (this.closed) return 'the checks end';
    if (this.child !== null) return this.child;
    if (performance.now() - this.endedMs < REST_MS) return 'the checker ended and rests';
    try {
      const [command = '', ...before] = powerless();
      const args = [...before, process.execPath, ...process.execArgv, ...FLAGS, MAIN];
      const child = spawn(command, args, {
        cwd: compiled ? '/' : process.cwd(),
        env: {},
        stdio: ['pipe', 'pipe', 'ignore'],
        detached: true,
      });
      const lines = new Lines({
        maxBytes: REPLY_BYTES_MAX,
        isAllowed: isAnswerByte,
        onLine: (line) => {
          const reply = parseReply(line);
          if (reply === null) this.end('the checker talks garbage');
          else this.answer(reply, true);
        },
        onGarbage: () => this.end('the checker talks garbage'),
      });
      child.stdout.on('data', (chunk: Uint8Array) => lines.take(chunk));
      child.stdin.on('error', () => undefined);
      const ended = (why: string) => (): void => {
        if (this.child === child) this.end(why);
      };
      child.on('error', ended('the checker cannot be started'));
      child.on('exit', ended('the checker ended'));
      this.child = child;
      this.isFirst = true;
      return child;
    } catch (error) {
      return textOf(error);
    }
  }

  private answer({ id, ok, text }: Reply, isHeard: boolean): void {
    const take = this.waiting.get(id);
    this.waiting.delete(id);
    this.isFirst = false;
    take?.({ ok, text, isHeard });
  }

  private end(why: string): void {
    const { child } = this;
    this.child = null;
    this.endedMs = performance.now();
    if (child?.pid !== undefined) {
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It is gone.
      }
    }
    for (const id of [...this.waiting.keys()]) this.answer({ id, ok: false, text: why }, false);
  }
}
