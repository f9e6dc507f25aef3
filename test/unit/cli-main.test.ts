/** The command line: exit statuses, the form of errors, and `check`. What is asked of a daemon: cli-operate.test.ts. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { findings } from '../../src/cli/check.ts';
import { run } from '../../src/cli/main.ts';
import { CONFIG_FILE } from '../../src/cli/settings.ts';
import { programArgs } from '../programs.ts';
import { exampleText, makeCluster, RecordedIo, TWO_HOSTS, temporaryDir } from './cluster-files.ts';

async function cli(...args: string[]): Promise<{ status: number; io: RecordedIo }> {
  const io = new RecordedIo();
  return { status: await run(args, io), io };
}

test('wrong usage ends with 2, help and version with 0', async () => {
  assert.equal((await cli()).status, 2);
  assert.equal((await cli('frobnicate')).status, 2);
  assert.equal((await cli('status', '--config')).status, 2);
  assert.equal((await cli('status', '--nonsense')).status, 2);
  assert.equal((await cli('daemon', '--config', '/nonexistent', '--log-level', 'loud')).status, 2);
  assert.equal((await cli('--help')).status, 0);
  const version = await cli('--version');
  assert.equal(version.status, 0);
  const text = readFileSync(join(process.cwd(), 'package.json'), 'utf8');
  assert.equal(version.io.stdout.trim(), (JSON.parse(text) as { version: string }).version);
  for (const name of [
    'daemon',
    'check',
    'status',
    'handover',
    'standby',
    'resume',
    'fence',
    'key',
    'cluster',
  ]) {
    assert.equal((await cli(name, '--help')).status, 0, name);
  }
});

test('without --config the file is where the units have it', async () => {
  const told = await Promise.all(['status', 'check', 'resume'].map((name) => cli(name, '--help')));
  for (const { io } of told) assert.match(io.stdout, /default:\s+"\/etc\/portcullis\/portcullis\.toml"/);
  const units = ['portcullis.service', 'portcullis-actuator.service'];
  for (const unit of units)
    assert.match(
      readFileSync(join(process.cwd(), 'systemd', unit), 'utf8'),
      new RegExp(` ${CONFIG_FILE}\\b`),
    );
});

test('wrong usage is told in one form', async () => {
  const { io } = await cli('frobnicate');
  assert.match(io.stderr, /^portcullis: error: unknown command 'frobnicate'.*\nportcullis: hint: /);
});

test('each mistake of a configuration is an error line and a hint line; the status is 1', async (t) => {
  const config = join(temporaryDir(t), 'p.toml');
  writeFileSync(config, exampleText('/etc/p').replace('"200ms"', '"x"').replace('"fw1"', '""'));
  const { status, io } = await cli('status', '--config', config);
  assert.equal(status, 1);
  assert.equal(io.stdout, '');
  const lines = io.stderr.trimEnd().split('\n');
  assert.equal(lines.length, 4);
  assert.match(lines[0] ?? '', new RegExp(`^portcullis: error: ${config}:2: host `));
  assert.match(lines[1] ?? '', /^portcullis: hint: /);
});

test('without a daemon the socket is named', async (t) => {
  const dir = temporaryDir(t);
  writeFileSync(join(dir, 'p.toml'), exampleText(dir));
  const { status, io } = await cli('status', '--config', join(dir, 'p.toml'));
  assert.equal(status, 1);
  assert.match(io.stderr, /control\.sock: no daemon answers there/);
});

test('check reports configuration, roster and host together, errors first', async (t) => {
  const dir = temporaryDir(t);
  const { config } = await makeCluster(dir, TWO_HOSTS);
  writeFileSync(config, exampleText(dir).replace('"portcullis"', '"nobody"'));
  const seen: string[] = [];
  const inspectHost: typeof import('../../src/linux/inspect.ts').inspect = async (actuator) => {
    seen.push(actuator.host);
    return [
      { level: 'warning', message: 'w', hint: '' },
      { level: 'error', message: 'e', hint: 'h' },
    ];
  };
  const found = await findings(config, inspectHost);
  assert.deepEqual(seen, ['fw1']);
  const errors = found.filter(({ level }) => level === 'error');
  assert.deepEqual(found.slice(0, errors.length), errors);
  assert.ok(errors.some(({ message }) => message === 'e') && errors.length < found.length);
  const named = /no user is named/;
  assert.ok(!found.some((finding) => named.test(finding.message)));
  writeFileSync(config, exampleText(dir).replace(/^user .*$/m, ''));
  assert.ok((await findings(config, inspectHost)).some((finding) => named.test(finding.message)));
  writeFileSync(config, exampleText(dir).replace('"portcullis"', '"no-such-user"'));
  const strange = await findings(config, inspectHost);
  assert.ok(strange.some(({ level, message }) => level === 'error' && message.includes('user names nobody')));
  seen.splice(1);
  writeFileSync(config, exampleText(dir).replace('fw1.key', 'fw2.key'));
  const wrong = await findings(config, inspectHost);
  assert.ok(wrong.some(({ message }) => message.includes('not the key that the roster has for fw1')));
  assert.equal(seen.length, 2, 'a key that is wrong or not there yet hides nothing else');
  writeFileSync(config, exampleText(dir).replace('policy', 'politics'));
  const broken = await findings(config, inspectHost);
  assert.ok(broken.every(({ message }) => message.startsWith(`${config}:`)));
  assert.equal(seen.length, 2, 'a configuration that is wrong is not tried on the host');
});

test('check ends with 1 on this host, which has none of the devices, and prints one JSON document', async (t) => {
  const { config } = await makeCluster(temporaryDir(t), TWO_HOSTS);
  const { status, io } = await cli('check', '--json', '--config', config);
  assert.equal(status, 1);
  const report = JSON.parse(io.stdout) as { schema: number; ok: boolean; findings: { message: string }[] };
  assert.equal(report.schema, 1);
  assert.equal(report.ok, false);
  assert.ok(report.findings.some((finding) => finding.message.includes('up0')));
});

test('a key’s and a file’s name steer no terminal: neither its orders nor the direction of a line', async (t) => {
  const config = join(temporaryDir(t), 'x\u202e.toml');
  writeFileSync(config, '"\\u001b[31mevil" = 1\n');
  for (const command of ['check', 'status']) {
    const { status, io } = await cli(command, '--config', config);
    assert.equal(status, 1);
    assert.match(io.stderr, /x\\u202e\.toml: \\u001b\[31mevil is no key/);
    for (const harmful of ['\u001b', '\u202e']) assert.ok(!io.stderr.includes(harmful), command);
  }
});

test('called in a directory that is gone: said in a line, and no fault of ours', (t) => {
  const dir = temporaryDir(t);
  const words = ['import', 'keepalived', 'keepalived.conf'].map((word) => `'${word}'`).join(' ');
  const program = [process.execPath, ...programArgs('src/cli/portcullis.ts')]
    .map((word) => `'${word}'`)
    .join(' ');
  const said = spawnSync('sh', ['-c', `mkdir here && cd here && rmdir ../here && exec ${program} ${words}`], {
    cwd: dir,
    encoding: 'utf8',
  });
  assert.equal(said.status, 1);
  assert.match(said.stderr, /^portcullis: error: the directory .* is gone\nportcullis: hint: .*\n$/);
});
