/**
 * A cluster that lives through many faults: network, ears and traffic are set up once, and after each fault it is mended and
 * waited for until both hosts are sound and all is calm; so a fault costs seconds. It can be put to rest (no daemon, no
 * traffic) while another one is measured, since two at once would disturb each other.
 */
import { loadavg } from 'node:os';
import type { Blow, Struck } from './blows.ts';
import type { Frame } from './capture.ts';
import type { GatewayKind, Policy } from './gateway.ts';
import { type Evidence, judge, unansweredMs, type Verdict } from './judge.ts';
import { Lab } from './lab.ts';
import { run, sleep, until } from './process.ts';
import { compare, evidenceOf, nowMs, type RunResult, takeoverOf } from './run.ts';
import { Succession, speakersOf } from './succession.ts';
import { CLUSTER_PORT, LAN, planHosts, WAN } from './topology.ts';
import { udpOf } from './udp.ts';

export interface LivingOptions {
  readonly kind: GatewayKind;
  readonly hosts: number;
  /** Of ours alone: the peer knows no such thing. */
  readonly witness: boolean;
  readonly policy: Policy;
  readonly intervalMs: number;
}

/** One fault, judged as the scenario of that name; all times in milliseconds. */
export interface Survived
  extends Pick<
    RunResult,
    | 'outageMs'
    | 'lost'
    | 'sent'
    | 'stallMs'
    | 'unansweredMs'
    | 'takeoverMs'
    | 'parts'
    | 'overlapMs'
    | 'masters'
    | 'endMasters'
    | 'changes'
    | 'standbyUplinkPackets'
    | 'tcpSurvived'
    | 'seconds'
    | 'problems'
  > {
  readonly struck: string;
  /** The machine's load when the fault was done: the mean of the last minute. */
  readonly load: number;
  /**
   * Moves of the service that nothing had caused: from when all was calm after the former fault until this one, and, of ours,
   * while the struck host came back.
   */
  readonly uncaused: number;
}

/** The fault was not done; whoever asks again finds the cluster as it was. */
export class NotStruck extends Error {
  /** As `Survived.uncaused`, until then. */
  readonly uncaused: number;

  constructor(cause: unknown, uncaused: number) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.uncaused = uncaused;
  }
}

const SETTLE_MS = 30_000;
/** So many datagrams of the last half second answered (of 250) is a traffic that flows. */
const FLOWS = 200;
const FLOW_MS = 20_000;
/** The end of a fault: who acts in it is a master at the end. */
const LAST_MS = 500;
const CALM_MS = 300;

export class Living {
  readonly lab: Lab;
  readonly #options: LivingOptions;
  #isAwake = false;
  readonly #succession = new Succession();
  #lastWords: readonly Frame[] = [];

  private constructor(lab: Lab, options: LivingOptions) {
    this.lab = lab;
    this.#options = options;
  }

  /** Network, ears and traffic; no daemon runs and nothing is sent before `wake`. */
  static async open(options: LivingOptions): Promise<Living> {
    const { kind, policy, intervalMs } = options;
    const isOurs = kind === 'portcullis';
    const lab = await Lab.open({
      ...{ kind, hosts: planHosts(options.hosts, isOurs && options.witness), policy, intervalMs },
      ...{ timing: [], answerBroadcasts: true },
    });
    await lab.startTraffic();
    await lab.traffic.pause();
    lab.asks(false);
    return new Living(lab, options);
  }

  /** Starts all daemons; waits until one host serves, all others are fit backups, and the client gets its answers. */
  async wake(): Promise<void> {
    if (this.#isAwake) return;
    this.#isAwake = true;
    this.lab.asks(true);
    for (const { name } of this.lab.options.hosts) this.lab.cluster.start(name);
    await this.lab.cluster.settle(this.lab.gateways, SETTLE_MS + 20 * this.#options.intervalMs);
    await this.lab.traffic.resume();
    await this.lab.traffic.begin();
    await this.#calm();
    const calmMs = nowMs();
    const { frames } = await this.lab.capture.take(calmMs);
    this.#succession.forget();
    this.#keepWords(frames, calmMs);
  }

  /** Ends all daemons, the traffic and the questions. */
  async rest(): Promise<void> {
    if (!this.#isAwake) return;
    this.#isAwake = false;
    await this.lab.traffic.pause();
    this.lab.asks(false);
    await Promise.all(this.lab.options.hosts.map(({ name }) => this.lab.cluster.stop(name)));
  }

  close(): Promise<void> {
    return this.lab.close();
  }

  /** The host that serves; of a cluster that is calm. */
  master(): Promise<string> {
    return this.lab.cluster.settle(this.lab.gateways, SETTLE_MS);
  }

  /**
   * One fault at a random point of the interval, then all is mended and calm again. Throws `NotStruck` when it could not be done,
   * such as an order that was refused; other errors when the cluster does not come to rest after it.
   */
  async survive(blow: Blow): Promise<Survived> {
    const startedMs = performance.now();
    const { cluster, faults, traffic, gateways } = this.lab;
    const { intervalMs, policy, kind } = this.#options;
    const master = await this.master().catch((error: unknown) => {
      throw new NotStruck(error, 0);
    });
    const [load = 0] = loadavg();
    await traffic.begin();
    await sleep(Math.random() * intervalMs);
    const uncaused = await this.uncaused();
    const on: Struck = { cluster, faults, master };
    const fromMs = nowMs();
    await blow.strike(on).catch((error: unknown) => {
      throw new NotStruck(error, uncaused);
    });
    const problems = await this.#watch(blow, on, fromMs);
    const endMs = nowMs();
    const flow = await traffic.take();
    await blow.mend(on);
    const healedMs = await this.#calm();
    const { during, movesAfter, problems: later } = await this.#evidence(fromMs, endMs, healedMs);
    const verdict = judge(during);
    const hosts = this.lab.options.hosts.map(({ name }) => name);
    problems.push(...compare(blow.expect({ policy, gateways, hosts }), verdict, flow), ...later);
    return {
      ...{ outageMs: flow.outageMs, lost: flow.lost, sent: flow.sent, stallMs: flow.stallMs },
      unansweredMs: unansweredMs(during.frames, fromMs, endMs),
      ...(await takeoverOf(
        this.lab,
        { ...during, fromMs: fellMs(during.frames, master, blow, fromMs) },
        master,
      )),
      ...{ overlapMs: verdict.overlapMs, masters: verdict.masters, endMasters: verdict.endMasters.length },
      ...{ changes: verdict.changes, standbyUplinkPackets: verdict.standbyUplinkPackets },
      ...{ tcpSurvived: flow.tcpSurvived, struck: master, load },
      // Of the peer nothing is expected, and it takes the service back by itself.
      uncaused: uncaused + (kind === 'portcullis' ? movesAfter : 0),
      problems: kind === 'portcullis' ? problems : [],
      seconds: Math.round((performance.now() - startedMs) / 100) / 10,
    };
  }

  /** Waits, without asking anybody while the takeover is due, until another host serves and the traffic flows, or too long. */
  async #watch(blow: Blow, { cluster, master }: Struck, fromMs: number): Promise<string[]> {
    const { intervalMs, kind } = this.#options;
    const others = this.lab.gateways.filter((host) => host !== master);
    const isSeen = kind === 'portcullis' || blow.moves === 'all';
    const hasMoved = async (): Promise<boolean> =>
      blow.moves === 'ours' || (await cluster.master(others)) !== null;
    await sleep(Math.max(300 + 4 * intervalMs, blow.lastsMs ?? 0));
    const isOver = await until(
      async () => isSeen && (await hasMoved()) && (await this.#flows()),
      (isSeen ? 6_000 : 2_000) + 8 * intervalMs,
    );
    await sleep(LAST_MS);
    const seconds = Math.round((nowMs() - fromMs) / 1_000);
    return isSeen && !isOver ? [`no service ${seconds} s after the fault`] : [];
  }

  async #flows(): Promise<boolean> {
    return (await this.lab.traffic.report()).recent > FLOWS;
  }

  /** Until one serves, all others are its fit backups, and the traffic flows, the time of which it returns; then a little longer. */
  async #calm(): Promise<number> {
    const { cluster, gateways } = this.lab;
    const { intervalMs } = this.#options;
    const master = await cluster.settle(gateways, SETTLE_MS + 20 * intervalMs);
    const isFit = async (): Promise<boolean> => {
      const service = (await cluster.status(master))?.services[0];
      if (service?.table === undefined) return service !== undefined;
      return gateways.every((host) => service.table?.some((row) => row.host === host && row.fit === true));
    };
    if (!(await until(isFit, SETTLE_MS))) throw new Error('not every host is fit again after a fault');
    if (!(await until(() => this.#flows(), FLOW_MS, 100)))
      throw new Error(`${master} serves, but the client gets no answers`);
    if (!(await until(() => this.#isBelieved(master), FLOW_MS, 100)))
      throw new Error(`${master} serves, but client or server send to another host`);
    const calmMs = nowMs();
    await sleep(CALM_MS + intervalMs);
    return calmMs;
  }

  /**
   * Whether client and server send to that host. A neighbour does not believe an announcement within a second of another one:
   * after two moves in a row it may send to the former master, which forwards, until the peer's next announcements, 5 s later.
   * A fault of the master would then cut no flow.
   */
  async #isBelieved(master: string): Promise<boolean> {
    const { topology } = this.lab;
    const asked = [
      ['client', LAN.roving],
      ['server', WAN.roving],
    ] as const;
    const entries = await Promise.all(
      asked.map(([station, address]) => run(['ip', '-n', topology.ns(station), 'neigh', 'show', address])),
    );
    return entries.every(({ stdout }) => {
      const mac = /lladdr ([0-9a-f:]+)/.exec(stdout)?.[1] ?? '';
      return topology.macs.get(mac) === master;
    });
  }

  /**
   * How often the service moved since what was last taken from the ears, though nothing was done to it. The last reports and
   * adverts are left for the fault's own evidence: they tell who served before.
   */
  async uncaused(): Promise<number> {
    const endMs = nowMs() - 6 * this.#options.intervalMs - 100;
    const { frames } = await this.lab.capture.take(endMs);
    this.#keepWords([...this.#lastWords, ...frames], endMs);
    return this.#moves(frames);
  }

  #moves(frames: readonly Frame[]): number {
    return this.#succession.follow(speakersOf(frames, this.#options.kind, this.lab.gateways));
  }

  /** For the next evidence. Also of what is judged by nobody: at short intervals the words before it are too old to say who serves. */
  #keepWords(frames: readonly Frame[], endMs: number): void {
    this.#lastWords = wordsSince(frames, endMs - 2 * this.#options.intervalMs - 100);
  }

  /** Evidence with the last words before it: it may be shorter than an interval, and have nobody say that he serves. */
  #withWords(heard: Pick<Evidence, 'frames' | 'carriers'>, fromMs: number, endMs: number): Evidence {
    const frames = [...this.#lastWords, ...heard.frames];
    this.#keepWords(frames, endMs);
    return evidenceOf(this.lab, { ...heard, frames }, fromMs, endMs);
  }

  /** What was heard from a fault to its end, and from there until all was calm again. */
  async #evidence(
    fromMs: number,
    endMs: number,
    healedMs: number,
  ): Promise<{ during: Evidence; movesAfter: number; problems: string[] }> {
    const heard = await this.lab.capture.take(endMs);
    this.#moves(heard.frames);
    const during = { ...this.#withWords(heard, fromMs, endMs), lastMs: LAST_MS };
    const later = await this.lab.capture.take(healedMs);
    const movesAfter = this.#moves(later.frames);
    const after = this.#withWords(later, endMs, healedMs);
    return { during, movesAfter, problems: mendingProblems(judge(after), movesAfter) };
  }
}

/** The words of our hosts on the lan since then, of frames in the order in which they came. */
export function wordsSince(frames: readonly Frame[], sinceMs: number): Frame[] {
  return frames.filter(
    (frame) => frame.atMs >= sinceMs && frame.side === 'lan' && udpOf(frame)?.toPort === CLUSTER_PORT,
  );
}

/** When a blow that was ordered then fell: with the host's last frame on the sides that it darkened. */
export function fellMs(
  frames: readonly Frame[],
  host: string,
  { dark = [] }: Pick<Blow, 'dark'>,
  orderedMs: number,
): number {
  const last = frames.findLast(({ port, way, side }) => port === host && way === 'in' && dark.includes(side));
  return Math.max(orderedMs, last?.atMs ?? orderedMs);
}

/** What must not be while a struck host comes back. */
function mendingProblems(verdict: Verdict, moves: number): string[] {
  const { overlapMs, masters, standbyUplinkPackets } = verdict;
  const problems: string[] = [];
  if (overlapMs > 0) problems.push(`two hosts acted for ${overlapMs} ms`);
  if (masters > 1) problems.push(`${masters} hosts were in Service at once`);
  if (standbyUplinkPackets > 0)
    problems.push(`standby hosts sent ${standbyUplinkPackets} frames into the uplink`);
  if (moves > 0) problems.push(`the service moved ${moves} times`);
  return problems.map((problem) => `while the struck host came back ${problem}`);
}
