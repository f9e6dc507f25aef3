/**
 * The programs that put rules into the kernel and read them out. Those that load a set, or change the loaded one, are started
 * before they are needed (warm.ts); what they have done is reckoned as ours (generations.ts).
 */
import type { Ended } from './child.ts';
import type { Generations } from './generations.ts';
import { type Family, readSaved, tablesIn } from './ruletext.ts';
import { runTool, type Tool, textOf } from './tools.ts';
import { WarmTool } from './warm.ts';

export const FAMILIES = [4, 6] as const;
/** Only the legacy variant has a lock to wait for, so many seconds. */
const WHOLE_ARGS = ['-w', '2'];
const CHANGE_ARGS = [...WHOLE_ARGS, '--noflush'];
const LIMIT_MS = 5000;
/** With `--verbose` a comment is said again when all before it is done; its end waits for the kernel to tidy up. */
const DONE_LINE = '# done';

export function restoreTool(family: Family, what: 'restore' | 'save'): Tool {
  return family === 4 ? `iptables-${what}` : `ip6tables-${what}`;
}

/** The current rules of a family. Throws when they cannot be read. */
export async function savedRules(family: Family): Promise<Map<string, string[]>> {
  const tool = restoreTool(family, 'save');
  const ended = await runTool(tool, []);
  if (ended.status !== 0) throw new Error(`${tool}: ${textOf(ended.errors)}`);
  return readSaved(ended.output);
}

export class Restores {
  readonly #generations: Generations;
  /** Families whose rules are not nftables': no generation tells of them. */
  readonly #legacy = new Set<Family>();
  readonly #whole = { 4: warm(4, WHOLE_ARGS), 6: warm(6, WHOLE_ARGS) };
  readonly #change = { 4: warm(4, [...CHANGE_ARGS, '--verbose']), 6: warm(6, [...CHANGE_ARGS, '--verbose']) };

  constructor(generations: Generations) {
    this.#generations = generations;
  }

  /** Looks which variant is installed. */
  async inspect(families: Iterable<Family>): Promise<void> {
    for (const family of families) {
      const { output } = await runTool(restoreTool(family, 'restore'), ['--version']);
      if (output.includes('nf_tables')) this.#legacy.delete(family);
      else this.#legacy.add(family);
    }
  }

  /** From now on programs for these families wait, started anew. */
  keep(families: ReadonlySet<Family>): void {
    for (const family of FAMILIES) {
      const isKept = families.has(family);
      this.#whole[family].keep(isKept);
      // Without generations nobody knows what it would change.
      this.#change[family].keep(isKept && !this.#legacy.has(family));
    }
  }

  /** Changes whenever somebody else changes that family's rules; null: nobody tells. */
  generation(family: Family): number | null {
    return this.#legacy.has(family) ? null : this.#generations.foreign();
  }

  /** Loads a whole set: each of its tables is one transaction. */
  load(family: Family, text: string): Promise<Ended> {
    const transactions = this.#legacy.has(family) ? 0 : tablesIn(text).length;
    return this.#generations.during(transactions, () => this.#whole[family].run(text));
  }

  /** Changes one table of the loaded set. */
  change(family: Family, text: string): Promise<Ended> {
    return this.#generations.during(1, () =>
      this.#change[family].run(`${text}${DONE_LINE}\n`, LIMIT_MS, DONE_LINE),
    );
  }

  /** Changes it as somebody else would: by no program that waits. */
  async add(family: Family, text: string): Promise<void> {
    await runTool(restoreTool(family, 'restore'), CHANGE_ARGS, text);
  }
}

function warm(family: Family, args: readonly string[]): WarmTool {
  return new WarmTool(restoreTool(family, 'restore'), args);
}
