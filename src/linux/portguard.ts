/**
 * Keeps the port filter in the kernel as it must be: replaced without a gap when members or own addresses change,
 * put back when somebody removed or changed it. It is a shield, not a judge: without it the cluster works on, and
 * an alarm says that it is missing.
 */
import type { ActuatorConfig } from './config.ts';
import type { Generations } from './generations.ts';
import { formatIp } from './ip.ts';
import { tableCounters } from './nftcounters.ts';
import { type FilterCounter, filterTable, portFilter } from './portfilter.ts';
import type { DeviceAddress } from './rtnetlink.ts';
import { runTool, textOf } from './tools.ts';

/** How long an operator sees that the filter was tampered with. */
const TOLD_MS = 60_000;
const COUNTERS_EVERY_MS = 5000;

export type FilterCounts = { readonly [C in FilterCounter]: number };

export interface PortGuardOptions {
  readonly nowMs: () => number;
  readonly generations: Pick<Generations, 'nft'>;
  /** This host's own, now; the same array as long as nothing has changed. */
  readonly addresses: () => readonly DeviceAddress[];
  /** What is wrong with the filter; null: nothing (any more). */
  readonly onTrouble: (detail: string | null) => void;
}

export class PortGuard {
  readonly #options: PortGuardOptions;
  #config: ActuatorConfig;
  /** What was loaded, and how nft lists it; null: nothing is known to be loaded. */
  #loaded: { readonly table: string; readonly text: string; readonly listed: string } | null = null;
  #troubleUntilMs: number | null = null;
  /** Of tables that were replaced since; the kernel's counters begin anew with each. */
  #before: FilterCounts = zero();
  #now: FilterCounts = zero();
  #readAtMs = Number.NEGATIVE_INFINITY;
  /** What must be loaded while these addresses stand; null: not yet reckoned. */
  #wanted: { readonly of: readonly DeviceAddress[]; readonly text: string } | null = null;

  constructor(config: ActuatorConfig, options: PortGuardOptions) {
    this.#config = config;
    this.#options = options;
  }

  /** Takes a new configuration; `keep` makes it true. */
  configure(config: ActuatorConfig): void {
    this.#config = config;
    this.#wanted = null;
  }

  /** Whether the text that must be loaded has changed, as when an own address came or went. Quick. */
  get isDue(): boolean {
    try {
      return this.#loaded === null || this.#loaded.text !== this.#text();
    } catch {
      return true;
    }
  }

  /** Datagrams that the kernel dropped since this process began. Not older than a few seconds. */
  get counts(): FilterCounts {
    return sum(this.#before, this.#now);
  }

  /** The filter is as it must be when this resolves; never throws. One call at a time. */
  async keep(): Promise<void> {
    const { onTrouble, nowMs } = this.#options;
    try {
      const text = this.#text();
      const table = filterTable(this.#config);
      const was = this.#loaded;
      const listed = was === null ? null : await list(was.table);
      if (was !== null && was.text === text && was.listed === listed) return;
      if (was !== null && was.listed !== listed) {
        this.#troubleUntilMs = nowMs() + TOLD_MS;
        onTrouble('somebody else changed or removed the filter of the cluster’s port; it was put back');
      }
      await this.#load(table, text);
      if (was !== null && was.table !== table)
        await this.#options.generations.nft(`table inet ${was.table}\ndelete table inet ${was.table}\n`);
    } catch (error) {
      this.#loaded = null;
      this.#troubleUntilMs = nowMs() + TOLD_MS;
      onTrouble(`the cluster’s port is not filtered in the kernel: ${textOf(error)}`);
    }
  }

  /** Ends an alarm that is old, and reads the counters when that is due. Never throws; to be called now and then. */
  look(): void {
    const now = this.#options.nowMs();
    if (this.#troubleUntilMs !== null && now >= this.#troubleUntilMs && this.#loaded !== null) {
      this.#troubleUntilMs = null;
      this.#options.onTrouble(null);
    }
    if (now - this.#readAtMs < COUNTERS_EVERY_MS || this.#loaded === null) return;
    this.#readAtMs = now;
    this.#readCounters();
  }

  async #load(table: string, text: string): Promise<void> {
    this.#readCounters();
    const ended = await this.#options.generations.nft(text);
    if (ended.status !== 0) throw new Error(`nft refused it: ${textOf(ended.errors)}`);
    this.#before = sum(this.#before, this.#now);
    this.#now = zero();
    const listed = await list(table);
    if (listed === null) throw new Error('nft does not list it');
    this.#loaded = { table, text, listed };
  }

  /** What must be loaded now. */
  #text(): string {
    const of = this.#options.addresses();
    if (this.#wanted?.of !== of) {
      const own = of.map(({ bytes, prefixLength }) => ({
        family: bytes.length === 4 ? (4 as const) : (6 as const),
        address: formatIp(bytes),
        prefixLength,
      }));
      this.#wanted = { of, text: portFilter(this.#config, own) };
    }
    return this.#wanted.text;
  }

  #readCounters(): void {
    if (this.#loaded === null) return;
    const { table } = this.#loaded;
    try {
      const told = tableCounters(table);
      // Gone in this moment: `keep` sees to that.
      if (told.size > 0) this.#now = countsOf((name) => told.get(name) ?? 0);
    } catch {
      // The next look tries again.
    }
  }
}

function countsOf(packets: (name: FilterCounter) => number): FilterCounts {
  return { stranger: packets('stranger'), hops: packets('hops'), rate: packets('rate') };
}

function zero(): FilterCounts {
  return countsOf(() => 0);
}

function sum(a: FilterCounts, b: FilterCounts): FilterCounts {
  return countsOf((name) => a[name] + b[name]);
}

/** The table as nft lists it, without what changes by itself; null when it is not there. */
async function list(table: string): Promise<string | null> {
  const ended = await runTool('nft', ['-s', 'list', 'table', 'inet', table]);
  if (ended.status !== 0) return null;
  // Only the sets of rates change by themselves.
  return ended.output.replace(/(set rate[46] \{[^}]*?)\n\s*elements = \{[^}]*\}/g, '$1');
}
