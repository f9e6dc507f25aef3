/**
 * A web server on a roving address, by the library alone: `node server.js SETTINGS.json`. One process a host: cluster,
 * state machine and service together. A line of JSON on standard output for everything that its event log would have.
 */
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import {
  type ActuatorEvents,
  type Clock,
  type CoreConfig,
  Driver,
  decodePrivateKey,
  Endpoint,
  identityFromSeed,
  membershipOf,
  parsePublicKey,
  type Transport,
  usualTiming,
  verifyRosterFile,
} from 'portcullis';
import { type Place, WebService } from './procedures.ts';

interface Settings extends Place {
  /** Files: this host's private key, the admin's public one, the roster. */
  readonly key: string;
  readonly admin: string;
  readonly roster: string;
  readonly intervalMs: number;
}

const SERVICE = 'web';
const LINK = 1;

function say(what: object): void {
  process.stdout.write(`${JSON.stringify(what)}\n`);
}

const settings = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Settings;
const timing = usualTiming(settings.intervalMs);

const admin = parsePublicKey(readFileSync(settings.admin, 'utf8'));
const key = decodePrivateKey(readFileSync(settings.key), null);
if (!admin.ok || !key.ok) throw new Error('the keys cannot be read');
const verified = verifyRosterFile(readFileSync(settings.roster), admin.publicKey);
if (!verified.ok) throw new Error(`the roster does not hold: ${verified.reason}`);
const { roster } = verified;

const config: CoreConfig = {
  membership: membershipOf(roster, settings.host),
  timing,
  services: [
    {
      name: SERVICE,
      policy: 'available',
      checkIntervalMs: settings.intervalMs,
      fall: 3,
      rise: 2,
      uplinkLimitMs: 1000,
      switchLimitMs: 2000,
      // It only listens; its address comes with the gate.
      preparesEarly: true,
      downlinkLink: LINK,
      preemptDelayMs: null,
      alone: 'suspend',
      apart: [],
      feedback: null,
      digest: '00'.repeat(32),
    },
  ],
};

/** Monotonic. Slewed by a time daemon at most as much as the usual `maxDrift` allows for. */
class NodeClock implements Clock {
  #timer: NodeJS.Timeout | undefined;
  #soon: NodeJS.Immediate | undefined;
  nowMs(): number {
    return performance.now();
  }
  wakeAt(atMs: number | null): void {
    clearTimeout(this.#timer);
    if (atMs !== null && Number.isFinite(atMs))
      this.#timer = setTimeout(() => this.wakeSoon(), Math.max(0, atMs - this.nowMs()));
  }
  /** At the end of the loop's turn: its sockets have been read by then. */
  wakeSoon(): void {
    this.#soon ??= setImmediate(() => {
      this.#soon = undefined;
      driver.wake();
    });
  }
}

const addressOf = (host: string) => roster.members.find(({ name }) => name === host)?.addresses[LINK - 1];
const own = addressOf(settings.host);
if (own === undefined) throw new Error(`the roster has no ${settings.host}`);
const socket = createSocket(own.family === 4 ? 'udp4' : 'udp6');
const transport: Transport = {
  links: () => [LINK],
  uplinkTalk: () => undefined,
  send: (to, link, datagram) => {
    const address = addressOf(to);
    if (link === LINK && address !== undefined)
      socket.send(datagram, address.port, address.ip, () => undefined);
  },
};

const clock = new NodeClock();
const endpoint = new Endpoint({
  nowMs: clock.nowMs(),
  roster,
  self: settings.host,
  identity: identityFromSeed(key.seed),
  randomBytes: (length) => Uint8Array.from(randomBytes(length)),
  intervalMs: timing.intervalMs,
  maxDrift: timing.maxDrift,
  maxAgeMs: timing.maxAgeMs,
  links: [LINK],
});
/** The driver is made after what tells it of its ends. */
const events: ActuatorEvents = {
  procedureEnded: (...ended) => driver.actuatorEvents.procedureEnded(...ended),
  addressesProbed: (...probed) => driver.actuatorEvents.addressesProbed(...probed),
  gateSet: (...set) => driver.actuatorEvents.gateSet(...set),
  linkChanged: (...changed) => driver.actuatorEvents.linkChanged(...changed),
  foreignerHeard: (service) => driver.actuatorEvents.foreignerHeard(service),
  rivalHeard: (...heard) => driver.actuatorEvents.rivalHeard(...heard),
};
const driver: Driver = new Driver({
  config,
  endpoint,
  clock,
  transport,
  actuator: new WebService(settings, clock, events),
  journal: { append: ({ service, kind, text }) => say({ service, kind, text }) },
  operations: {
    alarm: (code, service, on, detail) => say({ alarm: code, service, on, detail }),
    // In good order: handed over, and nothing left behind.
    stopped: () => process.exit(0),
  },
});

process.on('SIGTERM', () => driver.order({ kind: 'stop' }));
socket.on('message', (datagram) => driver.datagramReceived(LINK, Uint8Array.from(datagram)));
socket.on('error', (error) => say({ socket: error.message }));
socket.bind({ address: own.ip, port: own.port }, () => driver.start());
