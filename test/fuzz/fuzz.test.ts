/** A minute of fuzzing over everything that takes bytes from outside, and that the fuzzer finds what was planted. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { decodeCbor, encodeCbor } from '../../src/wire/cbor.ts';
import { programArgs } from '../programs.ts';
import { controlTarget } from './control-target.ts';
import { fuzz, reproduction, runOne } from './fuzz.ts';
import { callTargets, type Target } from './targets.ts';

/** Split, so that the message of a failure comes early and the tests' own time limit is far. */
const SECONDS = 60;

test('the corpus itself passes, and is dealt with as it must be', async () => {
  for (const target of callTargets()) {
    assert.ok(target.corpus.length >= 2, target.name);
    for (const input of target.corpus) assert.equal(await runOne(target, input), null, target.name);
  }
});

test('any bytes give a value or a refusal: never an exception, a hang or a change of state', async (t) => {
  const control = await controlTarget();
  t.after(() => control.close());
  const targets = [...callTargets(), control.target];
  const seed = Date.now() % 2 ** 32;
  t.diagnostic(`seed ${seed}`);
  const result = await fuzz({ targets, seed, inputs: Number.POSITIVE_INFINITY, seconds: SECONDS });
  t.diagnostic(JSON.stringify({ ...result, failures: undefined }));
  const [failure] = result.failures;
  assert.ok(failure === undefined, failure && `${failure.error}\n${reproduction(failure)}`);
  // A busy machine does less, but every target has had its turn.
  for (const { name } of targets) assert.ok((result.perTarget[name] ?? 0) > 0, name);
});

test('the same seed makes the same inputs', async () => {
  const seen: string[][] = [[], []];
  for (const inputs of seen) {
    const corpus = [encodeCbor([1, 'a', new Uint8Array(40)])];
    const run = (input: Uint8Array) => void inputs.push(Buffer.from(input).toString('hex'));
    await fuzz({ targets: [{ name: 'seen', corpus, share: 1, run }], seed: 7, inputs: 500, seconds: 60 });
  }
  assert.deepEqual(seen[0], seen[1]);
  assert.ok(new Set(seen[0]).size > 400);
});

/** Targets with a fault: each kind that fuzzing is there to find. */
const planted: readonly Target[] = [
  {
    name: 'an exception for a rare value',
    corpus: [encodeCbor([1, 2, 'name'])],
    share: 1,
    run(input) {
      const value = decodeCbor(input);
      if (Array.isArray(value) && value[1] === 7) throw new TypeError('unexpected');
    },
  },
  {
    name: 'a refusal that changes state',
    corpus: [Uint8Array.of(0x83, 1, 2, 3)],
    share: 1,
    run: (() => {
      let refused = 0;
      return (input: Uint8Array) => {
        if (decodeCbor(input) === undefined && input[0] === 0x83) refused++;
        assert.equal(refused, 0, 'a refusal changed the state');
      };
    })(),
  },
];

test('what is planted is found, within 100,000 inputs, and told with a line that shows it again', async () => {
  for (const target of planted) {
    const { failures } = await fuzz({ targets: [target], seed: 1, inputs: 100_000, seconds: 600 });
    assert.ok(failures.length > 0, target.name);
    const [failure] = failures;
    assert.ok(failure !== undefined);
    assert.match(reproduction(failure), /^npm run -s fuzz -- --target .+ --hex [0-9a-f]+$/);
    assert.notEqual(await runOne(target, Uint8Array.from(Buffer.from(failure.hex, 'hex'))), null);
  }
});

test('the command: counts as JSON, exit status 0; wrong usage 2', () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [...programArgs('test/fuzz/main.ts'), ...args], { encoding: 'utf8' });
  const done = run('--inputs', '2000', '--seed', '5', '--json');
  assert.equal(done.status, 0, done.stderr);
  assert.equal(JSON.parse(done.stdout).inputs, 2000);
  assert.equal(run('--target', 'cbor', '--hex', '1817').status, 0);
  for (const wrong of [['--target', 'none'], ['--inputs', 'x'], ['--hex', '00'], ['--what']]) {
    const refused = run(...wrong);
    assert.equal(refused.status, 2, wrong.join(' '));
    assert.match(refused.stderr, /^portcullis: error: .*\nportcullis: hint: /);
  }
});
