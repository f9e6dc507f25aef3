/**
 * One host of `bench -- services`, a process of its own: the daemon's driver, codec, signatures, clock and UDP sockets, on loopback.
 * Its Linux side does in no time what it is told, so that what is counted is what services cost the conversation between hosts.
 * Told by its parent: what to be (first argument), then `measure` and `hand-over` by messages.
 */
import { randomBytes } from 'node:crypto';
import pino from 'pino';
import type { ServiceConfig } from '../../src/core/index.ts';
import { NodeClock } from '../../src/daemon/clock.ts';
import { CLOCK_DRIFT } from '../../src/daemon/config/timing.ts';
import { UdpTransport } from '../../src/daemon/udp.ts';
import { Driver } from '../../src/driver/driver.ts';
import type { Actuator } from '../../src/driver/ports.ts';
import { rawNowMs } from '../../src/linux/libc.ts';
import { parseSocketAddress } from '../../src/trust/address.ts';
import { nextBody, type Roster } from '../../src/trust/roster.ts';
import { Endpoint } from '../../src/wire/endpoint.ts';
import { REAL_PRIMITIVES } from '../../src/wire/primitives.ts';
import { clusterTimes, coreConfig } from '../sim/cluster.ts';
import { appended, firstBody, memberBody, testIdentity } from '../unit/wire-fixture.ts';

export interface HostPlan {
  readonly name: string;
  readonly hosts: readonly string[];
  readonly port: number;
  readonly services: number;
  readonly intervalMs: number;
}

/** Of one host, in a second; `cores`: processor time of its process. */
export interface HostFigures {
  readonly host: string;
  readonly serves: number;
  readonly datagrams: number;
  readonly bytes: number;
  readonly signatures: number;
  readonly verifications: number;
  readonly steps: number;
  /** What the core said, by type; to all counts once. */
  readonly records: { readonly [type: string]: number };
  readonly cores: number;
}

export type Told =
  | { readonly what: 'measure'; readonly seconds: number }
  | { readonly what: 'hand-over'; readonly service: string; readonly to: string };
export type Tells =
  | { readonly what: 'serves'; readonly serves: number; readonly knows: number }
  | { readonly what: 'figures'; readonly figures: HostFigures };

export const serviceNames = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `service-${String(i + 1).padStart(2, '0')}`);

const addressOf = (place: number, port: number) =>
  parseSocketAddress(`127.77.1.${10 + place}:${port}`) ?? fail('no address');

function fail(why: string): never {
  throw new Error(why);
}

function rosterOf(plan: HostPlan): Roster {
  return plan.hosts.reduce(
    (roster, name, i) => {
      const member = { ...memberBody(name, i + 1), addresses: [addressOf(i + 1, plan.port)] };
      return appended(roster, nextBody(roster, [...roster.members, member]));
    },
    appended(null, firstBody()),
  );
}

function runHost(plan: HostPlan): void {
  const { name, intervalMs } = plan;
  const counts = { datagrams: 0, bytes: 0, signatures: 0, verifications: 0, steps: 0 };
  const types: { [type: string]: number } = {};
  const roster = rosterOf(plan);
  const { timing, maxAgeMs } = clusterTimes(intervalMs);
  const one = coreConfig(roster, name, timing, 'quorum', null);
  const template = one.services[0] ?? fail('no service');
  const services: ServiceConfig[] = serviceNames(plan.services).map((service) => ({
    ...template,
    name: service,
    digest: 'd5'.repeat(32),
  }));

  const identity = testIdentity(name);
  let driver: Driver | null = null;
  const clock = new NodeClock(rawNowMs, () => driver?.wake());
  const place = plan.hosts.indexOf(name) + 1;
  const udp = new UdpTransport({
    links: [{ index: 1, listen: addressOf(place, plan.port) }],
    peers: new Map(plan.hosts.map((host, i) => [host, [addressOf(i + 1, plan.port)]])),
    uplinks: new Map(),
    log: pino({ level: 'silent' }),
    onDatagram: (link, datagram) => driver?.datagramReceived(link, datagram),
    onLinksChanged: () => driver?.wake(),
  });
  const endpoint = new Endpoint({
    nowMs: clock.nowMs(),
    roster,
    self: name,
    identity: {
      ...identity,
      sign: (bytes) => {
        counts.signatures++;
        return identity.sign(bytes);
      },
    },
    primitives: {
      ...REAL_PRIMITIVES,
      importVerifyKey: (publicKey) => {
        const key = REAL_PRIMITIVES.importVerifyKey(publicKey);
        return {
          bytes: key.bytes,
          verify: (bytes, signature) => {
            counts.verifications++;
            return key.verify(bytes, signature);
          },
        };
      },
    },
    randomBytes: (length) => Uint8Array.from(randomBytes(length)),
    ...{ intervalMs, maxDrift: CLOCK_DRIFT, maxAgeMs, links: [1] },
  });
  const actuator: Actuator = {
    run: (service, procedure, id) =>
      setImmediate(() => driver?.actuatorEvents.procedureEnded(service, procedure, id, 'confirmed', '')),
    probeAddresses: (service, side, id, waitMs) =>
      setTimeout(
        () => driver?.actuatorEvents.addressesProbed(service, side, id, false, ''),
        timing.probes * waitMs,
      ),
    gate: (service, untilMs, id) => setImmediate(() => driver?.actuatorEvents.gateSet(service, id, untilMs)),
  };
  const running = new Driver({
    config: { ...one, services },
    endpoint,
    clock,
    transport: {
      send: (to, link, datagram) => {
        counts.datagrams++;
        counts.bytes += datagram.length;
        udp.send(to, link, datagram);
      },
      links: () => udp.links(),
      uplinkTalk: () => undefined,
    },
    actuator,
    journal: { append: () => undefined },
    operations: { alarm: () => undefined, stopped: () => undefined },
    observe: (_nowMs, _event, _state, effects) => {
      counts.steps++;
      for (const effect of effects)
        if (effect.type === 'send') types[effect.message.type] = (types[effect.message.type] ?? 0) + 1;
    },
  });
  driver = running;
  void udp.start().then(() => running.start());

  const placed = (place: string) =>
    Object.values(running.state.services).filter((service) => service.place === place).length;
  const tell = (tells: Tells) => process.send?.(tells);
  setInterval(() => {
    const serves = placed('service.serving');
    tell({ what: 'serves', serves, knows: serves + placed('backup.watching') });
  }, 100);
  process.on('message', (told: Told) => {
    if (told.what === 'hand-over') {
      running.order({ kind: 'handover', service: told.service, to: told.to, force: false });
      return;
    }
    const before = { ...counts };
    const typesBefore = { ...types };
    const [usage, atMs] = [process.cpuUsage(), rawNowMs()];
    setTimeout(() => {
      const seconds = (rawNowMs() - atMs) / 1000;
      const { user, system } = process.cpuUsage(usage);
      const each = (key: keyof typeof counts) =>
        Math.round(((counts[key] - before[key]) / seconds) * 10) / 10;
      tell({
        what: 'figures',
        figures: {
          host: name,
          serves: placed('service.serving'),
          datagrams: each('datagrams'),
          bytes: Math.round(each('bytes')),
          signatures: each('signatures'),
          verifications: each('verifications'),
          steps: each('steps'),
          records: Object.fromEntries(
            Object.entries(types).map(([type, count]) => [
              type,
              Math.round((count - (typesBefore[type] ?? 0)) / seconds),
            ]),
          ),
          cores: Math.round((user + system) / seconds / 1000) / 1000,
        },
      });
    }, told.seconds * 1000);
  });
  process.on('disconnect', () => process.exit());
}

if (process.argv[2] === 'host') runHost(JSON.parse(process.argv[3] ?? '') as HostPlan);
