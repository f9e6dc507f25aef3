/** What is wrong with a configuration file, for the tests of its keys. */
import { ConfigError, type Problem } from '../../src/daemon/config/problems.ts';
import { parseSettings } from '../../src/daemon/config/settings.ts';

/** All that is told of the text; empty when it is accepted. */
export function problemsOf(text: string): readonly Problem[] {
  try {
    parseSettings(text, 'p.toml');
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}
