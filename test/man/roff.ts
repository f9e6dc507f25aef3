/** The little of roff that the manual pages need: text made harmless, and the macros of man(7). Pure. */

/** Plain text for the body of a page: nothing in it is a request or an escape; beyond ASCII by its number, whatever the locale. */
export function plain(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti')
    .replace(/[^\n\x20-\x7e]/gu, (c) => named(c))
    .replace(/^\./gm, '\\&.');
}

function named(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return `\\[u${code.toString(16).toUpperCase().padStart(4, '0')}]`;
}

export const bold = (text: string): string => `\\fB${plain(text)}\\fP`;
export const italic = (text: string): string => `\\fI${plain(text)}\\fP`;

/** An argument of a macro. */
const argument = (roff: string): string => `"${roff.replaceAll('"', '\\(dq')}"`;

export interface PageHead {
  readonly name: string;
  readonly section: 1 | 5 | 7;
  readonly version: string;
  readonly about: string;
}

/** A page with its NAME section; `body` is roff. No date: the page changes when the sources do, and by nothing else. */
export function page({ name, section, version, about }: PageHead, body: readonly string[]): string {
  const lines = [
    '.\\" Made by: npm run -s man; do not edit.',
    `.TH ${argument(plain(name.toUpperCase()))} ${section} "" "portcullis ${version}" "Portcullis"`,
    // Left-aligned, no hyphenation: words here are keys, paths and commands.
    '.nh',
    '.ad l',
    '.SH NAME',
    `${plain(name)} \\- ${plain(about)}`,
    ...body,
  ];
  return `${lines.join('\n')}\n`;
}

export const section = (title: string): string => `.SH ${argument(plain(title.toUpperCase()))}`;
export const subsection = (title: string): string => `.SS ${argument(plain(title))}`;
export const paragraph = (roff: string): string => `.PP\n${roff}`;
/** A word with what it means, indented. `tag` is roff. */
export const tagged = (tag: string, roff: string): string => `.TP\n${tag}\n${roff}`;

/** Lines as they stand. */
export function verbatim(text: string): string {
  const lines = plain(text.replace(/\n$/, '')).split('\n');
  return ['.PP', '.RS 4', '.nf', ...lines.map((line) => (line === '' ? '\\&' : line)), '.fi', '.RE'].join(
    '\n',
  );
}
