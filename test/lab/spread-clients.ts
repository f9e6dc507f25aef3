/** The clients of many services, a program of its own in its namespace, and the server that answers them. */
import { createInterface } from 'node:readline';
import type { Lab } from './lab.ts';
import { until } from './process.ts';
import type { ServicePlan } from './services.ts';
import { SERVER } from './topology.ts';
import { program, startServer, TCP_PORT, UDP_PORT } from './traffic.ts';

/** The clients of all services, in one process. */
export class Clients {
  readonly #lines: string[] = [];
  readonly #write: (line: string) => void;

  private constructor(lines: string[], write: (line: string) => void) {
    this.#lines = lines;
    this.#write = write;
  }

  /** Client and server; waits until every client gets answers. */
  static async start(lab: Lab, plans: readonly ServicePlan[], periodMs: number): Promise<Clients> {
    await startServer(lab.topology, lab.household, [SERVER.address, String(UDP_PORT), String(TCP_PORT)]);
    const addresses = plans.map(({ client }) => client).filter((client) => client !== '');
    const ask = [
      ...program('spread-client'),
      SERVER.address,
      String(UDP_PORT),
      String(periodMs),
      ...addresses,
    ];
    const child = lab.household.start(lab.topology.inside('client', ask), {
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: 2,
    });
    const lines: string[] = [];
    if (child.stdout !== null)
      createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
    const clients = new Clients(lines, (line) => child.stdin?.write(`${line}\n`));
    const flows = await until(
      async () => ((await clients.#ask('report')) as { recent: number }[]).every(({ recent }) => recent > 0),
      20_000,
      200,
    );
    if (!flows) throw new Error('not every client gets answers');
    return clients;
  }

  /** Counting starts here. */
  async begin(): Promise<void> {
    await this.#ask('begin');
  }

  /** For each client in turn, until now; they go on. */
  async take(): Promise<{ sent: number; lost: number; outageMs: number }[]> {
    return (await this.#ask('take')) as { sent: number; lost: number; outageMs: number }[];
  }

  /** The same; they have ended then. */
  async end(): Promise<{ sent: number; lost: number; outageMs: number }[]> {
    return (await this.#ask('end')) as { sent: number; lost: number; outageMs: number }[];
  }

  async #ask(command: string): Promise<unknown> {
    const before = this.#lines.length;
    this.#write(command);
    if (!(await until(() => this.#lines.length > before, 10_000, 10)))
      throw new Error(`the clients did not answer ${command}`);
    return JSON.parse(this.#lines[before] ?? 'null');
  }
}
