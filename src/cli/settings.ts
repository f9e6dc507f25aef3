/** The `--config FILE` that most commands take, and where the file is when they are not told. */
import { readSettings } from '../daemon/config/read-settings.ts';
import type { Settings } from '../daemon/config/settings.ts';

/** Where the package and the units have it. */
export const CONFIG_FILE = '/etc/portcullis/portcullis.toml';

export const CONFIG_OPTION = ['--config <file>', 'the configuration file', CONFIG_FILE] as const;

export interface ConfigOption {
  readonly config: string;
}

/** Throws ConfigError with every mistake of the file. Reads no key and no roster. */
export function settingsOf(options: ConfigOption): Settings {
  return readSettings(options.config);
}
