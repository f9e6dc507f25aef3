/** Prints the table of keys for spec/configuration.md. */
import { renderKeyTable } from './key-table.ts';

process.stdout.write(renderKeyTable());
