/**
 * The worked example of a systemd unit as the service (test/example/dhcp-relay), its files as they are: a client's question
 * reaches the server by the relay of the host that serves, and by no other. What stands for systemd here starts what the
 * unit's ExecStart says, and knows whether it runs; all else is real.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { readSettings } from '../../src/daemon/config/read-settings.ts';
import type { ActuatorConfig } from '../../src/linux/config.ts';
import { PROJECT } from '../programs.ts';
import { Fixture } from './linux-fixture.ts';
import { needsRoot, until } from './netns.ts';

const EXAMPLE = join(PROJECT, 'test/example/dhcp-relay');

/** `systemctl [--quiet] start|stop|is-active UNIT` of one unit; the daemon leaves the program's group, as under systemd. */
function manager(directory: string): string {
  return `#!/bin/sh
[ "$1" = --quiet ] && shift
pid=$(cat ${directory}/"$2".pid 2>/dev/null)
case $1 in
start)
  setsid $(sed -n 's/^ExecStart=//p' ${EXAMPLE}/"$2") </dev/null >/dev/null 2>&1 &
  echo $! >${directory}/"$2".pid
  # In a group of its own: what is left in the program's is killed with it.
  until grep -q dnsmasq "/proc/$!/comm"; do sleep 0.02; done ;;
stop)
  [ -n "$pid" ] && kill "$pid" 2>/dev/null
  while [ -n "$pid" ] && [ -d "/proc/$pid" ]; do sleep 0.02; done; true ;;
is-active) [ -n "$pid" ] && [ -d "/proc/$pid" ] ;;
*) exit 1 ;;
esac
`;
}

/** A client that asks ten times a second: DHCPDISCOVER (RFC 2131). */
const CLIENT = `
  const packet = Buffer.alloc(300);
  packet.set([1, 1, 6, 0]);
  packet.set([2, 0x77, 0, 0, 0, 1], 28);
  packet.set([0x63, 0x82, 0x53, 0x63, 53, 1, 1, 255], 236);
  let id = 0;
  const s = require('node:dgram').createSocket('udp4');
  s.bind(68, () => {
    s.setBroadcast(true);
    setInterval(() => { packet.writeUInt32BE(++id, 4); s.send(packet, 67, '255.255.255.255', () => {}); }, 100);
  });`;
/** The server: a line for each question, with who relayed it. */
const SERVER = `require('node:dgram').createSocket('udp4')
  .on('message', (m) => process.stdout.write([...m.subarray(24, 28)].join('.') + '\\n')).bind(67);`;

test('the example’s configuration is sound, and its unit is what the programs start', () => {
  const { services } = readSettings(join(EXAMPLE, 'portcullis.toml'));
  assert.equal(services[0]?.gateway.name, 'dhcp-relay');
  const procedures = Object.keys(services[0].gateway.procedures);
  assert.deepEqual(procedures.sort(), ['activateService', 'checkServiceLocal', 'deactivateService']);
});

test('the relay runs on the host that serves, is heard while the gate is open, is missed when it dies, and is gone afterwards', {
  skip: needsRoot(),
}, async (t) => {
  const f = new Fixture();
  const pidFile = join(f.directory, 'portcullis-dhcp-relay.service.pid');
  const relay = (): number => Number(readFileSync(pidFile, 'latin1'));
  t.after(() => {
    // It left every group: what a test that failed has started ends nowhere else.
    const comm = existsSync(pidFile) ? `/proc/${relay()}/comm` : '';
    if (existsSync(comm) && readFileSync(comm, 'latin1') === 'dnsmasq\n') process.kill(relay(), 'SIGKILL');
    f.close();
  });
  // As root's own, where everybody may read it: the check runs as nobody's user.
  const program = join(f.directory, 'unit-service');
  copyFileSync(join(EXAMPLE, 'unit-service'), program);
  chmodSync(program, 0o755);
  writeFileSync(join(f.directory, 'systemctl'), manager(f.directory), { mode: 0o755 });
  const { gateway } = readSettings(join(EXAMPLE, 'portcullis.toml')).services[0] ?? assert.fail();
  const procedures = Object.fromEntries(Object.keys(gateway.procedures).map((name) => [name, program]));
  // More patience than the example's: a test machine may be busy.
  const limits = { testMs: 10_000, switchMs: 20_000 };
  const config: ActuatorConfig = f.config({ services: [{ ...gateway, procedures, limits }] });
  const driver = await f.start(config);
  const mount = ['-m', '-t', String(driver.pid), 'mount', '--bind', join(f.directory, 'systemctl')];
  execFileSync('nsenter', [...mount, '/usr/bin/systemctl']);
  const server = f.net.spawn(f.server, process.execPath, '-e', SERVER);
  let heard = '';
  server.stdout?.on('data', (chunk: Buffer) => {
    heard += chunk.toString();
  });
  f.net.spawn(f.client, process.execPath, '-e', CLIENT).stdout?.resume();
  /** Whether a question is relayed from now on, within the time. */
  const isRelayed = (limitMs: number): Promise<boolean> => {
    heard = '';
    return until(() => heard.includes('10.77.1.1\n'), limitMs);
  };

  assert.equal((await f.run('activateUplink')).verdict, 'confirmed');
  const activated = await f.run('activateService');
  assert.equal(activated.verdict, 'confirmed', activated.detail);
  assert.equal(await isRelayed(700), false, 'the gate is shut');
  const checked = await f.run('checkServiceLocal');
  assert.equal(checked.verdict, 'confirmed', checked.detail);
  await f.order({ gateMs: 1400, everyMs: 200 });
  assert.ok(await isRelayed(20_000), heard);

  process.kill(relay(), 'SIGKILL');
  const lost = async (): Promise<boolean> => (await f.run('checkServiceLocal')).verdict === 'unknown';
  assert.ok(await until(lost, 20_000), 'a dead relay is missed');
  assert.equal((await f.run('activateService')).verdict, 'confirmed');
  const second = relay();
  await f.order({ gateMs: null });
  const off = await f.run('deactivateService');
  assert.equal(off.verdict, 'confirmed', off.detail);
  assert.equal(f.net.succeeds(f.gw, '/bin/test', '-d', `/proc/${second}`), false, 'the relay is gone');
  assert.doesNotMatch(f.net.ip(f.gw, 'addr'), /10\.77\.1\.1\/|10\.77\.2\.1\//);
  assert.equal((await f.run('checkServiceLocal')).verdict, 'unknown');
});
