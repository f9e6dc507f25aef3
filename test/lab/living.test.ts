/** What lets a cluster live through many faults: ears that are read while they hear, and who served by what was said. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { needsRoot } from '../netns/netns.ts';
import { programArgs } from '../programs.ts';
import { type Frame, parseRecords } from './capture.ts';
import { whyNoPeer } from './keepalived.ts';
import { fellMs, wordsSince } from './living.ts';
import { Succession, speakersOf } from './succession.ts';
import { CLUSTER_PORT } from './topology.ts';

/** One record of a capture file: a frame that port 7's station sent. */
function record(bytes: Buffer): Buffer {
  const header = Buffer.alloc(16);
  header.writeUInt32LE(1_000, 0);
  header.writeUInt32LE(20 + bytes.length, 8);
  header.writeUInt32LE(20 + bytes.length, 12);
  const link = Buffer.alloc(20);
  link.writeUInt16BE(0x0806, 0);
  link.writeUInt32BE(7, 4);
  return Buffer.concat([header, link, bytes]);
}

test('a capture that is read while it is written gives whole frames alone, and each one once', () => {
  const file = Buffer.concat([
    record(Buffer.from('one')),
    record(Buffer.from('two')),
    record(Buffer.from('3')),
  ]);
  const ports = new Map([[7, 'fw1']]);
  for (let cut = 0; cut <= file.length; cut += 1) {
    const first = parseRecords(file.subarray(0, cut), 'lan', ports);
    const second = parseRecords(file.subarray(first.used), 'lan', ports);
    const all = [...first.frames, ...second.frames].map(({ data }) => data.toString());
    assert.deepEqual(all, ['one', 'two', '3'], `cut at ${cut}`);
  }
});

function advert(port: string, priority: number): Frame {
  const ip = Buffer.alloc(28);
  ip.writeUInt8(0x45, 0);
  ip.writeUInt8(112, 9);
  ip.writeUInt8(priority, 22);
  return { atMs: 0, side: 'lan', port, way: 'in', mac: '', protocol: 0x0800, data: ip };
}

test('of the peer serves who adverts; its farewell and what is delivered to others say nothing', () => {
  const frames = [advert('fw1', 110), advert('fw1', 110), advert('fw1', 0), advert('fw2', 60)];
  assert.deepEqual(speakersOf(frames, 'keepalived', ['fw1', 'fw2']), ['fw1', 'fw1', 'fw2']);
  assert.deepEqual(speakersOf(frames, 'keepalived-multicast', ['fw2']), ['fw2']);
  assert.deepEqual(
    speakersOf(
      frames.map((frame) => ({ ...frame, way: 'out' })),
      'keepalived',
      ['fw1', 'fw2'],
    ),
    [],
  );
});

test('the service has moved when another host than before says that it serves, also after a pause', () => {
  const succession = new Succession();
  assert.equal(succession.follow(['fw1', 'fw1']), 0);
  assert.equal(succession.follow([]), 0);
  assert.equal(succession.follow(['fw2', 'fw1', 'fw1']), 2);
  succession.forget();
  assert.equal(succession.follow(['fw2']), 0);
});

test('a blow that darkens a side fell with the last frame there; one that does not, when it was ordered', () => {
  const at = (atMs: number, side: 'lan' | 'wan', way: 'in' | 'out' = 'in'): Frame => ({
    ...advert('fw1', 110),
    ...{ atMs, side, way },
  });
  const frames = [
    at(990, 'lan'),
    at(1_012, 'wan'),
    at(1_015, 'lan'),
    at(1_040, 'lan', 'out'),
    at(1_300, 'wan'),
  ];
  assert.equal(fellMs(frames, 'fw1', { dark: ['lan'] }, 1_000), 1_015);
  assert.equal(fellMs(frames, 'fw1', { dark: ['lan', 'wan'] }, 1_000), 1_300);
  assert.equal(fellMs(frames, 'fw1', {}, 1_000), 1_000);
  assert.equal(fellMs(frames.slice(0, 1), 'fw1', { dark: ['lan'] }, 1_000), 1_000);
  assert.equal(fellMs(frames, 'fw2', { dark: ['lan'] }, 1_000), 1_000);
});

test('the words before a piece of evidence are kept for it, and nothing else that was heard', () => {
  const datagram = (atMs: number, side: 'lan' | 'wan', toPort: number): Frame => {
    const data = Buffer.alloc(40);
    data.writeUInt8(0x45, 0);
    data.writeUInt8(17, 9);
    data.writeUInt16BE(toPort, 22);
    data.writeUInt16BE(20, 24);
    return { atMs, side, port: 'fw1', way: 'in', mac: '', protocol: 0x0800, data };
  };
  const word = datagram(1_000, 'lan', CLUSTER_PORT);
  const others = [datagram(1_000, 'wan', CLUSTER_PORT), datagram(1_000, 'lan', 7_000), advert('fw1', 110)];
  const older = datagram(999, 'lan', CLUSTER_PORT);
  assert.deepEqual(wordsSince([older, ...others, word], 1_000), [word]);
});

async function bench(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [...programArgs('test/bench/main.ts'), ...args]);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const [code] = (await once(child, 'close')) as [number];
  return { code, stdout, stderr };
}

test('a planned handover of both in turn, and going on with what is there already measures nothing twice', {
  skip: needsRoot() || (whyNoPeer() ?? false),
}, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-bench-'));
  const out = join(directory, 'figures.jsonl');
  const args = [
    'takeover',
    '--faults',
    'handover',
    '--intervals',
    '200ms',
    '--runs',
    '1',
    '--rest',
    '0',
    '--json',
  ];
  try {
    const first = await bench(...args, '--out', out);
    assert.equal(first.code, 0, first.stderr);
    const [row] = (JSON.parse(first.stdout) as { rows: { series: Record<string, { changes?: number }> }[] })
      .rows;
    assert.deepEqual(Object.keys(row?.series ?? {}), ['portcullis', 'keepalived']);
    const lines = readFileSync(out, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as { kind: string; sent: number; problems: string[]; changes: number });
    assert.deepEqual(
      lines.map(({ kind }) => kind),
      ['portcullis', 'keepalived'],
    );
    assert.deepEqual([lines[0]?.problems, lines[0]?.changes], [[], 1], first.stderr);
    assert.ok(lines.every(({ sent }) => sent > 100));
    const second = await bench(...args, '--out', out, '--resume');
    assert.deepEqual(JSON.parse(second.stdout), JSON.parse(first.stdout));
  } finally {
    rmSync(directory, { recursive: true });
  }
});
