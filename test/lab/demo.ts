/**
 * `npm run demo`: three firewalls on this machine, a client's traffic through them, a power loss, a takeover, and a planned
 * handover back; then what the client lost, and what the hosts' signed logs say of it. The states shown live come from the hosts; the figures at the end come
 * from the client and from the switch ports. Exits 1 when something was not as it must be.
 */
import { fileURLToPath } from 'node:url';
import { auditLogs, type DemoAudit } from './demo-audit.ts';
import { portcullis } from './gateway.ts';
import { judge, type Verdict } from './judge.ts';
import { cleanUpOnSignals, closeAll, Lab, removeWorkDirectory } from './lab.ts';
import { sleep, until } from './process.ts';
import { obtainRights } from './rootless.ts';
import { gather, nowMs } from './run.ts';
import { Screen } from './screen.ts';
import { planHosts } from './topology.ts';
import type { TrafficResult } from './traffic.ts';

const INTERVAL_MS = 200;
const INTRODUCTION = `Portcullis: three firewalls stand between a client and a server; one of them serves, two watch.

                      +--- fw1 ---+
    client --- lan ---+--- fw2 ---+--- wan --- server
                      +--- fw3 ---+

Each firewall is a network namespace of this machine with its own daemon. The client sends 500 numbered
datagrams a second to the server, through 10.77.1.1, the address that moves with the service. The uplinks
(right side) of the two that watch are down. Every message between the hosts is signed.
`;

interface Marks {
  powerMs: number;
  handoverMs: number;
}

class Demo {
  readonly #lab: Lab;
  readonly #screen: Screen;
  #watching = true;
  #counting = false;

  constructor(lab: Lab) {
    this.#lab = lab;
    this.#screen = new Screen(lab.gateways);
  }

  async perform(): Promise<{
    marks: Marks;
    first: string;
    second: string;
    traffic: TrafficResult;
    verdict: Verdict;
    audit: DemoAudit;
  }> {
    const { cluster, gateways } = this.#lab;
    this.#screen.tell('The three daemons start. They keep silent for a moment, then agree on one of them.');
    this.#screen.heading();
    for (const host of gateways) cluster.start(host);
    await this.#lab.startTraffic();
    const watch = this.#watch();
    try {
      const first = await cluster.settle(gateways, 30_000);
      await until(async () => (await this.#lab.traffic.report()).recent > 200, 10_000, 100);
      await this.#lab.traffic.begin();
      this.#counting = true;
      this.#screen.tell(
        `${first} serves: its uplink is up, the others' are down. From here on the client counts.`,
      );
      await sleep(3_000);

      this.#screen.tell(`POWER LOSS of ${first}: both its cables are dead, all its processes killed.`);
      const marks = { powerMs: nowMs(), handoverMs: 0 };
      await cluster.powerOff(first);
      const rest = gateways.filter((host) => host !== first);
      const second = await cluster.settle(rest, 15_000);
      await sleep(2_500);

      this.#screen.tell(`Power is back: ${first} starts anew, finds a master, and becomes a backup.`);
      await cluster.powerOn(first);
      await cluster.settle(gateways, 20_000);
      await sleep(2_000);

      this.#screen.tell(`PLANNED HANDOVER back to ${first}, by command: portcullis handover --to ${first}`);
      marks.handoverMs = nowMs();
      const order = await portcullis('handover', '--to', first, '--config', cluster.config(second));
      if (order.code !== 0) throw new Error(`the handover was refused: ${order.stderr.trim()}`);
      await cluster.settle(gateways, 15_000);
      await sleep(2_500);
      this.#watching = false;
      await watch;
      const reckoned = await this.#reckon();
      this.#screen.tell('The daemons end. An auditor reads their signed logs against each other.');
      return { marks, first, second, ...reckoned, audit: await auditLogs(this.#lab) };
    } finally {
      this.#watching = false;
      await watch;
    }
  }

  async #watch(): Promise<void> {
    while (this.#watching) {
      const states = await this.#states();
      const report = this.#counting ? await this.#lab.traffic.report().catch(() => null) : null;
      if (this.#watching) this.#screen.show(states, report);
      await sleep(100);
    }
  }

  /** The hosts are asked one after the other in effect: two in Service must be seen twice, or it was a handover. */
  async #states(): Promise<Map<string, string>> {
    const { cluster, gateways } = this.#lab;
    for (let again = 0; ; again += 1) {
      const states = await cluster.states(gateways);
      const serving = [...states.values()].filter((state) => state === 'service').length;
      if (serving < 2 || again === 2) return states;
      await sleep(50);
    }
  }

  async #reckon(): Promise<{ traffic: TrafficResult; verdict: Verdict }> {
    const endMs = nowMs();
    const traffic = await this.#lab.traffic.end();
    const verdict = judge(await gather(this.#lab, 0, endMs));
    return { traffic, verdict };
  }
}

function conclude(result: Awaited<ReturnType<Demo['perform']>>): boolean {
  const { marks, first, second, traffic, verdict, audit } = result;
  const longest = (fromMs: number, toMs: number): { ms: number; lost: number } => {
    const gaps = traffic.gaps.filter((gap) => gap.atMs >= fromMs - 100 && gap.atMs < toMs - 100);
    return {
      ms: Math.max(0, ...gaps.map((gap) => gap.ms)),
      lost: gaps.reduce((sum, gap) => sum + gap.lost, 0),
    };
  };
  const power = longest(marks.powerMs, marks.handoverMs);
  const planned = longest(marks.handoverMs, Number.POSITIVE_INFINITY);
  const lines = [
    `Power loss of ${first}: ${second} took over; the client was without service for ${power.ms.toFixed(0)} ms (${power.lost} datagrams).`,
    planned.lost === 0
      ? `Planned handover back to ${first}: the client lost nothing.`
      : `Planned handover back to ${first}: the longest gap was ${planned.ms.toFixed(0)} ms (${planned.lost} datagrams).`,
    `In all: ${traffic.lost} of ${traffic.sent} datagrams lost; the long TCP transfer ${traffic.tcpSurvived ? 'went through whole' : 'died'}.`,
    `At the switch ports: two hosts acted as the gateway for ${verdict.overlapMs} ms; hosts on standby sent ${verdict.standbyUplinkPackets} frames into the uplink.`,
  ];
  process.stdout.write(`\nWhat the client lost\n${lines.map((line) => `  ${line}\n`).join('')}`);
  const told = [...audit.words, audit.report];
  process.stdout.write(`\nWhat the hosts’ logs say\n${told.map((line) => `  ${line}\n`).join('')}`);
  const wrong = [
    ...(verdict.endMasters.length === 1 ? [] : [`${verdict.endMasters.length} masters at the end`]),
    ...(verdict.overlapMs === 0 ? [] : ['two hosts acted at once']),
    ...(verdict.standbyUplinkPackets === 0
      ? []
      : ['a host on standby used its uplink', ...verdict.standbyDetail]),
    ...(traffic.tcpSurvived ? [] : ['the TCP transfer died']),
    ...(power.ms < 3_000 ? [] : ['the takeover took too long']),
    ...(audit.verified ? [] : ['the logs do not verify']),
  ];
  for (const text of wrong) process.stdout.write(`  WRONG: ${text}\n`);
  return wrong.length === 0;
}

async function main(): Promise<number> {
  const rights = await obtainRights(fileURLToPath(import.meta.url));
  if (rights.kind === 'done') return rights.status;
  if (rights.kind === 'refused') {
    process.stderr.write(`demo: error: this needs network namespaces, and ${rights.why}\n`);
    process.stderr.write('demo: hint: run it as root, or allow unprivileged user namespaces\n');
    return 1;
  }
  process.stdout.write(INTRODUCTION);
  if (rights.kind === 'inside')
    process.stdout.write(
      '(Without root: in a user namespace. It has one user only, so no separate users here.)\n',
    );
  cleanUpOnSignals();
  try {
    const lab = await Lab.open({
      hosts: planHosts(3, false),
      policy: 'quorum',
      intervalMs: INTERVAL_MS,
      timing: [],
      answerBroadcasts: false,
    });
    return conclude(await new Demo(lab).perform()) ? 0 : 1;
  } catch (error) {
    process.stdout.write(`\ndemo: error: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  } finally {
    await closeAll();
    removeWorkDirectory();
  }
}

process.exitCode = await main();
