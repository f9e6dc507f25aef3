/**
 * What the size of a cluster costs: 2 to 16 hosts with one service, and 1 to 64 services on three hosts. Of each: datagrams and
 * processor time at rest, and for how long a service is not served when the host that serves the most loses its power.
 *   npm run -s bench -- scale [--hosts 2,3,4,6,8,12,16] [--services 1,4,16,64] [--interval 1s] [--services-interval 1s]
 *     [--policies available,quorum] [--deaths 3] [--seconds 10] [--warm 4] [--out FILE [--resume]] [--svg FILE] [--json]
 * `quorum` begins with three hosts. All hosts share this machine: at an interval that its processors do not bear the figures are theirs.
 */
import { writeFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { cpuPercent, type Footprint, footprint, PARTS } from '../lab/footprint.ts';
import type { Policy } from '../lab/gateway.ts';
import { cleanUpOnSignals, closeAll, Lab, removeWorkDirectory } from '../lab/lab.ts';
import { Placer, type Placing } from '../lab/placing.ts';
import { sleep } from '../lab/process.ts';
import { WARM_SECONDS } from '../lab/rest.ts';
import { nowMs } from '../lab/run.ts';
import { addClients, CLIENTS_MAX, planServices, SERVICES_MAX } from '../lab/services.ts';
import { Clients } from '../lab/spread-clients.ts';
import { CLUSTER_PORT, planHosts } from '../lab/topology.ts';
import { udpOf } from '../lab/udp.ts';
import { milliseconds, policyNamed, row, UsageError, whole } from '../lab/usage.ts';
import { typeOf } from '../lab/words.ts';
import { Records } from './records.ts';
import { type ScaleRecord, scalePlot } from './scale-plot.ts';
import { hundredths } from './statistics.ts';

const SERVICE_HOSTS = 3;
const LEAST_QUORUM = 3;
const START_MS = 120_000;
const SETTLE_MS = 60_000;
const CALM_MS = 4_000;

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    hosts: { type: 'string', default: '2,3,4,6,8,12,16' },
    services: { type: 'string', default: '1,4,16,64' },
    interval: { type: 'string', default: '1s' },
    'services-interval': { type: 'string', default: '1s' },
    policies: { type: 'string', default: 'available,quorum' },
    deaths: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '10' },
    warm: { type: 'string', default: String(WARM_SECONDS) },
    out: { type: 'string' },
    resume: { type: 'boolean', default: false },
    svg: { type: 'string' },
  },
  allowPositionals: true,
});

type Point = Pick<ScaleRecord, 'axis' | 'policy' | 'hosts' | 'services' | 'intervalMs'>;

const policies = values.policies.split(',').map((name) => policyNamed(name) ?? 'available');
const deaths = whole(values.deaths, 0, 100, '--deaths');
const warmSeconds = whole(values.warm, 0, 600, '--warm');
const seconds = whole(values.seconds, 1, 600, '--seconds');
const numbers = (text: string, least: number, most: number, option: string): number[] =>
  text
    .split(',')
    .filter(Boolean)
    .map((one) => whole(one, least, most, option));
const hostCounts = numbers(values.hosts, 2, 16, '--hosts');
const serviceCounts = numbers(values.services, 1, SERVICES_MAX, '--services');
const intervalMs = milliseconds(values.interval);
const servicesIntervalMs = milliseconds(values['services-interval']);
const records = new Records<ScaleRecord>(values.out ?? null, values.resume);
const say = (text: string): boolean => (values.json ? process.stderr : process.stdout).write(`${text}\n`);

function pointsOf(policy: Policy): Point[] {
  const least = policy === 'quorum' ? LEAST_QUORUM : 2;
  return [
    ...hostCounts
      .filter((hosts) => hosts >= least)
      .map((hosts) => ({ axis: 'hosts' as const, policy, hosts, services: 1, intervalMs })),
    ...serviceCounts.map((services) => ({
      ...{ axis: 'services' as const, policy, hosts: SERVICE_HOSTS, services },
      intervalMs: servicesIntervalMs,
    })),
  ];
}

const same = (a: Point, b: Point): boolean =>
  (['axis', 'policy', 'hosts', 'services', 'intervalMs'] as const).every((key) => a[key] === b[key]);

async function measure(point: Point): Promise<ScaleRecord> {
  const plans = planServices(point.services);
  const { policy, intervalMs: every } = point;
  const lab = await Lab.open({
    ...{
      hosts: planHosts(point.hosts, false),
      policy,
      intervalMs: every,
      timing: [],
      answerBroadcasts: false,
    },
    ...{ services: plans, askMs: null },
  });
  try {
    await addClients(lab.topology, plans);
    const startedMs = performance.now();
    for (const { name } of lab.options.hosts) lab.cluster.start(name);
    const names = plans.map(({ name }) => name);
    const placer = new Placer(lab.cluster, names);
    let placing = await placer.settled(lab.gateways, START_MS);
    const settledMs = Math.round(performance.now() - startedMs);
    await sleep(warmSeconds * 1_000 + 2 * every);
    placing = await placer.settled(lab.gateways, SETTLE_MS);
    const atRest = await figuresAtRest(lab, placing);
    const outagesMs: number[] = [];
    if (deaths > 0) {
      // 16 datagrams a millisecond would be a load of their own.
      const clients = await Clients.start(lab, plans, Math.max(5, Math.min(CLIENTS_MAX, point.services)));
      for (let i = 0; i < deaths; i += 1) outagesMs.push(...(await oneDeath(lab, placer, clients, point)));
    }
    return {
      ...{ ...point, serving: new Set(placing.values()).size, settledMs, ...atRest },
      ...{ outagesMs, load: loadavg()[0] ?? 0 },
    };
  } finally {
    await lab.close();
  }
}

type AtRest = Pick<
  ScaleRecord,
  'datagramsPerSecond' | 'kilobytesPerSecond' | 'types' | 'servingCpuPercent' | 'standbyCpuPercent'
>;

/** What is said and used within `--seconds`, in which nothing happens. */
async function figuresAtRest(lab: Lab, placing: Placing): Promise<AtRest> {
  const look = (): Promise<Footprint[]> =>
    Promise.all(lab.gateways.map((host) => footprint(lab.topology, host)));
  const before = await look();
  const fromMs = nowMs();
  await lab.capture.take(fromMs);
  await sleep(seconds * 1_000);
  const after = await look();
  const endMs = nowMs();
  const { frames } = await lab.capture.take(endMs);
  const said = frames.flatMap((frame) => {
    if (frame.way !== 'in' || !lab.gateways.includes(frame.port)) return [];
    const udp = udpOf(frame);
    return udp?.toPort === CLUSTER_PORT ? [udp.payload] : [];
  });
  const bytes = said.reduce((sum, { length }) => sum + length, 0);
  const types = said.map(typeOf);
  const perSecond = (count: number): number => hundredths((count / (endMs - fromMs)) * 1_000);
  const mean = (isServing: boolean): number | null => {
    const some = after.flatMap((last, i) => {
      const first = before[i];
      if (first === undefined || [...placing.values()].includes(last.host) !== isServing) return [];
      return [PARTS.reduce((sum, part) => sum + cpuPercent(first, last, part), 0)];
    });
    return some.length === 0 ? null : hundredths(some.reduce((a, b) => a + b, 0) / some.length);
  };
  return {
    datagramsPerSecond: perSecond(said.length),
    kilobytesPerSecond: hundredths(perSecond(bytes) / 1_000),
    types: Object.fromEntries(
      [...new Set(types)].sort().map((type) => [type, perSecond(types.filter((one) => one === type).length)]),
    ),
    ...{ servingCpuPercent: mean(true), standbyCpuPercent: mean(false) },
  };
}

/** Who serves the most loses its power, and has it back when others serve; how long the clients of what it served had no answer. */
async function oneDeath(lab: Lab, placer: Placer, clients: Clients, point: Point): Promise<number[]> {
  const plans = planServices(point.services);
  const before = await placer.settled(lab.gateways, SETTLE_MS);
  const dead = busiest(before, lab.gateways);
  await clients.begin();
  await sleep(1_000 + Math.random() * point.intervalMs);
  await lab.faults.power(dead, 'down');
  await sleep(500 + 3 * point.intervalMs);
  await placer.settled(
    lab.gateways.filter((host) => host !== dead),
    SETTLE_MS,
  );
  await sleep(1_000);
  const results = await clients.take();
  await lab.faults.power(dead, 'up');
  await placer.settled(lab.gateways, SETTLE_MS);
  await sleep(CALM_MS);
  return results.flatMap(({ outageMs }, i) => (before.get(plans[i]?.name ?? '') === dead ? [outageMs] : []));
}

function busiest(placing: Placing, hosts: readonly string[]): string {
  const count = (host: string): number => [...placing.values()].filter((at) => at === host).length;
  return [...hosts].sort((a, b) => count(b) - count(a))[0] ?? '';
}

const WIDTHS = [10, 11, 7, 10, 8, 11, 10, 26, 26, 12];
const HEADINGS = ['axis', 'policy', 'hosts', 'services', 'I ms', 'datagr./s', 'kB/s'];

function line(one: ScaleRecord): string {
  const sorted = [...one.outagesMs].sort((a, b) => a - b);
  return row(
    [
      ...[one.axis, one.policy, one.hosts, one.services, one.intervalMs].map(String),
      ...[one.datagramsPerSecond, one.kilobytesPerSecond].map(String),
      `${one.servingCpuPercent ?? '-'} / ${one.standbyCpuPercent ?? '-'}`,
      sorted.length === 0 ? '-' : `${sorted[sorted.length >> 1]}, at most ${sorted.at(-1)}`,
      String(one.settledMs),
    ],
    WIDTHS,
  ).trimEnd();
}

if (policies.length === 0) throw new UsageError('--policies is available, quorum or both');
cleanUpOnSignals();
try {
  say(row([...HEADINGS, 'CPU %: serving, standby', 'outage ms', 'settled ms'], WIDTHS));
  for (const point of policies.flatMap(pointsOf)) {
    if (records.all.some((one) => same(one, point))) continue;
    const one = await measure(point);
    records.add(one);
    say(line(one));
  }
} finally {
  await closeAll();
  removeWorkDirectory();
}
if (values.svg !== undefined) writeFileSync(values.svg, scalePlot(records.all));
const report = { node: process.version, processors: availableParallelism(), points: records.all };
if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
