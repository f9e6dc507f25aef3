/**
 * The units: what the service manager's own tools say of them, how much of a sandbox they have, and that they hold to
 * what spec/actuator.md says.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { basename, join } from 'node:path';
import test from 'node:test';
import { isSound } from '../../src/daemon/manager.ts';
import { findUser, unprivilegedUser } from '../../src/daemon/user.ts';
import { watchdogMs } from '../../src/linux/notify.ts';
import { HELPERS_NICE, NICE } from '../../src/linux/priority.ts';
import { UNIT_LINES } from '../../src/linux/uplink/boot-files.ts';
import { isMapped } from '../../src/linux/usermap.ts';
import { LOADER, moduleFile, PROJECT } from '../programs.ts';
import { temporaryDir } from './cluster-files.ts';

const SYSTEMD = join(PROJECT, 'systemd');
const missing = spawnSync('systemd-analyze', ['--version']).error !== undefined;
const skip = missing && process.env.CI !== 'true' ? 'needs systemd-analyze' : false;
const UNITS = readdirSync(SYSTEMD).filter((name) => /\.(service|socket)$/.test(name));
const EXAMPLE_UNIT = join(PROJECT, 'test/example/dhcp-relay/portcullis-dhcp-relay.service');
const textOf = (unit: string): string => readFileSync(join(SYSTEMD, unit), 'utf8');

function analyze(...args: string[]): { status: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
  return { status, said: stdout + stderr };
}

test('systemd-analyze verify has nothing to say of any unit, the worked example’s included', {
  skip,
}, (t) => {
  const dir = temporaryDir(t);
  const files = [...UNITS.map((unit) => join(SYSTEMD, unit)), EXAMPLE_UNIT];
  assert.ok(files.length >= 6);
  const verified = (change: (text: string) => string): { status: number | null; said: string } => {
    const copies = files.map((file) => {
      // Programs may live elsewhere on this machine, or be missing.
      const text = readFileSync(file, 'utf8').replaceAll(
        /\/usr\/(bin\/node|sbin\/(conntrackd|dnsmasq))(?= )/g,
        process.execPath,
      );
      const copy = join(dir, basename(file));
      writeFileSync(copy, change(text));
      return copy;
    });
    return analyze('verify', ...copies);
  };
  assert.deepEqual(
    verified((text) => text),
    { status: 0, said: '' },
  );
  // It does look at each of them.
  const { said } = verified((text) => text.replace('[Unit]', '[Unit]\nNoSuchKey=yes'));
  for (const file of files) assert.ok(said.includes(basename(file)), file);
});

test('exposure: the network process and a witness at most 1.5, conntrackd 2.0, the actuator 2.5, with module too', {
  skip,
}, (t) => {
  const exposure = (file: string, tenths: number): void => {
    const { status, said } = analyze(
      'security',
      '--offline=true',
      '--no-pager',
      `--threshold=${tenths}`,
      file,
    );
    assert.equal(status, 0, said.split('\n').at(-2));
  };
  exposure(join(SYSTEMD, 'portcullis.service'), 15);
  exposure(join(SYSTEMD, 'portcullis-witness.service'), 15);
  exposure(join(SYSTEMD, 'portcullis-conntrackd.service'), 20);
  exposure(join(SYSTEMD, 'portcullis-actuator.service'), 25);
  const dir = temporaryDir(t);
  const file = join(dir, 'portcullis-actuator.service');
  writeFileSync(file, textOf('portcullis-actuator.service'));
  mkdirSync(`${file}.d`);
  writeFileSync(join(`${file}.d`, 'uplink.conf'), `${UNIT_LINES.join('\n')}\n`);
  exposure(file, 25);
  // The tool does fail.
  assert.notEqual(analyze('security', '--offline=true', '--threshold=5', file).status, 0);
});

test('the units of ours: the flags, no core, no options from outside, a restart, a watchdog; the fence belongs to the actuator', () => {
  for (const unit of ['portcullis.service', 'portcullis-actuator.service', 'portcullis-witness.service']) {
    const text = textOf(unit);
    for (const line of [
      /^ExecStart=\/usr\/bin\/node --disallow-code-generation-from-strings --disable-proto=throw /m,
      /^LimitCORE=0$/m,
      /^UnsetEnvironment=NODE_OPTIONS /m,
      /^NoNewPrivileges=yes$/m,
      /^Restart=always$/m,
      /^WatchdogSec=/m,
      /^OOMScoreAdjust=-/m,
      /^Type=notify$/m,
    ])
      assert.match(text, line, unit);
  }
  for (const unit of ['portcullis.service', 'portcullis-witness.service']) {
    assert.match(textOf(unit), /^CapabilityBoundingSet=$/m);
    assert.match(textOf(unit), /^LoadCredential=portcullis\.key:/m);
  }
  assert.doesNotMatch(textOf('portcullis-witness.service'), /^(Requires|Wants)=/m);
  assert.doesNotMatch(textOf('portcullis.service'), /fence/);
  // Who stops or restarts the actuator does the same to the network process, which goes first: it hands over.
  assert.match(textOf('portcullis.service'), /^PartOf=portcullis-actuator\.service$/m);
  assert.match(textOf('portcullis.service'), /^After=.* portcullis-actuator\.service$/m);
  // Without this call setpriv starts no program of a test.
  assert.match(
    textOf('portcullis-actuator.service'),
    /^SystemCallFilter=~@privileged.*\n(#.*\n)*SystemCallFilter=capset$/m,
  );
  assert.match(textOf('portcullis-actuator.service'), /^ExecStopPost=\+.* fence --config /m);
  assert.match(textOf('portcullis-actuator.socket'), /^SocketUser=portcullis$[\s\S]*^SocketMode=0600$/m);
});

test('M12: the least Node is one that package.json and the units’ remarks agree on', () => {
  const { engines } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')) as {
    engines: { node: string };
  };
  assert.equal(engines.node, '>=20.19');
  for (const unit of ['portcullis.service', 'portcullis-actuator.service'])
    assert.match(textOf(unit), /^# Node 20\.19 or newer; 22 or newer where there is a choice/m, unit);
});

test('a start by hand goes before other work as the units do', () => {
  for (const unit of ['portcullis.service', 'portcullis-actuator.service', 'portcullis-witness.service']) {
    assert.match(textOf(unit), new RegExp(`^Nice=${NICE}$`, 'm'), unit);
    // Or its helpers stay as high as the loop. The actuator's may not: with them it would be above its mark (above).
    if (unit === 'portcullis-actuator.service') continue;
    assert.match(
      textOf(unit),
      /^SystemCallFilter=~@privileged @resources$[\s\S]*^SystemCallFilter=setpriority$/m,
    );
  }
  const helpers = `fs.readdirSync('/proc/self/task').filter((id) => os.getPriority(+id) === ${HELPERS_NICE}).length === 4`;
  const shown = `import(process.argv[1]).then((m) => console.log(m.goFirst(), os.getPriority(), ${helpers}))`;
  const run = (...before: string[]): string => {
    const argv = [...before, process.execPath, ...LOADER, '-e', shown, moduleFile('src/linux/priority.ts')];
    return spawnSync('/usr/bin/env', argv, { encoding: 'utf8' }).stdout;
  };
  const isRoot = process.getuid?.() === 0;
  assert.equal(run(), isRoot ? `true ${NICE} true\n` : `false ${getPriority()} false\n`);
  // Who may not say so goes on as it is.
  if (isRoot) assert.equal(run('setpriv', '--bounding-set=-sys_nice'), `false ${getPriority()} false\n`);
});

test('the watchdog is fed half as often again as it asks, only the process that it means, and only on evidence', () => {
  assert.equal(watchdogMs({ WATCHDOG_USEC: '5000000' }), 2500);
  assert.equal(watchdogMs({ WATCHDOG_USEC: '5000000', WATCHDOG_PID: String(process.pid) }), 2500);
  assert.equal(watchdogMs({ WATCHDOG_USEC: '5000000', WATCHDOG_PID: '1' }), null);
  for (const nothing of [undefined, '', 'x', '0', '-5'])
    assert.equal(watchdogMs({ WATCHDOG_USEC: nothing }), null);
  const at = (overdueMs: number, silentMs: number): boolean =>
    isSound({ overdueMs: () => overdueMs, silentMs: () => silentMs });
  assert.deepEqual([at(0, 0), at(-500, 900), at(1001, 0), at(0, 1001)], [true, true, false, false]);
});

test('users: found in passwd; root and nobody known are refused with a remedy', (t) => {
  const passwd = join(temporaryDir(t), 'passwd');
  writeFileSync(passwd, 'root:x:0:0::/:/bin/sh\nbad:x:y:z::/:\nportcullis:x:990:991:Portcullis:/:/x\n');
  assert.deepEqual(findUser('portcullis', passwd), { name: 'portcullis', uid: 990, gid: 991 });
  assert.equal(findUser('bad', passwd), null);
  assert.equal(findUser('', passwd), null);
  assert.throws(() => unprivilegedUser('/f', 'root'), /user "root" is root/);
  assert.throws(() => unprivilegedUser('/f', 'no-such-user'), /user names nobody/);
});

test('who is mapped in a user namespace', () => {
  assert.equal(isMapped(65_534, '         0          0 4294967295\n'), true);
  assert.equal(isMapped(65_534, '      1000       1000          1\n'), false);
  assert.equal(isMapped(1000, '      1000       1000          1\n'), true);
});
