/**
 * Many services over several hosts: all serve, some die, and only what they served moves. Judged service by service at the
 * switch ports.
 */
import { type Evidence, judge, type Sight } from './judge.ts';
import { Lab } from './lab.ts';
import { counted, Placer, type Placing } from './placing.ts';
import { sleep } from './process.ts';
import { gather, nowMs } from './run.ts';
import { addClients, planServices, type ServicePlan } from './services.ts';
import { Clients } from './spread-clients.ts';
import { planHosts } from './topology.ts';

export interface SpreadOptions {
  readonly hosts: number;
  readonly services: number;
  readonly intervalMs: number;
  /** Milliseconds between two datagrams of a client. */
  readonly periodMs: number;
}

export interface Moved {
  /** Who died. */
  readonly dead: readonly string[];
  /** Services that changed their host, as `s1 fw2>fw3`. */
  readonly moved: readonly string[];
  /** Services a host afterwards. */
  readonly counts: { readonly [host: string]: number };
  readonly tookMs: number;
}

export interface ServiceResult {
  readonly service: string;
  readonly overlapMs: number;
  readonly masters: number;
  readonly changes: number;
  readonly sent: number;
  readonly lost: number;
  readonly outageMs: number;
}

export interface SpreadResult {
  readonly hosts: number;
  readonly services: number;
  readonly intervalMs: number;
  readonly before: { readonly [host: string]: number };
  readonly deaths: readonly Moved[];
  readonly each: readonly ServiceResult[];
  readonly standbyUplinkPackets: number;
  readonly seconds: number;
  readonly problems: readonly string[];
}

const START_MS = 60_000;
const SETTLE_MS = 30_000;
const ASK_MS = 100;
/** Many claims at once are many signatures: on few processors each is to be given its time. */
const TIMING = ['probe_timeout = "100ms"'];

export async function runSpread(options: SpreadOptions): Promise<SpreadResult> {
  const startedMs = performance.now();
  const plans = planServices(options.services);
  const lab = await Lab.open({
    ...{ hosts: planHosts(options.hosts, true), policy: 'quorum', intervalMs: options.intervalMs },
    ...{ timing: TIMING, answerBroadcasts: false, services: plans, askMs: ASK_MS },
  });
  try {
    await addClients(lab.topology, plans);
    for (const { name } of lab.options.hosts) lab.cluster.start(name);
    const names = plans.map(({ name }) => name);
    const placer = new Placer(lab.cluster, names);
    await placer.settled(lab.gateways, START_MS);
    const placing = await placer.spread(lab.gateways, SETTLE_MS);
    const clients = await Clients.start(lab, plans, options.periodMs);
    await clients.begin();
    await sleep(1_000);
    const fromMs = nowMs();
    const deaths: Moved[] = [];
    const problems: string[] = [];
    const [, one, two, three] = lab.gateways;
    let current = placing;
    for (const dead of [[one], [two, three]]) {
      const death = await kill(
        lab,
        placer,
        current,
        dead.flatMap((host) => host ?? []),
      );
      deaths.push(death.moved);
      problems.push(...death.problems);
      current = await placer.settled(lab.gateways, SETTLE_MS);
    }
    await sleep(1_000);
    const differs = await placer.tableProblem(lab.gateways, 10_000);
    if (differs !== null) problems.push(`tables differ: ${differs}`);
    const endMs = nowMs();
    const traffic = await clients.end();
    const evidence = await gather(lab, fromMs, endMs);
    const each = plans.map((plan, i) => ({ ...judged(evidence, plan, options), ...(traffic[i] ?? NOTHING) }));
    const standby = judge(evidence);
    problems.push(...each.flatMap(problemsOf));
    if (standby.standbyUplinkPackets > 0)
      problems.push(
        `standby hosts sent ${standby.standbyUplinkPackets} frames into the uplink: ${standby.standbyDetail[0]}`,
      );
    return {
      ...{ hosts: options.hosts, services: options.services, intervalMs: options.intervalMs },
      ...{ before: counted(placing, lab.gateways), deaths, each },
      standbyUplinkPackets: standby.standbyUplinkPackets,
      seconds: Math.round((performance.now() - startedMs) / 100) / 10,
      problems,
    };
  } finally {
    await lab.close();
  }
}

/** These lose power at once; what they served is served by others, and they come back as backups of all. */
async function kill(
  lab: Lab,
  placer: Placer,
  before: Placing,
  dead: readonly string[],
): Promise<{ moved: Moved; problems: string[] }> {
  const living = lab.gateways.filter((host) => !dead.includes(host));
  const fromMs = performance.now();
  await Promise.all(dead.map((host) => lab.cluster.powerOff(host)));
  const after = await placer.settled(living, SETTLE_MS);
  const tookMs = Math.round(performance.now() - fromMs);
  await sleep(1_000);
  for (const host of dead) await lab.cluster.powerOn(host);
  const moved: string[] = [];
  const problems: string[] = [];
  for (const [service, was] of before) {
    const is = after.get(service) ?? null;
    if (is !== was) moved.push(`${service} ${was}>${is}`);
    if (is !== was && !dead.includes(was ?? '')) problems.push(`${service} moved though ${was} lived`);
  }
  return { moved: { dead, moved, counts: counted(after, living), tookMs }, problems };
}

function sightOf({ lan, lan6, wan, wan6, client }: ServicePlan, { periodMs }: SpreadOptions): Sight {
  return { ...{ lan, lan6, wan, wan6, client }, answerGapMs: 3 * ASK_MS, forwardGapMs: 5 * periodMs };
}

function judged(
  evidence: Evidence,
  plan: ServicePlan,
  options: SpreadOptions,
): Pick<ServiceResult, 'service' | 'overlapMs' | 'masters' | 'changes'> {
  const words = evidence.words.filter(({ service }) => service === plan.name);
  const verdict = judge({ ...evidence, words, sight: sightOf(plan, options) });
  return {
    service: plan.name,
    overlapMs: verdict.overlapMs,
    masters: verdict.masters,
    changes: verdict.changes,
  };
}

const NOTHING = { sent: 0, lost: 0, outageMs: 0 };

function problemsOf({ service, overlapMs, masters, sent, lost }: ServiceResult): string[] {
  const problems: string[] = [];
  if (overlapMs > 0) problems.push(`${service}: two hosts acted for ${overlapMs} ms`);
  if (masters > 1) problems.push(`${service}: ${masters} hosts in Service at once`);
  if (sent > 0 && lost === sent) problems.push(`${service}: its client got no answer`);
  return problems;
}
