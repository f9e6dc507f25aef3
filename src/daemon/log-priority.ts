/**
 * Lines for the journal, of both processes: each begins with its priority, which the journal takes off again, so that
 * `journalctl -p warning` finds what it should (sd-daemon(3)). Loads next to nothing, for the actuator's sake (M14).
 */
import { fstatSync } from 'node:fs';

/** pino's levels as syslog's priorities. */
const PRIORITIES: { readonly [level: string]: number } = { 60: 2, 50: 3, 40: 4, 30: 6, 20: 7, 10: 7 };

/** Whether that descriptor is the journal's (systemd.exec(5), JOURNAL_STREAM). */
export function isJournal(fd: number, stream: string | undefined): boolean {
  if (stream === undefined) return false;
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    return stream === `${dev}:${ino}`;
  } catch {
    return false;
  }
}

/** A line with its priority in front. */
export function withPriority(line: string): string {
  const level = /^\{"level":(\d+)/.exec(line)?.[1] ?? '';
  return `<${PRIORITIES[level] ?? PRIORITIES[30]}>${line}`;
}

/** `sink`, which writes to that descriptor, with priorities where the journal reads. */
export function prioritised(sink: { write(line: string): void }, fd: number): { write(line: string): void } {
  return isJournal(fd, process.env.JOURNAL_STREAM)
    ? { write: (line) => sink.write(withPriority(line)) }
    : sink;
}
