/**
 * `npm run -s vm -- SCENARIO...`: takeovers between emulated machines, each with its own kernel and cards; `table` measures their parts.
 * Exit status: 0 all as expected, 1 something was not, 2 wrong usage.
 */
import { parseArgs } from 'node:util';
import type { CardModel } from './guest.ts';
import { GUEST_INTERVAL_MS } from './guest-cluster.ts';
import { closeGuestLabs, closeOnSignals, type GuestLabOptions } from './guest-lab.ts';
import { needsMachines } from './needs.ts';
import { tryReadme } from './readme.ts';
import { runInGuests, type VmResult } from './run.ts';
import { SCENARIOS, type VmScenario } from './scenarios.ts';
import type { Strategy } from './strategy.ts';
import { printTable } from './table.ts';

const USAGE = `usage: npm run -s vm -- SCENARIO... [--strategy module|unbind|admin] [--speculative] [--uplink e1000e|virtio]
                            [--downlink virtio|e1000e] [--interval 2000ms] [--runs K] [--json] [--keep]
SCENARIO: one or more names, or \`all\`; \`list\` tells them.
       npm run -s vm -- table [--runs K] [--only TEXT] [--json]   the parts of a takeover, for each strategy and card
       npm run -s vm -- readme [--json]   the README’s two hosts, typed on two machines with a bare Debian`;

class UsageError extends Error {}

function oneOf<T extends string>(text: string, allowed: readonly T[], option: string): T {
  const found = allowed.find((value) => value === text);
  if (found === undefined) throw new UsageError(`${option} is one of ${allowed.join(', ')}, not ${text}`);
  return found;
}

function whole(text: string, least: number, most: number, option: string): number {
  const value = Number(text.replace(/ms$/, ''));
  if (!Number.isInteger(value) || value < least || value > most)
    throw new UsageError(`${option} is a whole number from ${least} to ${most}, not ${text}`);
  return value;
}

function plan(argv: readonly string[]) {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      strategy: { type: 'string', default: 'module' },
      speculative: { type: 'boolean', default: false },
      uplink: { type: 'string', default: 'e1000e' },
      downlink: { type: 'string', default: 'virtio' },
      interval: { type: 'string', default: `${GUEST_INTERVAL_MS}ms` },
      runs: { type: 'string', default: '1' },
      only: { type: 'string', default: '' },
      json: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
    },
  });
  const cards: readonly CardModel[] = ['e1000e', 'virtio'];
  const strategies: readonly Strategy[] = ['module', 'unbind', 'admin'];
  const options: GuestLabOptions = {
    intervalMs: whole(values.interval, 50, 5_000, '--interval'),
    policy: 'available',
    strategy: oneOf(values.strategy, strategies, '--strategy'),
    speculative: values.speculative,
    uplink: oneOf(values.uplink, cards, '--uplink'),
    downlink: oneOf(values.downlink, cards, '--downlink'),
  };
  if (options.strategy === 'module' && options.uplink === options.downlink)
    throw new UsageError('module: both cards have the same driver, so it cannot be unloaded; take unbind');
  if (options.strategy === 'admin' && options.speculative)
    throw new UsageError('admin: its driver is always loaded; --speculative is for module and unbind');
  const runs = whole(values.runs, 1, 100, '--runs');
  return { options, names: positionals, runs, json: values.json, keep: values.keep, only: values.only };
}

function named(names: readonly string[]): readonly VmScenario[] {
  if (names[0] === 'all') return SCENARIOS;
  return names.map((name) => {
    const scenario = SCENARIOS.find((candidate) => candidate.name === name);
    if (scenario === undefined) throw new UsageError(`there is no scenario ${name}; \`list\` tells them`);
    return scenario;
  });
}

function show(result: VmResult, json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify(result)}\n`);
    return;
  }
  const { scenario, strategy, uplink, speculative, outageMs, overlapMs, standbyUplinkPackets, problems } =
    result;
  const how = `${strategy}${speculative ? ', speculative' : ''}, ${uplink}`;
  const words = problems.length === 0 ? 'ok' : problems.join('; ');
  process.stdout.write(
    `${scenario} (${how}): outage ${outageMs} ms, two acted ${overlapMs} ms, standby frames ${standbyUplinkPackets}: ${words}\n`,
  );
}

async function main(argv: readonly string[]): Promise<number> {
  const todo = plan(argv);
  if (todo.names.length === 0) throw new UsageError('name a scenario');
  if (todo.names[0] === 'list') {
    for (const { name, summary } of SCENARIOS) process.stdout.write(`${name.padEnd(10)} ${summary}\n`);
    return 0;
  }
  const missing = needsMachines();
  if (missing !== false) throw new Error(missing);
  if (todo.names[0] === 'table') return printTable(todo);
  if (todo.names[0] === 'readme') return tryReadme(todo.json);
  let isGood = true;
  for (const scenario of named(todo.names))
    for (let i = 0; i < todo.runs; i += 1) {
      const result = await runInGuests(scenario, todo.options, todo.keep);
      show(result, todo.json);
      isGood &&= result.problems.length === 0;
    }
  return isGood ? 0 : 1;
}

closeOnSignals();
try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const isUsage =
    error instanceof UsageError ||
    error instanceof RangeError ||
    (error instanceof TypeError && 'code' in error);
  process.stderr.write(`vm: ${error instanceof Error ? error.message : String(error)}\n`);
  if (isUsage) process.stderr.write(`${USAGE}\n`);
  process.exitCode = isUsage ? 2 : 1;
} finally {
  await closeGuestLabs();
}
