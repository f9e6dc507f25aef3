/**
 * `[conntrackd]` and the file that `portcullis conntrackd` makes of it. That the real conntrackd takes the file and does
 * what it is for is for netns/linux-conntrackd and the lab to show.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { findings } from '../../src/cli/check.ts';
import { run } from '../../src/cli/main.ts';
import { actuatorConfig } from '../../src/daemon/config/actuator-config.ts';
import { readSettings } from '../../src/daemon/config/read-settings.ts';
import type { ActuatorConfig } from '../../src/linux/config.ts';
import { portFilter } from '../../src/linux/portfilter.ts';
import { portRules } from '../../src/linux/ruletext.ts';
import { exampleText, type HostOptions, makeCluster, RecordedIo, temporaryDir } from './cluster-files.ts';

const TWO: readonly HostOptions[] = [
  { name: 'fw1', addresses: '10.77.1.11:7946,[fd00:77:3::11]:7946' },
  { name: 'fw2', addresses: '10.77.1.12:7946,[fd00:77:3::12]:7946' },
  { name: 'wit', addresses: '10.77.9.40:7946,[fd00:77:9::40]:7946', role: 'witness' },
];

/** A configuration with these lines for a section, and a second link. */
async function made(t: TestContext, section: string, hosts = TWO): Promise<{ config: string; dir: string }> {
  const dir = temporaryDir(t);
  const { config } = await makeCluster(dir, hosts);
  const second = `[[link]]\nname = "sync"\ndevice = "eth2"\nlisten = "[fd00:77:3::11]:7946"\n`;
  writeFileSync(config, exampleText(dir).replace('[[service]]', `${second}\n${section}\n[[service]]`));
  return { config, dir };
}

async function cli(...args: string[]): Promise<{ status: number; io: RecordedIo }> {
  const io = new RecordedIo();
  return { status: await run(args, io), io };
}

const inOrder = (...lines: string[]): RegExp =>
  new RegExp(lines.map((line) => `\\s${line}\\n`).join('[\\s\\S]*'));

test('two gateways: FTFW between their addresses of the link, without what begins or ends on the hosts', async (t) => {
  const { config } = await made(t, '[conntrackd]');
  const { status, io } = await cli('conntrackd', '--config', config);
  assert.equal(status, 0, io.stderr);
  assert.match(
    io.stdout,
    inOrder('Mode FTFW \\{', 'UDP \\{', 'IPv4_address 10.77.1.11', 'IPv4_Destination_Address 10.77.1.12'),
  );
  assert.match(io.stdout, inOrder('Port 3780', 'Interface eth0'));
  assert.match(io.stdout, inOrder('LockFile /run/portcullis-conntrackd/conntrackd.lock'));
  const ignored = /Address Ignore \{([^}]*)\}/.exec(io.stdout)?.[1] ?? '';
  for (const own of ['127.0.0.0/8', '::1', '10.77.1.11', '10.77.1.12', 'fd00:77:3::12', '10.77.9.40'])
    assert.ok(ignored.includes(` ${own}\n`), own);
  assert.ok(!ignored.includes('10.77.1.1\n') && !ignored.includes('10.77.2.1\n'), 'no roving address');
});

test('over a link of its own, by IPv6, with a port and a place of its own', async (t) => {
  const section = '[conntrackd]\nlink = "sync"\nport = 4000\ndirectory = "/run/x"\nconfig = "/etc/x.conf"';
  const { config, dir } = await made(t, section);
  const out = join(dir, 'conntrackd.conf');
  const { status, io } = await cli('conntrackd', '--config', config, '--out', out);
  assert.equal(status, 0, io.stderr);
  assert.equal(io.stdout, '');
  assert.match(
    readFileSync(out, 'utf8'),
    inOrder(
      'IPv6_address fd00:77:3::11',
      'IPv6_Destination_Address fd00:77:3::12',
      'Port 4000',
      'Interface eth2',
    ),
  );
});

test('three gateways: each hears all others, unacknowledged', async (t) => {
  const { config } = await made(t, '[conntrackd]', [
    ...TWO,
    { name: 'fw3', addresses: '10.77.1.13:7946,[fd00:77:3::13]:7946' },
  ]);
  const { io } = await cli('conntrackd', '--config', config);
  assert.match(
    io.stdout,
    inOrder(
      'Mode NOTRACK \\{',
      'Multicast \\{',
      'IPv4_address 225.0.0.50',
      'Group 3780',
      'IPv4_interface 10.77.1.11',
    ),
  );
});

test('what cannot be is refused with the key and the remedy', async (t) => {
  for (const [section, reason] of [
    ['', /no section \[conntrackd\]/],
    ['[conntrackd]\nlink = "x"', /conntrackd\.link names no \[\[link\]\]: "x"[\s\S]*downlink, sync/],
    ['[load]\nsources = ["conntrackd"]', /load\.sources names conntrackd, which is not configured/],
    ['[conntrackd]\nport = 7946', /conntrackd\.port is the cluster’s own/],
    ['[conntrackd]\nlimit = "10s"', /conntrackd\.limit is not less than service\.limits\.switch/],
    ['[conntrackd]\nlimits = "1s"', /conntrackd\.limits is no key that is known/],
  ] as const) {
    const { config } = await made(t, section);
    const { status, io } = await cli('conntrackd', '--config', config);
    assert.equal(status, 1, section);
    assert.match(io.stderr, reason);
  }
  const alone = await made(
    t,
    '[conntrackd]',
    TWO.filter(({ name }) => name !== 'fw2'),
  );
  assert.match((await cli('conntrackd', '--config', alone.config)).io.stderr, /roster has no other gateway/);
  const { config } = await made(t, '[conntrackd]');
  const { status, io } = await cli('conntrackd', '--config', config, '--out', '/no/such/place');
  assert.deepEqual([status, /ENOENT/.test(io.stderr)], [1, true]);
});

test('check says when the file is not there, or no longer what the members make of it', async (t) => {
  const dir = temporaryDir(t);
  const out = join(dir, 'conntrackd.conf');
  const { config } = await made(t, `[conntrackd]\nconfig = "${out}"`);
  const found = async (): Promise<string[]> =>
    (await findings(config, async () => [])).map(({ level, message }) => `${level} ${message}`);
  const about = async (): Promise<string[]> => (await found()).filter((line) => line.includes(out));
  assert.deepEqual(await about(), [`error ${out}: cannot be read (ENOENT)`]);
  await cli('conntrackd', '--config', config, '--out', out);
  assert.deepEqual(await about(), []);
  writeFileSync(out, `${readFileSync(out, 'utf8')}# changed\n`);
  assert.deepEqual(await about(), [`error ${out}: not what configuration and roster make of it`]);
  const alone = TWO.filter(({ name }) => name !== 'fw2');
  const lonely = (await made(t, `[conntrackd]\nconfig = "${out}"\n[load]\nsources = ["conntrackd"]`, alone))
    .config;
  const all = (await findings(lonely, async () => [])).map(({ level, message }) => `${level} ${message}`);
  assert.ok(all.includes(`error ${lonely}: conntrackd: the roster has no other gateway`), all.join());
});

test('its port is open whatever the rules are, and for members alone', async (t) => {
  const { config } = await made(t, '[conntrackd]\nlink = "sync"');
  const actuator: ActuatorConfig = actuatorConfig(readSettings(config), ['10.77.1.12', 'fd00:77:3::12']);
  assert.deepEqual(actuator.conntrackd, {
    ...{ config: '/etc/portcullis/conntrackd.conf', limitMs: 300, device: 'eth2', port: 3780 },
  });
  for (const family of [4, 6] as const) {
    const rules = portRules(actuator, family);
    assert.ok(rules.includes('INPUT -i eth2 -p udp -m udp --dport 3780 -j ACCEPT'));
    assert.ok(rules.includes('OUTPUT -o eth2 -p udp -m udp --dport 3780 -j ACCEPT'));
  }
  const filter = portFilter(actuator, []);
  const within = (chain: string): string =>
    filter.slice(filter.indexOf(`chain ${chain} {`)).split('\n}')[0] ?? '';
  const to = 'iifname "eth2" udp dport 3780';
  // Where forwarded datagrams come by nothing is dropped on its way to that port.
  assert.doesNotMatch(within('in'), /dport 3780.* drop/);
  assert.ok(within('in').includes(`${to} ip6 saddr @synced6 notrack`));
  assert.match(within('here'), /hook input/);
  assert.ok(within('here').includes(`${to} ip6 saddr != @synced6 counter name stranger drop`));
  assert.match(filter, /set synced6 \{\ntype ipv6_addr\nelements = \{ fd00:77:3::12 \}/);
});
