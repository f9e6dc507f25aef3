/**
 * What the service manager is told: that the daemon is ready, that it stops, and, for its watchdog, that it works. A timer
 * alone proves nothing: it is fed when the loop turns, no deadline of the state machine is overdue and the actuator answers.
 */
import { notifyManager, watchdogMs } from '../linux/notify.ts';

/** An overdue deadline that long is no load any more. */
const OVERDUE_MS = 1000;

export interface Evidence {
  /** How long the state machine's next deadline is overdue; 0 while it is not. */
  readonly overdueMs: () => number;
  /** How long the actuator has been silent. */
  readonly silentMs: () => number;
}

/** Whether the watchdog is to be fed. */
export function isSound({ overdueMs, silentMs }: Evidence): boolean {
  return overdueMs() <= OVERDUE_MS && silentMs() <= OVERDUE_MS;
}

/** Says that the daemon is ready, and feeds the watchdog where there is one; returns what ends it. */
export function tellManager(evidence: Evidence): () => void {
  notifyManager('READY=1');
  const everyMs = watchdogMs();
  const feed = (): void => {
    if (isSound(evidence)) notifyManager('WATCHDOG=1');
  };
  const timer = everyMs === null ? null : setInterval(feed, everyMs / 2);
  return () => {
    if (timer !== null) clearInterval(timer);
    notifyManager('STOPPING=1');
  };
}
