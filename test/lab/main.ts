/**
 * `npm run -s lab -- SCENARIO...`: runs scenarios and prints a JSON line (`--json`) or a table row a run.
 * Exit status: 0 all as expected, 1 something was not, 2 wrong usage.
 */
import { parseArgs } from 'node:util';
import { attacksNamed, show as showTrial, tryAttack } from './attack.ts';
import { beside } from './beside.ts';
import { cleanUpOnSignals, closeAll, removeWorkDirectory, setRunAside, workDirectory } from './lab.ts';
import { offsets } from './offsets-command.ts';
import { optionsOf } from './options.ts';
import { type RunOptions, type RunResult, runScenario } from './run.ts';
import type { Scenario } from './scenario.ts';
import { SCENARIOS } from './scenarios.ts';
import { spread } from './spread-command.ts';
import { planHosts } from './topology.ts';
import { milliseconds, policyNamed, row, UsageError, whole } from './usage.ts';

const USAGE = `usage: npm run -s lab -- SCENARIO... [--hosts N] [--witness] [--interval 200ms] [--policy quorum|available]
                             [--runs K] [--apart] [--conntrackd] [--strict] [--json] [--keep]
SCENARIO: one or more names, or \`all\`; \`list\` tells them. --apart: actuator and daemon as two units of each host.
--conntrackd: with a real conntrackd on each gateway, and --strict. --strict: no kernel takes up a connection in mid-flow.
       npm run -s lab -- attack [NAME...] [--json] [--keep]   all attacks, or those named, each with its control
       npm run -s lab -- offsets [FAULT...] [--offsets N] [--hosts N] [--interval 200ms] [--policy ..] [--apart] [--json] [--keep]
                             freeze and kill the master's processes at N instants of the lease
       npm run -s lab -- beside [SCENARIO...] [--runs K] [--interval 200ms] [--json] [--keep]
                             the same faults for this and for keepalived, in turn
       npm run -s lab -- spread [--hosts 4] [--services 8] [--interval 1s] [--idle [--seconds 10] [--warm 2] [--without-witness]] [--json] [--keep]
                             many services over several hosts: one host dies, then two at once; --idle: what they cost`;

interface Plan {
  readonly scenarios: readonly Scenario[];
  readonly runs: number;
  readonly json: boolean;
  readonly keep: boolean;
  readonly options: (scenario: Scenario) => RunOptions;
}

function plan(argv: readonly string[]): Plan | 'list' {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      hosts: { type: 'string' },
      witness: { type: 'boolean', default: false },
      interval: { type: 'string', default: '200ms' },
      policy: { type: 'string' },
      runs: { type: 'string', default: '1' },
      apart: { type: 'boolean', default: false },
      conntrackd: { type: 'boolean', default: false },
      strict: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
    },
  });
  if (positionals.length === 0) throw new UsageError('name a scenario');
  if (positionals[0] === 'list') return 'list';
  const hosts = values.hosts === undefined ? null : whole(values.hosts, 2, 16, '--hosts');
  const intervalMs = milliseconds(values.interval);
  const policy = policyNamed(values.policy) ?? undefined;
  return {
    scenarios: positionals[0] === 'all' ? SCENARIOS : positionals.map(scenarioNamed),
    runs: whole(values.runs, 1, 1_000, '--runs'),
    json: values.json,
    keep: values.keep,
    options: (scenario) => ({
      ...optionsOf(scenario, hosts ?? scenario.hosts, values.witness, intervalMs, policy, values.apart),
      ...(values.conntrackd ? { conntrackd: true } : {}),
      ...(values.strict ? { strict: true } : {}),
    }),
  };
}

function scenarioNamed(name: string): Scenario {
  const scenario = SCENARIOS.find((candidate) => candidate.name === name);
  if (scenario === undefined) throw new UsageError(`there is no scenario ${name}; \`list\` tells them`);
  return scenario;
}

const COLUMNS = [
  'scenario',
  'hosts',
  'policy',
  'intervalMs',
  'outageMs',
  'boundMs',
  'lost',
  'masters',
  'overlapMs',
  'standbyUplinkPackets',
  'tcpSurvived',
  'endMasters',
  'changes',
] as const satisfies readonly (keyof RunResult)[];
const HEADINGS = [
  'scenario',
  'hosts',
  'policy',
  'I ms',
  'outage',
  'bound',
  'lost',
  'masters',
  'overlap',
  'standby',
  'tcp',
  'end',
  'moved',
];
const WIDTHS = [19, 6, 10, 6, 9, 7, 6, 8, 8, 8, 6, 4, 6];

function show(result: RunResult, json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify(result)}\n`);
    return;
  }
  const words = result.problems.length === 0 ? 'ok' : result.problems.join('; ');
  process.stdout.write(
    `${row(
      COLUMNS.map((column) => String(result[column] ?? '-')),
      WIDTHS,
    )}${words}\n`,
  );
}

/** Each attack with its control; the exit status. */
async function attack(argv: readonly string[]): Promise<number> {
  const options = {
    json: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  } as const;
  const { values, positionals } = parseArgs({ args: [...argv], allowPositionals: true, options });
  let isGood = true;
  cleanUpOnSignals();
  if (values.keep) process.stderr.write(`files are kept in ${workDirectory()}\n`);
  try {
    for (const one of attacksNamed(positionals)) {
      const good = showTrial(await tryAttack(one), values.json);
      isGood &&= good;
    }
  } finally {
    await closeAll();
    if (!values.keep) removeWorkDirectory();
  }
  return isGood ? 0 : 1;
}

async function main(argv: readonly string[]): Promise<number> {
  if (argv[0] === 'attack') return attack(argv.slice(1));
  if (argv[0] === 'beside') return beside(argv.slice(1));
  if (argv[0] === 'spread') return spread(argv.slice(1));
  if (argv[0] === 'offsets') return offsets(argv.slice(1));
  const todo = plan(argv);
  if (todo === 'list') {
    for (const { name, summary, hosts } of SCENARIOS)
      process.stdout.write(`${name.padEnd(20)} ${String(hosts).padStart(2)} hosts  ${summary}\n`);
    return 0;
  }
  cleanUpOnSignals();
  if (todo.keep) process.stderr.write(`files are kept in ${workDirectory()}\n`);
  if (!todo.json) process.stdout.write(`${row(HEADINGS, WIDTHS)}\n`);
  let isGood = true;
  try {
    for (const scenario of todo.scenarios)
      for (let i = 0; i < todo.runs; i += 1) {
        const good = await once(scenario, todo);
        isGood &&= good;
        const { hosts, witness } = todo.options(scenario);
        const outside = scenario.outside === undefined ? [] : Array<string>(scenario.outside).fill('');
        if (todo.keep)
          setRunAside({ hosts: planHosts(hosts, witness), outside }, `${scenario.name}-${i + 1}`);
      }
  } finally {
    await closeAll();
    if (!todo.keep) removeWorkDirectory();
  }
  return isGood ? 0 : 1;
}

/** One run; what made it impossible is told on standard error and counts as not as expected. */
async function once(scenario: Scenario, todo: Plan): Promise<boolean> {
  try {
    const result = await runScenario(scenario, todo.options(scenario));
    show(result, todo.json);
    return result.problems.length === 0;
  } catch (error) {
    process.stderr.write(
      `lab: ${scenario.name}: ${error instanceof Error ? error.message : String(error)}\n`,
    );
    return false;
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const isUsage =
    error instanceof UsageError ||
    error instanceof RangeError ||
    (error instanceof TypeError && 'code' in error);
  process.stderr.write(`lab: ${error instanceof Error ? error.message : String(error)}\n`);
  if (isUsage) process.stderr.write(`${USAGE}\n`);
  process.exitCode = isUsage ? 2 : 1;
}
