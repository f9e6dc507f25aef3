/**
 * `portcullis cluster push`: gives a running host the newest roster and waits until the other hosts have shown,
 * signed, that they have it too. Who did not is named, and the exit status says so.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { RosterReport } from '../daemon/control.ts';
import { readRosterBytes } from '../daemon/key-files.ts';
import { OperatorError } from '../trust/errors.ts';
import type { Roster } from '../trust/roster.ts';
import { DRAFT, given, type RosterStatus } from '../trust/roster-status.ts';
import { claimedRoster, statusOf, writeStatus } from './cluster-file.ts';
import { hex } from './cluster-print.ts';
import { getRoster, giveRoster } from './control-client.ts';
import { examples } from './help.ts';
import { jsonLine } from './json-line.ts';
import type { KeyIo } from './key-io.ts';
import { withProgress } from './progress.ts';
import { CONFIG_OPTION, type ConfigOption, settingsOf } from './settings.ts';

const POLL_MS = 100;
const WAIT_DEFAULT_S = 10;
const WAIT_MAX_S = 3600;

type PushOptions = ConfigOption & { readonly wait: string; readonly json?: true };

/** Adds `push` to the group. Throws OperatorError, also where a host has not confirmed it within `--wait`. */
export function registerClusterPush(cluster: Command, io: KeyIo): void {
  const push = cluster
    .command('push')
    .description('give a roster to the host that runs here; it tells all the others')
    .argument('<roster>', 'the roster file')
    .option(...CONFIG_OPTION)
    .option('--wait <SECONDS>', 'how long to wait for the other hosts', String(WAIT_DEFAULT_S))
    .option('--json', 'print JSON')
    .action((path: string, options: PushOptions) => pushed(io, path, options));
  examples(push, 'cluster push roster.cose');
}

async function pushed(io: KeyIo, path: string, options: PushOptions): Promise<void> {
  const waitMs = 1000 * parseWait(options.wait);
  const { control, host } = settingsOf(options);
  const roster = claimedRoster(path);
  const before = statusOf(path, roster);
  let report = await giveRoster(control, readRosterBytes(path));
  // From here on hosts may have it, whatever becomes of this command.
  note(io, path, before, roster, report);
  await withProgress('waiting for the other hosts', async () => {
    for (let waited = 0; waited < waitMs && !isDone(report, roster.version); waited += POLL_MS) {
      await sleep(POLL_MS);
      report = await getRoster(control);
    }
  });
  note(io, path, before, roster, report);
  if (options.json === true) io.out(jsonLine(report));
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
  roster: Roster,
  report: RosterReport,
): void {
  // What the host says of another roster, which it may have got meanwhile, says nothing of this one.
  const isSame = report.version === roster.version && report.hash === hex(roster.hash);
  const status = given(before ?? DRAFT, roster, isSame ? report.settled : null);
  try {
    writeStatus(path, status);
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    const draft = before !== null && before.pushed === null;
    const now = draft
      ? 'it still says that no host has the roster: remove it'
      : 'later changes ask for --force';
    io.say(`warning: ${error.message}; ${now}`);
  }
}

function parseWait(text: string): number {
  const seconds = /^[0-9]{1,4}$/.test(text) ? Number(text) : Number.NaN;
  if (seconds <= WAIT_MAX_S) return seconds;
  throw new OperatorError(`--wait: ${JSON.stringify(text)} is none`, `0 to ${WAIT_MAX_S} seconds`, 2);
}
