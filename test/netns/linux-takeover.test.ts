/** The other procedures in a namespace: uplink, service, rules, replaced programs, and the cleaning up after a killed predecessor. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import { Fixture, RULES } from './linux-fixture.ts';
import { needsRoot, until } from './netns.ts';

const skip = needsRoot();

test('the uplink: raised, tested by its next hop from no roving address, lowered', { skip }, async (t) => {
  const f = new Fixture();
  t.after(() => f.close());
  await f.start();
  assert.equal((await f.run('checkUplink')).verdict, 'refuted', 'it is down');
  assert.equal((await f.run('activateUplink')).verdict, 'confirmed');
  assert.equal((await f.run('checkUplink')).verdict, 'confirmed');
  assert.doesNotMatch(f.net.ip(f.server, 'neigh', 'show'), /10\.77\.2\.1 .*lladdr|fd00:77:2::1 .*lladdr/);
  assert.match(f.net.ip(f.gw, '-6', 'addr', 'show', 'dev', 'up0'), /fe80::/, 'link-local at once');
  assert.doesNotMatch(f.net.ip(f.gw, '-6', 'addr', 'show', 'dev', 'up0'), /tentative/);
  f.net.ip(f.server, 'addr', 'flush', 'dev', 'eth0');
  assert.equal((await f.run('checkUplink')).verdict, 'unknown', 'nobody has the next hop');
  assert.equal((await f.run('deactivateUplink')).verdict, 'confirmed');
  assert.doesNotMatch(f.net.ip(f.gw, 'link', 'show', 'up0'), /[<,]UP[,>]/);
});

test('a shared uplink is raised for the first service and lowered after the last', { skip }, async (t) => {
  const f = new Fixture();
  t.after(() => f.close());
  const config = f.config();
  const [one] = config.services;
  assert.ok(one);
  const at = (address: string) => [{ family: 4 as const, address, prefixLength: 24 }];
  const uplink = { ...one.uplink, addresses: at('10.77.2.2') };
  const downlink = { ...one.downlink, addresses: at('10.77.1.2') };
  await f.start({ ...config, services: [one, { ...one, name: 'second', downlink, uplink }] });
  const isUp = (): boolean => /[<,]UP[,>]/.test(f.net.ip(f.gw, 'link', 'show', 'up0'));
  await f.order({ run: 'activateUplink' });
  await f.order({ run: 'activateUplink', service: 'second' });
  await f.order({ run: 'deactivateUplink' });
  assert.equal(isUp(), true);
  await f.order({ run: 'deactivateUplink', service: 'second' });
  assert.equal(isUp(), false);
});

test('rules: the port stays first, nothing is forwarded on standby, a flush is noticed', {
  skip,
}, async (t) => {
  const f = new Fixture();
  t.after(() => f.close());
  await f.start();
  await f.serve({ gateMs: 1400, everyMs: 200 });
  const input = (): string[] =>
    f.net
      .exec(f.gw, '/usr/sbin/iptables', '-S', 'INPUT')
      .split('\n')
      .filter((l) => l.startsWith('-A'));
  assert.match(input()[0] ?? '', /-i eth0 -p udp -m udp --dport 7946 -j ACCEPT/);
  // An operator's own load pushes the port out; it must come back first. Stopped meanwhile: it may be quicker than our look.
  f.signal('SIGSTOP');
  f.net.feed(f.gw, RULES, '/usr/sbin/iptables-restore');
  assert.doesNotMatch(input().join('\n'), /7946/);
  f.signal('SIGCONT');
  assert.equal(await until(() => /--dport 7946/.test(input()[0] ?? ''), 5000), true);
  assert.equal((await f.run('checkServiceLocal')).verdict, 'confirmed', 'the operator loaded the same rules');
  f.net.exec(f.gw, '/usr/sbin/iptables', '-F');
  const local = await f.run('checkServiceLocal');
  assert.equal(local.verdict, 'refuted');
  assert.match(local.detail ?? '', /rules\.v4/);
  await f.run('deactivateService');
  assert.match(
    f.net.exec(f.gw, '/usr/sbin/iptables', '-S', 'FORWARD'),
    /-A FORWARD -j ACCEPT/,
    'loaded again',
  );
});

test('rules: a host on standby forwards nothing, whatever its rules; one without rules as it likes', {
  skip,
}, async (t) => {
  const f = new Fixture();
  t.after(() => f.close());
  // Another way through the host, which is no service's.
  f.net.join(f.gw, 'side0', f.server, 'side1');
  f.net.ip(f.gw, 'addr', 'add', '10.77.9.1/24', 'dev', 'side0');
  f.net.ip(f.server, 'addr', 'add', '10.77.9.2/24', 'dev', 'side1');
  f.net.ip(f.client, 'route', 'add', '10.77.9.0/24', 'via', '10.77.1.11');
  f.net.ip(f.server, 'route', 'replace', '10.77.1.0/24', 'via', '10.77.9.1');
  f.net.exec(f.gw, '/usr/sbin/sysctl', '-q', 'net.ipv4.ip_forward=1');
  const passes = (): boolean => f.pings(f.client, '10.77.9.2');
  assert.equal(passes(), true, 'before all this');
  await f.start();
  await f.run('deactivateService');
  assert.equal(passes(), false);
  await f.serve({ gateMs: null });
  assert.equal(passes(), true);
  // Somebody takes the leave away, or the tables; a look later it is back.
  f.net.exec(f.gw, '/usr/sbin/nft', 'flush', 'set', 'inet', 'portcullis_test', 'serving');
  assert.equal(await until(passes, 5000), true);
  f.net.exec(f.gw, '/usr/sbin/nft', 'delete', 'table', 'inet', 'portcullis_test');
  await f.order({ reconfigure: f.config({ memberAddresses: ['10.77.1.12', '10.77.1.13'] }) });
  assert.equal(await until(passes, 5000), true);
  await f.run('deactivateService');
  assert.equal(passes(), false);
  await f.order({
    reconfigure: f.config(
      {},
      { firewall: { rules: null, rules6: null, standbyRules: null, standbyRules6: null } },
    ),
  });
  assert.equal(passes(), true);
});

test('a broken rule file is refused before anything is loaded, also on a reload', { skip }, async (t) => {
  const f = new Fixture();
  t.after(() => f.close());
  await f.start();
  await f.serve({ gateMs: 1400, everyMs: 200 });
  const loaded = f.net.exec(f.gw, '/usr/sbin/iptables', '-S');
  writeFileSync(`${f.directory}/rules.v4`, RULES.replace('-j ACCEPT', '-j NO_SUCH_TARGET'));
  const said = await f.order({ reconfigure: f.config() });
  assert.match(said.error ?? '', /rules\.v4: iptables-restore refuses it/);
  assert.equal(f.net.exec(f.gw, '/usr/sbin/iptables', '-S'), loaded);
  assert.equal(f.pings(f.client, '10.77.2.254'), true, 'the service goes on');
});

test('a reload that changes other members only does not touch the service', { skip }, async (t) => {
  const f = new Fixture();
  t.after(() => f.close());
  await f.start();
  await f.serve({ gateMs: 1400, everyMs: 200 });
  const said = await f.order({ reconfigure: f.config({ memberAddresses: ['10.77.1.12', '10.77.1.13'] }) });
  assert.equal(said.error, null);
  // Longer than an address lives without being renewed.
  await new Promise((resolve) => setTimeout(resolve, 8000));
  assert.match(f.net.ip(f.gw, 'addr', 'show'), /10\.77\.1\.1\//);
  assert.equal((await f.run('checkServiceLocal')).verdict, 'confirmed');
});

test('reconfigurations that come at once follow each other, and the service goes on', { skip }, async (t) => {
  const f = new Fixture();
  t.after(() => f.close());
  await f.start();
  await f.serve({ gateMs: 1400, everyMs: 200 });
  const changed = (testMs: number) => {
    const { limits } = f.config().services[0] ?? assert.fail('no service');
    return f.config({}, { limits: { ...limits, testMs } });
  };
  const said = await Promise.all(
    [901, 902, 903, 904].map((testMs) => f.order({ reconfigure: changed(testMs) })),
  );
  for (const { error } of said) assert.equal(error, null);
  assert.match(f.net.ip(f.gw, 'addr', 'show'), /10\.77\.1\.1\//);
  assert.equal((await f.run('checkServiceLocal')).verdict, 'confirmed');
  assert.equal(f.pings(f.client, '10.77.2.254'), true);
});

test('replaced procedures: arguments, environment, exit status, limit, the whole group killed', {
  skip,
}, async (t) => {
  const f = new Fixture();
  t.after(() => f.close());
  const program = `${f.directory}/check`;
  // The program has no rights: it can write here and nowhere else. That `env` appears shows that `left` could.
  const open = `${f.directory}/open`;
  mkdirSync(open);
  chmodSync(open, 0o777);
  const left = `${open}/left`;
  const write = (body: string): void => {
    writeFileSync(program, `#!/bin/sh\n${body}\n`);
    chmodSync(program, 0o755);
  };
  write(`echo "$1 $2"; env > ${open}/env; exit 0`);
  await f.start(
    f.config({}, { procedures: { checkServiceLocal: program }, limits: { testMs: 700, switchMs: 5000 } }),
  );
  const good = await f.run('checkServiceLocal');
  assert.deepEqual([good.verdict, good.detail], ['confirmed', 'checkServiceLocal firewall']);
  const env = readFileSync(`${open}/env`, 'utf8').split('\n');
  assert.ok(env.includes('PORTCULLIS_UPLINK_ADDRESSES=10.77.2.1/24 fd00:77:2::1/64'));
  const allowed = /^(PORTCULLIS_[A-Z0-9_]+|PATH|LC_ALL|PWD|OLDPWD|SHLVL|_)=|^$/;
  assert.deepEqual(
    env.filter((line) => !allowed.test(line)),
    [],
    'nothing of ours leaks',
  );
  write('exit 3');
  assert.match((await f.run('checkServiceLocal')).detail ?? '', /exit status 3/);
  write('yes | head -c 100000');
  assert.ok(((await f.run('checkServiceLocal')).detail ?? '').length <= 4096);
  write(`(sleep 2; touch ${left}) & sleep 30`);
  const late = await f.run('checkServiceLocal');
  assert.equal(late.verdict, 'unknown');
  assert.match(late.detail ?? '', /killed after 700 ms/);
  await new Promise((resolve) => setTimeout(resolve, 2500));
  assert.equal(existsSync(left), false, 'what it started must be dead too');
  chmodSync(program, 0o777);
  assert.match((await f.run('checkServiceLocal')).detail ?? '', /others may write it/);
});

test('a successor cleans up after a killed predecessor', { skip }, async (t) => {
  const f = new Fixture();
  t.after(() => f.close());
  const first = await f.start(f.config({ leaseMs: 30_000 }));
  await f.serve({ gateMs: 29_000, everyMs: 500 });
  assert.equal(await until(() => f.pings(f.client, '10.77.2.254'), 5000), true);
  first.kill('SIGKILL');
  await new Promise((resolve) => first.once('exit', resolve));
  assert.equal(f.pings(f.client, '10.77.2.254'), true, 'its long lease still runs');
  await f.start();
  assert.equal(f.pings(f.client, '10.77.2.254'), false, 'shut by the start of the next');
  assert.equal((await f.run('deactivateService')).verdict, 'confirmed');
  assert.equal((await f.run('deactivateUplink')).verdict, 'confirmed');
  assert.doesNotMatch(f.net.ip(f.gw, 'addr', 'show'), /10\.77\.1\.1\/|10\.77\.2\.1\//);
});
