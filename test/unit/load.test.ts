/** Load: the configuration, and what each source makes of this machine's own figures. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { ConfigError } from '../../src/daemon/config/problems.ts';
import { parseSettings } from '../../src/daemon/config/settings.ts';
import { Sampler } from '../../src/linux/load/sampler.ts';
import { cpuLoad, deviceBytes, LinkUse, permille, programLoad } from '../../src/linux/load/sources.ts';
import { exampleText } from './cluster-files.ts';

const EXAMPLE = exampleText('/etc/portcullis');

function problems(section: string): string[] {
  try {
    parseSettings(EXAMPLE.replace('[timing]', `[load]\n${section}\n[timing]`), 'f');
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems.map(({ key, what }) => `${key} ${what}`);
  }
}

test('[load]: none, its defaults, and what is refused', () => {
  assert.equal(parseSettings(EXAMPLE, 'f').load, null);
  const text = EXAMPLE.replace('[timing]', '[load]\nsources = ["cpu", "conntrack"]\nevery = "2s"\n[timing]');
  assert.deepEqual(parseSettings(text, 'f').load, {
    ...{
      sources: ['cpu', 'conntrack'],
      everyMs: 2000,
      connections: 0,
      cpuPercent: 100,
      downlinkPercent: 100,
      linkMbit: 0,
      remotePercent: 100,
    },
    program: null,
  });
  assert.deepEqual(problems('sources = ["link", "program"]\nprogram = "/usr/bin/true"\nlink = 500'), []);
  assert.match(problems('every = "2s"')[0] ?? '', /load\.sources is missing/);
  assert.match(problems('sources = ["memory"]')[0] ?? '', /load\.sources is no source: "memory"/);
  assert.match(problems('sources = ["cpu", "cpu"]')[0] ?? '', /twice/);
  assert.match(problems('sources = ["program"]')[0] ?? '', /load\.sources names "program" without one/);
  assert.match(problems('sources = ["cpu"]\nprogram = "/x"')[0] ?? '', /load\.program is no source/);
  assert.match(problems('sources = ["cpu"]\nconntrack = 5\nlink = 1')[1] ?? '', /load\.link is no source/);
  assert.match(problems('sources = ["downlink"]\nremote = 20')[0] ?? '', /load\.remote is no source/);
  assert.deepEqual(problems('sources = ["downlink", "remote"]\ndownlink = 20\nremote = 20'), []);
  assert.match(problems('sources = ["downlink"]\ndownlink = 101')[0] ?? '', /load\.downlink is out of range/);
  assert.match(problems('sources = ["cpu"]\nevery = "10ms"')[0] ?? '', /load\.every is out of range/);
});

test('numbers from 0 to 1000, whatever comes', () => {
  assert.deepEqual(
    [
      permille(5, 10),
      permille(20, 10),
      permille(0, 10),
      permille(-1, 10),
      permille(1, 0),
      permille(1, Number.NaN),
    ],
    [500, 1000, 0, 0, 0, 0],
  );
  for (const [text, load] of [
    ...([
      ['0', 0],
      ['1000\n', 1000],
      [' 42 \n', 42],
      ['1001', null],
      ['-1', null],
      ['4.2', null],
      ['', null],
    ] as const),
    ...([
      ['42 43', null],
      ['ten', null],
      ['00042', null],
    ] as const),
  ])
    assert.equal(programLoad(text), load, JSON.stringify(text));
});

test('this machine: pressure as the kernel tells it, devices with their bytes', () => {
  const load = cpuLoad(100);
  assert.ok(load !== null && load >= 0 && load <= 1000);
  assert.ok((cpuLoad(1) ?? 0) >= load, 'a lower mark makes a higher load');
  const devices = deviceBytes();
  assert.equal(devices.size, readFileSync('/proc/net/dev', 'utf8').trim().split('\n').length - 2);
  assert.ok(devices.has('lo'));
});

test('the use of a link: of the busiest device, and nothing of one that tells nothing', () => {
  const use = new LinkUse(0);
  assert.equal(use.look(['lo'], 1_000_000, 1000), 0);
  assert.equal(use.look(['lo'], 0, 2000), null, 'the loopback has no speed');
  assert.equal(use.look(['none'], 10, 3000), null);
});

test('sources that a reload takes out: 0 is said again and again, until who was burdened is so no more', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const said: string[] = [];
  const load = parseSettings(EXAMPLE.replace('[timing]', '[load]\nsources = ["cpu"]\n[timing]'), 'f').load;
  const without = {
    ...{ cluster: 'c', host: 'h', clusterLinks: [], memberAddresses: [], services: [], conntrackd: null },
    ...{ leaseMs: 300, probes: 3, probeTimeoutMs: 17, stateDir: '/' },
  };
  assert.ok(load !== null);
  const sampler = new Sampler(
    { ...without, load },
    () => 0,
    (n, detail) => said.push(`${n} ${detail}`),
    {
      answers: true,
    },
  );
  sampler.start();
  sampler.start(without);
  assert.deepEqual(said, ['0 not measured']);
  sampler.start(without);
  t.mock.timers.tick(60_000);
  assert.equal(said.length, 13);
  sampler.stop();
  t.mock.timers.tick(60_000);
  assert.equal(said.length, 13);
});
