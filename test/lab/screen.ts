/**
 * The demo's live table: a line for each change of a host's state, and on a terminal one line at the bottom
 * that is kept up to date. Without a terminal nothing is ever rewritten: lines are only appended.
 */
import type { TrafficReport } from './traffic.ts';

const WIDTH = 11;

export class Screen {
  readonly #hosts: readonly string[];
  readonly #isTerminal = process.stdout.isTTY === true;
  readonly #startMs = performance.now();
  #last = '';
  #live = false;

  constructor(hosts: readonly string[]) {
    this.#hosts = hosts;
  }

  heading(): void {
    this.#line(
      `${'   time'.padEnd(WIDTH)}${this.#hosts.map((host) => host.padEnd(WIDTH)).join('')}the client`,
    );
  }

  /** Says what happens next, in a paragraph of its own. */
  tell(text: string): void {
    this.#line('');
    this.#line(`${this.#time()}${text}`);
  }

  /** Shows the states; a new line only when one has changed. */
  show(states: ReadonlyMap<string, string>, report: TrafficReport | null): void {
    const cells = this.#hosts.map((host) => word(states.get(host) ?? '-').padEnd(WIDTH)).join('');
    const isNew = cells !== this.#last;
    if (!isNew && !this.#isTerminal) return;
    const line = `${this.#time()}${cells}${this.#client(report)}`;
    if (this.#isTerminal) {
      if (this.#live && isNew) process.stdout.write('\n');
      process.stdout.write(`\r${line.slice(0, (process.stdout.columns ?? 100) - 1)}\x1b[K`);
      this.#live = true;
    } else this.#line(line);
    this.#last = cells;
  }

  #client(report: TrafficReport | null): string {
    if (report === null) return '';
    // recent: those of half a second
    return `${String(2 * report.recent).padStart(4)} answers/s, ${report.lost} lost so far`;
  }

  #time(): string {
    return `${((performance.now() - this.#startMs) / 1_000).toFixed(1).padStart(6)} s`.padEnd(WIDTH);
  }

  #line(text: string): void {
    if (this.#live) process.stdout.write('\n');
    this.#live = false;
    process.stdout.write(`${text.trimEnd()}\n`);
  }
}

/** How a state is written: the one that matters stands out. */
function word(state: string): string {
  if (state === 'service') return 'SERVICE';
  return state === '-' ? '(off)' : state;
}
