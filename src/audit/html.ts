/** Text into HTML: every character that means something there escaped, every harmful one shown (P74). */
import { printable } from './words.ts';

const ENTITIES: { readonly [char: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escaped(text: string): string {
  return printable(text).replace(/[&<>"']/g, (char) => ENTITIES[char] ?? '');
}

/** A time by itself does not break at its hyphens. */
const IS_TIME = /^\d{4}-\d\d-\d\dT\S+$/;

/** A table; cells are text. `classes`: of a row. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  classes: (row: readonly string[], index: number) => string = () => '',
): string {
  const cells = (row: readonly string[], tag: string): string =>
    row
      .map((cell) => `<${tag}${IS_TIME.test(cell) ? ' class="when"' : ''}>${escaped(cell)}</${tag}>`)
      .join('');
  const body = rows.map((row, i) => {
    const name = classes(row, i);
    return `<tr${name === '' ? '' : ` class="${escaped(name)}"`}>${cells(row, 'td')}</tr>`;
  });
  return `<div class="wide"><table><thead><tr>${cells(head, 'th')}</tr></thead><tbody>${body.join('\n')}</tbody></table></div>`;
}

export const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #ffffff; --faint: #5d6670; --line: #d5dae0; --bar: #1f6f5c; --unsaid: #b26a00; --bad: #b3261e; --good: #1f6f5c; --band: #f4f6f8; }
@media (prefers-color-scheme: dark) { :root { --ink: #dfe4ea; --paper: #10141a; --faint: #98a2ad; --line: #303842; --bar: #3fa98d; --unsaid: #e0a34a; --bad: #ff7b72; --good: #56c3a5; --band: #171d25; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.5rem 4rem; max-width: 72rem; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, "DejaVu Sans", sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .3rem; } h2 { font-size: 1.2rem; margin: 2.4rem 0 .6rem; border-bottom: 1px solid var(--line); padding-bottom: .2rem; } h3 { font-size: 1rem; margin: 1.4rem 0 .4rem; }
p { margin: .4rem 0; max-width: 60rem; } .faint { color: var(--faint); }
.verdict { margin: 1.2rem 0; padding: .8rem 1rem; border-left: .4rem solid var(--good); background: var(--band); font-size: 1.1rem; } .verdict.bad { border-color: var(--bad); }
table { border-collapse: collapse; width: 100%; font-size: .88rem; font-variant-numeric: tabular-nums; } th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); } td:last-child { overflow-wrap: anywhere; min-width: 8rem; } th { color: var(--faint); font-weight: 600; }
td:first-child, th:first-child, .when { white-space: nowrap; } .wide { overflow-x: auto; }
tr.broken td:first-child, tr.overlap td:first-child, tr.missing td:first-child { color: var(--bad); font-weight: 700; }
svg { width: 100%; height: auto; display: block; margin: .6rem 0; } svg text { fill: var(--ink); font-size: 13px; } svg .time { fill: var(--faint); font-size: 11px; } svg .term { fill: var(--paper); font-size: 12px; }
.axis, .tick { stroke: var(--line); } .tick { stroke-dasharray: 2 4; } .bar { fill: var(--bar); } .unsaid { fill: var(--unsaid); }
.key { display: inline-block; width: 1em; height: 1em; vertical-align: -.15em; border-radius: 2px; margin: 0 .3em 0 1em; }
code { font: .85em/1.4 ui-monospace, "DejaVu Sans Mono", monospace; }
@media print { :root { --ink: #000; --paper: #fff; --faint: #444; --line: #bbb; --bar: #555; --unsaid: #aaa; --bad: #000; --good: #000; --band: #fff; } body { max-width: none; padding: 0; font-size: 10.5pt; } h2 { break-after: avoid; } tr, svg, .verdict { break-inside: avoid; } .bar, .unsaid, .key { print-color-adjust: exact; -webkit-print-color-adjust: exact; } .verdict { border: 1px solid #000; border-left-width: .4rem; } .wide { overflow: visible; } }
`;
