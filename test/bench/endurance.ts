/**
 * A long life: traffic, and a takeover every so often, planned, after a power loss, and after a kill and a new start, each as often.
 *   npm run -s bench -- endurance [--minutes 60] [--interval 50ms] [--every 30] [--hosts N] [--witness] [--policy ..] [--out FILE] [--json]
 * The last host's processes are never killed: whether a process grows is seen on them. Samples, one after each blow at least, and blows
 * go to FILE as they come, a line of JSON each; a blow that fails is one of them, and the life goes on. Below half an hour growth is told and not judged. Exit status 1 when something grew, moved without a blow, or was not as it must be.
 */
import { parseArgs } from 'node:util';
import { placesOf } from '../lab/calm.ts';
import { readEvents } from '../lab/events.ts';
import { footprint } from '../lab/footprint.ts';
import { cleanUpOnSignals, closeAll, removeWorkDirectory } from '../lab/lab.ts';
import { Living } from '../lab/living.ts';
import { sleep } from '../lab/process.ts';
import { milliseconds, policyNamed, row, whole } from '../lab/usage.ts';
import { oneBlow } from './endurance-blow.ts';
import { Mix } from './endurance-mix.ts';
import { type EnduranceRecord, type Verdict, verdictOf } from './endurance-verdict.ts';
import { Records } from './records.ts';

const SAMPLE_MS = 5_000;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    interval: { type: 'string', default: '50ms' },
    every: { type: 'string', default: '30' },
    hosts: { type: 'string' },
    witness: { type: 'boolean', default: false },
    policy: { type: 'string', default: 'available' },
    out: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const policy = policyNamed(values.policy) ?? 'available';
const { witness } = values;
const usualHosts = policy === 'quorum' && !witness ? 3 : 2;
const hosts = whole(values.hosts ?? String(usualHosts), 2, 16, '--hosts');
const intervalMs = milliseconds(values.interval);
const minutes = whole(values.minutes, 1, 24 * 60, '--minutes');
const everyS = whole(values.every, 10, 3_600, '--every');
const records = new Records<EnduranceRecord>(values.out ?? null, null);
const say = (text: string): boolean => (values.json ? process.stderr : process.stdout).write(`${text}\n`);

async function live(living: Living): Promise<void> {
  const startedMs = performance.now();
  const atS = (): number => Math.round((performance.now() - startedMs) / 100) / 10;
  const elder = living.lab.gateways.at(-1);
  const waitUntil = async (endMs: number): Promise<void> => {
    do {
      await sleep(Math.max(0, Math.min(SAMPLE_MS, endMs - performance.now())));
      for (const { name } of living.lab.options.hosts)
        records.add({
          ...{ record: 'sample', atS: atS() },
          footprint: await footprint(living.lab.topology, name),
        });
    } while (performance.now() < endMs);
  };
  const lastMs = startedMs + minutes * 60_000;
  const mix = new Mix();
  let calmMs = Date.now();
  const addCalm = () => records.add({ record: 'calm', atS: atS(), places: placesOf(living.lab, calmMs) });
  for (let turn = 1; startedMs + turn * everyS * 1_000 < lastMs; turn += 1) {
    await waitUntil(startedMs + turn * everyS * 1_000);
    addCalm();
    const record = await oneBlow(living, mix, elder, atS);
    records.add(record);
    if (record.uncaused > 0) tellMoves(living, calmMs, Date.now());
    calmMs = Date.now();
    say(`${record.atS} s: ${blowLine(record)}`);
  }
  await waitUntil(lastMs);
  addCalm();
  records.add({ record: 'end', atS: atS(), uncaused: await living.uncaused() });
}

function blowLine(record: Awaited<ReturnType<typeof oneBlow>>): string {
  if (record.record === 'failed') return `${record.fault}: ${record.what}`;
  const { fault, struck, outageMs, lost, problems } = record;
  return `${fault} of ${struck}, ${outageMs} ms, ${lost} lost${problems.map((one) => `; ${one}`).join('')}`;
}

/** Says what the hosts' own logs have of the time since the former blow, this one's own moves too. */
function tellMoves(living: Living, fromMs: number, toMs: number): void {
  const { cluster, options } = living.lab;
  for (const { name } of options.hosts)
    for (const { atMs, kind, text } of readEvents(cluster.directory, name))
      if (atMs >= fromMs && atMs <= toMs)
        say(`  ${name} ${new Date(atMs).toISOString().slice(11, 23)} ${kind}: ${text}`);
}

function show({ minutes: took, outages, lostMax, growths, falseTakeovers, unrest, problems }: Verdict): void {
  const widths = [12, 8, 8, 8, 8, 8];
  say(row(['fault', 'count', 'p50', 'p90', 'p99', 'max ms'], widths));
  for (const [fault, { count, p50Ms, p90Ms, p99Ms, maxMs }] of Object.entries(outages))
    say(row([fault, ...[count, p50Ms, p90Ms, p99Ms, maxMs].map((figure) => String(figure ?? '-'))], widths));
  for (const { host, part, pid, ownKiBMost, ownKiBPerHour, descriptorsMost, descriptorsPerHour } of growths)
    say(
      `${host}, ${part} process ${pid}: at most ${ownKiBMost} KiB, ${ownKiBPerHour} an hour; ` +
        `at most ${descriptorsMost} descriptors, ${descriptorsPerHour} an hour`,
    );
  say(`${took} minutes, at most ${lostMax} datagrams lost at once, ${falseTakeovers} false takeovers`);
  const places = Object.entries(unrest).map(([place, count]) => `${place} ${count}`);
  say(`between blows: ${places.join(', ') || 'no host changed its place'}`);
  say(problems.length === 0 ? 'ok' : problems.join('\n'));
}

cleanUpOnSignals();
try {
  const living = await Living.open({ kind: 'portcullis', hosts, witness, policy, intervalMs });
  await living.wake();
  await live(living);
} finally {
  await closeAll();
  removeWorkDirectory();
}
const verdict = verdictOf(records.all);
show(verdict);
if (values.json)
  process.stdout.write(
    `${JSON.stringify({ node: process.version, policy, hosts, witness, intervalMs, everyS, ...verdict })}\n`,
  );
process.exitCode = verdict.problems.length === 0 ? 0 : 1;
