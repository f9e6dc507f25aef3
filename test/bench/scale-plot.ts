/**
 * The figures of a scale bench as a picture: outage, datagrams and processor time against the number of hosts and of services.
 * One self-contained SVG without colours of meaning: policies differ by mark and dash, so that it reads in print and on a dark screen.
 */
import type { Policy } from '../lab/gateway.ts';
import { messagesPerSecond } from '../sim/message-law.ts';
import { hundredths, median } from './statistics.ts';

export interface ScaleRecord {
  readonly axis: 'hosts' | 'services';
  readonly policy: Policy;
  readonly hosts: number;
  readonly services: number;
  readonly intervalMs: number;
  /** Hosts that serve at least one service. */
  readonly serving: number;
  /** From the start of all daemons until every service was served. */
  readonly settledMs: number;
  /** Of all hosts, at rest. */
  readonly datagramsPerSecond: number;
  readonly kilobytesPerSecond: number;
  /** Datagrams in a second, by type. */
  readonly types: { readonly [type: string]: number };
  /** Both processes of a host, of one core; the mean of the hosts that serve, and of those that do not. */
  readonly servingCpuPercent: number | null;
  readonly standbyCpuPercent: number | null;
  /** One for each service of the host that lost its power, and each loss. */
  readonly outagesMs: readonly number[];
  readonly load: number;
}

interface Curve {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** What is expected: a line without marks. */
  readonly isLaw?: boolean;
  readonly isRound: boolean;
}
interface Panel {
  readonly title: string;
  readonly unit: string;
  readonly curves: readonly Curve[];
}

const PANEL = { width: 250, height: 150, left: 44, top: 30, right: 10, bottom: 28 } as const;
const HEAD = 26;
const AXES = ['hosts', 'services'] as const;
const POLICIES = ['available', 'quorum'] as const;

/** The whole picture, as text. */
export function scalePlot(records: readonly ScaleRecord[]): string {
  const rows = AXES.map((axis) => panelsOf(records.filter((one) => one.axis === axis)));
  const width = PANEL.width * 3;
  const height = HEAD + PANEL.height * rows.length;
  const drawn = rows.flatMap((panels, y) =>
    panels.map((panel, x) => draw(panel, AXES[y] ?? '', x * PANEL.width, HEAD + y * PANEL.height)),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>Outage, datagrams and processor time against the number of hosts and of services</title>
<style>
svg { background: #fff; color: #222; font: 10px system-ui, sans-serif; }
@media (prefers-color-scheme: dark) { svg { background: #181818; color: #ddd; } }
text { fill: currentColor; } .t { font-weight: 600; } .r { text-anchor: end; } .m { text-anchor: middle; }
path, line, circle, rect { stroke: currentColor; fill: none; stroke-width: 1.2; }
.g { opacity: .2; stroke-width: 1; } .d { stroke-dasharray: 5 3; } .l { opacity: .5; stroke-width: 3; stroke-dasharray: 1 4; stroke-linecap: round; }
circle, rect { fill: currentColor; stroke: none; }
</style>
${legend(intervalsOf(records))}
${drawn.join('\n')}
</svg>
`;
}

function intervalsOf(records: readonly ScaleRecord[]): string {
  const text = AXES.flatMap((axis) => {
    const times = [...new Set(records.filter((one) => one.axis === axis).map((one) => one.intervalMs))];
    return times.length === 0 ? [] : [`${axis}: I = ${times.join(', ')} ms`];
  });
  return text.join('; ');
}

function legend(intervals: string): string {
  const y = 14;
  return [
    `<path d="M10 ${y - 3}h24"/>${mark(22, y - 3, true)}<text x="38" y="${y}">available</text>`,
    `<path class="d" d="M100 ${y - 3}h24"/>${mark(112, y - 3, false)}<text x="128" y="${y}">quorum</text>`,
    `<path class="l" d="M185 ${y - 3}h24"/><text x="214" y="${y}">law</text>`,
    `<text x="250" y="${y}">${intervals}; processor: a serving host, and (thin) a standby</text>`,
  ].join('\n');
}

function panelsOf(records: readonly ScaleRecord[]): Panel[] {
  const curves = (
    pick: (one: ScaleRecord) => number | null,
    more: Pick<Curve, 'isLaw'> & { readonly name?: string } = {},
  ): Curve[] =>
    POLICIES.map((policy) => ({
      ...{ name: policy, isRound: policy === 'available', ...more },
      points: records
        .filter((one) => one.policy === policy)
        .flatMap((one): [number, number][] => {
          const y = pick(one);
          return y === null ? [] : [[one[one.axis], y]];
        })
        .sort(([a], [b]) => a - b),
    }));
  return [
    {
      ...{ title: 'outage after a power loss', unit: 'ms' },
      curves: curves((one) => median(one.outagesMs)),
    },
    {
      ...{ title: 'datagrams at rest, all hosts', unit: '/s' },
      curves: [
        ...curves((one) => one.datagramsPerSecond),
        ...curves((one) => messagesPerSecond(one), { isLaw: true }),
      ],
    },
    {
      ...{ title: 'processor at rest, a host', unit: '%' },
      curves: [
        ...curves((one) => one.servingCpuPercent),
        ...curves((one) => one.standbyCpuPercent, { name: 'standby' }),
      ],
    },
  ];
}

function draw({ title, unit, curves }: Panel, axis: string, x0: number, y0: number): string {
  const points = curves.flatMap((curve) => curve.points);
  const xs = [...new Set(points.map(([x]) => x))].sort((a, b) => a - b);
  const top = niceTop(Math.max(1e-9, ...points.map(([, y]) => y)));
  const width = PANEL.width - PANEL.left - PANEL.right;
  const height = PANEL.height - PANEL.top - PANEL.bottom;
  const [least = 1, most = 1] = [xs[0], xs.at(-1)];
  const span = Math.log2(most / least) || 1;
  const px = (x: number): number => hundredths(x0 + PANEL.left + (Math.log2(x / least) / span) * width);
  const py = (y: number): number => hundredths(y0 + PANEL.top + height - (y / top) * height);
  const parts = [`<text class="t" x="${x0 + PANEL.left}" y="${y0 + 20}">${title}, ${unit}</text>`];
  for (const share of [0, 0.5, 1]) {
    const y = py(top * share);
    parts.push(`<path class="g" d="M${x0 + PANEL.left} ${y}h${width}"/>`);
    parts.push(`<text class="r" x="${x0 + PANEL.left - 4}" y="${y + 3}">${hundredths(top * share)}</text>`);
  }
  const bottom = y0 + PANEL.top + height;
  for (const x of xs) parts.push(`<text class="m" x="${px(x)}" y="${bottom + 13}">${x}</text>`);
  parts.push(`<text class="m" x="${x0 + PANEL.left + width / 2}" y="${bottom + 24}">${axis}</text>`);
  for (const { points: own, isLaw = false, isRound, name } of curves) {
    if (own.length === 0) continue;
    const path = own.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${px(x)} ${py(y)}`).join('');
    const thin = name === 'standby' ? ' stroke-opacity=".55"' : '';
    parts.push(`<path class="${isLaw ? 'l' : isRound ? '' : 'd'}"${thin} d="${path}"/>`);
    if (!isLaw) for (const [x, y] of own) parts.push(mark(px(x), py(y), isRound));
  }
  return parts.join('\n');
}

function mark(x: number, y: number, isRound: boolean): string {
  return isRound
    ? `<circle cx="${x}" cy="${y}" r="2.6"/>`
    : `<rect x="${hundredths(x - 2.4)}" y="${hundredths(y - 2.4)}" width="4.8" height="4.8"/>`;
}

/** The least of 1, 2, 2.5, 5 times a power of ten that is not below. */
function niceTop(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 2.5, 5, 10].find((step) => step * power >= value) ?? 10) * power;
}
