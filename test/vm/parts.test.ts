/** How the parts of a takeover are reckoned from a guest's log, on the lab's clock; and the archive that a guest boots from. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { cpio, directory, program } from './cpio.ts';
import { needsMachines } from './needs.ts';
import { clockOf, partsOf } from './parts.ts';

const entry = (ms: number, to: string): string =>
  JSON.stringify({ time: new Date(ms).toISOString(), kind: 'transition', data: { to } });

test('a guest’s clock that is ahead and too quick is brought back to the lab’s', () => {
  // At 1,000,000 it is 500 ms ahead, 10 s later 600: one per cent too quick.
  const samples = [
    { hostMs: 1_000_000, offsetMs: 500, roundTripMs: 1 },
    { hostMs: 1_010_000, offsetMs: 600, roundTripMs: 1 },
  ];
  const toLab = clockOf(samples);
  assert.ok(Math.abs(toLab(1_000_500) - 1_000_000) < 1e-6);
  assert.ok(Math.abs(toLab(1_010_600) - 1_010_000) < 1e-6);
  assert.ok(Math.abs(toLab(1_005_550) - 1_005_000) < 1e-6);
  assert.throws(() => clockOf([]), /never compared/);
});

test('the parts add up to the time from the fault to the first answer; of two attempts the last counts', () => {
  const base = Date.UTC(2026, 0, 1);
  const at = (ms: number): string => {
    const date = new Date(base + ms);
    const pad = (value: number, width = 2): string => String(value).padStart(width, '0');
    const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
    const time = `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
    return `${day}T${time}.${pad(date.getMilliseconds(), 3)}000`;
  };
  const events = [
    entry(base + 100, 'handover.claiming'),
    entry(base + 110, 'handover.raising'),
    entry(base + 1_200, 'handover.claiming'),
    entry(base + 1_250, 'handover.raising'),
    entry(base + 3_000, 'handover.listening'),
    entry(base + 3_200, 'service.serving'),
    entry(base + 4_000, 'service.suspended'),
    entry(base + 4_100, 'service.serving'),
  ].join('\n');
  const links = [
    `[${at(1_500)}] 5: eth1: <BROADCAST,MULTICAST> mtu 1500 qdisc noop`,
    `[${at(1_510)}] 4: eth0: <BROADCAST,UP,LOWER_UP> mtu 1500`,
    `[${at(2_900)}] 5: eth1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc`,
  ].join('\n');
  const clocks = [{ hostMs: base, offsetMs: 0, roundTripMs: 3 }];
  const evidence = { events, links, clocks, faultMs: base + 1_000, servedMs: base + 3_240, uplink: 'eth1' };
  const parts = partsOf(evidence);
  assert.deepEqual(parts, {
    ...{ detect: 200, claim: 50, driver: 250, carrier: 1_400, nextHop: 100, open: 200, announce: 40 },
    uncertainty: 1.5,
  });
  assert.equal(partsOf({ ...evidence, faultMs: base + 9_000 }), null, 'a takeover before the fault is none');
});

test('cpio itself unpacks the archive as it was meant', { skip: needsMachines() }, (t) => {
  const place = mkdtempSync(join(tmpdir(), 'portcullis-cpio-'));
  t.after(() => rmSync(place, { recursive: true }));
  const archive = cpio([directory('bin'), program('bin/five', '12345'), program('bin/none', '')]);
  execFileSync('busybox', ['cpio', '-i', '-d'], {
    cwd: place,
    input: archive,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  assert.equal(readFileSync(join(place, 'bin/five'), 'utf8'), '12345');
  assert.equal(readFileSync(join(place, 'bin/none'), 'utf8'), '');
});
