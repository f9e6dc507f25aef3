/** `npm run -s bench -- NAME [--json]`: one benchmark a file beside this one, each prints its figures as JSON. */
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
} else await bench();
