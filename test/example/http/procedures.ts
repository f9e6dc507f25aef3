/**
 * What is made redundant here: a web server, and the address at which clients find it. These are the service's own
 * procedures, behind the driver's port for them; no firewall, no uplink. Tests are positive definite: good only on an
 * answer that was had. The gate is the address: a host that may not serve does not have it, and answers nothing.
 */
import { execFile } from 'node:child_process';
import { createServer, request, type Server } from 'node:http';
import type { Actuator, ActuatorEvents, Clock, Procedure, ServiceName, Side, Verdict } from 'portcullis';

export interface Place {
  readonly host: string;
  readonly device: string;
  /** The roving address, with its length. */
  readonly address: string;
  readonly port: number;
  /** Somebody else on this network who answers pings: by that the own link is confirmed. */
  readonly neighbour: string;
}

/** How long somebody else may take to answer for the address. */
const ASK_MS = 300;
/** How long a page may take: a busy host is not a dead service. */
const PAGE_MS = 1500;

export class WebService implements Actuator {
  readonly #place: Place;
  readonly #clock: Clock;
  readonly #events: ActuatorEvents;
  #server: Server | null = null;
  /** Nothing is answered from then on, even where the kernel still has the address: a late process looks at its clock. */
  #openUntilMs = 0;
  #shutting: NodeJS.Timeout | null = null;
  /** One change of the address after the other. */
  #work: Promise<unknown> = Promise.resolve();

  constructor(place: Place, clock: Clock, events: ActuatorEvents) {
    this.#place = place;
    this.#clock = clock;
    this.#events = events;
  }

  run(service: ServiceName, procedure: Procedure, id: number): void {
    this.#procedure(procedure)
      .catch((): Verdict => 'unknown')
      .then((verdict) => this.#events.procedureEnded(service, procedure, id, verdict, ''));
  }

  /** Whether somebody has the address: whoever takes, or refuses, a connection to it. */
  probeAddresses(service: ServiceName, side: Side, id: number): void {
    const { address, port } = this.#place;
    const asked = side === 'uplink' ? Promise.resolve(false) : isAnswered(bare(address), port);
    asked.then((answered) => this.#events.addressesProbed(service, side, id, answered, ''));
  }

  gate(service: ServiceName, untilMs: number | null, id: number): void {
    this.#work = this.#work
      .then(() => (untilMs === null || untilMs <= this.#clock.nowMs() ? this.#shut() : this.#open(untilMs)))
      .catch(() => null)
      .then((openUntilMs) => this.#events.gateSet(service, id, openUntilMs));
  }

  async #procedure(procedure: Procedure): Promise<Verdict> {
    const { port, address, neighbour, device } = this.#place;
    const yes = (good: boolean): Verdict => (good ? 'confirmed' : 'unknown');
    switch (procedure) {
      case 'checkDownlink':
        return yes(await succeeds('ping', '-c', '1', '-W', '1', '-I', device, neighbour));
      case 'checkServiceLocal':
        return yes(await isServed('127.0.0.1', port));
      case 'checkServiceRemote':
        return yes(await isServed(bare(address), port));
      case 'activateService':
        await this.#listen();
        return 'confirmed';
      case 'deactivateService':
        await this.#shut();
        this.#server?.close();
        this.#server?.closeAllConnections();
        this.#server = null;
        return 'confirmed';
      case 'announceTakeoverDownlink':
        return yes(await succeeds('arping', '-q', '-A', '-c', '1', '-I', device, bare(address)));
      default:
        // There is no second side: nothing to raise, to test or to tell there.
        return 'confirmed';
    }
  }

  #listen(): Promise<void> {
    if (this.#server !== null) return Promise.resolve();
    const { host, port } = this.#place;
    const server = createServer({ keepAliveTimeout: 1 }, (incoming, response) => {
      const isLocal = incoming.socket.remoteAddress?.endsWith('127.0.0.1') === true;
      if (isLocal || this.#clock.nowMs() < this.#openUntilMs) response.end(`${host}\n`);
      else incoming.socket.destroy();
    });
    this.#server = server;
    return new Promise((resolve, reject) => server.once('error', reject).listen(port, resolve));
  }

  /** The kernel takes the address away by itself when this process cannot: in whole seconds, rounded up. */
  async #open(untilMs: number): Promise<number | null> {
    const { address, device } = this.#place;
    const life = String(Math.max(1, Math.ceil((untilMs - this.#clock.nowMs()) / 1000)));
    await ip('address', 'replace', address, 'dev', device, 'valid_lft', life, 'preferred_lft', life);
    this.#openUntilMs = untilMs;
    if (this.#shutting !== null) clearTimeout(this.#shutting);
    this.#shutting = setTimeout(() => {
      this.#work = this.#work.then(() => this.#expired()).catch(() => undefined);
    }, untilMs - this.#clock.nowMs());
    return untilMs;
  }

  async #expired(): Promise<void> {
    if (this.#clock.nowMs() >= this.#openUntilMs) await this.#shut();
  }

  async #shut(): Promise<null> {
    this.#openUntilMs = 0;
    if (this.#shutting !== null) clearTimeout(this.#shutting);
    const { address, device } = this.#place;
    const listed = await ip('-oneline', 'address', 'show', 'dev', device);
    if (listed.includes(` ${address} `)) await ip('address', 'del', address, 'dev', device);
    return null;
  }
}

const bare = (address: string): string => address.replace(/\/.*/, '');

/** Resolves with what it printed; rejects when it fails or takes too long. No shell. */
function ip(...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile('ip', args, { timeout: 1000 }, (error, stdout) =>
      error === null ? resolve(stdout) : reject(error),
    );
  });
}

function succeeds(program: string, ...args: string[]): Promise<boolean> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: 1500 }, (error) => resolve(error === null));
  });
}

/** Whether a page is served there. */
function isServed(host: string, port: number): Promise<boolean> {
  return asked(host, port, PAGE_MS).then((result) => result === 'page');
}

/** Whether anybody is there at all: a refusal is an answer, too. */
function isAnswered(host: string, port: number): Promise<boolean> {
  return asked(host, port, ASK_MS).then((result) => result !== 'nobody');
}

function asked(host: string, port: number, limitMs: number): Promise<'page' | 'refused' | 'nobody'> {
  return new Promise((resolve) => {
    const call = request({ host, port, path: '/', agent: false }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode === 200 ? 'page' : 'refused'));
    });
    const timer = setTimeout(() => {
      resolve('nobody');
      call.destroy();
    }, limitMs);
    call.on('error', ({ code }: NodeJS.ErrnoException) =>
      resolve(code === 'ECONNREFUSED' || code === 'ECONNRESET' ? 'refused' : 'nobody'),
    );
    call.on('close', () => clearTimeout(timer));
    call.end();
  });
}
