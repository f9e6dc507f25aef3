/**
 * A page on the whole terminal, as `top` has: on the alternate screen, so that what was there before is there again
 * afterwards, however this process ends short of SIGKILL. Keys come one by one and unseen. No more is written than the
 * terminal takes.
 */
import { widthOf } from './columns.ts';

const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const REST_OF_LINE = '\u001b[K';
const REST_OF_SCREEN = '\u001b[J';
/** The status of a process that such a signal ended, as a shell says it. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129, SIGQUIT: 131 } as const;
const STOP_KEY = '\u001a';
const INTERRUPT_KEY = '\u0003';
const QUIT_KEY = '\u001c';

/** Cuts a line to that many columns; styling is kept, and ended. */
export function clipped(line: string, width: number): string {
  if (widthOf(line) <= width) return line;
  let out = '';
  let left = Math.max(0, width - 1);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: styling takes no room
  for (const [part] of line.matchAll(/\u001b\[[0-9;]*m|[\s\S]/gu)) {
    if (part.startsWith('\u001b')) out += part;
    else if (left > 0) {
      out += part;
      left--;
    } else break;
  }
  // Without colours nothing is to be ended (NO_COLOR).
  return out.includes('\u001b') ? `${out}\u001b[0m…` : `${out}…`;
}

/** The keys of what was typed: several come at once from somebody quick, over a slow line, or while we were busy. */
export function keysOf(typed: string): string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is how arrows and their like begin
  return typed.match(/\u001b(?:\[[0-9;]*|O)[A-Za-z~]|[\s\S]/gu) ?? [];
}

/** What of `lines` is shown: `rows` of them from `from` on, and where that is when not all are. */
export function windowOf(
  lines: readonly string[],
  rows: number,
  from: number,
): { readonly lines: string[]; readonly from: number } {
  if (lines.length <= rows) return { lines: [...lines], from: 0 };
  const room = Math.max(1, rows - 1);
  const first = Math.min(Math.max(0, from), lines.length - room);
  const shown = lines.slice(first, first + room);
  return {
    lines: [...shown, `… lines ${first + 1} to ${first + shown.length} of ${lines.length}: arrows move`],
    from: first,
  };
}

/** The terminal of this process, from `open` to `close`. */
export class Screen {
  readonly #undo: (() => void)[] = [];
  /** Told of every key, and of each change of the terminal's size as `resize`. */
  onKey: (key: string) => void = () => undefined;
  #isOpen = false;

  /** Takes the terminal. Every way to end this process but SIGKILL gives it back. */
  open(): void {
    this.#enter();
    const end = (status: number): void => {
      this.close();
      process.exit(status);
    };
    for (const [signal, status] of Object.entries(SIGNALS)) {
      const ended = (): void => end(status);
      process.on(signal, ended);
      this.#undo.push(() => process.off(signal, ended));
    }
    const back = (): void => this.#leave();
    process.on('exit', back);
    const resized = (): void => this.onKey('resize');
    process.stdout.on('resize', resized);
    const continued = (): void => {
      this.#enter();
      // The size may have changed meanwhile, which only who is in the foreground is told.
      process.kill(process.pid, 'SIGWINCH');
      this.onKey('resize');
    };
    process.on('SIGCONT', continued);
    const stopped = (): void => {
      this.#leave();
      process.kill(process.pid, 'SIGSTOP');
    };
    process.on('SIGTSTP', stopped);
    const pressed = (key: string): void => {
      if (key === INTERRUPT_KEY) end(SIGNALS.SIGINT);
      else if (key === QUIT_KEY) end(SIGNALS.SIGQUIT);
      else if (key === STOP_KEY) stopped();
      else this.onKey(key);
    };
    const typed = (text: string): void => keysOf(text).forEach(pressed);
    process.stdin.setEncoding('utf8').on('data', typed).resume();
    this.#undo.push(() => {
      process.off('exit', back);
      process.off('SIGCONT', continued);
      process.off('SIGTSTP', stopped);
      process.stdout.off('resize', resized);
      process.stdin.off('data', typed).pause();
    });
  }

  close(): void {
    for (const step of this.#undo.splice(0)) step();
    this.#leave();
  }

  /** Draws the page anew, from `from` on; returns where it begins. A terminal that takes nothing is not written to. */
  draw(lines: readonly string[], foot: string, from: number): number {
    // A terminal that does not know its size says 0.
    const [columns, rows] = [process.stdout.columns || 80, process.stdout.rows || 24];
    const page = windowOf(lines, Math.max(1, rows - 1), from);
    if (!this.#isOpen || process.stdout.writableNeedDrain) return page.from;
    const text = page.lines.map((line) => `${clipped(line, columns)}${REST_OF_LINE}\r\n`).join('');
    process.stdout.write(`${HOME}${text}${clipped(foot, columns)}${REST_OF_LINE}${REST_OF_SCREEN}`);
    return page.from;
  }

  #enter(): void {
    this.#isOpen = true;
    process.stdout.write(ENTER);
    if (!process.stdin.isTTY) return;
    // Node remembers its own mode and would change nothing; a shell may have set another while this process was stopped.
    process.stdin.setRawMode(false);
    process.stdin.setRawMode(true);
  }

  #leave(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    try {
      if (process.stdin.isTTY) process.stdin.setRawMode(false);
    } catch {
      // the terminal is gone
    }
    process.stdout.write(LEAVE);
  }
}
