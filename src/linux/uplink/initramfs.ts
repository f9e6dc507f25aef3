/**
 * Making the initial file systems anew, and looking whether it helped: update-initramfs(8) ends well also when it found nothing to do.
 * Every kernel's is made, since whichever is booted next brings its own copy of modprobe.d.
 */
import { readdirSync } from 'node:fs';
import { OperatorError } from '../../trust/errors.ts';
import type { Ended } from '../child.ts';
import { findTool, runTool, TOOLS, textOf } from '../tools.ts';
import { MODPROBE_FILE } from './boot-files.ts';

const REMAKE_LIMIT_MS = 600_000;
const LIST_LIMIT_MS = 60_000;
export const REMAKE_WORDS = ['update-initramfs', '-u', '-k', 'all'] as const;

/** What it needs of the host; tests hand in their own. */
export interface InitramfsTools {
  /** Null: the tool is not installed. */
  readonly run: (
    tool: 'update-initramfs' | 'lsinitramfs',
    args: readonly string[],
    limitMs: number,
  ) => Promise<Pick<Ended, 'status' | 'output' | 'errors'>> | null;
  /** The names in /boot. */
  readonly boot: () => readonly string[];
}

const HOST: InitramfsTools = {
  run: (tool, args, limitMs) => (findTool(tool) === null ? null : runTool(tool, args, '', limitMs)),
  boot: () => {
    try {
      return readdirSync('/boot');
    } catch {
      return [];
    }
  },
};

/**
 * Makes all of them anew; resolves with those that now have the file that keeps modules out (`isWanted`), or have it no more. Throws
 * OperatorError when one was left behind, which would bring the uplink up early at its kernel's next boot.
 */
export async function remakeInitramfs(
  isWanted: boolean,
  tools: InitramfsTools = HOST,
): Promise<readonly string[]> {
  const [tool, ...args] = REMAKE_WORDS;
  const remade = await tools.run(tool, args, REMAKE_LIMIT_MS);
  if (remade === null)
    throw new OperatorError(
      'update-initramfs is not installed; the files were written',
      `install ${TOOLS['update-initramfs']}, or make the initial file system anew by its own tool`,
    );
  const byHand = `run ${REMAKE_WORDS.join(' ')} by hand, and see lsinitramfs`;
  if (remade.status !== 0)
    throw new OperatorError(
      `update-initramfs failed; the files were written: ${textOf(remade.errors)}`,
      byHand,
    );
  const images = tools
    .boot()
    .filter((name) => /^initrd\.img-\d\S*$/.test(name) && !/\.(old|bak|new)$/.test(name));
  const behind: string[] = [];
  for (const image of images) {
    const listed = await tools.run('lsinitramfs', [`/boot/${image}`], LIST_LIMIT_MS);
    const has = listed?.output.split('\n').includes(MODPROBE_FILE.slice(1));
    if (listed?.status !== 0 || has !== isWanted) behind.push(`/boot/${image}`);
  }
  if (behind.length > 0)
    throw new OperatorError(
      `${behind.join(', ')}: ${isWanted ? 'still without' : 'still with'} ${MODPROBE_FILE}, although update-initramfs has ended well`,
      byHand,
    );
  return images.map((image) => `/boot/${image}`);
}
