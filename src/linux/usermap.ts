/** Which users exist in this process's user namespace (user_namespaces(7)); in the first one, all do. */
import { readFileSync } from 'node:fs';

/** Whether that user id means anybody in here. */
export function isMapped(uid: number, map = readFileSync('/proc/self/uid_map', 'latin1')): boolean {
  return map.split('\n').some((line) => {
    const [first, , count] = line.trim().split(/\s+/).map(Number);
    return first !== undefined && count !== undefined && uid >= first && uid < first + count;
  });
}
