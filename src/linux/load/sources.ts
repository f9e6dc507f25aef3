/**
 * What tells how burdened a host is, each as a number from 0 to 1000 (spec/configuration.md, "Load"). Reads /proc only;
 * null: this kernel does not tell.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

export const LOAD_SOURCES = [
  'conntrack',
  'conntrackd',
  'cpu',
  'downlink',
  'link',
  'program',
  'remote',
] as const;
export type LoadSource = (typeof LOAD_SOURCES)[number];

/** What is 1000, and how it is found out; root's configuration. */
export interface LoadSettings {
  readonly sources: readonly LoadSource[];
  readonly everyMs: number;
  /** Tracked connections; 0: as many as the kernel takes. */
  readonly connections: number;
  /** Per cent of the time in which something waits for a processor. */
  readonly cpuPercent: number;
  /** Per cent of the last runs of a downlink's test that were not confirmed. */
  readonly downlinkPercent: number;
  /** Mbit/s of one device in one direction; 0: the device's own speed. */
  readonly linkMbit: number;
  /** Per cent of the last runs of the remote tests that were not confirmed. */
  readonly remotePercent: number;
  /** Prints a number from 0 to 1000. */
  readonly program: string | null;
}

/** A whole number from 0 to 1000. */
export function permille(part: number, whole: number): number {
  if (!(whole > 0) || !(part > 0)) return 0;
  return Math.min(1000, Math.round((part / whole) * 1000));
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/** Tracked connections of this network namespace. `full` 0: the kernel's own maximum. */
export function conntrackLoad(full: number): number | null {
  const count = read('/proc/sys/net/netfilter/nf_conntrack_count');
  const most = full > 0 ? full : Number(read('/proc/sys/net/netfilter/nf_conntrack_max') ?? 0);
  return count === null || !(most > 0) ? null : permille(Number(count), most);
}

/** Pressure over the last ten seconds; where the kernel has none, the load of the last minute for each processor. */
export function cpuLoad(fullPercent: number): number | null {
  const pressure = /^some avg10=([0-9.]+)/m.exec(read('/proc/pressure/cpu') ?? '')?.[1];
  if (pressure !== undefined) return permille(Number(pressure), fullPercent);
  const lastMinute = /^([0-9.]+) /.exec(read('/proc/loadavg') ?? '')?.[1];
  if (lastMinute === undefined) return null;
  return permille((Number(lastMinute) / availableParallelism()) * 100, fullPercent);
}

/** Bytes received and sent by each device of this network namespace since it came. */
export function deviceBytes(): Map<string, { readonly received: number; readonly sent: number }> {
  const out = new Map<string, { received: number; sent: number }>();
  for (const line of (read('/proc/net/dev') ?? '').split('\n').slice(2)) {
    const [name = '', ...fields] = line.trim().split(/[:\s]+/);
    const received = Number(fields[0]);
    const sent = Number(fields[8]);
    if (name !== '' && Number.isFinite(received) && Number.isFinite(sent)) out.set(name, { received, sent });
  }
  return out;
}

/** Mbit/s; null where the device is down, gone or does not tell. */
export function deviceSpeed(device: string): number | null {
  const speed = Number(read(`/sys/class/net/${device}/speed`) ?? Number.NaN);
  return speed > 0 ? speed : null;
}

/** The use of the devices between two looks: the busier direction of the busiest one. */
export class LinkUse {
  private seen = deviceBytes();
  private seenMs: number;

  constructor(nowMs: number) {
    this.seenMs = nowMs;
  }

  /** `fullMbit` 0: each device's own speed. Null: no device tells. */
  look(devices: readonly string[], fullMbit: number, nowMs: number): number | null {
    const before = this.seen;
    const seconds = (nowMs - this.seenMs) / 1000;
    this.seen = deviceBytes();
    this.seenMs = nowMs;
    const uses = devices.flatMap((device) => {
      const [was, is] = [before.get(device), this.seen.get(device)];
      const mbit = fullMbit > 0 ? fullMbit : deviceSpeed(device);
      if (was === undefined || is === undefined || mbit === null || !(seconds > 0)) return [];
      const bytes = Math.max(is.received - was.received, is.sent - was.sent);
      return [permille((bytes * 8) / 1e6 / seconds, mbit)];
    });
    return uses.length === 0 ? null : Math.max(...uses);
  }
}

/** What a program's output says; null: no number from 0 to 1000. */
export function programLoad(output: string): number | null {
  const [, text] = /^\s*(\d{1,4})\s*$/.exec(output) ?? [];
  const load = text === undefined ? 1001 : Number(text);
  return load <= 1000 ? load : null;
}
