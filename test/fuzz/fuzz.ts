/** The loop: inputs from one seed, spread over the targets by their shares, until a number or a time is reached. */
import { Chance } from '../sim/random.ts';
import { mutated } from './mutate.ts';
import type { Target } from './targets.ts';

/** Much longer than any input may take on a busy machine, much shorter than a loop without end. */
const INPUT_LIMIT_MS = 5000;
const FAILURES_MAX = 10;

export interface FuzzOptions {
  readonly targets: readonly Target[];
  readonly seed: number;
  /** Whichever comes first; Infinity: it does not. */
  readonly inputs: number;
  readonly seconds: number;
  readonly onProgress?: (inputs: number) => void;
  readonly onFailure?: (failure: Failure) => void;
  /** Asked before each input: whether to end early. */
  readonly stopped?: () => boolean;
}

export interface Failure {
  readonly target: string;
  readonly hex: string;
  readonly error: string;
}

export interface FuzzResult {
  readonly seed: number;
  readonly inputs: number;
  readonly seconds: number;
  readonly perTarget: Readonly<Record<string, number>>;
  readonly slowestMs: number;
  readonly failures: readonly Failure[];
}

export async function fuzz(options: FuzzOptions): Promise<FuzzResult> {
  const { targets, seed } = options;
  const chance = new Chance(seed);
  const total = targets.reduce((sum, target) => sum + target.share, 0);
  const perTarget: Record<string, number> = Object.fromEntries(targets.map(({ name }) => [name, 0]));
  const failures: Failure[] = [];
  const startMs = performance.now();
  const seconds = () => (performance.now() - startMs) / 1000;
  let inputs = 0;
  let slowestMs = 0;
  while (inputs < options.inputs && seconds() < options.seconds && failures.length < FAILURES_MAX) {
    if (options.stopped?.() === true) break;
    const target = picked(targets, chance.next() * total);
    const input = mutated(target.corpus, chance);
    const beforeMs = performance.now();
    const error = await runOne(target, input);
    const tookMs = performance.now() - beforeMs;
    slowestMs = Math.max(slowestMs, tookMs);
    const wrong = error ?? (tookMs > INPUT_LIMIT_MS ? `took ${Math.round(tookMs)} ms` : null);
    if (wrong !== null) {
      const failure = { target: target.name, hex: Buffer.from(input).toString('hex'), error: wrong };
      failures.push(failure);
      options.onFailure?.(failure);
    }
    perTarget[target.name] = (perTarget[target.name] ?? 0) + 1;
    inputs++;
    if (inputs % 100_000 === 0) options.onProgress?.(inputs);
  }
  return {
    seed,
    inputs,
    seconds: Math.round(seconds()),
    perTarget,
    slowestMs: Math.round(slowestMs),
    failures,
  };
}

/** What is wrong with how the target dealt with that input; null when nothing is. */
export async function runOne(target: Target, input: Uint8Array): Promise<string | null> {
  try {
    const running = target.run(input);
    if (running !== undefined) await running;
    return null;
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
}

function picked(targets: readonly Target[], place: number): Target {
  let rest = place;
  for (const target of targets) {
    rest -= target.share;
    if (rest < 0) return target;
  }
  const [first] = targets;
  if (first === undefined) throw new RangeError('nothing to fuzz');
  return first;
}

/** How to see one failure again. */
export function reproduction({ target, hex }: Failure): string {
  return `npm run -s fuzz -- --target ${target} --hex ${hex}`;
}
