/** A bench says when it runs below all other work, and what is wrong with its command line. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { programArgs } from '../programs.ts';
import { isIdle } from './class.ts';

const stat = (policy: number): string =>
  `7 (a ) b) S ${Array.from({ length: 49 }, (_, i) => (i + 4 === 41 ? policy : 1)).join(' ')}\n`;

test('the idle class is seen, whatever the program is called', () => {
  assert.deepEqual([5, 0, 1, 3].map(stat).map(isIdle), [true, false, false, false]);
});

test('a bench in the idle class says so; a wrong command line is told in a line, with exit status 2', () => {
  const bench = [process.execPath, ...programArgs('test/bench/main.ts'), 'takeover', '--runs', 'x'];
  const plain = spawnSync(bench[0] ?? '', bench.slice(1), { encoding: 'utf8' });
  assert.equal(plain.status, 2, plain.stderr);
  assert.match(plain.stderr, /^portcullis: error: --runs is a whole number from 1 to 1000, not x$/m);
  const idle = spawnSync('chrt', ['--idle', '0', ...bench], { encoding: 'utf8' });
  assert.match(idle.stderr, /^portcullis: warning: .*idle class/m);
  const none = ['--peers=', '--faults=nonsense'];
  for (const words of [
    ['takeover', ...none],
    ['flood', '--attack=x'],
    ['endurance', `--out=${import.meta.filename}`],
  ]) {
    const wrong = spawnSync(bench[0] ?? '', [...bench.slice(1, -3), ...words], { encoding: 'utf8' });
    assert.equal(wrong.status, 2, wrong.stderr);
    assert.match(wrong.stderr, /(^|\n)portcullis: error: .*\nportcullis: hint: .*\n$/);
  }
  const unknown = spawnSync(bench[0] ?? '', [...bench.slice(1, -2), '--nothing'], { encoding: 'utf8' });
  assert.deepEqual([unknown.status, unknown.stderr.includes('    at ')], [2, false], unknown.stderr);
});
