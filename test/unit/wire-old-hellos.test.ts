/**
 * Old words sent again while hosts start: somebody who recorded many former runs of both, and holds no key, makes
 * each ask in vain as often as it may. They must find together all the same (P14, P15, P21), on a LAN and over a long path.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Endpoint, Received } from '../../src/wire/endpoint.ts';
import type { Outgoing } from '../../src/wire/speaker.ts';
import { seededBytes, testEndpoint, testRoster } from './wire-fixture.ts';

const NAMES = ['fw1', 'fw2'] as const;
const roster = testRoster([...NAMES]);

interface Siege {
  /** One way; each word takes this to twice this. */
  readonly pathMs: number;
  readonly formerRuns: number;
  /** Old words a second, to each host. */
  readonly perSecond: number;
  readonly seed: number;
  readonly limitMs: number;
}

/** The first words of former runs, by receiver: whoever listened long enough has them. */
function recorded(formerRuns: number): Map<string, Uint8Array[]> {
  const words = new Map<string, Uint8Array[]>(NAMES.map((name) => [name, []]));
  for (let run = 10; run < 10 + formerRuns; run++)
    for (const name of NAMES)
      for (const { to, datagram } of testEndpoint(roster, name, { run, nowMs: 0 }).tick(0))
        words.get(to)?.push(datagram);
  return words;
}

/** Runs both hosts, the second one started a little later, until each believes the other; how long that took (ms). */
function meetingMs({ pathMs, formerRuns, perSecond, seed, limitMs }: Siege): number {
  const bytes = seededBytes(`siege ${seed}`);
  const chance = () => Buffer.from(bytes(4)).readUInt32BE() / 2 ** 32;
  const old = recorded(formerRuns);
  const hosts = new Map<string, Endpoint>(
    NAMES.map((name, i) => [name, testEndpoint(roster, name, { run: seed, nowMs: i * 3.7 })]),
  );
  const onTheWay: { readonly atMs: number; readonly to: string; readonly datagram: Uint8Array }[] = [];
  const met = new Set<string>();
  let nowMs = 0;
  const send = (words: readonly Outgoing[]) => {
    for (const { to, datagram } of words)
      onTheWay.push({ atMs: nowMs + pathMs * (1 + chance()), to, datagram });
  };
  const take = (name: string, host: Endpoint, datagram: Uint8Array) => {
    const received: Received = host.receive(nowMs, 1, datagram);
    if ('replies' in received) send(received.replies);
    if (received.kind === 'handshake' && received.joined) met.add(name);
  };
  const nextOldMs = new Map(NAMES.map((name) => [name as string, 0]));
  while (met.size < 2 && nowMs < limitMs) {
    for (const [name, host] of hosts) {
      const due = nextOldMs.get(name) ?? 0;
      if (due <= nowMs) {
        const words = old.get(name) ?? [];
        take(name, host, words[Math.floor(chance() * words.length)] ?? assert.fail());
        nextOldMs.set(name, due + (-Math.log(1 - chance()) * 1000) / perSecond);
      }
      if (host.nextTickMs() <= nowMs) send(host.tick(nowMs));
    }
    const first = onTheWay.sort((a, b) => a.atMs - b.atMs)[0];
    if (first !== undefined && first.atMs <= nowMs) {
      onTheWay.shift();
      take(first.to, hosts.get(first.to) ?? assert.fail(), first.datagram);
    }
    const ticks = [...hosts.values()].map((host) => host.nextTickMs());
    const next = Math.min(...ticks, ...nextOldMs.values(), onTheWay[0]?.atMs ?? Number.POSITIVE_INFINITY);
    nowMs = Math.max(nowMs, next);
  }
  return nowMs;
}

test('P14: old words of twenty runs keep no distant hosts apart: a question stands until its answer can be there', () => {
  for (let seed = 1; seed <= 5; seed++) {
    const took = meetingMs({ pathMs: 40, formerRuns: 20, perSecond: 1000, seed, limitMs: 6000 });
    assert.ok(took < 1000, `seed ${seed}: ${took} ms`);
  }
});

test('P15: nor hosts on a LAN in a flood of them, whatever the moments at which they ask', () => {
  for (let seed = 1; seed <= 12; seed++) {
    const took = meetingMs({ pathMs: 0.5, formerRuns: 20, perSecond: 20_000, seed, limitMs: 4000 });
    assert.ok(took < 2000, `seed ${seed}: ${took} ms`);
  }
});
