/**
 * `init` on a host in a namespace: what it finds is right, what it writes is taken by `check`, and nothing is replaced. And
 * `import keepalived` there, which takes from the host what the file does not say.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { parseSettings } from '../../src/daemon/config/settings.ts';
import { programArgs } from '../programs.ts';
import { must } from '../unit/cli-harness.ts';
import { Fixture } from './linux-fixture.ts';
import { needsRoot } from './netns.ts';

const skip = needsRoot();

/** A gateway as it may be today: one host, its addresses on both sides, and the default route. */
function today(t: TestContext): Fixture {
  const f = new Fixture();
  t.after(() => f.close());
  f.net.ip(f.gw, 'link', 'set', 'up0', 'up');
  f.net.ip(f.gw, 'addr', 'add', '10.77.2.1/24', 'dev', 'up0');
  f.net.ip(f.gw, 'route', 'add', 'default', 'via', '10.77.2.254');
  return f;
}

function init(f: Fixture, ...options: string[]): ReturnType<typeof cli> {
  return cli(f, 'init', '--dir', f.directory, ...options);
}

/** The command line inside the gateway. */
function cli(f: Fixture, ...options: string[]): { status: number | null; stdout: string; stderr: string } {
  const argv = ['netns', 'exec', f.gw, process.execPath, ...programArgs('src/cli/main.ts'), ...options];
  return spawnSync('/usr/sbin/ip', argv, { encoding: 'utf8', input: '', timeout: 30_000 });
}

/** Types what `init` says is next, on the admin's machine and here, but for what changes this machine's /etc. */
async function follow(f: Fixture, next: readonly string[]): Promise<void> {
  const admin = join(f.directory, 'admin');
  mkdirSync(admin);
  const before = process.cwd();
  process.chdir(admin);
  try {
    for (const command of next) {
      const [program, ...words] = command.split(' ');
      if (program !== 'portcullis' || ['uplink', 'check'].includes(words[0] ?? '')) continue;
      if (words[0] === 'cluster' && words[1] === 'add')
        copyFileSync(join(f.directory, 'host.key.pub'), join(admin, 'fw1.key.pub'));
      await must(
        words.filter((word) => word !== '--passphrase'),
        words[0] === 'host' ? ['yes'] : [],
      );
    }
  } finally {
    process.chdir(before);
  }
}

test('without a terminal all that is missing is named, with what was found, and status 2', { skip }, (t) => {
  const f = today(t);
  const out = `${f.directory}/portcullis.toml`;
  const { status, stderr } = init(f, '--out', out, '--host', 'fw1');
  assert.equal(status, 2, stderr);
  const expected = [
    '--cluster, --policy, --downlink (found: eth0), --listen (found: 10.77.1.11:7946), --downlink-address, ',
    '--uplink (found: up0), --uplink-address (found: 10.77.2.1/24), --next-hop (found: 10.77.2.254)',
  ];
  assert.ok(stderr.includes(`nobody to ask: ${expected.join('')}\n`), stderr);
  assert.match(stderr, /hint: give these options, or --yes to take what was found/);
  assert.equal(existsSync(out), false);
});

test('--yes takes what was found; the file is our reader’s, commented, whole and new; check runs, and the rest is told', {
  skip,
}, async (t) => {
  const f = today(t);
  const out = `${f.directory}/portcullis.toml`;
  const who = ['--cluster', 'dmz', '--host', 'fw1', '--policy', 'available', '--user', 'nobody'];
  const options = ['--yes', '--json', ...who];
  const made = init(f, '--out', out, ...options, '--downlink-address', '10.77.1.1/24', 'fd00:77:1:0::1/64');
  assert.equal(made.status, 0, made.stderr);
  const { written, findings, next } = JSON.parse(made.stdout) as {
    written: string;
    findings: { level: string; message: string }[];
    next: string[];
  };
  assert.equal(written, out);
  const text = readFileSync(out, 'utf8');
  const settings = parseSettings(text, out);
  const [service] = settings.services;
  assert.equal(service?.gateway.uplink.device, 'up0');
  assert.equal(service?.gateway.uplink.activation, 'admin');
  assert.deepEqual(service?.gateway.uplink.nextHops, ['10.77.2.254']);
  assert.deepEqual(
    service?.gateway.downlink.addresses.map(({ address }) => address),
    ['10.77.1.1', 'fd00:77:1::1'],
  );
  assert.match(text, /^# Who may take over; the same on all hosts\./m);
  assert.match(text, /^# interval = "200ms" /m);
  assert.equal(statSync(out).mode & 0o777, 0o644);
  const messages = findings.map(({ level, message }) => `${level} ${message}`).join('\n');
  assert.match(messages, /error .*host\.key: no such file/);
  // The host is looked at although key and roster are not there yet.
  assert.match(messages, /warning service firewall: the roving address 10\.77\.2\.1 is on this host/);
  assert.match(messages, /warning service firewall: the uplink up0 is up/);
  await follow(f, next);
  const checked = cli(f, 'check', '--config', out);
  assert.equal(checked.status, 0, checked.stderr);
  const before = readFileSync(out);
  const again = init(f, '--out', out, ...options, '--downlink-address', '10.77.1.1/24');
  assert.equal(again.status, 1);
  assert.match(again.stderr, /there is such a file already/);
  assert.deepEqual(readFileSync(out), before);
});

test('a wrong option is named as what it is: there is no file that could have a line', { skip }, (t) => {
  const f = today(t);
  const out = `${f.directory}/portcullis.toml`;
  const right = ['--out', out, '--yes', '--cluster', 'dmz', '--host', 'fw1', '--policy', 'available'];
  const addresses = ['--downlink-address', '10.77.1.1/24', '--uplink-address', '10.77.2.1/24'];
  for (const [wrong, said] of [
    [['--activation', 'maybe'], /error: --activation: is unknown: "maybe"\n.*hint: write one of/],
    [['--activation', 'module'], /error: --activation: card is missing: .*module is missing: .*\n.*hint: /],
    [['--user', 'a b'], /error: --user: is no name: "a b"\n/],
    [
      ['--uplink-address', '10.77.1.1/24'],
      /error: --uplink-address: names 10\.77\.1\.1, which is used already\n/,
    ],
    [['--rules', 'x\ny'], /error: --rules: /],
  ] as const) {
    const { status, stderr } = init(f, ...right, ...addresses, ...wrong);
    assert.equal(status, 2, stderr);
    assert.match(stderr, said);
    assert.ok(!stderr.includes(out), stderr);
    assert.equal(existsSync(out), false);
  }
});

test('import keepalived on the host itself: lengths, own address, uplink, strategy and next hop are the host’s', {
  skip,
}, (t) => {
  const f = today(t);
  const file = join(f.directory, 'keepalived.conf');
  const single = 'virtual_ipaddress {\n 10.77.1.1 dev eth0\n 10.77.2.1 dev up0\n }';
  writeFileSync(file, `vrrp_instance gate {\n interface eth0\n priority 130\n nopreempt\n ${single}\n}\n`);
  const out = join(f.directory, 'portcullis.toml');
  const { status, stdout, stderr } = cli(f, 'import', 'keepalived', file, '--host', 'fw1', '--out', out);
  assert.equal(status, 0, stderr);
  assert.doesNotMatch(stderr, /to fill in/);
  const settings = parseSettings(readFileSync(out, 'utf8'), out);
  const gateway = settings.services[0]?.gateway;
  assert.deepEqual(
    gateway?.downlink.addresses.map((a) => `${a.address}/${a.prefixLength}`),
    ['10.77.1.1/24'],
  );
  assert.deepEqual(
    gateway?.uplink.addresses.map((a) => `${a.address}/${a.prefixLength}`),
    ['10.77.2.1/24'],
  );
  assert.deepEqual([gateway?.uplink.device, gateway?.uplink.activation], ['up0', 'admin']);
  assert.deepEqual(gateway?.uplink.nextHops, ['10.77.2.254']);
  assert.equal(settings.links[0]?.listen.ip, '10.77.1.11');
  assert.match(stdout, /cluster add fw1 .*--address 10\.77\.1\.11:7946 --priority 130/);
  assert.match(
    readFileSync(out, 'utf8'),
    /# up0 is taken for the uplink: this host’s default route leaves there\./,
  );
});
