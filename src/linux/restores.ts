/**
 * The programs that put rules into the kernel and read them out. Those that load a set are started before they are needed
 * (warm.ts); what they have done is reckoned as ours (generations.ts).
 */
import type { Ended } from './child.ts';
import type { Generations } from './generations.ts';
import { type Family, readSaved, transactionsIn } from './ruletext.ts';
import { runTool, type Tool, textOf } from './tools.ts';
import { WarmTool } from './warm.ts';

export const FAMILIES = [4, 6] as const;
/** Only the legacy variant has a lock to wait for, so many seconds. */
const ARGS = ['-w', '2'];

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
  readonly #tools = {
    4: new WarmTool(restoreTool(4, 'restore'), ARGS),
    6: new WarmTool(restoreTool(6, 'restore'), ARGS),
  };

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

  /** From now on programs for these families wait, started anew, and for no others. */
  keep(families: ReadonlySet<Family>): void {
    for (const family of FAMILIES) this.#tools[family].keep(families.has(family));
  }

  /** Changes whenever somebody else changes that family's rules; null: nobody tells. `foreign`: as just read. */
  generation(family: Family, foreign = this.#generations.foreign()): number | null {
    return this.#legacy.has(family) ? null : foreign;
  }

  /** Loads a whole set. */
  load(family: Family, text: string): Promise<Ended> {
    const transactions = this.#legacy.has(family) ? 0 : transactionsIn(text);
    return this.#generations.during(transactions, () => this.#tools[family].run(text));
  }

  /** Adds to what stands. Whoever compares with what was loaded finds it changed. */
  async add(family: Family, text: string): Promise<void> {
    await runTool(restoreTool(family, 'restore'), [...ARGS, '--noflush'], text);
  }
}
