/** The hosts' own event logs, for looking into a takeover: the only place that knows how they are kept. No judge reads them. */
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

const TELLING = ['transition', 'alarm', 'operator', 'note'];
const TOLD_MAX = 24;

/** What these hosts decided since then, by their own logs, the last of it: `+1234 fw1 transition service.serving -> ...`. For people. */
export function decisionsOf(directory: string, hosts: readonly string[], fromMs: number): string[] {
  return hosts
    .flatMap((host) => readEvents(directory, host).map((event) => ({ ...event, host })))
    .filter(({ atMs, kind }) => atMs >= fromMs && TELLING.includes(kind))
    .sort((a, b) => a.atMs - b.atMs)
    .slice(-TOLD_MAX)
    .map(({ atMs, host, kind, text }) => `+${Math.round(atMs - fromMs)} ${host} ${kind} ${text}`);
}
