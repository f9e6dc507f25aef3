/** Rows, ratios and goals of a takeover bench, from records of which it is known what they say. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { goalsOf } from './goals.ts';
import type { CalmRecord, FaultRecord, RestRecord, TakeoverRecord } from './takeover-report.ts';
import { reportOf } from './takeover-report.ts';
import { failedLine, partsTable, rowLine } from './takeover-text.ts';

const ABOUT = { policy: 'available', hosts: 2, witness: false } as const;
const PARTS = {
  ...{ silence: 60, probe: 20, claim: 5, uplink: 5, window: 20, rules: 30, gate: 5 },
  ...{ announce: 0, firstPacket: 1 },
};

function fault(more: Partial<FaultRecord>): FaultRecord {
  return {
    ...{
      record: 'fault',
      ...ABOUT,
      kind: 'portcullis',
      intervalMs: 100,
      fault: 'power',
      spentS: 5,
      struck: 'fw1',
    },
    ...{ outageMs: 120, lost: 60, sent: 900, stallMs: 3, unansweredMs: 118, takeoverMs: 119, parts: PARTS },
    ...{ overlapMs: 0, masters: 1, endMasters: 1, changes: 1, standbyUplinkPackets: 0, tcpSurvived: true },
    ...{ seconds: 4, problems: [], load: 0.5, uncaused: 0 },
    ...more,
  };
}
const peer = (more: Partial<FaultRecord>): FaultRecord => fault({ kind: 'keepalived', parts: null, ...more });

test('ratios are of pairs in the order in which they were measured; a peer that lost next to nothing gives none', () => {
  const records: TakeoverRecord[] = [
    fault({ outageMs: 100 }),
    fault({ outageMs: 200 }),
    peer({ outageMs: 400 }),
    peer({ outageMs: 10 }),
    fault({ outageMs: 90 }),
    peer({ outageMs: 300 }),
    // A third of another kind, and another row.
    fault({ kind: 'keepalived-multicast', parts: null, outageMs: 1_000 }),
    fault({ fault: 'stop', outageMs: 6 }),
  ];
  const { rows } = reportOf(records);
  assert.deepEqual(
    rows.map((row) => row.fault),
    ['power', 'stop'],
  );
  const [row] = rows;
  assert.ok(row);
  assert.deepEqual(row.ratios.keepalived, { pairs: [0.25, null, 0.3], median: 0.3 });
  assert.deepEqual(row.ratios['keepalived-multicast'], { pairs: [0.1], median: 0.1 });
  assert.deepEqual([row.series.portcullis?.medianMs, row.series.portcullis?.maxMs], [100, 200]);
  // Seven records of 5 s, three pairs.
  assert.equal(row.secondsPerPair, 11.67);
  assert.deepEqual(row.parts, PARTS);
  assert.match(rowLine(row), /^power +100 +100 200 \/ 300 400 \/ 1000 1000 .* 0\.3 \/ 0\.1 .*11\.67$/);
  assert.match(partsTable(rows), /power, 100 ms +60 +20 /);
});

test('problems of ours stand behind the row; a part that is missing in one run is the median of the others', () => {
  const records = [
    fault({ problems: ['two hosts acted for 3 ms'] }),
    fault({ parts: { ...PARTS, silence: null } }),
    fault({ parts: { ...PARTS, silence: 80 } }),
  ];
  const [row] = reportOf(records).rows;
  assert.ok(row);
  assert.match(rowLine(row), /two hosts acted for 3 ms$/);
  assert.equal(row.parts?.silence, 80);
});

test('a goal holds at its limit and is missed beyond it; what was not measured is no goal', () => {
  const goals = (records: readonly TakeoverRecord[], policy: 'available' | 'quorum' = 'available') =>
    goalsOf(reportOf(records), policy).map(({ goal, holds }) => `${goal}: ${holds}`);
  const pair = (ours: number, theirs: number, more: Partial<FaultRecord> = {}) => [
    fault({ outageMs: ours, ...more }),
    peer({ outageMs: theirs, ...more }),
  ];
  assert.deepEqual(goals(pair(160, 400)), ['power, 100 ms: at most 0.4 of keepalived: true']);
  assert.deepEqual(goals(pair(164, 400)), ['power, 100 ms: at most 0.4 of keepalived: false']);
  assert.deepEqual(goals(pair(200, 400), 'quorum'), ['power, 100 ms: at most 0.5 of keepalived: true']);
  assert.deepEqual(goals(pair(40, 40, { intervalMs: 10 })), ['power, 10 ms: at most 1 of keepalived: true']);
  // At 10 ms `quorum` has none, and 200 ms is none's.
  assert.deepEqual(goals(pair(40, 40, { intervalMs: 10 }), 'quorum'), []);
  assert.deepEqual(goals(pair(40, 40, { intervalMs: 200 })), []);
  // A ratio of nothing is none: not measured well enough.
  assert.deepEqual(goals(pair(5, 10)), ['power, 100 ms: at most 0.4 of keepalived: false']);
  assert.deepEqual(goals(pair(10, 0, { fault: 'stop', lost: 5 })), [
    'stop, 100 ms: no gap over 10 ms: true',
    'stop, 100 ms: at most 5 datagrams lost: true',
    "stop, 100 ms: median not above keepalived's 0 ms: false",
  ]);
  assert.deepEqual(goals([fault({ fault: 'service', outageMs: 201 })]), [
    'service, 100 ms: median at most 2 intervals: false',
  ]);
  assert.deepEqual(
    goals([fault({ fault: 'kill9', outageMs: 250 }), fault({ fault: 'kill9', outageMs: 251 })]),
    ['kill9, 100 ms: at most lease + interval, 250 ms: false'],
  );
});

test('beside a goal stands of how many pairs its ratio is, and the longest behind a median', () => {
  const records = [
    ...[fault({ outageMs: 160 }), peer({ outageMs: 400 })],
    ...[fault({ outageMs: 100 }), peer({ outageMs: 10 })],
    ...[150, 240].map((outageMs) => fault({ fault: 'service', outageMs })),
    fault({ fault: 'service', outageMs: 140 }),
  ];
  assert.deepEqual(
    goalsOf(reportOf(records), 'available').map(({ measured }) => measured),
    ['0.4 (pairs: 1)', '150, longest 240'],
  );
});

test('a fault after which the cluster did not come to rest is told, without its daemons’ last words', () => {
  const what = 'the cluster did not settle within 31000 ms: fw1 -\n--- fw1\nwords';
  const failed = {
    record: 'failed',
    ...ABOUT,
    kind: 'portcullis',
    intervalMs: 100,
    fault: 'power',
    what,
  } as const;
  assert.deepEqual(reportOf([failed]).failed, [failed]);
  assert.equal(
    failedLine(failed),
    'FAILED  portcullis, power, 100 ms: the cluster did not settle within 31000 ms: fw1 -',
  );
});

test('cost at rest and false takeovers are goals of ours alone', () => {
  const cost = { cpuPercent: 2.9, pssMiB: 60, aloneMiB: 124, processes: 2 };
  const rest: RestRecord = {
    ...{ record: 'rest', ...ABOUT, kind: 'portcullis', intervalMs: 100 },
    rest: {
      ...{ packetsPerSecond: 40, bytesPerSecond: 9_000, questionsPerSecond: 8, standbyUplinkFrames: 0 },
      ...{ master: cost, backup: { ...cost, cpuPercent: 3 } },
    },
  };
  const calm: CalmRecord = {
    ...{ record: 'calm', ...ABOUT, kind: 'portcullis', intervalMs: 50 },
    ...{ seconds: 600, loops: 0, takeovers: 0, changes: {}, load: 0.1 },
  };
  const records: TakeoverRecord[] = [
    rest,
    { ...rest, kind: 'keepalived' },
    { ...rest, intervalMs: 200 },
    calm,
    { ...calm, loops: 2, seconds: 120, takeovers: 1 },
    { ...calm, kind: 'keepalived', takeovers: 9 },
  ];
  const goals = goalsOf(reportOf(records), 'available');
  assert.deepEqual(
    goals.map(({ goal, measured, holds }) => `${goal}: ${measured} ${holds}`),
    [
      'at rest, 2 hosts, 100 ms: under 3 % of a core a host: 3 false',
      'at rest, 2 hosts, 100 ms: under 130 MB a host: 130.02 false',
      'no false takeover in 600 s at 50 ms, quiet: 0 true',
      'no false takeover in 120 s at 50 ms, all processors busy: 1 false',
    ],
  );
});
