/**
 * `portcullis cluster push`: gives a running host the newest roster and waits until the other hosts have shown,
 * signed, that they have it too. Who did not is named, and the exit status says so.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { RosterReport } from '../daemon/control.ts';
import { replaceFile } from '../daemon/files.ts';
import { readRosterBytes } from '../daemon/key-files.ts';
import { OperatorError } from '../trust/errors.ts';
import { formatRosterStatus, given, type RosterStatus, statusPath } from '../trust/roster-status.ts';
import { claimedRoster, ROSTER_MODE, statusOf } from './cluster-file.ts';
import { getRoster, giveRoster } from './control-client.ts';
import { examples } from './help.ts';
import type { KeyIo } from './key-io.ts';
import { CONFIG_OPTION, type ConfigOption, settingsOf } from './settings.ts';

const POLL_MS = 100;
const WAIT_DEFAULT_S = 10;
const WAIT_MAX_S = 3600;

type PushOptions = ConfigOption & { readonly wait: string; readonly json?: true };

export function registerClusterPush(cluster: Command, io: KeyIo): void {
  const push = cluster
    .command('push')
    .description('give a roster to the host that runs here; it tells all the others')
    .argument('<roster>', 'the roster file')
    .requiredOption(...CONFIG_OPTION)
    .option('--wait <SECONDS>', 'how long to wait for the other hosts', String(WAIT_DEFAULT_S))
    .option('--json', 'print JSON')
    .action((path: string, options: PushOptions) => pushed(io, path, options));
  examples(push, 'cluster push --config /etc/portcullis/portcullis.toml roster.cose');
}

async function pushed(io: KeyIo, path: string, options: PushOptions): Promise<void> {
  const waitMs = 1000 * parseWait(options.wait);
  const { control, host } = settingsOf(options);
  const roster = claimedRoster(path);
  const before = statusOf(path);
  let report = await giveRoster(control, readRosterBytes(path));
  // From here on hosts may have it, whatever becomes of this command.
  note(io, path, before, roster.version, report);
  for (let waited = 0; waited < waitMs && !isDone(report, roster.version); waited += POLL_MS) {
    await sleep(POLL_MS);
    report = await getRoster(control);
  }
  note(io, path, before, roster.version, report);
  if (options.json === true) io.out(`${JSON.stringify(report)}\n`);
  else {
    io.out(`version ${report.version} ${report.hash}\n`);
    io.out(`confirmed by ${report.confirmed.join(', ') || 'nobody'}\n`);
    io.out(`${isSettled(report, roster.version) ? 'settled' : `settled up to version ${report.settled}`}\n`);
  }
  if (report.unreached.length === 0) return;
  const stays = roster.members.some(({ name }) => name === host);
  throw new OperatorError(
    `not confirmed by ${report.unreached.join(', ')}`,
    stays
      ? 'they may still trust a host that was removed or revoked; they fetch it as soon as they hear another host'
      : `${host} is out of this roster, and who has it does not answer ${host} any more: push it on a host that stays`,
  );
}

/** Nothing more will come of waiting. */
function isDone(report: RosterReport, version: number): boolean {
  return report.unreached.length === 0 && isSettled(report, version);
}

function isSettled(report: RosterReport, version: number): boolean {
  return report.settled >= version;
}

/** Notes beside the roster how far it has come: later commands go by it. */
function note(
  io: KeyIo,
  path: string,
  before: RosterStatus | null,
  version: number,
  report: RosterReport,
): void {
  const settled = Math.min(report.settled, version);
  const status = given(before ?? { pushed: null, settled: null }, version, settled);
  try {
    replaceFile(statusPath(path), Buffer.from(formatRosterStatus(status)), ROSTER_MODE);
  } catch (error) {
    const { code = 'error' } = error as NodeJS.ErrnoException;
    io.say(`warning: ${statusPath(path)}: cannot be written (${code}); later changes will ask for --force`);
  }
}

function parseWait(text: string): number {
  const seconds = /^[0-9]{1,4}$/.test(text) ? Number(text) : Number.NaN;
  if (seconds <= WAIT_MAX_S) return seconds;
  throw new OperatorError(`--wait: ${JSON.stringify(text)} is none`, `0 to ${WAIT_MAX_S} seconds`, 2);
}
