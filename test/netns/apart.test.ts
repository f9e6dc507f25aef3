/**
 * The two processes in the kernel: who has which rights, what garbage leads to, and that a host whose network process is
 * dead, silent or mad is harmless.
 */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { actuatorConfig, settingsHash } from '../../src/daemon/config/actuator-config.ts';
import { readSettings } from '../../src/daemon/config/read-settings.ts';
import { rawNowMs } from '../../src/linux/libc.ts';
import { programArgs } from '../programs.ts';
import { Host, MAIN, Network, OWN_ID, statusOf } from './actuator-fixture.ts';
import { needsRoot, until } from './netns.ts';

const skip = needsRoot();
const NOTHING = '0000000000000000';
/** CAP_NET_ADMIN (12) and CAP_NET_RAW (13), capabilities(7). */
const NET = '0000000000003000';

async function statusAtEnd(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode;
}

async function assertHarmless(host: Host): Promise<void> {
  assert.ok(
    await until(() => !host.isUp() && !host.hasRoving(), 20_000),
    host.net.ip(host.gw, 'addr') + host.output,
  );
  assert.deepEqual(host.openings(), []);
}

test('as a user of its own, with two capabilities and no more, the actuator does all that a takeover needs', {
  skip,
}, async (t) => {
  const host = new Host(t);
  const actuator = await host.start(true);
  const status = statusOf(actuator.pid ?? 0);
  for (const set of ['CapEff', 'CapPrm', 'CapInh', 'CapAmb', 'CapBnd']) assert.equal(status[set], NET, set);
  assert.equal(status.Uid?.split('\t')[0], String(OWN_ID));
  const network = await Network.join(host);
  await network.serve();
  assert.ok(host.hasRoving());
  for (const procedure of ['checkServiceLocal', 'checkUplink', 'announceTakeoverDownlink'] as const)
    assert.equal((await network.run(procedure)).verdict, 'confirmed', procedure);
  // The client answers when its own link-local address is one, which takes a second or two.
  const isConfirmed = async (): Promise<boolean> =>
    (await network.run('checkDownlink')).verdict === 'confirmed';
  assert.ok(await until(isConfirmed, 20_000), 'checkDownlink');
  assert.ok(host.openings().includes('lease_firewall'));
  network.tire();
  assert.equal(await network.gate(null), null);
  for (const procedure of ['deactivateService', 'deactivateUplink'] as const)
    assert.equal((await network.run(procedure)).verdict, 'confirmed', procedure);
  await assertHarmless(host);
  network.close();
  actuator.kill('SIGTERM');
  assert.equal(await statusAtEnd(actuator), 0, host.output);
});

test('garbage of any kind, while it serves: the host is made harmless, and the actuator ends with 76', {
  skip,
}, async (t) => {
  const host = new Host(t);
  for (const garbage of [
    'GET / HTTP/1.1\r\n\r\n',
    '1 gate 0 99999999\n\0',
    `${'9'.repeat(100)}\n`,
    '999999 activateUplink 99 1\n',
    '999999 activateUplink 0 1; id\n',
    '1 beat 0 1\n', // a number that was used
    '999999 begin 1 0\n', // begun twice
    '999999 member 300.0.0.1\n',
  ]) {
    const actuator = await host.start();
    host.output = '';
    const network = await Network.join(host);
    await network.serve();
    network.tire();
    network.stream.write(garbage);
    assert.equal(await statusAtEnd(actuator), 76, `${JSON.stringify(garbage)}: ${host.output}`);
    await assertHarmless(host);
    network.close();
  }
});

test('who read its lines is gone: the actuator serves as ever, and stops in good order', {
  skip,
}, async (t) => {
  const host = new Host(t);
  const actuator = await host.start();
  actuator.stdout?.destroy();
  const network = await Network.join(host);
  await network.serve();
  network.close();
  actuator.kill('SIGTERM');
  assert.equal(await statusAtEnd(actuator), 0);
  await assertHarmless(host);
});

test('the network process dies: the host is harmless, and the next one finds an actuator that serves it', {
  skip,
}, async (t) => {
  const host = new Host(t);
  await host.start();
  for (let i = 0; i < 2; i++) {
    const network = await Network.join(host);
    await network.serve();
    network.tire();
    network.stream.destroy();
    await assertHarmless(host);
    network.close();
  }
});

test('the network process falls silent: first the gate shuts, then the dead-man timer takes all away', {
  skip,
}, async (t) => {
  const host = new Host(t);
  await host.start();
  const network = await Network.join(host);
  await network.serve();
  network.tire();
  // Its beats stop, as when it is frozen; the stream stays open.
  network.stream.write = () => true;
  assert.ok(await until(() => host.openings().length === 0, 20_000), 'neither lease nor leave to talk');
  await assertHarmless(host);
  assert.ok(await until(() => network.lost !== null, 10_000), 'and the conversation is over');
  network.close();
});

test('without a handover nothing goes on; raisings are counted; what is late is not done, but for lowering', {
  skip,
}, async (t) => {
  const host = new Host(t, (text) => text.replace('[timing]', '[raise]\nburst = 2\n[timing]'));
  await host.start();
  const network = await Network.join(host);
  assert.equal(await network.gate(rawNowMs() + 1000), null);
  assert.match((await network.run('activateService')).detail, /not within a handover/);
  assert.equal(host.hasRoving(), false);
  for (let i = 0; i < 2; i++) {
    assert.equal((await network.run('activateUplink')).verdict, 'confirmed');
    assert.equal((await network.run('deactivateUplink')).verdict, 'confirmed');
  }
  const third = await network.run('activateUplink');
  assert.deepEqual([third.verdict, /raised too often/.test(third.detail)], ['unknown', true]);
  assert.equal(host.isUp(), false);
  assert.equal(network.spent, 1);
  network.close();
  const again = await Network.join(host);
  assert.equal((await again.run('activateUplink')).verdict, 'unknown', 'a new conversation has no more');
  again.stream.write(`900000 activateUplink 0 1\n900001 deactivateUplink 0 1\n`);
  assert.ok(await until(() => /"verb":"activateUplink","index":0,"why":"late"/.test(host.output), 10_000));
  assert.ok(await until(() => /"verb":"deactivateUplink","service":"firewall"/.test(host.output), 10_000));
  again.close();
});

test('an uplink that is raised for nothing is lowered, however long the network process lives', {
  skip,
}, async (t) => {
  const host = new Host(t, (text) =>
    text
      .replace('[timing]', '[timing]\nhandover_limit = "2s"\nlease = "1100ms"')
      .replace('activation = "admin"', 'activation = "admin"\nlimit = "150ms"'),
  );
  await host.start();
  const network = await Network.join(host);
  for (const procedure of ['activateUplink', 'activateService'] as const)
    assert.equal((await network.run(procedure)).verdict, 'confirmed', procedure);
  assert.ok(host.isUp() && host.hasRoving());
  await assertHarmless(host);
  // Said when it is done; the kernel shows it earlier.
  const said = /"level":40,.*"service":"firewall","msg":"raised for nothing: lowered"/;
  assert.ok(await until(() => said.test(host.output), 20_000), host.output);
  assert.equal(network.lost, null);
  assert.equal(await network.gate(rawNowMs() + 1000), null);
  network.close();
});

test('a test’s program has no capability and another user; a switch’s keeps what it needs', {
  skip,
}, async (t) => {
  const host = new Host(t, (text) =>
    text.replace(
      '[service.procedures]',
      '[service.procedures]\ncheckUplink = "DIR/probe"\nannounceReleaseUplink = "DIR/probe"'.replaceAll(
        'DIR',
        /^rules = "(.*)\/rules.v4"$/m.exec(text)?.[1] ?? '',
      ),
    ),
  );
  const probe = join(host.dir, 'probe');
  writeFileSync(
    probe,
    '#!/bin/sh\nexec /bin/grep -E "^(Uid|Cap(Eff|Prm|Amb)|NoNewPrivs)" /proc/self/status\n',
  );
  chmodSync(probe, 0o755);
  for (const own of [false, true]) {
    const actuator = await host.start(own);
    const network = await Network.join(host);
    const seen = (await network.run('checkUplink')).detail;
    assert.match(
      seen,
      new RegExp(`CapPrm: ${NOTHING} CapEff: ${NOTHING} CapAmb: ${NOTHING} NoNewPrivs: 1`),
      seen,
    );
    if (!own) assert.match(seen, /Uid: 65533 65533/);
    assert.match(
      (await network.run('announceReleaseUplink')).detail,
      own ? /CapEff: 0000000000003000/ : /Uid: 0 0/,
    );
    network.close();
    actuator.kill('SIGTERM');
    await statusAtEnd(actuator);
    host.output = '';
  }
});

test('a configuration that others could change is refused, at the start and on reload', {
  skip,
}, async (t) => {
  const host = new Host(t);
  await host.start();
  const network = await Network.join(host);
  const text = readFileSync(host.config, 'utf8');
  writeFileSync(host.config, text.replace('10.77.1.1/24', '10.77.1.2/24'));
  const hash = settingsHash(readSettings(host.config));
  await assert.rejects(network.remote.reload('0'.repeat(32), ['firewall']), /read different files/);
  chmodSync(host.config, 0o666);
  await assert.rejects(network.remote.reload(hash, ['firewall']), /others can write it; chmod go-w/);
  chmodSync(host.config, 0o644);
  chownSync(host.config, 65_534, 65_534);
  await assert.rejects(network.remote.reload(hash, ['firewall']), /belongs to user 65534/);
  chownSync(host.config, 0, 0);
  await network.remote.reload(hash, ['firewall']);
  // What the Linux side refuses is not where the next change begins.
  const good = readFileSync(host.config, 'utf8');
  writeFileSync(join(host.dir, 'broken.v4'), '*filter\nnonsense\n');
  writeFileSync(host.config, good.replace('rules.v4', 'broken.v4'));
  const broken = settingsHash(readSettings(host.config));
  await assert.rejects(network.remote.reload(broken, ['firewall']), /broken\.v4/);
  await network.remote.members(['10.77.1.12', '10.77.1.13']);
  writeFileSync(host.config, good);
  // Nor does an edit under way hold up a change of the members; a reload reads the file again.
  const rules = readFileSync(join(host.dir, 'rules.v4'), 'utf8');
  writeFileSync(join(host.dir, 'rules.v4'), '*filter\nnonsense\n');
  await network.remote.members(['10.77.1.12', '10.77.1.14']);
  await assert.rejects(network.remote.reload(hash, ['firewall']), /rules\.v4/);
  writeFileSync(join(host.dir, 'rules.v4'), rules);
  await network.serve();
  assert.match(host.net.ip(host.gw, 'addr'), /10\.77\.1\.2\/24/);
  network.close();
  chmodSync(host.dir, 0o777);
  const second = await host.start().catch(() => null);
  assert.ok(second === null || second.exitCode === 1 || (await statusAtEnd(second)) === 1);
});

test('what a killed actuator left of its socket is taken over, also by a root that may not open it; a living one’s is not', {
  skip,
}, async (t) => {
  const host = new Host(t);
  const listen = `require('node:net').createServer().listen('${host.socket}', () => console.log('listens'))`;
  const other = host.net.spawn(host.gw, process.execPath, '-e', listen);
  await once(other.stdout ?? assert.fail('no output'), 'data');
  chmodSync(host.socket, 0o600);
  chownSync(host.socket, 65_534, 65_534);
  const limited = [
    '--bounding-set=-dac_override,-dac_read_search',
    process.execPath,
    ...MAIN,
    '--config',
    host.config,
  ];
  const refused = host.net.spawn(host.gw, '/usr/bin/setpriv', ...limited);
  assert.equal(await statusAtEnd(refused), 1);
  assert.equal(statSync(host.socket).uid, 65_534, 'the other one keeps its socket');
  (await host.connect()).destroy();
  other.kill('SIGKILL');
  await statusAtEnd(other).catch(() => null);
  const taken = host.net.spawn(host.gw, '/usr/bin/setpriv', ...limited);
  await once(taken.stdout ?? assert.fail('no output'), 'data');
  assert.equal(statSync(host.socket).uid, 0);
});

test('SIGUSR1 opens no debugger in the actuator', { skip }, async (t) => {
  const host = new Host(t);
  const actuator = await host.start();
  actuator.kill('SIGUSR1');
  await sleep(500);
  assert.equal(actuator.exitCode, null);
  // Port 9229, as /proc/net/tcp has it.
  assert.doesNotMatch(host.net.exec(host.gw, '/bin/cat', '/proc/net/tcp'), /:240D /);
});

test('an actuator without a capability that it will need says so at the start', { skip }, async (t) => {
  const host = new Host(t);
  await host.start(true, '+net_admin');
  await assert.rejects(Network.join(host), {
    message: /^actuator: this process lacks CAP_NET_RAW: /,
    hint: /start it as root, or as its unit does/,
  });
});

test('without nft neither check nor daemon goes on: nothing would hold the lease', { skip }, async (t) => {
  const host = new Host(t);
  const hide = ['--mount', '--', '/bin/sh', '-c', 'mount --bind /dev/null /usr/sbin/nft && exec "$0" "$@"'];
  const argv = [process.execPath, ...programArgs('src/daemon/actuator-main.ts'), '--config', host.config];
  const child = host.net.spawn(host.gw, '/usr/bin/unshare', ...hide, ...argv);
  child.stdout?.on('data', (chunk: Buffer) => {
    host.output += chunk.toString();
  });
  assert.ok(await until(() => host.output.includes('actuator started'), 60_000));
  await assert.rejects(Network.join(host), /nft is not installed.*the kernel would not hold the lease/);
  const config = JSON.stringify(actuatorConfig(readSettings(host.config), []));
  const inspected = [process.execPath, ...programArgs('test/netns/linux-runner.ts'), 'inspect', config];
  const said = host.net.exec(host.gw, '/usr/bin/unshare', ...hide, ...inspected);
  const found = JSON.parse(said) as { level: string; message: string; hint: string }[];
  assert.ok(
    found.some(({ level, message }) => level === 'error' && message.includes('would not hold the lease')),
    said,
  );
});
