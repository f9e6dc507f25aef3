/**
 * `npm run -s fuzz -- [--inputs N | --seconds S] [--seed N] [--target NAME] [--json]`, or with `--target NAME --hex HEX`
 * one input. SIGINT ends it with what was counted. Exit status 0: all inputs gave a value or a refusal; 1: some did not; 2: wrong usage.
 */
import { parseArgs } from 'node:util';
import { controlTarget } from './control-target.ts';
import { type Failure, type FuzzResult, fuzz, reproduction, runOne } from './fuzz.ts';
import { callTargets, type Target } from './targets.ts';

const OPTIONS = {
  inputs: { type: 'string' },
  seconds: { type: 'string' },
  seed: { type: 'string' },
  target: { type: 'string' },
  hex: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const;

class WrongUsage extends Error {}

function fail(error: string, hint: string): never {
  throw new WrongUsage(`portcullis: error: ${error}\nportcullis: hint: ${hint}\n`);
}

function options() {
  try {
    return parseArgs({ options: OPTIONS, strict: true }).values;
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error), 'see the head of test/fuzz/main.ts');
  }
}

function number(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (!/^\d{1,12}$/.test(text))
    fail(`'${text}' is no whole number`, '--inputs, --seconds and --seed take digits');
  return Number(text);
}

function print(result: FuzzResult, json: boolean): void {
  if (json) console.log(JSON.stringify(result));
  else {
    const each = Object.entries(result.perTarget).map(([name, count]) => `${name} ${count}`);
    console.log(`seed ${result.seed}: ${result.inputs} inputs in ${result.seconds} s (${each.join(', ')})`);
    console.log(`slowest input ${result.slowestMs} ms, failures ${result.failures.length}`);
  }
}

async function main(): Promise<number> {
  const given = options();
  const control = await controlTarget();
  try {
    const all: Target[] = [...callTargets(), control.target];
    const targets = all.filter(({ name }) => given.target === undefined || name === given.target);
    const [first] = targets;
    if (first === undefined)
      fail(`no target '${given.target}'`, `there are ${all.map(({ name }) => name).join(', ')}`);
    if (given.hex !== undefined) {
      if (given.target === undefined)
        fail('--hex needs --target', 'copy the whole line that fuzzing printed');
      const wrong = await runOne(first, Uint8Array.from(Buffer.from(given.hex, 'hex')));
      console.log(wrong ?? 'a value or a refusal');
      return wrong === null ? 0 : 1;
    }
    const inputs = number(given.inputs, given.seconds === undefined ? 1_000_000 : Number.POSITIVE_INFINITY);
    const seconds = number(given.seconds, Number.POSITIVE_INFINITY);
    const seed = number(given.seed, Date.now() % 2 ** 32);
    const onProgress = (count: number) => process.stderr.write(`fuzz: ${count} inputs\n`);
    const onFailure = (failure: Failure) =>
      void process.stderr.write(`${failure.target}: ${failure.error}\n  ${reproduction(failure)}\n`);
    let isStopped = false;
    process.once('SIGINT', () => {
      isStopped = true;
    });
    const stopped = () => isStopped;
    const result = await fuzz({ targets, seed, inputs, seconds, onProgress, onFailure, stopped });
    print(result, given.json);
    return result.failures.length === 0 ? 0 : 1;
  } finally {
    control.close();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof WrongUsage)) throw error;
  process.stderr.write(error.message);
  process.exitCode = 2;
}
