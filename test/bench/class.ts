/** In which of the kernel's scheduling classes this process runs. In the idle one it gets what all others leave: times say nothing then. */
import { readFileSync } from 'node:fs';

const SCHED_IDLE = 5;

/** `stat`: of /proc/PID/stat, whose field 41 is the policy (proc(5)); the command's name before it may hold blanks. */
export function isIdle(stat = readFileSync('/proc/self/stat', 'latin1')): boolean {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[41 - 3]) === SCHED_IDLE;
}
