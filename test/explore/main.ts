/** `npm run -s explore`: explores the core's state space and says what was found. Exit 1 on a violation, 2 on bad usage. */
import { parseArgs } from 'node:util';
import type { Policy } from '../../src/core/index.ts';
import { CI_PLANS } from './ci-plans.ts';
import { type Explored, explore, type Plan, planText } from './plans.ts';
import { possible, STARTS, type Start } from './starts.ts';
import { transcript } from './transcript.ts';

const FAULTS = ['loss', 'copy', 'delay', 'lie', 'crash', 'freeze', 'cut', 'order'] as const;

const USAGE = `usage: npm run -s explore -- [--hosts 2|3|4] [--witnesses 0|1|2] [--policy quorum|available] [--start NAME|all]
  [--depth N] [--states N] [--seconds N] [--calm N] [--disorder N|any] [--violations N] [--json]
  ${FAULTS.map((f) => `[--${f} N]`).join(' ')}
Without --hosts, --policy or --start: the searches of the test suite, or the N-th of them (--plan N).
Points to start at:
${Object.entries(STARTS)
  .map(([name, what]) => `  ${name.padEnd(10)} ${what}`)
  .join('\n')}`;

class UsageError extends Error {}

function number(text: string | undefined, fallback: number, name: string): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!/^[0-9]+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new UsageError(`--${name} must be a whole number, not ${JSON.stringify(text)}`);
  }
  return value;
}

type Values = { readonly [name: string]: string | boolean | undefined };

function plansOf(values: Values): Plan[] {
  const text = (name: string) => (typeof values[name] === 'string' ? values[name] : undefined);
  const limits = {
    ...(text('depth') === undefined ? {} : { depth: number(text('depth'), 0, 'depth') }),
    ...(text('states') === undefined ? {} : { states: number(text('states'), 0, 'states') }),
    ...(text('calm') === undefined ? {} : { calm: number(text('calm'), 0, 'calm') }),
    violations: number(text('violations'), 1, 'violations'),
  };
  if (['hosts', 'policy', 'start'].every((name) => text(name) === undefined)) {
    const fixed = ['witnesses', 'disorder', ...FAULTS].find((name) => text(name) !== undefined);
    if (fixed !== undefined) throw new UsageError(`--${fixed} needs --hosts, --policy or --start`);
    const only = number(text('plan'), 0, 'plan');
    if (only > CI_PLANS.length) throw new UsageError(`--plan must be 1 to ${CI_PLANS.length}`);
    const chosen = only === 0 ? CI_PLANS : CI_PLANS.slice(only - 1, only);
    return chosen.map((plan) => ({ ...plan, limits: { ...plan.limits, ...limits } }));
  }
  if (text('plan') !== undefined) throw new UsageError('--plan stands without --hosts, --policy and --start');
  const hosts = number(text('hosts'), 2, 'hosts');
  if (hosts < 2 || hosts > 4) throw new UsageError('--hosts must be 2, 3 or 4');
  const witnesses = number(text('witnesses'), 0, 'witnesses');
  if (witnesses > 2) throw new UsageError('--witnesses must be 0, 1 or 2');
  const policies = text('policy') === undefined ? ['quorum', 'available'] : [text('policy')];
  if (policies.some((p) => p !== 'quorum' && p !== 'available')) {
    throw new UsageError(`--policy must be quorum or available, not ${JSON.stringify(text('policy'))}`);
  }
  const start = text('start') ?? 'all';
  if (start !== 'all' && !(start in STARTS)) throw new UsageError(`no point called ${JSON.stringify(start)}`);
  const names = (Object.keys(STARTS) as Start[]).filter((s) => start === 'all' || start === s);
  const disorder = text('disorder') ?? 'any';
  const faults = Object.fromEntries(FAULTS.map((f) => [f, number(text(f), 0, f)]));
  for (const [name, n] of Object.entries(faults))
    if (n > 7) throw new UsageError(`--${name} must be at most 7`);
  return policies.flatMap((policy) =>
    names
      .filter((s) => possible(s, hosts, witnesses, policy as Policy))
      .map((s) => ({
        hosts,
        witnesses,
        policy: policy as Policy,
        start: s,
        disorder: disorder === 'any' ? null : number(disorder, 0, 'disorder'),
        faults,
        limits,
      })),
  );
}

function lineOf(plan: Plan, { result }: Explored): string {
  const rate = Math.round((1000 * result.transitions) / Math.max(1, result.searchMs));
  const end = result.exhausted ? 'exhausted' : `depth ${result.depth}`;
  return `${planText(plan)}: ${end}, ${result.states} states, ${result.transitions} transitions, ${rate}/s, ${result.calmRuns} calm runs, ${result.violations.length} violations`;
}

function main(): number {
  const options = Object.fromEntries(
    [
      'hosts',
      'witnesses',
      'policy',
      'start',
      'depth',
      'states',
      'seconds',
      'calm',
      'disorder',
      'violations',
      'plan',
      ...FAULTS,
    ].map((name) => [name, { type: 'string' as const }]),
  );
  const { values } = parseArgs({
    options: { ...options, json: { type: 'boolean' }, help: { type: 'boolean' } },
  });
  if (values.help === true) {
    console.log(USAGE);
    return 0;
  }
  const plans = plansOf(values as Values);
  const seconds = number((values as { [name: string]: string | undefined }).seconds, 0, 'seconds');
  let failed = false;
  for (const plan of plans) {
    const deadline = seconds === 0 ? {} : { deadlineMs: Date.now() + 1000 * seconds };
    const explored = explore({ ...plan, limits: { ...plan.limits, ...deadline } });
    const { cluster, from, choices, result, ms } = explored;
    const texts = result.violations.map((v) => transcript(cluster, from, choices, v));
    failed ||= texts.length > 0;
    if (values.json === true) {
      const { violations: _, ...figures } = result;
      console.log(JSON.stringify({ plan, ...figures, ms, violations: texts }));
    } else {
      console.log(lineOf(plan, explored));
      for (const t of texts) console.log(`\n${t}\n`);
    }
  }
  return failed ? 1 : 0;
}

try {
  process.exitCode = main();
} catch (error) {
  if (!(error instanceof UsageError) && !(error instanceof TypeError && 'code' in error)) throw error;
  console.error(`error: ${error.message}\nhint: npm run -s explore -- --help`);
  process.exitCode = 2;
}
