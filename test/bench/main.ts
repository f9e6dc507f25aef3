/** `npm run -s bench -- NAME [--json]`: one benchmark a file beside this one, each prints its figures as JSON. Exit status 2: wrong usage. */
import { UsageError } from '../lab/usage.ts';
import { isIdle } from './class.ts';

const BENCHES: { readonly [name: string]: () => Promise<unknown> } = {
  wire: () => import('./wire.ts'),
  flood: () => import('./flood.ts'),
  takeover: () => import('./takeover.ts'),
  audit: () => import('./audit.ts'),
  services: () => import('./services.ts'),
  scale: () => import('./scale.ts'),
  endurance: () => import('./endurance.ts'),
};

const name = process.argv[2] ?? '';
const bench = BENCHES[name];
if (bench === undefined) {
  process.stderr.write(`portcullis: error: no benchmark called '${name}'\n`);
  process.stderr.write(`portcullis: hint: there is ${Object.keys(BENCHES).join(', ')}\n`);
  process.exitCode = 2;
} else await run(bench);

async function run(one: () => Promise<unknown>): Promise<void> {
  if (isIdle())
    process.stderr.write(
      "portcullis: warning: this runs in the kernel's idle class, and so will all that it starts: its times say nothing\n",
    );
  try {
    await one();
  } catch (error) {
    // Of parseArgs, and of the benches' own options. All else is a fault of the bench, and shows where.
    const isUsage =
      error instanceof UsageError ||
      (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'));
    if (!isUsage) throw error;
    process.stderr.write(`portcullis: error: ${error.message}\n`);
    process.stderr.write(`portcullis: hint: test/bench/${name}.ts begins with its options\n`);
    process.exitCode = 2;
  }
}
