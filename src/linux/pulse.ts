/**
 * What a process does now and then is done together: each time that it wakes costs more than what it wakes for. Tasks of a length run
 * with those of half of it, in one turn of the loop.
 */

const BEAT_MS = 250;
const tasks = new Map<() => void, number>();
let timer: NodeJS.Timeout | null = null;
let beats = 0;

function beat(): void {
  beats++;
  for (const [task, every] of [...tasks]) if (beats % every === 0 && tasks.has(task)) task();
}

/** Runs it each `count` quarters of a second, the first time within that, until the returned function is called. */
export function everyQuarters(count: number, run: () => void): () => void {
  // The same function may be asked for twice.
  const task = (): void => run();
  tasks.set(task, count);
  timer ??= setInterval(beat, BEAT_MS);
  return () => {
    tasks.delete(task);
    if (tasks.size > 0 || timer === null) return;
    clearInterval(timer);
    timer = null;
  };
}
