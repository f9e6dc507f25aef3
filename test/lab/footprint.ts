/**
 * What a host's processes take of their machine: processor time, memory, descriptors. Read from /proc, so that neither of
 * them does anything for it; and looked at again and again, to see whether it grows.
 */
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import type { Topology } from './topology.ts';
import type { Part } from './units.ts';

export type { Part } from './units.ts';
/** A host's process that reads the network, and the other one with the tools that it starts. */
export const PARTS: readonly Part[] = ['network', 'actuator'];

/** Of one part. All zero when none of its processes lives. */
export interface Use {
  /** The oldest of its processes: a part that was started anew has another one. 0: there is none. */
  readonly pid: number;
  /** User and system, of ended tools too; milliseconds since the processes began. */
  readonly cpuMs: number;
  /** Proportional: what processes share is counted in parts. */
  readonly pssKiB: number;
  /** What belongs to it alone (anonymous memory): heaps and stacks, and no share that shrinks when a program is run once more. */
  readonly ownKiB: number;
  readonly descriptors: number;
  readonly processes: number;
}

/** Who runs on a host: a lab's topology knows. */
type Inside = Pick<Topology, 'pids'>;

export interface Footprint {
  readonly atMs: number;
  readonly host: string;
  readonly network: Use;
  readonly actuator: Use;
}

/** USER_HZ, which is what every Linux port of today has. */
const TICKS_PER_SECOND = 100;
const NOTHING: Use = { pid: 0, cpuMs: 0, pssKiB: 0, ownKiB: 0, descriptors: 0, processes: 0 };

/** As it is now. Reading the memory of both takes about a millisecond of their kernel's time. */
export async function footprint(topology: Inside, host: string): Promise<Footprint> {
  const pids = await topology.pids(host).catch(() => []); // a host without power has no namespace
  const parts = { network: NOTHING, actuator: NOTHING };
  for (const pid of pids.toSorted((a, b) => a - b)) {
    const command = text(`/proc/${pid}/cmdline`).split('\0');
    if (command.length < 2) continue; // it ended since the list was read
    const part: Part = command.includes('daemon') ? 'network' : 'actuator';
    parts[part] = sum(parts[part], useOf(pid));
  }
  return { atMs: performance.now(), host, ...parts };
}

/** Of a core, in percent, between two looks at the same processes; NaN when a part was started anew. */
export function cpuPercent(before: Footprint, after: Footprint, part: Part): number {
  if (before[part].pid !== after[part].pid) return Number.NaN;
  const share = (after[part].cpuMs - before[part].cpuMs) / (after.atMs - before.atMs);
  return Math.round(share * 10_000) / 100;
}

/**
 * Memory of all of a host's processes as if no other host ran the same programs beside them, in KiB: the frames that any of them
 * has mapped, each counted once (pagemap, which only root may read; else 0). Takes some ten milliseconds.
 */
export async function memoryAlone(topology: Inside, host: string): Promise<number> {
  const frames = new Set<number>();
  for (const pid of await topology.pids(host)) framesOf(pid, frames);
  return frames.size * (PAGE_BYTES / 1024);
}

const PAGE_BYTES = 4096;
/** Entries that are read at once. */
const ENTRIES_AT_ONCE = 8192;

/** linux/Documentation/admin-guide/mm/pagemap.rst: eight bytes a page; bit 63 present, bits 0 to 54 the frame. */
function framesOf(pid: number, frames: Set<number>): void {
  let fd: number;
  try {
    fd = openSync(`/proc/${pid}/pagemap`, 'r');
  } catch {
    return; // it ended since the list was read
  }
  const buffer = Buffer.alloc(8 * ENTRIES_AT_ONCE);
  try {
    // Mappings without a page need not be read: V8 reserves a great deal.
    const smaps = text(`/proc/${pid}/smaps`).split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
    for (const mapping of smaps) {
      const [, from = '0', to = '0'] = /^([0-9a-f]+)-([0-9a-f]+) /.exec(mapping) ?? [];
      if (!/^Rss:\s+[1-9]/m.test(mapping)) continue;
      const [first, end] = [Number.parseInt(from, 16) / PAGE_BYTES, Number.parseInt(to, 16) / PAGE_BYTES];
      for (let page = first; page < end; page += ENTRIES_AT_ONCE) {
        const bytes = 8 * Math.min(ENTRIES_AT_ONCE, end - page);
        const got = readSync(fd, buffer, 0, bytes, page * 8);
        for (let at = 0; at + 8 <= got; at += 8) {
          const high = buffer.readUInt32LE(at + 4);
          const frame = (high & 0x7fffff) * 2 ** 32 + buffer.readUInt32LE(at);
          if (high >>> 31 === 1 && frame !== 0) frames.add(frame);
        }
      }
    }
  } finally {
    closeSync(fd);
  }
}

/** Looks at hosts from time to time, until `stop`. */
export class FootprintSampler {
  readonly samples: Footprint[] = [];
  readonly #timer: NodeJS.Timeout;
  #looking: Promise<void> = Promise.resolve();

  /** `onSample`: at once, for a file of them. */
  constructor(
    topology: Inside,
    hosts: readonly string[],
    everyMs: number,
    onSample: (sample: Footprint) => void = () => undefined,
  ) {
    const look = async (): Promise<void> => {
      for (const host of hosts) {
        const sample = await footprint(topology, host);
        this.samples.push(sample);
        onSample(sample);
      }
    };
    const begin = (): void => {
      this.#looking = this.#looking.then(look);
    };
    begin();
    this.#timer = setInterval(begin, everyMs);
  }

  /** Resolves when the last look is over. */
  async stop(): Promise<readonly Footprint[]> {
    clearInterval(this.#timer);
    await this.#looking;
    return this.samples;
  }
}

export interface Growth {
  readonly host: string;
  readonly part: Part;
  readonly pid: number;
  readonly minutes: number;
  /** The middle one of all slopes between two samples: a single leap moves it little. */
  readonly ownKiBPerHour: number;
  readonly descriptorsPerHour: number;
  readonly ownKiBMost: number;
  readonly descriptorsMost: number;
}

/** How each process grew, after it had lived for `warmMs`: heaps and caches fill at first. Those with less than three samples are left out. */
export function growths(samples: readonly Footprint[], warmMs = 0): Growth[] {
  const lives = new Map<string, { host: string; part: Part; seen: { atMs: number; use: Use }[] }>();
  for (const { atMs, host, ...parts } of samples)
    for (const part of PARTS) {
      const use = parts[part];
      if (use.pid === 0) continue;
      const key = `${host} ${part} ${use.pid}`;
      const life = lives.get(key) ?? { host, part, seen: [] };
      life.seen.push({ atMs, use });
      lives.set(key, life);
    }
  return [...lives.values()].flatMap(({ host, part, seen }) => {
    const bornMs = seen[0]?.atMs ?? 0;
    const warm = seen.filter(({ atMs }) => atMs - bornMs >= warmMs);
    const [first, last] = [warm[0], warm.at(-1)];
    if (first === undefined || last === undefined || warm.length < 3) return [];
    const over = (of: (use: Use) => number): number =>
      Math.round(middleSlope(warm.map(({ atMs, use }) => [atMs, of(use)])) * 3_600_000);
    return [
      {
        ...{ host, part, pid: first.use.pid, minutes: (last.atMs - first.atMs) / 60_000 },
        ownKiBPerHour: over(({ ownKiB }) => ownKiB),
        descriptorsPerHour: over(({ descriptors }) => descriptors),
        ownKiBMost: Math.max(...warm.map(({ use }) => use.ownKiB)),
        descriptorsMost: Math.max(...warm.map(({ use }) => use.descriptors)),
      },
    ];
  });
}

/** Theil's and Sen's estimate: the median of the slopes of all pairs. At most some thousand points. */
function middleSlope(points: readonly (readonly [at: number, value: number])[]): number {
  const slopes: number[] = [];
  for (const [i, [at, value]] of points.entries())
    for (const [later, then] of points.slice(i + 1))
      if (later > at) slopes.push((then - value) / (later - at));
  slopes.sort((a, b) => a - b);
  return slopes[Math.floor(slopes.length / 2)] ?? 0;
}

function useOf(pid: number): Use {
  let cpuMs = 0;
  // To the nanosecond, where proc(5)'s own sum has ticks of 10 ms.
  for (const task of entries(`/proc/${pid}/task`)) {
    const [ranNs = '0'] = text(`/proc/${pid}/task/${task}/schedstat`).split(' ');
    cpuMs += Number(ranNs) / 1e6;
  }
  // After the command's name, which may hold blanks: of proc(5)'s fields 16 and 17, of children that were waited for.
  const fields = text(`/proc/${pid}/stat`)
    .replace(/^.*\) /, '')
    .split(' ');
  cpuMs += ((Number(fields[13] ?? 0) + Number(fields[14] ?? 0)) / TICKS_PER_SECOND) * 1_000;
  const memory = text(`/proc/${pid}/smaps_rollup`);
  const pssKiB = Number(/^Pss:\s+(\d+) kB/m.exec(memory)?.[1] ?? 0);
  const ownKiB = Number(/^Pss_Anon:\s+(\d+) kB/m.exec(memory)?.[1] ?? 0);
  return { pid, cpuMs, pssKiB, ownKiB, descriptors: entries(`/proc/${pid}/fd`).length, processes: 1 };
}

function sum(a: Use, b: Use): Use {
  return {
    pid: a.pid === 0 ? b.pid : a.pid,
    cpuMs: a.cpuMs + b.cpuMs,
    pssKiB: a.pssKiB + b.pssKiB,
    ownKiB: a.ownKiB + b.ownKiB,
    descriptors: a.descriptors + b.descriptors,
    processes: a.processes + b.processes,
  };
}

/** Empty for a process that ended meanwhile. */
function text(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function entries(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
