/** What one turn of the loop says leaves together: 64 services cost the conversation a page of records, not a datagram each. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { HostName, Message } from '../../src/core/index.ts';
import { Driver } from '../../src/driver/driver.ts';
import { Outbox } from '../../src/driver/outbox.ts';
import type { Endpoint, Received } from '../../src/wire/endpoint.ts';
import { clusterTimes, coreConfig } from '../sim/cluster.ts';
import { roster } from './wire-net.ts';

const ignore = (): void => undefined;
const bye = (service: string): Message => ({ type: 'BYE', service });

test('the outbox gives each receiver its words in their order, once', () => {
  const outbox = new Outbox();
  for (const [to, service] of [
    ['fw2', 'a'],
    ['all', 'b'],
    ['fw2', 'c'],
  ] as const)
    outbox.add(to, bye(service));
  assert.deepEqual(
    [...outbox.take()],
    [
      ['fw2', [bye('a'), bye('c')]],
      ['all', [bye('b')]],
    ],
  );
  assert.equal(outbox.take().size, 0);
});

test('64 services: the answers to one datagram are sealed in one go, after the last of its records was judged', () => {
  const { timing } = clusterTimes(200);
  const one = coreConfig(roster, 'fw1', timing, 'quorum', null);
  const names = Array.from({ length: 64 }, (_, i) => `s${i}`);
  const services = names.flatMap((name) => one.services.map((service) => ({ ...service, name })));
  const sealed: { to: HostName | 'all'; messages: readonly Message[] }[] = [];
  let steps = 0;
  let nowMs = 0;
  const term = { n: 1, host: 'fw2' };
  const adverts = (id: number): Message[] =>
    services.map(({ name, digest }) => ({
      ...({ type: 'STATUS', service: name, id, term, phase: 'serving', digest, tableSeq: 0 } as const),
    }));
  let id = 0;
  const shown = { version: roster.version, hash: roster.hash };
  const endpoint = {
    roster,
    isMember: true,
    peers: () => [],
    receive: (): Received => {
      const [kind, from, link] = ['messages', 'fw2', 1] as const;
      return { kind, from, link, messages: adverts(++id), shown, head: null, replies: [] };
    },
    setLinks: ignore,
    nextTickMs: () => Number.POSITIVE_INFINITY,
    seal: (_nowMs: number, to: HostName | 'all', messages: readonly Message[]) => {
      sealed.push({ to, messages });
      return [];
    },
  } as unknown as Endpoint;
  const driver: Driver = new Driver({
    config: { ...one, services },
    endpoint,
    clock: { nowMs: () => nowMs, wakeAt: ignore },
    transport: { send: ignore, links: () => [1], uplinkTalk: ignore },
    // Harmless at once, every link confirmed.
    actuator: {
      run: (service, procedure, order) =>
        driver.actuatorEvents.procedureEnded(service, procedure, order, 'confirmed', ''),
      probeAddresses: ignore,
      gate: (service, untilMs, order) => driver.actuatorEvents.gateSet(service, order, untilMs),
    },
    journal: { append: ignore },
    operations: { alarm: ignore, stopped: ignore },
    observe: () => {
      steps++;
    },
  });
  driver.start();
  // R3: nothing is acknowledged before a promise has passed.
  nowMs = timing.promiseMs + 1;
  driver.wake();
  driver.datagramReceived(1, new Uint8Array());
  sealed.length = 0;
  steps = 0;
  nowMs++;
  driver.datagramReceived(1, new Uint8Array());
  const acks = sealed.filter(({ messages }) => messages.some(({ type }) => type === 'ACK'));
  assert.equal(acks.length, 1, JSON.stringify(sealed.map(({ to, messages }) => [to, messages.length])));
  assert.equal(acks[0]?.to, 'fw2');
  assert.deepEqual(
    acks[0]?.messages.filter(({ type }) => type === 'ACK').map(({ service }) => service),
    names,
  );
  assert.equal(steps, 64, 'each record is a step of its own');
});
