/** How early this process gets a processor: leases and silence are reckoned in milliseconds, and other work of the host can wait. */
import { readdirSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';

/** As the units say (`Nice=`); programs that this process starts inherit it. */
export const NICE = -15;

/** For a start by hand: all threads of this process. False: neither it nor whoever started it may say so. */
export function goFirst(): boolean {
  if (getPriority() <= NICE) return true;
  try {
    // Linux has a priority for each thread; what Node has started by now helps its collector.
    for (const thread of readdirSync('/proc/self/task')) setPriority(Number(thread), NICE);
    return true;
  } catch {
    return false;
  }
}
