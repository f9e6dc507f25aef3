/** `portcullis daemon` as its units start it, without the other commands: the same words and exit statuses as with them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import { plainDaemon } from '../../src/cli/daemon-start.ts';
import { programArgs } from '../programs.ts';
import { exampleText, makeCluster, temporaryDir } from './cluster-files.ts';

test('only the plain command line goes without them', () => {
  const of = (line: string) => plainDaemon(line.split(' '));
  assert.deepEqual(of('daemon --config p.toml'), { config: 'p.toml', logLevel: 'info' });
  assert.deepEqual(of('daemon --config p.toml --log-level debug'), { config: 'p.toml', logLevel: 'debug' });
  for (const line of [
    'daemon',
    'daemon --config',
    'daemon --config --help',
    'daemon --config p.toml --help',
    'daemon --config p.toml --log-level',
    'daemon --config p.toml --log-level loud',
    'daemon --config p.toml --log-level info more',
    'daemon --log-level debug --config p.toml',
    'actuator --config p.toml',
  ])
    assert.equal(of(line), null, line);
});

test('a file that is not there is told as ever', (t) => {
  const file = `${temporaryDir(t)}/none.toml`;
  const [plain, whole] = ['portcullis', 'main'].map((main) => {
    const args = [...programArgs(`src/cli/${main}.ts`), 'daemon', '--config', file];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    return { status, stdout, stderr };
  });
  assert.deepEqual(plain, whole);
  assert.equal(plain?.status, 1);
  assert.match(plain?.stderr ?? '', /^portcullis: error: .*none\.toml.*\nportcullis: hint: /);
});

test('a start that fails half way has closed the log once', async (t) => {
  const dir = temporaryDir(t);
  const { config } = await makeCluster(dir, [
    { name: 'fw1', addresses: '10.77.1.11:7946', role: 'witness' },
    { name: 'fw2', addresses: '10.77.1.12:7946' },
  ]);
  writeFileSync(config, exampleText(dir).replace(/^user .*$/m, ''));
  const cli = (...words: string[]) =>
    spawnSync(process.execPath, [...programArgs('src/cli/portcullis.ts'), ...words], { encoding: 'utf8' });
  writeFileSync(`${dir}/state`, '');
  assert.match(cli('daemon', '--config', config).stderr, /state: .*EEXIST.*\n.*hint: move away the file/);
  rmSync(`${dir}/state`);
  mkdirSync(`${dir}/control.sock`);
  const { status, stderr } = cli('daemon', '--config', config);
  assert.equal(status, 1, stderr);
  assert.match(stderr, /error: .*control\.sock is no socket/);
  const shown = cli('audit', 'show', `${dir}/state/log`);
  assert.deepEqual(
    shown.stdout.match(/#\d+ {2}\w+/g)?.map((entry) => entry.split('  ')[1]),
    ['opened', 'configured', 'closed'],
  );
});

test('directories that are not there are made as root, with all above them, and are the user’s', {
  skip: process.getuid?.() === 0 ? false : 'needs root',
}, async (t) => {
  const dir = temporaryDir(t);
  chmodSync(dir, 0o755);
  const { config } = await makeCluster(dir, [
    { name: 'fw1', addresses: '10.77.1.11:7946', role: 'witness' },
    { name: 'fw2', addresses: '10.77.1.12:7946' },
  ]);
  // Something that is no socket, which ends it once the rest is there.
  mkdirSync(`${dir}/looks`);
  const text = exampleText(dir)
    .replace('user    = "portcullis"', `user = "nobody"\nstatus_socket = "${dir}/looks"`)
    .replace(`${dir}/state`, `${dir}/a/b/state/`)
    .replace(`${dir}/control.sock`, `${dir}/run/c/control.sock`);
  writeFileSync(config, text);
  const args = [...programArgs('src/cli/portcullis.ts'), 'daemon', '--config', config];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  assert.equal(status, 1, stderr);
  assert.match(stderr, /error: .*looks is no socket/);
  for (const [path, uid] of [
    ['', 0],
    ['/a', 65534],
    ['/a/b', 65534],
    ['/a/b/state', 65534],
    ['/run', 65534],
    ['/run/c', 65534],
  ] as const)
    assert.equal(statSync(`${dir}${path}`).uid, uid, path);
  writeFileSync(
    config,
    text
      .replace(`status_socket = "${dir}/looks"`, `status_socket = "${dir}/shown/d/status.sock"`)
      .replace(`${dir}/run/c/control.sock`, `${dir}/looks`),
  );
  assert.match(spawnSync(process.execPath, args, { encoding: 'utf8' }).stderr, /error: .*looks is no socket/);
  for (const path of ['/shown', '/shown/d']) assert.equal(statSync(`${dir}${path}`).uid, 65534, path);
});
