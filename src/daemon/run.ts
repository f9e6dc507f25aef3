/**
 * The daemon as a process: signals, the end, and the exit status. SIGTERM and SIGINT stop in good order (hand over
 * first), a second one fences and ends; SIGHUP reloads. Whatever goes wrong inside ends with the host fenced.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { RunEnded } from '../wire/ended.ts';
import { Daemon } from './daemon.ts';
import type { Log } from './log.ts';

/** An error of ours (sysexits: EX_SOFTWARE). */
const EXIT_SOFTWARE = 70;
/** This run cannot go on, the next one can (sysexits: EX_TEMPFAIL): the service manager starts it. */
const EXIT_NEW_RUN = 75;
const FENCE_LIMIT_MS = 5000;

/** Runs until stopped; resolves with the exit status. Throws OperatorError when it cannot start. */
export async function runDaemon(file: string, log: Log): Promise<number> {
  const daemon = await Daemon.start(file, log);
  return new Promise((resolve) => {
    let stopping = false;
    let ending = false;
    const end = (status: number, fenced: boolean): void => {
      if (ending) return;
      ending = true;
      finish(daemon, log, status, fenced).then(resolve, () => resolve(EXIT_SOFTWARE));
    };
    const onStop = (signal: NodeJS.Signals): void => {
      log.info({ signal }, 'stop ordered');
      if (stopping) {
        end(1, true);
        return;
      }
      stopping = true;
      stopInOrder(daemon, log).then((clean) => end(clean ? 0 : 1, !clean), failed);
    };
    const failed = (error: unknown): void => {
      if (error instanceof RunEnded) {
        log.error({ reason: error.message }, 'this run must end: fencing this host; start the daemon anew');
        end(EXIT_NEW_RUN, true);
        return;
      }
      const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
      log.fatal({ stack }, 'internal error: fencing this host and ending');
      end(EXIT_SOFTWARE, true);
    };
    process.on('SIGTERM', onStop);
    process.on('SIGINT', onStop);
    process.on('SIGHUP', () => void daemon.reload().catch(failed));
    daemon.lost.catch(failed);
    process.on('uncaughtException', failed);
    process.on('unhandledRejection', failed);
  });
}

/** True when the core said in time that this host is harmless. */
async function stopInOrder(daemon: Daemon, log: Log): Promise<boolean> {
  const tooLong = sleep(daemon.stopLimitMs, false, { ref: false });
  const clean = await Promise.race([daemon.stop().then(() => true), tooLong]);
  if (!clean) log.error({ limitMs: daemon.stopLimitMs }, 'the stop took too long: fencing this host');
  return clean;
}

async function finish(daemon: Daemon, log: Log, status: number, fenced: boolean): Promise<number> {
  if (fenced) {
    // The kernel's gate shuts by itself in any case; this takes addresses and uplink away too.
    const report = await Promise.race([daemon.fence(), sleep(FENCE_LIMIT_MS, null, { ref: false })]);
    log.info({ confirmed: report ?? false }, 'fenced');
  }
  await daemon.close();
  log.info({ status }, 'daemon ended');
  return status;
}
