/**
 * What a flood costs: takeovers of the lab without a flood, in one of 20,000 datagrams a second, and in the same against a build
 * without the defences; in turn, so that the machine's load meets all alike. `--attack NAME`: flood-outsider (the default; forged
 * in the master's name, without a key), flood-stranger (the same from an address that is no member's) or flood-member (with its gate,
 * badly signed). `--runs K` of each (5).
 * Processor time is of the heir's daemon, before the master dies; the machine also carries the attacker and the switch.
 */
import { parseArgs } from 'node:util';
import { type AttackResult, runAttack } from '../lab/attack-run.ts';
import { ATTACKS, type Attack } from '../lab/attacks.ts';
import { cleanUpOnSignals, closeAll, removeWorkDirectory } from '../lab/lab.ts';
import { UsageError } from '../lab/usage.ts';

interface Series {
  readonly takeoverMs: readonly (number | null)[];
  readonly medianMs: number;
  readonly cores: readonly number[];
  readonly medianCores: number;
  readonly perSecond: number;
}

/** The upper median; a takeover that did not come is longer than all others. */
function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function seriesOf(results: readonly AttackResult[]): Series {
  return {
    takeoverMs: results.map(({ takeoverMs }) => takeoverMs),
    medianMs: median(results.map(({ takeoverMs }) => takeoverMs ?? Number.POSITIVE_INFINITY)),
    cores: results.map(({ cores }) => cores),
    medianCores: median(results.map(({ cores }) => cores)),
    perSecond: Math.round(median(results.map(({ sentPerSecond }) => sentPerSecond))),
  };
}

/** The same hosts and programs, and nothing sent. */
function calm(attack: Attack): Attack {
  if (attack.outside === undefined) return { ...attack, inside: 'idle' };
  return { ...attack, outside: { ...attack.outside, perSecond: 0 } };
}

function over(a: Series, b: Series): number {
  return Math.round((a.medianMs / b.medianMs) * 100) / 100;
}

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    runs: { type: 'string', default: '5' },
    attack: { type: 'string', default: 'flood-outsider' },
  },
  allowPositionals: true,
});
const runs = Math.min(Math.max(Math.floor(Number(values.runs)) || 5, 1), 100);
const FLOODS = ATTACKS.flatMap(({ name, slowsWithout }) => (slowsWithout === undefined ? [] : [name]));
const flood = ATTACKS.find(({ name, slowsWithout }) => name === values.attack && slowsWithout !== undefined);
if (flood?.slowsWithout === undefined)
  throw new UsageError(`${values.attack} is no flood; there are ${FLOODS.join(', ')}`);

cleanUpOnSignals();
const done = {
  unflooded: [] as AttackResult[],
  flooded: [] as AttackResult[],
  undefended: [] as AttackResult[],
};
try {
  for (let i = 0; i < runs; i += 1) {
    done.unflooded.push(await runAttack(calm(flood), null));
    done.flooded.push(await runAttack(flood, null));
    done.undefended.push(await runAttack(flood, flood.slowsWithout));
  }
} finally {
  await closeAll();
  removeWorkDirectory();
}
const unflooded = seriesOf(done.unflooded);
const flooded = seriesOf(done.flooded);
const undefended = seriesOf(done.undefended);
const ratio = over(flooded, unflooded);
const undefendedRatio = over(undefended, unflooded);
const line = (what: string, { medianMs, takeoverMs, medianCores }: Series): string =>
  `${what}: takeover ${medianMs} ms (${takeoverMs.join(', ')}), ${medianCores} cores\n`;
process.stdout.write(
  values.json
    ? `${JSON.stringify({ attack: flood.name, unflooded, flooded, undefended, ratio, undefendedRatio })}\n`
    : line('without a flood', unflooded) +
        line(`${flood.name}, ratio ${ratio}`, flooded) +
        line(`the same with ${flood.slowsWithout}, ratio ${undefendedRatio}`, undefended),
);
