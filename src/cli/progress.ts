/** What a command is waiting for, where that takes more than a second: on standard error, and only on a terminal. */
import type { Writable } from 'node:stream';
import { takesOrders } from './style.ts';

/** Where it is said; `isTTY` as of Node's streams. */
export type ProgressScreen = Pick<Writable, 'write'> & { readonly isTTY?: boolean };

const EVERY_MS = 1000;
const CLEAR_LINE = '\r\u001b[K';

/** Does the work; from the first second on says `words` and the seconds so far, and takes that back at the end. */
export async function withProgress<T>(
  words: string,
  work: () => Promise<T>,
  screen: ProgressScreen = process.stderr,
  everyMs = EVERY_MS,
): Promise<T> {
  if (!takesOrders(screen)) return work();
  let ticks = 0;
  const timer = setInterval(() => {
    ticks += 1;
    screen.write(`${CLEAR_LINE}${words} (${ticks} s)`);
  }, everyMs);
  timer.unref();
  try {
    return await work();
  } finally {
    clearInterval(timer);
    if (ticks > 0) screen.write(CLEAR_LINE);
  }
}
