/** Reads the configuration file itself, and nothing that it names. */
import { readFileSync, statSync } from 'node:fs';
import { OperatorError } from '../../trust/errors.ts';
import { MAX_FILE_BYTES, parseSettings, type Settings } from './settings.ts';

const HINTS: { readonly [code: string]: string } = {
  ENOENT: 'there is no such file: name the configuration with --config; portcullis init writes one',
  EACCES:
    'run this as root, or as a member of the group that may read file and directory (portcullis, by the package)',
};

/** The file alone, checked. Throws ConfigError or OperatorError. */
export function readSettings(file: string): Settings {
  let text: string;
  try {
    const stat = statSync(file);
    if (!stat.isFile()) throw new OperatorError(`${file}: not a regular file`, 'name the configuration file');
    if (stat.size > MAX_FILE_BYTES)
      throw new OperatorError(`${file}: longer than ${MAX_FILE_BYTES} bytes`, 'is it the right file?');
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    const { code = 'error' } = error as NodeJS.ErrnoException;
    throw new OperatorError(
      `${file}: cannot be read (${code})`,
      HINTS[code] ?? 'name the configuration file with --config',
    );
  }
  return parseSettings(text, file);
}
