/** A host's event log as lines of JSON, for tests that look at what a daemon said. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { entriesOf } from '../../src/cli/audit-reader.ts';
import { asJson } from '../../src/cli/audit-show.ts';

/** One line an entry, the oldest first, of the log under that state directory; none where there is no log yet. */
export function eventLines(state: string): string[] {
  const path = join(state, 'log');
  if (!existsSync(path)) return [];
  return [...entriesOf(path, null)].map((shown) => asJson(shown).trimEnd());
}
