/**
 * Ctrl-C, a hang-up and a stop while files are written: they wait for the end of what runs, so that nothing is left half-done, and
 * then end the process with the status that a shell gives. A process that has listeners of its own, as the daemon, is not touched.
 */
import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** Of the event loop: a signal that came during the first is told in the second. */
const TURNS = 2;

let turnsLeft = 0;

/** From now on until the event loop turns: what is written in one go is whole, also several files. */
export function holdSignals(): void {
  const isHeld = turnsLeft > 0;
  turnsLeft = TURNS;
  if (isHeld) return;
  const kept = SIGNALS.filter((signal) => process.listenerCount(signal) === 0);
  const end = (signal: NodeJS.Signals): void => process.exit(128 + constants.signals[signal]);
  for (const signal of kept) process.on(signal, end);
  const turn = (): void => {
    turnsLeft -= 1;
    if (turnsLeft > 0) setImmediate(turn);
    else for (const signal of kept) process.off(signal, end);
  };
  setImmediate(turn);
}
