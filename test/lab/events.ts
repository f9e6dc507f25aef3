/** A host's own event log, for looking into a takeover: the only place that knows how it is kept. No judge reads it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface LoggedEvent {
  /** Milliseconds since the epoch, whole. */
  readonly atMs: number;
  readonly kind: string;
  /** Of a transition: the place it led to. */
  readonly to: string | null;
  readonly text: string;
}

/** All entries of that host, oldest first; none when it has no log. `directory`: the cluster's. */
export async function readEvents(directory: string, host: string): Promise<LoggedEvent[]> {
  const text = await readFile(join(directory, host, 'state', 'events.jsonl'), 'utf8').catch(() => '');
  const lines = text.split('\n').slice(0, -1); // what is torn has no end
  return lines.map((line) => {
    const entry = JSON.parse(line) as { time: string; kind: string; text: string; data?: { to?: string } };
    const { time, kind, data } = entry;
    return { atMs: Date.parse(time), kind, to: data?.to ?? null, text: entry.text };
  });
}
