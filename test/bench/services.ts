/**
 * What many services cost: three hosts on loopback (services-host.ts), policy `quorum`, at rest. One host serves all, or each its share.
 *   npm run -s bench -- services [--services 1,8,64] [--seconds 10] [--interval 200] [--json]
 * The processor time is that of driver, codec and signatures; what the kernel is told for a service is measured elsewhere.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type HostFigures, type HostPlan, serviceNames, type Tells, type Told } from './services-host.ts';

const HOSTS = ['fw1', 'fw2', 'fw3'];
const SETTLE_LIMIT_MS = 180_000;

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    services: { type: 'string', default: '1,8,64' },
    seconds: { type: 'string', default: '10' },
    interval: { type: 'string', default: '200' },
  },
  allowPositionals: true,
});

interface Row {
  readonly services: number;
  readonly spread: boolean;
  readonly hosts: readonly HostFigures[];
}

class Host {
  readonly #child: ChildProcess;
  serves = 0;
  knows = 0;
  #figures: ((figures: HostFigures) => void) | null = null;

  constructor(plan: HostPlan) {
    this.#child = fork(fileURLToPath(new URL('services-host.js', import.meta.url)), [
      'host',
      JSON.stringify(plan),
    ]);
    this.#child.on('message', (tells: Tells) => {
      if (tells.what === 'figures') this.#figures?.(tells.figures);
      else [this.serves, this.knows] = [tells.serves, tells.knows];
    });
  }

  tell(told: Told): void {
    this.#child.send(told);
  }

  measure(seconds: number): Promise<HostFigures> {
    this.tell({ what: 'measure', seconds });
    return new Promise((resolve) => {
      this.#figures = resolve;
    });
  }

  async end(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill();
    await ended;
  }
}

/** A port that is free on loopback now. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.77.1.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let waitedMs = 0; !holds(); waitedMs += 100) {
    if (waitedMs > SETTLE_LIMIT_MS) throw new Error(`not within ${SETTLE_LIMIT_MS} ms: ${what}`);
    await sleep(100);
  }
}

async function measured(services: number): Promise<Row[]> {
  const port = await freePort();
  const intervalMs = Number(values.interval);
  const hosts = HOSTS.map((name) => new Host({ name, hosts: HOSTS, port, services, intervalMs }));
  const [first, ...others] = hosts;
  if (first === undefined) throw new Error('unreachable');
  const settled = (share: (i: number) => number) => () =>
    hosts.every((host, i) => host.serves === share(i) && host.knows === services);
  const figures = async (spread: boolean): Promise<Row> => {
    await sleep(2000);
    const all = await Promise.all(hosts.map((host) => host.measure(Number(values.seconds))));
    return { services, spread, hosts: all };
  };
  try {
    const serving = () => hosts.reduce((sum, host) => sum + host.serves, 0);
    await until('every service has a master', () => serving() === services);
    // Whoever became it: to the first host, and later to each its share.
    const names = serviceNames(services);
    const bring = async (share: (service: number) => number, counts: (host: number) => number) => {
      for (const [i, service] of names.entries())
        for (const host of hosts) host.tell({ what: 'hand-over', service, to: HOSTS[share(i)] ?? '' });
      await until('the services are where they are to be', settled(counts));
    };
    await bring(
      () => 0,
      (host) => (host === 0 ? services : 0),
    );
    const rows = [await figures(false)];
    if (services > 1) {
      const shareOf = (host: number) => names.filter((_, i) => i % hosts.length === host).length;
      await bring((i) => i % hosts.length, shareOf);
      rows.push(await figures(true));
    }
    return rows;
  } finally {
    await Promise.all([first, ...others].map((host) => host.end()));
  }
}

function text({ services, spread, hosts }: Row): string {
  const lines = hosts.map(({ host, records, ...counts }) => {
    const said = Object.entries(records).filter(([, perSecond]) => perSecond > 0);
    const words = [...Object.entries(counts), ...said].map(([key, value]) => `${key} ${value}`);
    return `  ${host}  ${words.join('  ')}\n`;
  });
  return `${services} services, ${spread ? 'each host its share' : 'one host serves all'}; in a second:\n${lines.join('')}`;
}

const rows: Row[] = [];
for (const services of values.services.split(',').map(Number))
  for (const row of await measured(services)) {
    rows.push(row);
    if (!values.json) process.stdout.write(text(row));
  }
const report = { schema: 1, bench: 'services', intervalMs: Number(values.interval), rows };
if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
