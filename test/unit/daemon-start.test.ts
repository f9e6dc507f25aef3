/** `portcullis daemon` as its units start it, without the other commands: the same words and exit statuses as with them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { plainDaemon } from '../../src/cli/daemon-start.ts';
import { programArgs } from '../programs.ts';
import { temporaryDir } from './cluster-files.ts';

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
