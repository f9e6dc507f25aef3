/** The `--config FILE` that most commands take. */
import { readSettings } from '../daemon/config/read-settings.ts';
import type { Settings } from '../daemon/config/settings.ts';

export const CONFIG_OPTION = ['--config <file>', 'the configuration file'] as const;

export interface ConfigOption {
  readonly config: string;
}

/** Throws ConfigError with every mistake of the file. Reads no key and no roster. */
export function settingsOf(options: ConfigOption): Settings {
  return readSettings(options.config);
}
