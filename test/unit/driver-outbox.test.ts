/** What one turn of the loop says leaves together: 64 services cost the conversation a page of records, not a datagram each. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { HostName, Message } from '../../src/core/index.ts';
import { Driver } from '../../src/driver/driver.ts';
import { Outbox } from '../../src/driver/outbox.ts';
import type { Endpoint, Received } from '../../src/wire/endpoint.ts';
import { clusterTimes, coreConfig } from '../sim/cluster.ts';
import { five, base as roster } from './roster-fixture.ts';

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

/** fw1 with 64 services, `quorum`; fw2's adverts of all of them are one datagram. Nothing is taken in before `wake`. */
function driven() {
  const { timing } = clusterTimes(200);
  const one = coreConfig(roster, 'fw1', timing, 'quorum', null);
  const names = Array.from({ length: 64 }, (_, i) => `s${i}`);
  const services = names.flatMap((name) => one.services.map((service) => ({ ...service, name })));
  const sealed: { to: HostName | 'all'; messages: readonly Message[] }[] = [];
  const w = { names, timing, sealed, steps: 0, nowMs: 0, isSoon: false, shown: roster };
  const term = { n: 1, host: 'fw2' };
  const adverts = (id: number): Message[] =>
    services.map(({ name, digest }) => ({
      ...({ type: 'STATUS', service: name, id, term, phase: 'serving', digest, tableSeq: 0 } as const),
    }));
  let id = 0;
  const endpoint = {
    roster,
    isMember: true,
    peers: () => [],
    receive: (): Received => {
      const [kind, from, link] = ['messages', 'fw2', 1] as const;
      return { kind, from, link, messages: adverts(++id), shown: w.shown, head: null, replies: [] };
    },
    setLinks: ignore,
    setRoster: ignore,
    sealRoster: () => [],
    nextTickMs: () => Number.POSITIVE_INFINITY,
    seal: (_nowMs: number, to: HostName | 'all', messages: readonly Message[]) => {
      sealed.push({ to, messages });
      return [];
    },
  } as unknown as Endpoint;
  const driver: Driver = new Driver({
    config: { ...one, services },
    endpoint,
    clock: {
      nowMs: () => w.nowMs,
      wakeAt: ignore,
      wakeSoon: () => {
        w.isSoon = true;
      },
    },
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
      w.steps++;
    },
  });
  driver.start();
  /** A turn of the loop. */
  const turn = (): void => {
    w.isSoon = false;
    driver.wake();
  };
  const hear = (): void => driver.datagramReceived(1, new Uint8Array());
  // R3: nothing is acknowledged before a promise has passed.
  w.nowMs = timing.promiseMs + 1;
  turn();
  hear();
  turn();
  w.nowMs++;
  sealed.length = 0;
  w.steps = 0;
  return { ...{ driver, turn, hear }, config: { ...one, services }, w };
}

const typesOf = (sealed: readonly { readonly messages: readonly Message[] }[]): Set<string> =>
  new Set(sealed.flatMap(({ messages }) => messages.map(({ type }) => type)));

test('64 services: what one turn of the loop has heard is answered in one go, after the last record of the last datagram', () => {
  const { w, turn, hear } = driven();
  hear();
  hear();
  assert.ok(w.isSoon);
  assert.equal(w.sealed.length, 0, 'nothing leaves before the turn has ended');
  turn();
  const acks = w.sealed.filter(({ messages }) => messages.some(({ type }) => type === 'ACK'));
  assert.equal(acks.length, 1, JSON.stringify(w.sealed.map(({ to, messages }) => [to, messages.length])));
  assert.equal(acks[0]?.to, 'fw2');
  assert.deepEqual(
    acks[0]?.messages.filter(({ type }) => type === 'ACK').map(({ service }) => service),
    [...w.names, ...w.names],
  );
  assert.equal(w.steps, 128, 'each record is a step of its own');
});

test('R9: a turn that comes too late takes in what has come before it judges any silence', () => {
  const { driver, w, turn, hear } = driven();
  const { intervalMs, slackMs } = w.timing;
  w.nowMs += intervalMs + slackMs + 3 * intervalMs;
  hear();
  turn();
  assert.ok(!typesOf(w.sealed).has('PROBE'), [...typesOf(w.sealed)].join(' '));
  for (const name of w.names) assert.equal(driver.state.services[name]?.place, 'backup.watching');
  // Where nothing has come it is judged.
  w.nowMs += intervalMs + slackMs + 1;
  turn();
  assert.ok(typesOf(w.sealed).has('PROBE'));
  for (const name of w.names) assert.equal(driver.state.services[name]?.place, 'backup.suspecting');
});

test('R9: neither a new configuration nor a new roster serves a deadline: the word that it waits for may not be read yet', () => {
  const { driver, config, w, turn, hear } = driven();
  const watching = (): void => {
    for (const name of w.names) assert.equal(driver.state.services[name]?.place, 'backup.watching');
  };
  const taken = (news: () => void): void => {
    w.nowMs += w.timing.intervalMs + w.timing.slackMs + 1;
    w.isSoon = false;
    news();
    assert.ok(w.isSoon, 'the end of the turn serves it');
    watching();
    hear();
    turn();
    watching();
  };
  taken(() => driver.configure({ ...config, services: config.services.map((s) => ({ ...s, rise: 7 })) }));
  assert.equal(driver.state.config.services[0]?.rise, 7, 'known at once');
  taken(() => {
    driver.offerRoster(Buffer.concat(five.versions));
    w.shown = five;
  });
  assert.equal(driver.state.config.membership.version, five.version);
});
