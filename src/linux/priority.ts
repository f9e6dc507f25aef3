/** How early this process gets a processor: leases and silence are reckoned in milliseconds, and other work of the host can wait. */
import { readdirSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';

/** As the units say (`Nice=`); programs that this process starts inherit it. */
export const NICE = -15;
/**
 * Of V8's helpers, which compile and collect beside the loop: it need not wait for a compiler, of this host or of another one on the
 * same machine; at -10 four of them had more than half of a processor beside a loop. What it waits for sometimes, a collector, keeps its fair share.
 */
export const HELPERS_NICE = 0;
/** Node makes its threads in this order: the loop's, one for delayed tasks, and four helpers; after these its own for files. */
const [FIRST_HELPER, HELPERS_END] = [2, 6];

/** For a start by hand: all threads of this process. False: neither it nor whoever started it may say so. */
export function goFirst(): boolean {
  try {
    // Linux has a priority for each thread.
    const threads = readdirSync('/proc/self/task')
      .map(Number)
      .sort((a, b) => a - b);
    if (getPriority() > NICE) for (const thread of threads) setPriority(thread, NICE);
    for (const thread of threads.slice(FIRST_HELPER, HELPERS_END)) setPriority(thread, HELPERS_NICE);
    return true;
  } catch {
    // In the actuator's unit the helpers stay as they are.
    return getPriority() <= NICE;
  }
}
