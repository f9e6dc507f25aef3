/**
 * `npm run -s lab -- spread [--hosts 4] [--services 8] [--interval 1s] [--json] [--keep]`: active-active; one host dies, then
 * two at once. `--idle [--without-witness]`: nothing happens; what so many services cost beside one, `--warm` seconds after the start. Exit status 1 when something was not as expected.
 */
import { parseArgs } from 'node:util';
import { cleanUpOnSignals, closeAll, removeWorkDirectory, setRunAside, workDirectory } from './lab.ts';
import { CLIENTS_MAX, SERVICES_MAX } from './services.ts';
import { runSpread, type SpreadResult } from './spread.ts';
import { type IdleResult, runIdle } from './spread-idle.ts';
import { planHosts } from './topology.ts';
import { milliseconds, row, whole } from './usage.ts';

export async function spread(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      hosts: { type: 'string', default: '4' },
      services: { type: 'string', default: '8' },
      interval: { type: 'string', default: '1s' },
      seconds: { type: 'string', default: '10' },
      warm: { type: 'string', default: '2' },
      idle: { type: 'boolean', default: false },
      'without-witness': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
    },
  });
  const intervalMs = milliseconds(values.interval);
  const most = values.idle ? SERVICES_MAX : CLIENTS_MAX;
  const services = whole(values.services, values.idle ? 1 : 2, most, '--services');
  cleanUpOnSignals();
  if (values.keep) process.stderr.write(`files are kept in ${workDirectory()}\n`);
  try {
    if (values.idle) {
      const hosts = whole(values.hosts, 2, 16, '--hosts');
      const seconds = whole(values.seconds, 1, 600, '--seconds');
      const warmSeconds = whole(values.warm, 0, 600, '--warm');
      const witness = !values['without-witness'];
      for (const count of new Set([1, services]))
        showIdle(
          await runIdle({ hosts, witness, services: count, intervalMs, warmSeconds, seconds }),
          values.json,
        );
      return 0;
    }
    const hosts = whole(values.hosts, 4, 16, '--hosts');
    const result = await runSpread({ hosts, services, intervalMs, periodMs: 20 });
    show(result, values.json);
    if (values.keep) setRunAside({ hosts: planHosts(hosts, true) }, 'spread');
    return result.problems.length === 0 ? 0 : 1;
  } finally {
    await closeAll();
    if (!values.keep) removeWorkDirectory();
  }
}

const WIDTHS = [10, 10, 10, 10, 8, 10];

function show(result: SpreadResult, json: boolean): void {
  const out = (line: string): void => void process.stdout.write(`${line}\n`);
  if (json) {
    out(JSON.stringify(result));
    return;
  }
  const counts = (of: { readonly [host: string]: number }): string =>
    Object.entries(of)
      .map(([host, count]) => `${host} ${count}`)
      .join(', ');
  out(`services a host: ${counts(result.before)}`);
  for (const { dead, moved, counts: after, tookMs } of result.deaths)
    out(`${dead.join(' and ')} dead: ${moved.join(', ')}; all served after ${tookMs} ms: ${counts(after)}`);
  out(row(['service', 'overlap', 'masters', 'changes', 'lost', 'outage'], WIDTHS));
  for (const { service, overlapMs, masters, changes, lost, outageMs } of result.each)
    out(row([service, overlapMs, masters, changes, lost, outageMs].map(String), WIDTHS));
  out(result.problems.length === 0 ? 'ok' : result.problems.join('\n'));
}

function showIdle(result: IdleResult, json: boolean): void {
  const { hosts, witness, services, intervalMs, datagramsPerSecond, kilobytesPerSecond, settledMs } = result;
  if (json) {
    process.stdout.write(`${JSON.stringify(result)}\n`);
    return;
  }
  const both = (of: IdleResult['cpu'], unit: string): string =>
    Object.entries(of)
      .map(([host, { network, actuator }]) => `${host} ${network} + ${actuator} ${unit}`)
      .join(', ');
  process.stdout.write(
    `${services} service(s), ${hosts} hosts${witness ? ' and a witness' : ''}, I = ${intervalMs} ms: ${datagramsPerSecond} datagrams/s, ${kilobytesPerSecond} kB/s; ` +
      `processor (network + actuator): ${both(result.cpu, '%')}; memory: ${both(result.pssMiB, 'MiB')}, alone on a machine ${Object.values(result.aloneMiB).join(', ')} MiB; ` +
      `all served ${settledMs} ms after the start; ${result.lapsed} moved\n`,
  );
}
