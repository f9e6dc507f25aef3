/**
 * The Markdown of spec/ as roff: headings, paragraphs, lists, code and tables as they are written there. Not more, and what it
 * does not know it refuses rather than prints wrong. Pure.
 */
import { bold, italic, paragraph, plain, section, subsection, tagged, verbatim } from './roff.ts';

/** All below the document's first heading. Throws on what it does not know. */
export function markdownToRoff(text: string): string[] {
  const out: string[] = [];
  const lines = text.split('\n');
  let at = 0;
  const next = (): string => lines[at] ?? '';
  /** The block that begins here: up to a blank line or the beginning of another kind. */
  const takeWhile = (test: (line: string) => boolean): string[] => {
    const taken: string[] = [];
    while (at < lines.length && test(next())) {
      taken.push(next());
      at += 1;
    }
    return taken;
  };
  let isFirst = true;
  while (at < lines.length) {
    const line = next();
    const heading = /^(#+) (.*)$/.exec(line);
    if (line === '') at += 1;
    else if (heading !== null) {
      at += 1;
      const [, marks = '', title = ''] = heading;
      if (marks.length > 1)
        out.push(marks.length === 2 ? section(unmarked(title)) : subsection(unmarked(title)));
      else if (!isFirst) throw new Error(`a second title: ${title}`);
      else out.push(section('Description'));
      isFirst = false;
    } else if (line.startsWith('```')) {
      at += 1;
      out.push(verbatim(takeWhile((l) => !l.startsWith('```')).join('\n')));
      at += 1;
    } else if (line.startsWith('|')) out.push(...table(takeWhile((l) => l.startsWith('|'))));
    else if (/^(- |\d+\. )/.test(line)) out.push(item(takeItem()));
    else if (/^[>!<]/.test(line)) throw new Error(`not known here: ${line}`);
    else
      out.push(paragraph(inline(takeWhile((l) => l !== '' && !/^(#|```|\||- |\d+\. )/.test(l)).join('\n'))));
  }
  return out;

  function takeItem(): string[] {
    const first = next();
    at += 1;
    return [first, ...takeWhile((l) => /^ +\S/.test(l)).map((l) => l.trimStart())];
  }
}

/** `- **P1** words`, `- C1. *Title*: words` or `- words`. */
function item(lines: readonly string[]): string {
  const text = lines.join('\n');
  const numbered = /^(\d+\.) ([\s\S]*)$/.exec(text);
  if (numbered !== null) return tagged(plain(numbered[1] ?? ''), inline(numbered[2] ?? ''));
  const body = text.slice(2);
  const named = /^(?:\*\*([A-Z]+\d+)\*\*|([A-Z]+\d+)\.) ([\s\S]*)$/.exec(body);
  if (named === null) return `.IP \\(bu 2\n${inline(body)}`;
  return tagged(bold(named[1] ?? named[2] ?? ''), inline(named[3] ?? ''));
}

/** One entry a row: the first cell, and beneath it the others under their heads, which no terminal is too narrow for. */
function table(lines: readonly string[]): string[] {
  const [heads = [], , ...rows] = lines.map(cellsOf);
  return rows.map(([first = '', ...rest]) => {
    const told = rest.flatMap((cell, i) => {
      if (cell === '') return [];
      const head = heads[i + 1] ?? '';
      const isOnly = heads.length <= 2 || head === '';
      return [isOnly ? inline(cell) : `${italic(unmarked(head))}: ${inline(cell)}`];
    });
    const cells = told.length === 0 ? '\\&' : told.join('\n.br\n');
    const head = heads[0] === '' || /^[A-Za-z`]/.test(first) ? '' : `${plain(heads[0] ?? '')} `;
    return tagged(first === '' ? '\\&' : `${head}${inline(first)}`, cells);
  });
}

/** Cells may hold `\|` and, in code, a bar of their own is not used. */
function cellsOf(line: string): string[] {
  const cells = line.replace(/^\|/, '').replace(/\|\s*$/, '');
  return cells.split(/(?<!\\)\|/).map((cell) => cell.replaceAll('\\|', '|').trim());
}

/** Code, bold, italic and links; a link to a file of spec/ or the repository is named by its words. */
export function inline(text: string): string {
  let out = '';
  let rest = text;
  const marks = /`([^`]+)`|\*\*([^*]+)\*\*|(?<![\w*])\*([^*\s][^*]*)\*(?![\w*])|\[([^\]]+)\]\(([^)\s]+)\)/;
  for (let found = marks.exec(rest); found !== null; found = marks.exec(rest)) {
    const [whole, code, strong, weak, words, target = ''] = found;
    out += plain(rest.slice(0, found.index));
    if (code !== undefined) out += bold(code);
    else if (strong !== undefined) out += bold(strong);
    else if (weak !== undefined) out += italic(weak);
    else out += /^https?:/.test(target) ? `${plain(words ?? '')} (${plain(target)})` : inline(words ?? '');
    rest = rest.slice(found.index + whole.length);
  }
  out += plain(rest);
  // A line that begins with one of these would be a request.
  return out.replace(/^(?=[.'])/gm, '\\&');
}

function unmarked(text: string): string {
  return text.replaceAll(/[`*]/g, '');
}
