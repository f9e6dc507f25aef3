/**
 * fence makes a serving host harmless without its daemon; inspect finds what would break a takeover.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import test from 'node:test';
import type { ActuatorConfig } from '../../src/linux/config.ts';
import type { FenceReport } from '../../src/linux/fence.ts';
import type { Finding } from '../../src/linux/inspect.ts';
import { programArgs } from '../programs.ts';
import { Fixture } from './linux-fixture.ts';
import { needsRoot, until } from './netns.ts';

const skip = needsRoot();

function call(f: Fixture, what: 'fence' | 'inspect', config: ActuatorConfig): unknown {
  const argv = [...programArgs('test/netns/linux-runner.ts'), what, JSON.stringify(config)];
  return JSON.parse(f.net.exec(f.gw, process.execPath, ...argv));
}

test('fence: gate shut, addresses gone, nothing forwarded, uplink down; twice does no harm', {
  skip,
}, async (t) => {
  const f = new Fixture();
  t.after(() => f.close());
  const daemon = await f.start(f.config({ leaseMs: 60_000 }));
  await f.serve({ gateMs: 59_000 });
  assert.equal(await until(() => f.pings(f.client, '10.77.2.254'), 5000), true);
  daemon.kill('SIGKILL');
  for (let i = 0; i < 2; i++) {
    const report = call(f, 'fence', f.config()) as FenceReport;
    assert.equal(report.ok, true, JSON.stringify(report.steps));
    assert.equal(f.pings(f.client, '10.77.1.1'), false);
    assert.doesNotMatch(f.net.ip(f.gw, 'addr', 'show'), /10\.77\.1\.1\/|fd00:77:1::1\//);
    assert.doesNotMatch(f.net.ip(f.gw, 'link', 'show', 'up0'), /[<,]UP[,>]/);
    assert.match(f.net.exec(f.gw, '/usr/sbin/iptables', '-S', 'FORWARD'), /-P FORWARD DROP/);
  }
});

test('fence: a broken rule file is named, and all else is done', { skip }, async (t) => {
  const f = new Fixture();
  t.after(() => f.close());
  await f.start();
  await f.serve({ gateMs: null });
  writeFileSync(`${f.directory}/rules.v4`, '*filter\nnonsense\n');
  const report = call(f, 'fence', f.config()) as FenceReport;
  assert.equal(report.ok, false);
  const bad = report.steps.filter((s) => !s.ok).map((s) => s.step);
  assert.ok(bad.includes('rules'));
  assert.doesNotMatch(f.net.ip(f.gw, 'addr', 'show'), /10\.77\.1\.1\//);
  assert.doesNotMatch(f.net.ip(f.gw, 'link', 'show', 'up0'), /[<,]UP[,>]/);
});

test('fence with a configuration that nobody can read: the kernel’s own tables tell what to take away', {
  skip,
}, async (t) => {
  const f = new Fixture();
  t.after(() => f.close());
  const broken = `${f.directory}/broken.toml`;
  writeFileSync(broken, 'cluster = "test\n');
  const fence = (file: string) => {
    const words = ['fence', '--config', file, '--json'];
    const argv = ['netns', 'exec', f.gw, process.execPath, ...programArgs('src/cli/main.ts'), ...words];
    const { status, stdout, stderr } = spawnSync('ip', argv, { encoding: 'utf8', timeout: 30_000 });
    return { status, report: JSON.parse(stdout) as FenceReport & { by: string }, stderr };
  };
  const empty = fence(broken);
  assert.equal(empty.status, 1);
  assert.match(empty.stderr, /broken\.toml:1: .*\n.*hint: [\s\S]*hint: as root: ip addr del/);
  assert.deepEqual(
    empty.report.steps.map(({ step, ok }) => [step, ok]),
    [['gate', false]],
  );
  // The host's own address comes second in its subnet, and must stay.
  f.net.ip(f.gw, 'addr', 'del', '10.77.1.11/24', 'dev', 'eth0');
  const daemon = await f.start(f.config({ leaseMs: 60_000 }));
  await f.serve({ gateMs: 59_000 });
  f.net.ip(f.gw, 'addr', 'add', '10.77.1.11/24', 'dev', 'eth0');
  assert.equal(await until(() => f.pings(f.client, '10.77.2.254'), 5000), true);
  daemon.kill('SIGKILL');
  for (const file of [broken, `${f.directory}/none.toml`]) {
    const { status, report, stderr } = fence(file);
    assert.equal(status, 0, stderr);
    assert.equal(report.by, 'kernel');
    assert.equal(report.ok, true, JSON.stringify(report.steps));
    assert.equal(f.pings(f.client, '10.77.1.1'), false);
    const shown = f.net.ip(f.gw, 'addr', 'show');
    assert.doesNotMatch(shown, /10\.77\.[12]\.1\/|fd00:77:[12]::1\//);
    assert.match(shown, /10\.77\.1\.11\//);
    assert.doesNotMatch(f.net.ip(f.gw, 'link', 'show', 'up0'), /[<,]UP[,>]/);
    assert.doesNotMatch(f.net.exec(f.gw, '/usr/sbin/nft', 'list', 'ruleset'), /elements = .*expires/);
  }
});

test('inspect: a sound host has no errors; each fault is named with a remedy', { skip }, (t) => {
  const f = new Fixture();
  t.after(() => f.close());
  const errors = (config: ActuatorConfig): Finding[] =>
    (call(f, 'inspect', config) as Finding[]).filter((x) => x.level === 'error');
  assert.deepEqual(errors(f.config()), []);
  const [service] = f.config().services;
  assert.ok(service);
  const absent = errors(f.config({}, { uplink: { ...service.uplink, device: 'nosuch0' } }));
  assert.match(absent[0]?.message ?? '', /uplink device nosuch0 does not exist/);
  const module = errors(f.config({}, { uplink: { ...service.uplink, activation: 'module' } }));
  assert.match(module[0]?.message ?? '', /"module" needs to know card and module/);
  const card = { bus: 'pci', address: '0000:7f:1f.7' };
  const withCard = errors(
    f.config({}, { uplink: { ...service.uplink, activation: 'module', card, module: 'nosuch_module' } }),
  );
  const told = withCard.map((x) => x.message).join('\n');
  assert.match(told, /activation "module" cannot be used: up0 has no card of its own/);
  assert.match(told, /there is no card pci\/0000:7f:1f\.7/);
  assert.match(told, /modprobe finds no module nosuch_module/);
  const program = errors(f.config({}, { procedures: { checkUplink: '/nosuch/program' } }));
  assert.match(program[0]?.message ?? '', /checkUplink: \/nosuch\/program/);
  writeFileSync(`${f.directory}/rules.v4`, '*filter\n-A INPUT -j NO_SUCH\nCOMMIT\n');
  const rules = errors(f.config());
  assert.match(rules[0]?.message ?? '', /rules\.v4: iptables-restore refuses it/);
  for (const finding of [...absent, ...module, ...program, ...rules]) assert.notEqual(finding.hint, '');
  f.net.ip(f.gw, 'addr', 'add', '10.77.1.1/24', 'dev', 'eth0');
  const all = call(f, 'inspect', f.config()) as Finding[];
  assert.ok(all.some((x) => x.message.includes('roving address 10.77.1.1 is on this host')));
});
