/** P32: of all refusals only those that may mean other keys or another roster reach the core, and only as just that. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Event } from '../../src/core/index.ts';
import { Driver } from '../../src/driver/driver.ts';
import type { Actuator, Operations, Transport } from '../../src/driver/ports.ts';
import { RunEnded } from '../../src/wire/ended.ts';
import type { Endpoint, Received } from '../../src/wire/endpoint.ts';
import { REJECTION_CODES } from '../../src/wire/rejection.ts';
import { clusterTimes, coreConfig } from '../sim/cluster.ts';
import { roster } from './wire-net.ts';

const ignore = (): void => undefined;

/** A driver whose endpoint answers every datagram with `received`, and what reached the core. */
function driven(received: () => Received): { driver: Driver; events: Event[]; armed: number[] } {
  const events: Event[] = [];
  const armed: number[] = [];
  const endpoint = {
    roster,
    peers: () => [],
    receive: received,
    setLinks: ignore,
    nextTickMs: () => Number.POSITIVE_INFINITY,
    tick: () => [],
    seal: () => [],
    sealRoster: () => [],
  } as unknown as Endpoint;
  const driver: Driver = new Driver({
    config: coreConfig(roster, 'fw1', clusterTimes(200).timing, 'available', null),
    endpoint,
    clock: {
      nowMs: () => 1000,
      wakeAt: (atMs) => void armed.push(atMs ?? 0),
      wakeSoon: () => driver.wake(),
    },
    transport: { send: ignore, links: () => [1], uplinkTalk: ignore } satisfies Transport,
    actuator: { run: ignore, probeAddresses: ignore, gate: ignore } satisfies Actuator,
    journal: { append: ignore },
    operations: { alarm: ignore, stopped: ignore } satisfies Operations,
    observe: (_nowMs, event) => events.push(event),
  });
  return { driver, events, armed };
}

test('P32: a refusal reaches the core as `gate` and `signature` alone, in a member’s name', () => {
  for (const code of REJECTION_CODES)
    for (const host of ['fw2', null]) {
      const { driver, events } = driven(() => ({ kind: 'refused', host, gated: true, code }));
      driver.datagramReceived(1, new Uint8Array());
      const told = host !== null && (code === 'gate' || code === 'signature');
      assert.deepEqual(events, told ? [{ type: 'refused', host, gated: true }] : [], `${code} ${host}`);
    }
});

test('P28: a driver that is shown a later state of its own run ends before the core hears anything', () => {
  const { driver, events } = driven(() => ({ kind: 'set-back', from: 'fw2', replies: [] }));
  assert.throws(() => driver.datagramReceived(1, new Uint8Array()), RunEnded);
  assert.deepEqual(events, []);
});

test('P31, R19: in the name of a host that was heard, a refusal costs no step and sets no clock, however many come', () => {
  let count = 0;
  const bye = { type: 'BYE', service: 'firewall' } as const;
  const shown = { version: roster.version, hash: roster.hash };
  const { driver, events, armed } = driven(() => {
    count++;
    if (count > 1) return { kind: 'refused', host: 'fw2', gated: false, code: 'gate' };
    return { kind: 'messages', from: 'fw2', link: 1, messages: [bye], shown, head: null, replies: [] };
  });
  driver.datagramReceived(1, new Uint8Array());
  const [steps, clocks] = [events.length, armed.length];
  for (let i = 0; i < 100; i++) driver.datagramReceived(1, new Uint8Array());
  assert.deepEqual([events.length, armed.length], [steps, clocks]);
});

test('R19: in the name of one that was never heard, the first starts the hold and the others cost no step', () => {
  const { driver, events } = driven(() => ({ kind: 'refused', host: 'fw2', gated: true, code: 'gate' }));
  for (let i = 0; i < 100; i++) driver.datagramReceived(1, new Uint8Array());
  assert.equal(events.length, 1);
  assert.notEqual(driver.state.trustHoldUntilMs, null);
});
