/** Who was master when, as a picture: one row a host, one bar a tenure, in SVG that needs no script. */

import { escaped } from './html.ts';
import type { Tenure } from './tenure.ts';
import { timeText } from './words.ts';

const WIDTH = 1000;
const LEFT = 90;
const ROW = 34;
const TOP = 14;
/** Bars of less than this are drawn as wide as this. */
const LEAST = 2;

/** The picture of one service, between two times of the hosts' clocks. */
export function pictureOf(
  tenures: readonly Tenure[],
  hosts: readonly string[],
  firstMs: number,
  lastMs: number,
): string {
  const span = Math.max(1, lastMs - firstMs);
  const x = (ms: number): number =>
    LEFT + ((WIDTH - LEFT - 10) * Math.min(Math.max(ms - firstMs, 0), span)) / span;
  const height = TOP + hosts.length * ROW + 30;
  const parts = [
    `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Who was master when">`,
    `<title>Who was master when</title>`,
  ];
  hosts.forEach((host, i) => {
    const y = TOP + i * ROW;
    parts.push(
      `<text x="0" y="${y + 19}" class="host">${escaped(host)}</text>`,
      `<line x1="${LEFT}" x2="${WIDTH - 10}" y1="${y + 14}" y2="${y + 14}" class="axis"/>`,
    );
    for (const tenure of tenures) if (tenure.host === host) parts.push(bar(tenure, x, y, lastMs));
  });
  const y = TOP + hosts.length * ROW + 16;
  const ticks = [0, 0.25, 0.5, 0.75, 1];
  for (const [i, share] of ticks.entries()) {
    const at = firstMs + span * share;
    const anchor = i === 0 ? 'start' : i === ticks.length - 1 ? 'end' : 'middle';
    parts.push(
      `<line x1="${x(at).toFixed(1)}" x2="${x(at).toFixed(1)}" y1="${TOP - 6}" y2="${y - 14}" class="tick"/>`,
      `<text x="${x(at).toFixed(1)}" y="${y}" text-anchor="${anchor}" class="time">${escaped(shortTime(at, span))}</text>`,
    );
  }
  parts.push('</svg>');
  return parts.join('\n');
}

function bar(tenure: Tenure, x: (ms: number) => number, y: number, lastMs: number): string {
  const { from, to, lastSeen, term, host } = tenure;
  const endMs = to?.wallMs ?? lastSeen?.wallMs ?? lastMs;
  const [left, right] = [x(from.wallMs), x(endMs)];
  const width = Math.max(LEAST, right - left);
  const kind = to === null ? 'bar unsaid' : 'bar';
  const title = `${host}, term ${term}: ${timeText(from.wallMs)} to ${to === null ? 'an end that its log does not say' : timeText(endMs)}`;
  const label =
    width > 60 ? `<text x="${(left + 6).toFixed(1)}" y="${y + 19}" class="term">${escaped(term)}</text>` : '';
  return `<g><title>${escaped(title)}</title><rect x="${left.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="26" rx="3" class="${kind}"/>${label}</g>`;
}

/** The time as the span allows: with the day for long ones, with fractions for short ones. */
function shortTime(ms: number, span: number): string {
  const text = timeText(Math.round(ms));
  if (span > 2 * 86_400_000) return text.slice(0, 16).replace('T', ' ');
  return span > 60_000 ? text.slice(11, 19) : text.slice(11, 23);
}
