/** A host's own event log, for looking into a takeover: the only place that knows how it is kept. No judge reads it. */
import { join } from 'node:path';
import { eventLines } from '../audit/read.ts';

export interface LoggedEvent {
  /** Milliseconds since the epoch, whole. */
  readonly atMs: number;
  readonly kind: string;
  /** Of a transition: the place it led to. */
  readonly to: string | null;
  readonly text: string;
}

/** All entries of that host, oldest first; none when it has no log. `directory`: the cluster's. */
export function readEvents(directory: string, host: string): LoggedEvent[] {
  return eventLines(join(directory, host, 'state')).map((line) => {
    const entry = JSON.parse(line) as { time: string; kind: string; text: string; data?: { to?: string } };
    const { time, kind, data } = entry;
    return { atMs: Date.parse(time), kind, to: data?.to ?? null, text: entry.text };
  });
}
