/** The picture of a scale bench: whole, self-contained, every figure in it and inside its frame. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { type ScaleRecord, scalePlot } from './scale-plot.ts';

const point = (more: Partial<ScaleRecord>): ScaleRecord => ({
  ...{
    axis: 'hosts',
    policy: 'available',
    hosts: 2,
    services: 1,
    intervalMs: 1_000,
    serving: 1,
    settledMs: 900,
  },
  ...{
    datagramsPerSecond: 5,
    kilobytesPerSecond: 1.5,
    types: {},
    servingCpuPercent: 2,
    standbyCpuPercent: 1,
  },
  ...{ outagesMs: [900, 1_200, 700], load: 0.2 },
  ...more,
});
const RECORDS = [
  ...[2, 4, 16].map((hosts) => point({ hosts, datagramsPerSecond: 5 * hosts })),
  ...[4, 16].map((hosts) => point({ policy: 'quorum', hosts, outagesMs: [] })),
  ...[1, 8, 64].map((services) =>
    point({ axis: 'services', hosts: 3, services, serving: Math.min(3, services) }),
  ),
];

test('each figure has its mark, and all of it is within the picture', () => {
  const svg = scalePlot(RECORDS);
  const [, width = 0, height = 0] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg)?.map(Number) ?? [];
  assert.ok(width > 0 && height > 0);
  const circles = [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)];
  const squares = [...svg.matchAll(/<rect x="([\d.]+)" y="([\d.]+)"/g)];
  // Six points with an outage, a rate and two processor times, and the legend's; two without an outage.
  assert.equal(circles.length, 6 * 4 + 1);
  assert.equal(squares.length, 2 * 3 + 1);
  const coordinates = [...svg.matchAll(/[ML]([\d.-]+) ([\d.-]+)/g), ...circles, ...squares];
  for (const [whole, x, y] of coordinates) {
    assert.ok(Number(x) >= 0 && Number(x) <= width, whole);
    assert.ok(Number(y) >= 0 && Number(y) <= height, whole);
  }
  assert.doesNotMatch(svg, /NaN|undefined|Infinity/);
});

test('it needs nothing from outside, is small, and every element is closed', () => {
  const svg = scalePlot(RECORDS);
  assert.doesNotMatch(svg.replace('http://www.w3.org/2000/svg', ''), /https?:|@import|url\(|<script/);
  assert.ok(svg.length < 16_000, String(svg.length));
  const open: string[] = [];
  for (const [, close, name, rest] of svg.matchAll(/<(\/?)([a-z]+)([^>]*)>/g)) {
    if (close === '/') assert.equal(open.pop(), name);
    else if (rest?.endsWith('/') !== true) open.push(name ?? '');
  }
  assert.deepEqual(open, []);
});

test('higher is more, and further right is larger', () => {
  const svg = scalePlot([2, 4, 8].map((hosts) => point({ hosts, datagramsPerSecond: hosts * hosts })));
  const marks = [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [
    Number(x),
    Number(y),
  ]);
  // The legend's, three outages, then the three rates.
  const rates = marks.slice(4, 7);
  assert.equal(rates.length, 3);
  for (const [i, [x = 0, y = 0]] of rates.entries())
    if (i > 0) assert.ok(x > (rates[i - 1]?.[0] ?? 0) && y < (rates[i - 1]?.[1] ?? 0));
});
