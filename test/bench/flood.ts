/**
 * What a flood costs: takeovers of the lab with and without 20,000 forged datagrams a second in the master's name (no gate
 * key), in turn, so that the machine's load meets both alike. The attacker's station runs in both. `--runs K` of each (5).
 * Processor time is of the heir's daemon, before the master dies; the machine also carries the attacker and the switch.
 */
import { parseArgs } from 'node:util';
import { type AttackResult, runAttack } from '../lab/attack-run.ts';
import { ATTACKS, type Attack } from '../lab/attacks.ts';
import { cleanUpOnSignals, closeAll, removeWorkDirectory } from '../lab/lab.ts';

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

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, runs: { type: 'string', default: '5' } },
  allowPositionals: true,
});
const runs = Math.min(Math.max(Math.floor(Number(values.runs)) || 5, 1), 100);
const flood = ATTACKS.find(({ name }) => name === 'flood-outsider');
if (flood?.outside === undefined) throw new Error('there is no attack flood-outsider');
const quiet: Attack = { ...flood, outside: { ...flood.outside, perSecond: 0 } };

cleanUpOnSignals();
const done = { unflooded: [] as AttackResult[], flooded: [] as AttackResult[] };
try {
  for (let i = 0; i < runs; i += 1) {
    done.unflooded.push(await runAttack(quiet, null));
    done.flooded.push(await runAttack(flood, null));
  }
} finally {
  await closeAll();
  removeWorkDirectory();
}
const unflooded = seriesOf(done.unflooded);
const flooded = seriesOf(done.flooded);
const ratio = Math.round((flooded.medianMs / unflooded.medianMs) * 100) / 100;
if (values.json) process.stdout.write(`${JSON.stringify({ unflooded, flooded, ratio })}\n`);
else
  process.stdout.write(
    `takeover, median of ${runs}: ${unflooded.medianMs} ms without a flood (${unflooded.medianCores} cores), ` +
      `${flooded.medianMs} ms in ${flooded.perSecond} datagrams/s (${flooded.medianCores} cores): ratio ${ratio}\n`,
  );
