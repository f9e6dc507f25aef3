/** The judges are judged: by made-up frames, of which it is known what they mean. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Frame } from './capture.ts';
import { parseMonitor, parsePcap } from './capture.ts';
import { intersect, joinSightings, mostAtOnce, unite } from './intervals.ts';
import { judge, type Word } from './judge.ts';
import { answer, every, evidence, forwarded, idle, status, uplinkFrame } from './judge-fixture.ts';

test('two hosts that answer for the roving address in turn overlap, for as long as both do', () => {
  const frames = [
    ...every(20, 0, 5_000, (at) => answer('fw1', at)),
    ...every(20, 3_001, 9_000, (at) => answer('fw2', at)),
  ];
  const verdict = judge(evidence({ frames, endMs: 5_000 }));
  assert.equal(verdict.overlapMs, 1_999);
  assert.equal(verdict.masters, 2);
  assert.deepEqual(verdict.endMasters, ['fw1', 'fw2']);
});

test('one answer of another host within the time of the first counts, though it has no length', () => {
  const frames = [...every(20, 0, 1_000, (at) => answer('fw1', at)), answer('fw2', 505)];
  const verdict = judge(evidence({ frames }));
  assert.equal(verdict.overlapMs, 1);
  assert.equal(verdict.masters, 2);
});

test('answers for another address, and of a station that is no host, do not count', () => {
  const stranger: Frame = { ...answer('fw2', 505), mac: '02:00:00:00:00:09' };
  const frames = [
    ...every(20, 0, 1_000, (at) => answer('fw1', at)),
    ...every(20, 0, 1_000, (at) => answer('fw2', at, '0a4d010c')),
    stranger,
  ];
  assert.equal(judge(evidence({ frames })).overlapMs, 0);
});

test('what did not leave the switch was not delivered, and does not count', () => {
  const muted = every(20, 0, 1_000, (at): Frame => ({ ...answer('fw2', at), port: 'fw2', way: 'in' }));
  const frames = [...every(20, 0, 1_000, (at) => answer('fw1', at)), ...muted];
  assert.equal(judge(evidence({ frames })).overlapMs, 0);
});

test('a handover from one datagram to the next is no overlap; an answer while the other forwards is one', () => {
  const handover = [
    ...every(2, 0, 1_000, (at) => forwarded('fw1', at)),
    ...every(2, 1_002, 2_000, (at) => forwarded('fw2', at)),
  ];
  assert.equal(judge(evidence({ frames: handover })).overlapMs, 0);
  const mixed = [...handover, answer('fw1', 1_500), answer('fw1', 1_520)];
  assert.equal(judge(evidence({ frames: mixed })).overlapMs, 20);
});

test('a host serves by its word for one lease, until it says otherwise, or until both its ports are dark', () => {
  const second = status('fw2', 1_150);
  const both = judge(evidence({ words: [status('fw1', 1_000), second] }));
  assert.equal(both.masters, 2);
  assert.equal(both.changes, 1);
  assert.equal(judge(evidence({ words: [status('fw1', 1_000), second], fromMs: 1_200 })).changes, 0);
  const released: Word = { ...status('fw1', 1_100), type: 'RELEASED', serving: false, active: false };
  assert.equal(judge(evidence({ words: [status('fw1', 1_000), released, second] })).masters, 1);
  const carriers = [
    { atMs: 900, side: 'wan', port: 'fw1', up: true },
    { atMs: 1_050, side: 'lan', port: 'fw1', up: false },
    { atMs: 1_060, side: 'wan', port: 'fw1', up: false },
  ] as const;
  assert.equal(judge(evidence({ words: [status('fw1', 1_000), second], carriers })).masters, 1);
  assert.equal(judge(evidence({ words: [status('fw1', 1_000), status('fw2', 1_301)] })).masters, 1);
});

test('frames into the uplink count unless the sender said that it is in Handover or Service', () => {
  const words = [idle('fw1', 500), status('fw1', 1_000), status('fw1', 1_200)];
  const frames = [uplinkFrame('fw1', 999), uplinkFrame('fw1', 1_100), uplinkFrame('fw2', 1_100)];
  const verdict = judge(evidence({ words, frames }));
  assert.equal(verdict.standbyUplinkPackets, 2);
  assert.match(verdict.standbyDetail[0] ?? '', /^fw1 at 999/);
});

test('a host whose first word of all is that it claims was heard by nobody before', () => {
  const frames = [uplinkFrame('fw1', 900), uplinkFrame('fw2', 900)];
  const words = [status('fw1', 1_000), idle('fw2', 800), status('fw2', 1_000)];
  assert.match(judge(evidence({ words, frames })).standbyDetail.join(), /^fw2 at 900/);
});

test('a word that was held up on its way counts from when it was made', () => {
  const words = [idle('fw1', 500), { ...status('fw1', 1_000), saidMs: 980 }];
  const frames = [uplinkFrame('fw1', 970), uplinkFrame('fw1', 990)];
  assert.equal(judge(evidence({ words, frames })).standbyUplinkPackets, 1);
});

test('an advert that a freeze held back says nothing of when it leaves; one that was late by a little does', () => {
  const masters = (saidMs: number): number =>
    judge(evidence({ words: [{ ...status('fw1', 2_000), saidMs }, status('fw2', 2_100)] })).masters;
  assert.equal(masters(1_000), 1);
  assert.equal(masters(1_900), 2);
});

test('after its last word a host has twice its lease; after leaving, until its carrier goes, at most a second', () => {
  const silent = [uplinkFrame('fw1', 1_500), uplinkFrame('fw1', 1_700)];
  assert.equal(judge(evidence({ words: [status('fw1', 1_000)], frames: silent })).standbyUplinkPackets, 1);
  const left: Word = {
    ...status('fw1', 1_100),
    type: 'WITHDRAW',
    serving: false,
    active: false,
    serves: false,
  };
  const words = [status('fw1', 1_000), left];
  const frames = [uplinkFrame('fw1', 1_140), uplinkFrame('fw1', 1_160), uplinkFrame('fw1', 2_200)];
  const carriers = [{ atMs: 1_150, side: 'wan', port: 'fw1', up: false }] as const;
  assert.equal(judge(evidence({ words, frames, carriers })).standbyUplinkPackets, 2);
  assert.equal(judge(evidence({ words, frames })).standbyUplinkPackets, 1);
});

test('spans: sightings join over small gaps, sets unite and intersect, touching spans are not together', () => {
  assert.deepEqual(joinSightings([5, 0, 3, 50], 10), [
    { from: 0, to: 5 },
    { from: 50, to: 50 },
  ]);
  const a = [{ from: 0, to: 10 }];
  const b = [{ from: 10, to: 20 }];
  assert.deepEqual(unite(a, b), [{ from: 0, to: 20 }]);
  assert.deepEqual(intersect([{ from: 0, to: 15 }], b), [{ from: 10, to: 15 }]);
  assert.equal(mostAtOnce([a, b]), 1);
  assert.equal(mostAtOnce([a, [{ from: 9, to: 20 }]]), 2);
});

test('a capture file gives frames by port and way; a torn last record and unknown ports are left out', () => {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b23c4d, 0);
  header.writeUInt32LE(276, 20);
  const record = (port: number, way: number): Buffer => {
    const bytes = Buffer.alloc(16 + 20 + 4);
    bytes.writeUInt32LE(2, 0);
    bytes.writeUInt32LE(500_000, 4);
    bytes.writeUInt32LE(24, 8);
    bytes.writeUInt16BE(0x0806, 16);
    bytes.writeUInt32BE(port, 20);
    bytes.writeUInt8(way, 26);
    bytes.write('020000000001', 28, 'hex');
    bytes.write('abcd', 36);
    return bytes;
  };
  const file = Buffer.concat([
    header,
    record(7, 0),
    record(8, 4),
    record(7, 4),
    record(7, 0).subarray(0, 30),
  ]);
  const frames = parsePcap(file, 'lan', new Map([[7, 'fw1']]));
  assert.deepEqual(
    frames.map(({ port, way, mac, atMs, protocol, data }) => [
      port,
      way,
      mac,
      atMs,
      protocol,
      data.toString(),
    ]),
    [
      ['fw1', 'in', '02:00:00:00:00:01', 2_000.5, 0x0806, 'abcd'],
      ['fw1', 'out', '02:00:00:00:00:01', 2_000.5, 0x0806, 'abcd'],
    ],
  );
  assert.throws(() => parsePcap(Buffer.alloc(24), 'lan', new Map()), /not a nanosecond capture/);
});

test('the monitor of links tells when a carrier came and went', () => {
  const text = [
    '[2026-11-23T11:40:27.250000] 4: fw1@if2: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 ...',
    '[2026-11-23T11:40:28.500000] 4: fw1@if2: <NO-CARRIER,BROADCAST,MULTICAST,UP> mtu 1500 ...',
    '[2026-11-23T11:40:29.000000] Deleted 4: fw1@NONE: <BROADCAST,MULTICAST,LOWER_UP> mtu 1500 ...',
    '[2026-11-23T11:40:29.000000] 9: other: <LOWER_UP> mtu 1500 ...',
  ].join('\n');
  const changes = parseMonitor(text, 'wan', new Set(['fw1']));
  assert.deepEqual(
    changes.map(({ up }) => up),
    [true, false, false],
  );
  assert.equal((changes[1]?.atMs ?? 0) - (changes[0]?.atMs ?? 0), 1_250);
});
