/** Prints the table of keys for spec/configuration.md. */
import { renderKeyTable } from './keys.ts';

process.stdout.write(renderKeyTable());
