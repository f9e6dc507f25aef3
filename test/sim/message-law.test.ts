/** The law of what a cluster says at rest, against the simulator's counts and the codec's datagrams. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Message } from '../../src/core/index.ts';
import { typeOf } from '../lab/words.ts';
import { joinedPair } from '../unit/wire-net.ts';
import { RECORDS, ratesOf, type Size } from './message-law.ts';
import { World } from './world.ts';

const SECONDS = 60;

/** Datagrams in a second, by type, of a cluster of one service that has come to rest. */
function counted({ hosts, policy, intervalMs }: Size): { [type: string]: number } {
  const w = new World({ hosts, policy, intervalMs });
  const counts: { [type: string]: number } = {};
  let isCounting = false;
  w.judges.push({
    sent: (_w, _from, { datagram }) => {
      if (!isCounting) return;
      const type = typeOf(datagram);
      counts[type] = (counts[type] ?? 0) + 1 / SECONDS;
    },
  });
  w.startAll();
  w.pass(20_000 + 20 * intervalMs);
  isCounting = true;
  w.pass(SECONDS * 1_000);
  return counts;
}

for (const size of [
  { hosts: 2, policy: 'available', intervalMs: 1_000 },
  { hosts: 5, policy: 'available', intervalMs: 200 },
  { hosts: 3, policy: 'quorum', intervalMs: 100 },
  { hosts: 8, policy: 'quorum', intervalMs: 1_000 },
] as const) {
  const { hosts, policy, intervalMs } = size;
  test(`what ${hosts} hosts say at rest is what the law says (${policy}, I = ${intervalMs} ms)`, () => {
    const law = ratesOf({ ...size, services: 1, serving: 1 });
    const counts = counted({ ...size, services: 1, serving: 1 });
    const near = (type: string, expected: number): void => {
      const isNear = Math.abs((counts[type] ?? 0) - expected) <= 0.02 * expected + 0.1;
      assert.ok(isNear, `${type}: ${counts[type]} against ${expected}; ${JSON.stringify(counts)}`);
    };
    near('STATUS', law.adverts);
    near('ACK', law.answers);
    near('REPORT', law.reports);
    const sessions = counts.session ?? 0;
    const isWithin = sessions >= 0.85 * law.sessions && sessions <= 1.15 * law.sessions;
    assert.ok(isWithin, `sessions: ${sessions} against ${law.sessions}`);
    assert.deepEqual(
      Object.keys(counts).filter((type) => !['STATUS', 'ACK', 'REPORT', 'session'].includes(type)),
      [],
    );
  });
}

test('so many records of each type, and no more, share a datagram where names have ten letters', () => {
  const net = joinedPair();
  const datagrams = (count: number, message: (service: string) => Message): number => {
    const messages = Array.from({ length: count }, (_, i) => message(`service-${10 + i}`));
    return net.get('fw1').seal(net.nowMs, 'fw2', messages).length;
  };
  const term = { n: 1_000, host: 'fw1' };
  const said: { [T in keyof typeof RECORDS]: (service: string) => Message } = {
    STATUS: (service) =>
      ({
        ...{ type: 'STATUS', service, id: 2 ** 31, term, phase: 'serving' },
        ...{ digest: 'ab'.repeat(32), tableSeq: 1_000 },
      }) as Message,
    ACK: (service) => ({ type: 'ACK', service, id: 2 ** 31, term }) as Message,
    REPORT: (service) => ({
      ...({
        type: 'REPORT',
        service,
        activity: 'backup',
        fit: true,
        standby: false,
        downlink: true,
      } as const),
      ...{ digest: 'ab'.repeat(32), tableTerm: term, tableSeq: 1_000, load: 700, burdened: true },
    }),
  };
  for (const [type, most] of Object.entries(RECORDS) as [keyof typeof RECORDS, number][])
    assert.deepEqual([datagrams(most, said[type]), datagrams(most + 1, said[type])], [1, 2], type);
});

test('the law: a serving host more is one more that adverts, and a packet more where a datagram is full', () => {
  const size: Size = { hosts: 3, services: 1, serving: 1, policy: 'available', intervalMs: 1_000 };
  const adverts = (more: Partial<Size>): number => ratesOf({ ...size, ...more }).adverts;
  assert.equal(adverts({}), 2.4); // to two others, on the link, and now and then on the uplink
  assert.equal(adverts({ hosts: 16 }), 18);
  assert.equal(adverts({ services: RECORDS.STATUS }), 2.4);
  assert.equal(adverts({ services: RECORDS.STATUS + 1 }), 4.8);
  assert.equal(adverts({ services: 64, serving: 3 }), 24);
  assert.equal(ratesOf(size).answers, 0);
  assert.equal(ratesOf({ ...size, policy: 'quorum' }).answers, 2);
  // As counted between real hosts: three that serve answer each other twice, on both links.
  assert.equal(ratesOf({ ...size, services: 4, serving: 3, policy: 'quorum' }).answers, 24);
});
