/**
 * Pages that are followed to the letter by tests: their boxes of commands, each with the machine on which they are typed.
 */
import assert from 'node:assert/strict';

export interface Block {
  /** The heading (of level 2 or 3) that it stands under. */
  readonly heading: string;
  /** The machine, or `file=NAME`: what follows is a file on the admin machine. */
  readonly where: string;
  readonly lines: readonly string[];
}

/** The boxes that begin with `sh` and a machine, in the order of the page. */
export function blocksOf(page: string): Block[] {
  const blocks: Block[] = [];
  let heading = '';
  for (const part of page.matchAll(/^###? (.*)$|^```sh (\S+)\n([\s\S]*?)^```$/gm)) {
    const [, title, where, body] = part;
    if (title !== undefined) heading = title.replaceAll("'", '’');
    else if (where !== undefined) blocks.push({ heading, where, lines: (body ?? '').trimEnd().split('\n') });
  }
  return blocks;
}

/** Words of a line; single quotes hold blanks or nothing. The pages need no more of the shell's language. */
export function wordsOf(line: string): string[] {
  assert.doesNotMatch(line, /[|;&<>$`"\\*?]/, 'a line that needs a shell');
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}
