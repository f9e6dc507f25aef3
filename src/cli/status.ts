/** `portcullis status`: who serves, who stands by, what is wrong. */
import type { Command } from 'commander';
import type { Status, StatusService } from '../daemon/status.ts';
import { getStatus } from './control-client.ts';
import { type CommandIo, outputGone } from './io.ts';
import { CONFIG_OPTION, type ConfigOption, settingsOf } from './settings.ts';

const WATCH_MS = 500;

export function registerStatus(program: Command, io: CommandIo): void {
  program
    .command('status')
    .description('show what this host knows of the cluster')
    .option(...CONFIG_OPTION)
    .option('--watch', 'show it again and again, until interrupted')
    .option('--json', 'print the status document (spec/control.md), one line each time')
    .action(async (options: ConfigOption & { watch?: true; json?: true }) => {
      const { control, statusSocket } = settingsOf(options);
      const socket = statusSocket ?? control;
      do {
        const status = await getStatus(socket);
        if (options.json) io.out(`${JSON.stringify(status)}\n`);
        else io.out(`${options.watch ? '\u001b[H\u001b[2J' : ''}${renderStatus(status)}`);
        if (options.watch) await new Promise((resolve) => setTimeout(resolve, WATCH_MS));
      } while (options.watch && !outputGone());
    });
}

/** The status document for people. */
export function renderStatus(status: Status): string {
  const since = status.standbySince === null ? '' : ` since ${status.standbySince}`;
  const flags = [status.standby ? `on standby${since}` : '', status.stopping ? 'stopping' : ''].filter(
    (flag) => flag !== '',
  );
  const own = flags.length > 0 ? ` (${flags.join(', ')})` : '';
  const lines = [
    `cluster ${status.cluster}, host ${status.host}${own}, roster version ${status.roster.version}, protocol ${status.protocol}`,
  ];
  // A daemon of an earlier version does not tell.
  if (status.load) lines.push(`load ${status.load.permille} of 1000: ${status.load.sources}`);
  for (const service of status.services) lines.push('', ...renderService(service));
  lines.push(
    '',
    ...columns([
      ['peer', 'role', 'heard', 'roster', 'protocol'],
      ...status.peers.map((peer) => {
        const heard = peer.lastHeardMs === null ? 'never' : `${peer.lastHeardMs} ms ago`;
        const roster =
          peer.rosterVersion === null
            ? '-'
            : `${peer.rosterVersion}${peer.rosterDiffers ? ' (differs)' : ''}`;
        const said = peer.session ? heard : `${heard}, no session`;
        return [peer.host, peer.role, said, roster, String(peer.protocol ?? '-')];
      }),
    ]),
  );
  for (const alarm of status.alarms) lines.push(`alarm ${alarm.code}: ${alarm.detail}`);
  return `${lines.join('\n')}\n`;
}

function renderService(service: StatusService): string[] {
  const term = service.term === null ? 'no term' : `term ${service.term.n} of ${service.term.host}`;
  const lease = service.leaseMs > 0 ? `, lease ${service.leaseMs} ms` : '';
  const held = service.holdDownMs > 0 ? `, held down for ${service.holdDownMs} ms` : '';
  const state = `${service.state} (${service.substate})`;
  const others = service.together.filter((name) => name !== service.name);
  const group = others.length > 0 ? ` with ${others.join(', ')}` : '';
  const head = `service ${service.name}${group}: ${state}, master ${service.master ?? 'unknown'}, ${term}${lease}${held}`;
  const rows = service.table.map((row) => [
    row.host,
    row.master ? 'master' : (row.activity ?? 'unheard'),
    row.standby ? 'standby' : !row.fit ? 'unfit' : row.burdened ? 'burdened' : 'fit',
  ]);
  const alarms = service.alarms.map((alarm) => `  alarm ${alarm.code}: ${alarm.detail}`);
  return [head, ...columns([['host', 'state', 'fitness'], ...rows]).map((line) => `  ${line}`), ...alarms];
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
