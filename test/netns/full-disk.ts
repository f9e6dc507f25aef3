/**
 * A program: the event log on a real file system that is full, then read-only, then whole again. It runs in a mount
 * namespace of its own (`unshare -m`) and mounts a small tmpfs on the directory it is given. Prints one JSON object.
 */
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { nodeDisk } from '../../src/daemon/log-disk.ts';
import { note } from '../audit/cluster.ts';
import { entriesOf, logOn } from '../audit/written.ts';

const [directory = ''] = process.argv.slice(2);
const mount = (...args: string[]): unknown => execFileSync('/usr/bin/mount', args, { stdio: 'pipe' });
mount('-t', 'tmpfs', '-o', 'ro,size=6m', 'tmpfs', directory);

const troubles: (string | null)[] = [];
const log = logOn(nodeDisk(join(directory, 'log')), { onTrouble: (error) => void troubles.push(error) });
let appended = 0;
const tookMs: number[] = [];
/** As the core's effects do: one entry after the other, none waited for. */
function append(count: number): void {
  for (let i = 0; i < count; i++) {
    const startMs = performance.now();
    log.append(note(`entry ${appended++}`));
    tookMs.push(performance.now() - startMs);
  }
}
/** Waits for the writer's next try. */
async function until(wanted: boolean): Promise<void> {
  for (let i = 0; i < 100 && log.status().failing !== wanted; i++) await sleep(50);
}

await log.open();
append(10);
await log.flush();
const readOnly = log.status().failing;
mount('-o', 'remount,rw', directory);
await until(false);
const filler = join(directory, 'filler');
try {
  writeFileSync(filler, Buffer.alloc(8 * 1024 * 1024));
} catch {
  // As much as there was room for.
}
append(25_000);
await until(true);
const full = log.status();
rmSync(filler);
await until(false);
append(10);
await log.close(5000);
const entries = await entriesOf(nodeDisk(join(directory, 'log')));
// The machine's own stalls hit a few, a wait in our code each of those that wait.
const [slowestMs] = tookMs.sort((a, b) => b - a).slice(10);
const stated = entries.filter(({ kind }) => kind === 'lost').map(({ data }) => data.count);
const written = entries.filter(({ text }) => text.startsWith('entry ')).length;
process.stdout.write(
  `${JSON.stringify({ troubles, full, readOnly, appended, written, stated, slowestMs, status: log.status() })}\n`,
);
