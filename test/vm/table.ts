/** `npm run -s vm -- table`: the parts of a takeover after a power loss, for each strategy and card. Printed as in spec/timing.md. */
import type { GuestLabOptions } from './guest-lab.ts';
import type { Parts } from './parts.ts';
import { runInGuests, type VmResult } from './run.ts';
import { SCENARIOS } from './scenarios.ts';

type Row = Pick<GuestLabOptions, 'strategy' | 'speculative' | 'uplink' | 'downlink'>;

const ROWS: readonly Row[] = [
  { strategy: 'module', speculative: false, uplink: 'e1000e', downlink: 'virtio' },
  { strategy: 'module', speculative: true, uplink: 'e1000e', downlink: 'virtio' },
  { strategy: 'unbind', speculative: false, uplink: 'e1000e', downlink: 'virtio' },
  { strategy: 'unbind', speculative: true, uplink: 'e1000e', downlink: 'virtio' },
  { strategy: 'admin', speculative: false, uplink: 'e1000e', downlink: 'virtio' },
  { strategy: 'module', speculative: false, uplink: 'virtio', downlink: 'e1000e' },
  { strategy: 'module', speculative: true, uplink: 'virtio', downlink: 'e1000e' },
  { strategy: 'unbind', speculative: false, uplink: 'virtio', downlink: 'virtio' },
  { strategy: 'unbind', speculative: true, uplink: 'virtio', downlink: 'virtio' },
  { strategy: 'admin', speculative: false, uplink: 'virtio', downlink: 'virtio' },
];
const PARTS = [
  'detect',
  'claim',
  'driver',
  'carrier',
  'nextHop',
  'open',
  'announce',
] as const satisfies readonly (keyof Parts)[];
const HEADINGS = [
  'strategy, card',
  'detect',
  'claim',
  'driver',
  'carrier',
  'next hop',
  'open',
  'announce',
  'whole',
];

export interface TableOrder {
  readonly options: GuestLabOptions;
  readonly runs: number;
  readonly json: boolean;
  readonly keep: boolean;
  /** Rows whose name contains this. */
  readonly only: string;
}

/** Measures and prints row by row; the exit status. A row's figures are those of the run with the middle outage. */
export async function printTable(order: TableOrder): Promise<number> {
  const power = SCENARIOS.find(({ name }) => name === 'power');
  if (power === undefined) throw new Error('there is no scenario power');
  if (!order.json)
    process.stdout.write(`| ${HEADINGS.join(' | ')} |\n|${' --- |'.repeat(HEADINGS.length)}\n`);
  let isGood = true;
  for (const row of ROWS.filter((one) => nameOf(one).includes(order.only))) {
    const results: VmResult[] = [];
    for (let i = 0; i < order.runs; i += 1) {
      try {
        results.push(await runInGuests(power, { ...order.options, ...row }, order.keep));
      } catch (error) {
        process.stderr.write(
          `vm: ${nameOf(row)}: ${error instanceof Error ? error.message : String(error)}\n`,
        );
        isGood = false;
      }
    }
    for (const { problems } of results)
      if (problems.length > 0) {
        process.stderr.write(`vm: ${nameOf(row)}: ${problems.join('; ')}\n`);
        isGood = false;
      }
    results.sort((a, b) => a.outageMs - b.outageMs);
    const middle = results[Math.floor((results.length - 1) / 2)];
    if (middle !== undefined)
      process.stdout.write(order.json ? `${JSON.stringify(middle)}\n` : line(row, middle));
  }
  return isGood ? 0 : 1;
}

function nameOf({ strategy, speculative, uplink }: Row): string {
  return `${strategy}${speculative ? ', speculative' : ''}, ${uplink}`;
}

function line(row: Row, result: VmResult): string {
  const parts = PARTS.map((part) => cell(result.parts?.[part] ?? null));
  return `| ${[nameOf(row), ...parts, cell(result.outageMs)].join(' | ')} |\n`;
}

function cell(ms: number | null): string {
  return ms === null ? '-' : String(Math.round(ms));
}
