/**
 * The actuator's end of the conversation: each input is all that a network process of an attacker's making sends. A Linux
 * side of the test's own judges every order that comes through.
 */
import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { PROCEDURES } from '../../src/core/procedures.ts';
import type { ActuatorEvents } from '../../src/driver/ports.ts';
import type { LinuxActuator } from '../../src/linux/actuator.ts';
import type { ActuatorConfig } from '../../src/linux/config.ts';
import * as frames from '../../src/linux/frames.ts';
import { parseFrame } from '../../src/linux/frames.ts';
import { parseIp } from '../../src/linux/ip.ts';
import { Permit } from '../../src/linux/orders/permit.ts';
import { recordLine } from '../../src/linux/orders/record.ts';
import { Session } from '../../src/linux/orders/session.ts';
import type { Target } from './targets.ts';

const NOW_MS = 1000;
const HASH = '0123456789abcdef0123456789abcdef';
const CONVERSATIONS = [
  '1 beat 0 1200\n2 member 10.0.0.2\n3 member fd00::2\n4 members 2\n5 begin 1 0\n6 activateUplink 0 1200\n7 activateService 0 1200\n8 gate 0 1250\n9 gate 0 1290\n10 shut 0 0\n11 deactivateService 0 1200\n12 deactivateUplink 0 1200\n',
  '1 begin 1 0\n2 beat 0 1300\n3 checkUplink 0 1300\n4 probeUplink 0 1300 8.333\n5 probeDownlink 0 1300 25\n6 fence 0 0\n7 gate 0 1200\n',
  `1 begin 0 0\n2 reload ${HASH}\n3 reload ${HASH.replace('0', 'f')}\n4 announceReleaseUplink 0 900\n5 activateUplink 0 900\n`,
];
const CONFIG = {
  leaseMs: 300,
  services: [{ name: 'firewall', uplink: { device: 'up0' } }],
} as unknown as ActuatorConfig;

/** Only what the grammar and the permit allow comes as far as here. */
class Judge implements LinuxActuator {
  readonly filtered = { stranger: 0, hops: 0, rate: 0 };
  isRaised = false;
  isActive = false;
  wasMadeHarmless = false;
  private readonly events: ActuatorEvents;
  constructor(events: ActuatorEvents) {
    this.events = events;
  }
  async start(): Promise<void> {}
  async reconfigure(): Promise<void> {}
  async close(): Promise<void> {}
  async harmless(): Promise<boolean> {
    this.wasMadeHarmless = true;
    return true;
  }
  run(...[name, procedure, id]: Parameters<LinuxActuator['run']>): void {
    assert.equal(name, 'firewall');
    assert.ok(PROCEDURES.includes(procedure), procedure);
    if (procedure === 'activateUplink') this.isRaised = true;
    if (procedure === 'deactivateUplink') this.isRaised = this.isActive = false;
    if (procedure === 'activateService') {
      assert.ok(this.isRaised, 'a service without its uplink');
      this.isActive = true;
    }
    if (procedure === 'deactivateService') this.isActive = false;
    this.events.procedureEnded(name, procedure, id, 'confirmed', 'x'.repeat(1000));
  }
  probeAddresses(...[name, side, id]: Parameters<LinuxActuator['probeAddresses']>): void {
    assert.equal(name, 'firewall');
    this.events.addressesProbed(name, side, id, false, '');
  }
  gate(...[name, untilMs, id]: Parameters<LinuxActuator['gate']>): void {
    assert.equal(name, 'firewall');
    if (untilMs !== null) {
      assert.ok(this.isActive, 'a gate open without a service');
      assert.ok(untilMs > NOW_MS);
    }
    this.events.gateSet(name, id, untilMs);
  }
}

class Stream extends Duplex {
  written = 0;
  override _read(): void {}
  override _write(_chunk: unknown, _encoding: unknown, done: () => void): void {
    this.written++;
    done();
  }
}

async function converse(input: Uint8Array): Promise<void> {
  const judges: Judge[] = [];
  const stream = new Stream();
  const desk = {
    hash: HASH,
    config: (isGateway: boolean) => (isGateway ? CONFIG : { ...CONFIG, services: [] }),
    reread: (hash: string) => {
      if (hash !== HASH) throw new Error('another file');
      return () => undefined;
    },
  };
  const session = new Session({
    stream,
    desk,
    permit: new Permit({ windowMs: 10_000, idleMs: 11_000, intervalMs: 200, burst: 2, everyMs: 60_000 }),
    nowMs: () => NOW_MS,
    log: (level, what, data) => assert.ok(recordLine(level, new Date(0), 'fw1', what, data).length < 500),
    create: (_config, events) => {
      const judge = new Judge(events);
      judges.push(judge);
      return judge;
    },
  });
  // In two pieces, so that what `begin` starts is done when the second comes.
  const half = input.length >> 1;
  stream.push(input.subarray(0, half));
  await new Promise(setImmediate);
  stream.push(input.subarray(half));
  stream.push(null);
  await session.ended;
  assert.ok(judges.length <= 1, 'begun twice');
  for (const judge of judges) assert.ok(judge.wasMadeHarmless, 'the end left the host as it was');
}

export function actuatorTarget(): Target {
  return {
    name: 'actuator',
    corpus: CONVERSATIONS.map((text) => Uint8Array.from(Buffer.from(text))),
    share: 10,
    run: converse,
  };
}

/** What comes in on a packet socket, past the kernel's filter. */
export function frameTarget(): Target {
  const mac = Buffer.from('020000000001', 'hex');
  const [four, six] = ['10.0.0.1', 'fd00::1'].map((text) => parseIp(text)?.bytes ?? Buffer.alloc(4));
  const [a = Buffer.alloc(4), b = Buffer.alloc(16)] = [four, six];
  const replies = [frames.echoRequest4(mac, mac, a, a, 1, 1), frames.echoRequest6(mac, mac, b, b, 1, 1)];
  replies[0]?.writeUInt8(0, 34);
  replies[1]?.writeUInt8(129, 54);
  return {
    name: 'frame',
    corpus: [
      frames.arpRequest(mac, a, a),
      ...frames.gratuitousArp(mac, a),
      frames.solicitation(mac, b, b),
      frames.advertisement(mac, b),
      ...replies,
    ].map((frame) => Uint8Array.from(frame)),
    share: 30,
    run(input) {
      const heard = parseFrame(Buffer.from(input));
      if (heard === null) return;
      assert.equal(heard.mac.length, 6);
      if (heard.kind === 'arp') assert.deepEqual([heard.sender.length, heard.target.length], [4, 4]);
      if (heard.kind === 'advertisement') assert.equal(heard.target.length, 16);
    },
  };
}
