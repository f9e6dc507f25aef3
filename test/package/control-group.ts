/**
 * A control group of the test's own, below the one that the test runs in: a systemd in namespaces takes the group that it finds itself in
 * for the machine's, and makes and leaves others there.
 */
import { mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../lab/process.ts';

const LIMIT_MS = 10_000;
let made = 0;

/** Makes one; its directory. Throws where version 2 is not mounted. */
export function makeGroup(): string {
  const mounts = readFileSync('/proc/self/mounts', 'utf8');
  const place = /^\S+ (\S+) cgroup2 /m.exec(mounts)?.[1];
  const own = /^0::(\/.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1];
  if (place === undefined || own === undefined) throw new Error('needs control groups of version 2');
  made += 1;
  const directory = join(place, own, `portcullis-${process.pid}-${made}`);
  mkdirSync(directory);
  return directory;
}

/** The words before a command that has it run in that group. */
export function inGroup(directory: string): string[] {
  return ['sh', '-ec', 'echo $$ > "$0/cgroup.procs"; exec "$@"', directory];
}

/** Removes it with all below, once what ran there has ended. */
export async function removeGroup(directory: string): Promise<void> {
  await until(async () => isRemoved(directory), LIMIT_MS, 50);
}

function isRemoved(directory: string): boolean {
  try {
    for (const entry of readdirSync(directory, { withFileTypes: true }))
      if (entry.isDirectory()) isRemoved(join(directory, entry.name));
    rmdirSync(directory);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}
