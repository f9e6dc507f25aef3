/** `handover`, `standby` (`drain`) and `resume`: an operator's orders to the daemon of this host. */
import type { Command } from 'commander';
import { TRY_AGAIN } from '../core/index.ts';
import type { Status } from '../daemon/status.ts';
import { OperatorError } from '../trust/errors.ts';
import { getStatus, giveOrder } from './control-client.ts';
import { examples } from './help.ts';
import type { CommandIo } from './io.ts';
import { withProgress } from './progress.ts';
import { CONFIG_OPTION, type ConfigOption, settingsOf } from './settings.ts';
import { duration } from './status-text.ts';

const POLL_MS = 50;
/** Beyond the daemon's own limit: its rollback and our polling. */
const MARGIN_MS = 3000;

interface HandoverOptions extends ConfigOption {
  readonly to?: string;
  readonly service?: string;
  readonly force?: true;
}

/** Adds the three orders to the program. Throws OperatorError for one that is refused or does not come about. */
export function registerOperate(program: Command, io: CommandIo): void {
  examples(program.command('handover'), 'handover', 'handover --to fw2 --service firewall')
    .description('hand the service over to another host, which is made ready first; ask on the master')
    .option(...CONFIG_OPTION)
    .option('--to <host>', 'to this host; otherwise to the first fit one in the table')
    .option('--service <name>', 'only this service; otherwise all that this host serves')
    .option(
      '--force',
      'with --to, on the master: although that host is not heard, or does not say that it is fit; where nobody serves: this host takes over without a majority',
    )
    .action((options: HandoverOptions) => handover(options, io));
  examples(program.command('standby'), 'standby', 'drain')
    .alias('drain')
    .description('take this host out until resume: all that it serves is handed over; survives a restart')
    .option(...CONFIG_OPTION)
    .action((options: ConfigOption) => standby(options, io));
  examples(program.command('resume'), 'resume')
    .description('let this host take over again')
    .option(...CONFIG_OPTION)
    .action(async (options: ConfigOption) => {
      await giveOrder(settingsOf(options).control, 'resume', {});
      io.err('resumed\n');
    });
}

async function handover(options: HandoverOptions, io: CommandIo): Promise<void> {
  const { control, timing } = settingsOf(options);
  const before = await getStatus(control);
  const wanted = before.services.filter((s) => options.service === undefined || s.name === options.service);
  // Without a service of ours in Service the daemon decides: it refuses, or with --force it claims.
  const serving = wanted.filter((service) => service.state === 'service').map((service) => service.name);
  const names = serving.length > 0 ? serving : wanted.map((service) => service.name);
  const { to = null, service = null, force = false } = options;
  await giveHandover(control, { to, service, force }, timing.handoverLimitMs + MARGIN_MS);
  const taken = (status: Status): string[] | null => mastersAfter(status, names, serving.length > 0);
  const masters = await withProgress('waiting for the new master', () =>
    waitFor(control, names, taken, timing.handoverLimitMs + MARGIN_MS, (last) => {
      const left = names.filter(
        (name) => last === null || mastersAfter(last, [name], serving.length > 0) === null,
      );
      return notDone(last, left);
    }),
  );
  names.forEach((name, i) => {
    io.out(`service ${name}: master is ${masters[i]}\n`);
  });
}

/**
 * A host that claims in vain is in the middle of an attempt most of the time, and cannot be forced there: the operator need not
 * find the moment between two of them. Throws OperatorError with any other refusal, and with this one at the limit.
 */
async function giveHandover(control: string, order: object, limitMs: number): Promise<void> {
  const tries = Math.ceil(limitMs / POLL_MS);
  for (let left = tries; ; left--) {
    try {
      return await giveOrder(control, 'handover', order);
    } catch (error) {
      const isOver = left <= 0 || !(error instanceof OperatorError && error.message.endsWith(TRY_AGAIN));
      if (isOver) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** The new masters in the order of `names`; null while a handover is not done. */
function mastersAfter(status: Status, names: readonly string[], leaving: boolean): string[] | null {
  const masters: string[] = [];
  for (const name of names) {
    const service = status.services.find((candidate) => candidate.name === name);
    const master = service?.master ?? null;
    if (master === null || (master === status.host) === leaving) return null;
    masters.push(master);
  }
  return masters;
}

async function standby(options: ConfigOption, io: CommandIo): Promise<void> {
  const { control, timing } = settingsOf(options);
  const before = await getStatus(control);
  const served = before.services.filter(({ state }) => state === 'service').map(({ name }) => name);
  await giveOrder(control, 'standby', {});
  const left = (status: Status): string[] | null =>
    status.standby && status.services.every(({ state }) => state !== 'service' && state !== 'handover')
      ? mastersAfter(status, served, true)
      : null;
  const masters = await withProgress('waiting until others serve', () =>
    waitFor(control, served, left, timing.handoverLimitMs + MARGIN_MS, stays),
  );
  served.forEach((name, i) => {
    io.out(`service ${name}: master is ${masters[i]}\n`);
  });
  io.err('on standby, also after a restart, until `portcullis resume`\n');
}

/** What is said when a host on standby could not give all its services away. */
function stays(status: Status | null): OperatorError {
  const services = status?.services.filter(({ state }) => state === 'service') ?? [];
  const all = services.map(({ name, alarms }) => {
    const why = alarms.find(({ code }) => code === 'no-successor')?.detail ?? 'nobody took over in time';
    return `service ${name} stays here: ${why}`;
  });
  return new OperatorError(
    all.length > 0
      ? all.join('; ')
      : 'this host left its services, but nobody was heard serving them in time',
    'it stays on standby and goes on asking; `portcullis resume` ends that; see `portcullis status` on the others',
  );
}

/**
 * Polls the daemon until `test` finds what it looks for. Throws OperatorError when it does not in time, or when nobody takes over
 * what is left here of the services `names`.
 */
async function waitFor<T>(
  control: string,
  names: readonly string[],
  test: (status: Status) => T | null,
  limitMs: number,
  failure: (last: Status | null) => OperatorError,
): Promise<T> {
  const tries = Math.ceil(limitMs / POLL_MS);
  let last: Status | null = null;
  for (let i = 0; i < tries; i++) {
    last = await getStatus(control);
    const found = test(last);
    if (found !== null) return found;
    if (i > 0 && gaveUp(last, names)) break;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw failure(last);
}

function notDone(last: Status | null, names: readonly string[]): OperatorError {
  const all = names.map((name) => `service ${name}: ${last === null ? 'unknown' : lastSeen(last, name)}`);
  return new OperatorError(
    `it did not come about: ${all.join('; ')}`,
    'see `portcullis status`: a service that nobody took over stays where it was',
  );
}

/** Why a service has no new master: what the daemon complains of, or else where it stood in this status. */
export function lastSeen({ host, services }: Status, name: string): string {
  const service = services.find((candidate) => candidate.name === name);
  if (service === undefined) return 'this host has it no more';
  // A daemon of before does not say whom it asks.
  const { master, successor = null, state, substate, inStateMs, table, alarms } = service;
  if (alarms.length > 0) return alarms.map(({ code, detail }) => `${code}: ${detail}`).join(', ');
  const whose =
    master === null ? 'nobody was heard serving it' : `${master === host ? 'still ' : ''}${master}’s`;
  const since = duration(inStateMs);
  const preparing = table
    .filter((row) => row.host !== host && row.activity === 'handover')
    .map((row) => row.host);
  const isSought = state === 'service' && substate === 'seeking';
  if (isSought && successor !== null && !preparing.includes(successor))
    return `${whose}; ${successor} was asked and was not ready in ${since}`;
  const others =
    preparing.length > 0 ? `${preparing.join(' and ')} still preparing` : 'nobody was heard preparing';
  const own = isSought
    ? `a successor was sought for ${since}`
    : `${host} was in ${state} (${substate}) for ${since}`;
  return `${whose}; ${own}, ${others}`;
}

/** The daemon itself says that nobody can take over what is left here; what becomes of other services is none of this. */
function gaveUp({ services }: Status, names: readonly string[]): boolean {
  const left = services.filter(({ name, state }) => state === 'service' && names.includes(name));
  const isStuck = ({ substate, alarms }: Status['services'][number]): boolean =>
    substate === 'serving' && alarms.some(({ code }) => code === 'no-successor');
  return left.length > 0 && left.every(isStuck);
}
