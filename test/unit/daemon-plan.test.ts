/** Configuration against the roster, the digest, and what a reload would change. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { type Config, remarks } from '../../src/daemon/config/config.ts';
import { ConfigError, describeProblem } from '../../src/daemon/config/problems.ts';
import { loadConfig } from '../../src/daemon/config/read.ts';
import { describeChange, planReload } from '../../src/daemon/plan.ts';
import { exampleText, type HostOptions, makeCluster, TWO_HOSTS, temporaryDir } from './cluster-files.ts';

interface Made {
  /** Loads the configuration after that was done to its text. */
  load(from?: string | RegExp, to?: string): Config;
  readonly dir: string;
}

async function made(t: TestContext, hosts: readonly HostOptions[] = TWO_HOSTS): Promise<Made> {
  const dir = temporaryDir(t);
  const { config: file } = await makeCluster(dir, hosts);
  const original = readFileSync(file, 'utf8');
  return {
    dir,
    load: (from = /$^/, to = '') => {
      const text = original.replace(from, to);
      assert.ok(from.toString() === '/$^/' || text !== original, `${from} does nothing`);
      writeFileSync(file, text);
      return loadConfig(file).config;
    },
  };
}

function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(describeProblem).join('\n');
    throw error;
  }
  return '';
}

test('file and roster together give core, Linux side and sockets their configuration', async (t) => {
  const { load } = await made(t);
  const config = load();
  assert.deepEqual(
    config.core.membership.members.map((member) => member.name),
    ['fw1', 'fw2'],
  );
  assert.equal(config.core.services[0]?.downlinkLink, 1);
  assert.equal(config.core.services[0]?.preparesEarly, true);
  const early = (program: string): boolean | undefined =>
    load('[service.procedures]', `$&\n${program} = "/bin/true"`).core.services[0]?.preparesEarly;
  assert.equal(early('activateService'), false, 'a program waits for the conflict window (R11)');
  assert.equal(early('checkServiceLocal'), true);
  assert.deepEqual(config.actuator.memberAddresses, ['10.77.1.12']);
  assert.deepEqual(config.actuator.clusterLinks, [{ device: 'eth0', address: '10.77.1.11', port: 7946 }]);
  assert.deepEqual(config.uplinks.get('firewall'), { device: 'up0', ownAddress: null, port: 7946 });
});

test('what does not fit the roster is refused with line and remedy', async (t) => {
  const { load, dir } = await made(t);
  assert.match(
    refusal(() => load('"dmz"', '"lan"')),
    /:1: cluster is "lan"/,
  );
  assert.match(
    refusal(() => load('"fw1"', '"fw9"')),
    /:2: host is not in the roster/,
  );
  assert.match(
    refusal(() => load('10.77.1.11:7946', '10.77.1.99:7946')),
    /:16: link\.listen is none of/,
  );
  assert.match(
    refusal(() => load('10.77.1.1/24', '10.77.1.12/24')),
    /names 10\.77\.1\.12, fw2’s own address/,
  );
  assert.match(
    refusal(() => load('fw1.key', 'fw2.key')),
    /:3: key: .*not the key that the roster has for fw1/,
  );
  assert.match(
    refusal(() => load('admin.key.pub', 'fw2.key.pub')),
    /:6: roster: /,
  );
  writeFileSync(join(dir, 'roster.cose'), 'rubbish');
  assert.match(
    refusal(() => load()),
    /:6: roster: .*roster\.cose/,
  );
});

test('P54: a newer roster under state is taken, a torn or altered one is refused with the remedy', async (t) => {
  const { load, dir } = await made(t);
  const file = join(dir, 'portcullis.toml');
  const before = load().roster.version;
  const { mkdirSync, copyFileSync } = await import('node:fs');
  mkdirSync(join(dir, 'state'));
  copyFileSync(join(dir, 'roster.cose'), join(dir, 'state', 'roster.cose'));
  const older = readFileSync(join(dir, 'roster.cose'));
  await makeOneMore(dir);
  copyFileSync(join(dir, 'roster.cose'), join(dir, 'state', 'roster.cose'));
  writeFileSync(join(dir, 'roster.cose'), older);
  assert.equal(loadConfig(file).config.roster.version, before + 1);
  writeFileSync(join(dir, 'state', 'roster.cose'), older.subarray(0, 50));
  assert.throws(() => loadConfig(file), /state\/roster\.cose: version 1: not a whole signed version/);
  const altered = readFileSync(join(dir, 'admin.key.pub')); // anything
  writeFileSync(join(dir, 'state', 'roster.cose'), altered);
  assert.throws(
    () => loadConfig(file),
    (error: ConfigError) => /cluster push/.test(error.problems[0]?.remedy ?? ''),
  );
});

test('the digest tells what must be equal on all hosts, and nothing else', async (t) => {
  const { load } = await made(t);
  const digest = (from?: string | RegExp, to?: string) => load(from, to).core.services[0]?.digest;
  const own = digest();
  assert.match(own ?? '', /^[0-9a-f]{64}$/);
  const differing = [
    ['"available"', '"quorum"'],
    ['"200ms"', '"201ms"'],
    ['"200ms"', '"200ms"\nlease = "301ms"'],
    ['"200ms"', '"200ms"\nmax_drift = 0.11'],
    ['10.77.1.1/24', '10.77.1.2/24'],
    ['10.77.2.1/24', '10.77.2.1/25'],
  ] as const;
  const seen = new Set([
    own,
    ...differing.map(([from, to]) => digest(from, to.replace('10.77.2.1/25', '10.77.2.1/16'))),
  ]);
  assert.equal(seen.size, differing.length + 1, 'each of these differs');
  assert.equal(digest('device     = "up0"', 'device = "up7"'), own);
  assert.equal(digest('"200ms"', '"200ms"\nstall = "21ms"\nlease = "300ms"'), own);
});

test('two gateways under quorum without a witness are a remark that fails the check; a witness mends it', async (t) => {
  const two = await made(t);
  assert.deepEqual(
    remarks(two.load('"available"', '"quorum"')).map((remark) => remark.fails),
    [true],
  );
  const three = await made(t, [...TWO_HOSTS, { name: 'w', addresses: '10.77.1.13:7946', role: 'witness' }]);
  assert.deepEqual(
    remarks(three.load('"available"', '"quorum"')).map((remark) => remark.fails),
    [],
  );
});

test('feedback without a load, and conntrackd for services that three gateways share, are remarks', async (t) => {
  const texts = (config: Parameters<typeof remarks>[0]): string[] =>
    remarks(config).map(({ fails, text }) => `${fails} ${text}`);
  const two = await made(t);
  const feedback = 'policy = "available"\nfeedback = { high = 500, low = 300 }';
  assert.match(texts(two.load('policy = "available"', feedback))[0] ?? '', /^false .*never burdened/);
  assert.deepEqual(texts(two.load('[timing]', '[load]\nsources = ["cpu"]\n[timing]')), []);
  const three = await made(t, [...TWO_HOSTS, { name: 'fw3', addresses: '10.77.1.13:7946' }]);
  const synced = '[conntrackd]\n[timing]';
  assert.deepEqual(texts(three.load('[timing]', synced)), []);
  const text = exampleText(three.dir);
  const second = text
    .slice(text.indexOf('[[service]]'))
    .replace('"firewall"', '"other"')
    .replace('10.77.1.1/24', '10.77.1.2/24')
    .replace('10.77.2.1/24', '10.77.2.2/24');
  const several = three.load('[[service]]', `[conntrackd]\n${second}[[service]]`);
  assert.match(texts(several)[0] ?? '', /^false conntrackd with 3 gateways/);
});

test('a witness votes for the services and has nothing to do for them in the kernel', async (t) => {
  const hosts = [{ name: 'fw1', addresses: '10.77.1.11:7946', role: 'witness' }, ...TWO_HOSTS.slice(1)];
  const config = (await made(t, hosts)).load();
  assert.equal(config.core.services.length, 1);
  assert.deepEqual(config.actuator.services, []);
  assert.equal(config.uplinks.size, 0);
});

test('what a witness makes no use of is a remark; what all hosts must have the same is none', async (t) => {
  const hosts = [{ name: 'fw1', addresses: '10.77.1.11:7946', role: 'witness' }, ...TWO_HOSTS.slice(1)];
  const { load } = await made(t, hosts);
  const told = (config: Config): string[] =>
    remarks(config).flatMap(({ text, fails }) => (text.includes('witness') ? [`${fails} ${text}`] : []));
  const whole = load('[timing]', '[conntrackd]\n[load]\nsources = ["cpu"]\n[timing]');
  assert.deepEqual(told(whole), [
    'false this host is a witness and makes no use of [load], [conntrackd], service firewall’s devices, rule files',
  ]);
  const { settings } = load();
  const bare = readFileSync(settings.file, 'utf8')
    .replace(/^(device|activation) .*\n/gm, (line, _key, at: number, text: string) =>
      text.slice(0, at).includes('[[service]]') ? '' : line,
    )
    .replace(/\[service\.firewall\][^[]*/, '');
  assert.deepEqual(told(load(/[\s\S]*/, bare)), []);
});

test('reload: nothing changed is no change', async (t) => {
  const { load } = await made(t);
  assert.deepEqual(planReload(load(), load()), { changes: [], refused: [] });
});

test('reload: a change is planned by name, old and new value', async (t) => {
  const { load } = await made(t);
  const plan = planReload(load(), load('10.77.2.254', '10.77.2.253'));
  assert.deepEqual(plan.refused, []);
  assert.deepEqual(plan.changes.map(describeChange), [
    'service firewall: uplink.nextHops: ["10.77.2.254"] becomes ["10.77.2.253"]',
  ]);
});

test('reload: what a running process cannot change is refused with the reason', async (t) => {
  const { load, dir } = await made(t);
  const before = load();
  const changes = [
    ['"200ms"', '"250ms"', /timing\.intervalMs .*timing\.leaseMs/],
    ['control.sock', 'other.sock', /control cannot change/],
    [`${dir}/state`, `${dir}/state2`, /state cannot change/],
    ['"available"', '"quorum"', /policy cannot change/],
    ['name   = "downlink"', 'name = "lan"', /links cannot change/],
  ] as const;
  for (const [from, to, reason] of changes) {
    assert.match(planReload(before, load(from, to)).refused.join(' '), reason, to);
  }
});

test('reload: a service that comes or goes is planned, its policy included', async (t) => {
  const { load, dir } = await made(t);
  const second = `[[service]]
name = "second"
policy = "available"
downlink = { device = "eth0", addresses = ["10.78.1.1/24"] }
uplink = { device = "up1", activation = "admin", addresses = ["10.78.2.1/24"], next_hop = "10.78.2.254" }
firewall = { rules = "${dir}/rules.v4" }
`;
  const one = load();
  const two = load(/\[\[service\]\]/, `${second}[[service]]`);
  const coming = planReload(one, two);
  assert.deepEqual(coming.refused, []);
  assert.ok(
    coming.changes.every((change) => change.what.startsWith('service second: ') && change.from === null),
  );
  assert.deepEqual(planReload(two, one).refused, []);
});

/** One more host in the cluster’s roster. */
async function makeOneMore(dir: string): Promise<void> {
  const { run } = await import('../../src/cli/main.ts');
  const { RecordedIo } = await import('./cluster-files.ts');
  const io = new RecordedIo();
  await run(['key', 'generate', '--out', join(dir, 'fw3.key')], io);
  const args = ['--roster', join(dir, 'roster.cose'), '--admin-key', join(dir, 'admin.key')];
  const add = [
    'cluster',
    'add',
    'fw3',
    ...args,
    '--key',
    join(dir, 'fw3.key.pub'),
    '--address',
    '10.77.1.14:7946',
  ];
  assert.equal(await run(add, io), 0, io.stderr);
}

test('a group is one service of the core, with one digest of all its members; it does not change while it runs', async (t) => {
  const { load } = await made(t);
  const one = load();
  const [block = ''] = /\[\[service\]\][\s\S]*$/.exec(readFileSync(one.settings.file, 'utf8')) ?? [];
  const second = (line: string, address = '10.77.1.2/24'): string =>
    block
      .replace('"firewall"', `"web"\n${line}`)
      .replaceAll('10.77.1.1/24', address)
      .replaceAll('10.77.2.1/24', '10.77.2.2/24');
  const with2 = (text: string): Config => load(/$(?![\s\S])/, text);
  const apart = with2(second(''));
  assert.deepEqual(
    apart.core.services.map(({ name }) => name),
    ['firewall', 'web'],
  );
  const grouped = with2(second('together = ["firewall"]'));
  assert.deepEqual(
    grouped.core.services.map(({ name }) => name),
    ['firewall'],
  );
  assert.equal(grouped.actuator.services.length, 2, 'the Linux side knows each');
  assert.notEqual(grouped.core.services[0]?.digest, one.core.services[0]?.digest);
  const other = with2(second('together = ["firewall"]', '10.77.1.3/24'));
  assert.notEqual(other.core.services[0]?.digest, grouped.core.services[0]?.digest);
  const reordered = load('[[service]]', `${second('together = ["firewall"]')}[[service]]`);
  assert.equal(reordered.settings.services[0]?.gateway.name, 'web');
  assert.deepEqual(reordered.core, grouped.core, 'whatever the order in the file');
  assert.deepEqual(planReload(grouped, reordered).refused, []);
  assert.match(planReload(apart, grouped).refused.join('; '), /service firewall: who stands together/);
  assert.match(planReload(one, grouped).refused.join('; '), /service firewall: who stands together/);
  assert.deepEqual(planReload(one, apart).refused, [], 'a service that comes touches none that is there');
  assert.deepEqual(planReload(apart, one).refused, []);
});
