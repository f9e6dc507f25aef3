/** Runs the daemon and ends with it. A daemon runs for years: nothing of the other commands is loaded with it. */
import '../daemon/engine.ts';
import { readSettings } from '../daemon/config/read-settings.ts';
import { createLog } from '../daemon/log.ts';
import { runDaemon } from '../daemon/run.ts';

export const LOG_LEVELS: readonly string[] = ['debug', 'info', 'warn', 'error'];

/** Never returns but by an error that hindered the start: ConfigError or OperatorError. */
export async function startDaemon(config: string, logLevel: string): Promise<never> {
  const { log, flush } = createLog(readSettings(config).host, logLevel);
  try {
    process.exitCode = await runDaemon(config, log);
  } finally {
    await flush();
  }
  // Whatever a library still holds open must not keep a stopped daemon alive.
  process.exit();
}

/**
 * What `portcullis daemon --config FILE [--log-level LEVEL]` names, in this order; null: that is another command line, or a
 * wrong one, which the whole program judges.
 */
export function plainDaemon(args: readonly string[]): { config: string; logLevel: string } | null {
  const [verb, option, config, levelOption, logLevel = 'info', ...more] = args;
  if (verb !== 'daemon' || option !== '--config' || config === undefined || more.length > 0) return null;
  if (config.startsWith('-') || (levelOption !== undefined && levelOption !== '--log-level')) return null;
  return LOG_LEVELS.includes(logLevel) && (levelOption === undefined) === (args[4] === undefined)
    ? { config, logLevel }
    : null;
}
