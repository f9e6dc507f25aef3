/**
 * A tool that is started before it is needed, and waits for its input: to start one in the middle of a takeover costs more than
 * what it then does. Invariants: each serves once, and its exit status says how that went, as if it had been started for it; a
 * waiting one has done nothing, so that one that died is nothing, and another is started in its place; at most one waits.
 */
import { Child, type Ended } from './child.ts';
import { TOOL_LIMIT_MS, type Tool, toolProgram } from './tools.ts';

/** After a use: a takeover is over by then, and what it needs the processor for. Also after a death. */
const AGAIN_MS = 1000;

export class WarmTool {
  readonly #tool: Tool;
  readonly #args: readonly string[];
  readonly #againMs: number;
  #waiting: Child | null = null;
  #timer: NodeJS.Timeout | null = null;
  #isKept = false;

  /** Starts nothing yet. `againMs`: how long after a use or a death the next one is started. */
  constructor(tool: Tool, args: readonly string[], againMs = AGAIN_MS) {
    this.#tool = tool;
    this.#args = args;
    this.#againMs = againMs;
  }

  /** The process id of the one that waits, as far as it is known; null: none does. */
  get waitingPid(): number | null {
    return this.#waiting?.pid ?? null;
  }

  /** From now on one waits, started anew: the tool itself may be another than before. False: none. */
  keep(wanted: boolean): void {
    this.#dismiss();
    this.#isKept = wanted;
    if (wanted) this.#start();
  }

  /** Runs the tool to its end; throws `OperatorError` when it is not installed. */
  async run(input: string, limitMs = TOOL_LIMIT_MS): Promise<Ended> {
    const waiting = this.#take();
    if (waiting !== null && waiting.pid !== null) {
      const ended = await waiting.finish(input, limitMs);
      // Not by itself and not by us: somebody killed it, perhaps long before it was asked.
      if (ended.status !== null || ended.late) return ended;
    }
    return new Child(toolProgram(this.#tool, this.#args)).finish(input, limitMs);
  }

  /** The waiting one, which serves now; the next comes later. */
  #take(): Child | null {
    const waiting = this.#waiting;
    this.#waiting = null;
    if (this.#isKept) this.#startLater();
    return waiting;
  }

  #start(): void {
    let child: Child;
    try {
      child = new Child(toolProgram(this.#tool, this.#args));
    } catch {
      // Not installed: who needs it says so.
      return;
    }
    child.unref();
    this.#waiting = child;
    void child.ended.then(() => {
      if (this.#waiting === child) this.#take();
    });
  }

  #startLater(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (this.#waiting === null) this.#start();
    }, this.#againMs);
    this.#timer.unref();
  }

  #dismiss(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#waiting?.kill();
    this.#waiting = null;
  }
}
