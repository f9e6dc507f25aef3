/** Starts and talks to the traffic programs, each a process of its own in its namespace, and to the asker. */
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { programArgs } from '../programs.ts';
import type { Household } from './process.ts';
import { until } from './process.ts';
import { LAN, SERVER, type Topology, WAN } from './topology.ts';

export interface TrafficResult {
  readonly sent: number;
  readonly lost: number;
  readonly outageMs: number;
  /** The longest pause between two datagrams that the client itself made. */
  readonly stallMs: number;
  readonly gaps: readonly { readonly atMs: number; readonly ms: number; readonly lost: number }[];
  readonly tcpSurvived: boolean;
}
export interface TrafficReport {
  readonly answered: number;
  readonly lost: number;
  readonly recent: number;
}

export const UDP_PORT = 7000;
export const TCP_PORT = 7001;
const ASK_PERIOD_MS = 20;
const USUALLY_ASKED = [
  ['eth0', LAN.roving],
  ['eth0', LAN.roving6],
  ['eth1', WAN.roving],
  ['eth1', WAN.roving6],
] as const;

/** How to run one of the lab's own programs. */
export function program(name: string): string[] {
  return [process.execPath, ...programArgs(`test/lab/${name}.ts`)];
}

/** The server beyond the uplink; resolves when it listens. */
export async function startServer(
  topology: Topology,
  household: Household,
  addresses: readonly string[],
): Promise<void> {
  const argv = topology.inside('server', [...program('traffic-server'), ...addresses]);
  const server = household.start(argv, { stdin: 'pipe', stdout: 'pipe', stderr: 2 });
  let words = '';
  server.stdout?.on('data', (chunk) => {
    words += chunk;
  });
  if (!(await until(() => words.includes('ready'), 20_000, 20))) throw new Error('the server did not start');
}

export class Traffic {
  readonly #lines: string[] = [];
  readonly #client: ChildProcess;

  private constructor(client: ChildProcess) {
    this.#client = client;
    if (client.stdout !== null)
      createInterface({ input: client.stdout }).on('line', (line) => this.#lines.push(line));
  }

  /** `periodMs`: a datagram each so often. */
  static async start(topology: Topology, household: Household, periodMs = 2): Promise<Traffic> {
    const addresses = [SERVER.address, String(UDP_PORT), String(TCP_PORT)];
    await startServer(topology, household, addresses);
    const client = household.start(
      topology.inside('client', [...program('traffic-client'), ...addresses, String(periodMs)]),
      {
        stdin: 'pipe',
        stdout: 'pipe',
        stderr: 2,
      },
    );
    return new Traffic(client);
  }

  /** Counting starts here, and the TCP transfer with it. */
  async begin(): Promise<void> {
    await this.#ask('begin', 5_000);
  }
  async report(): Promise<TrafficReport> {
    return (await this.#ask('report', 5_000)) as TrafficReport;
  }
  /** The result until now; counting starts anew there, and sending goes on. */
  async take(): Promise<TrafficResult> {
    return (await this.#ask('take', 10_000)) as TrafficResult;
  }
  /** Nothing is sent until `resume`; the TCP transfer is dropped. */
  async pause(): Promise<void> {
    await this.#ask('pause', 5_000);
  }
  async resume(): Promise<void> {
    await this.#ask('resume', 5_000);
  }
  async end(): Promise<TrafficResult> {
    return (await this.#ask('end', 120_000)) as TrafficResult;
  }

  async #ask(command: string, limitMs: number): Promise<unknown> {
    const before = this.#lines.length;
    this.#client.stdin?.write(`${command}\n`);
    if (!(await until(() => this.#lines.length > before, limitMs, 5)))
      throw new Error(`the client did not answer ${command}`);
    return JSON.parse(this.#lines[before] ?? 'null');
  }
}

/**
 * A third station that asks "who has" each roving address on both sides, by ARP and ND, every 20 ms if not told otherwise. It has one warm `ip`
 * forget its neighbour entry and use it anew, so the question is the kernel's own and no client's cache is touched.
 * After an order that failed (its own cable was out), `ip` in batch mode does no more: then a new one is taken.
 * It can be told to keep silent for a while.
 */
export function startAsking(
  topology: Topology,
  household: Household,
  periodMs = ASK_PERIOD_MS,
  asked: readonly (readonly [device: string, address: string])[] = USUALLY_ASKED,
): { isSilent: boolean } {
  const asker = { isSilent: false };
  const questions = asked
    .map(([device, address]) => {
      const entry = `${address} dev ${device}`;
      // The first makes sure that there is something to delete.
      return `neigh replace ${entry} nud none\nneigh del ${entry}\nneigh replace ${entry} use nud none\n`;
    })
    .join('');
  let ip: ChildProcess | null = null;
  const timer = setInterval(() => {
    if (household.closed) clearInterval(timer);
    else if (!asker.isSilent) {
      ip ??= startBatch(topology, household, () => {
        ip = null;
      });
      if ((ip.stdin?.writableLength ?? 0) < 65_536) ip.stdin?.write(questions);
    }
  }, periodMs);
  return asker;
}

function startBatch(topology: Topology, household: Household, ended: () => void): ChildProcess {
  const ip = household.start(['ip', '-n', topology.ns('asker'), '-force', '-batch', '-'], {
    stdin: 'pipe',
    stderr: 'pipe',
  });
  ip.stderr?.on('data', () => ip.kill('SIGKILL'));
  ip.on('exit', ended);
  return ip;
}
