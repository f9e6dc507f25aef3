/** `npm run -s lab -- offsets [FAULT...]`: blows at many instants of the lease, a row or a JSON line each. */
import { parseArgs } from 'node:util';
import { cleanUpOnSignals, closeAll, removeWorkDirectory, workDirectory } from './lab.ts';
import { BLOWS, type BlowKind, type BlowResult, instants, playOffsets } from './offsets.ts';
import { milliseconds, policyNamed, row, UsageError, whole } from './usage.ts';

const HEADINGS = [
  ...['fault', 'after', 'offset', 'word', 'renewal', 'acted', 'of lease', 'takeover', 'overlap', 'standby'],
  ...['end'],
];
const WIDTHS = [17, 9, 8, 8, 9, 8, 10, 10, 9, 9, 5];

/** Each blow asked for; the exit status. */
export async function offsets(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      offsets: { type: 'string', default: '20' },
      hosts: { type: 'string', default: '2' },
      policy: { type: 'string' },
      interval: { type: 'string', default: '200ms' },
      apart: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
    },
  });
  const hosts = whole(values.hosts, 2, 16, '--hosts');
  const policy = policyNamed(values.policy) ?? (hosts === 2 ? 'available' : 'quorum');
  const options = {
    ...{ hosts, policy, intervalMs: milliseconds(values.interval) },
    apart: values.apart,
  } as const;
  const kinds = positionals.length === 0 ? BLOWS : positionals.map(named);
  const moments = instants({ ...options, offsets: whole(values.offsets, 1, 1_000, '--offsets') });
  const results: BlowResult[] = [];
  cleanUpOnSignals();
  if (values.keep) process.stderr.write(`files are kept in ${workDirectory()}\n`);
  if (!values.json) process.stdout.write(`${row(HEADINGS, WIDTHS)}\n`);
  try {
    await playOffsets(
      kinds,
      () => moments,
      options,
      (result) => {
        results.push(result);
        process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : `${show(result)}\n`);
      },
    );
  } finally {
    await closeAll();
    if (!values.keep) removeWorkDirectory();
  }
  if (!values.json) for (const kind of kinds) process.stdout.write(`${summary(kind, results)}\n`);
  return results.every(({ problems }) => problems.length === 0) ? 0 : 1;
}

function named(name: string): BlowKind {
  const kind = BLOWS.find((candidate) => candidate.name === name);
  if (kind === undefined)
    throw new UsageError(`there is no ${name}; there are ${BLOWS.map((one) => one.name).join(', ')}`);
  return kind;
}

function show(result: BlowResult): string {
  const { fault, after, offsetMs, sinceWordMs, sinceRenewalMs, lastActMs, leftMs, takeoverMs } = result;
  const figures = [offsetMs, sinceWordMs, sinceRenewalMs, lastActMs, leftMs, takeoverMs, result.overlapMs];
  const cells = [fault, after, ...[...figures, result.standbyUplinkPackets].map((n) => String(n ?? '-'))];
  const words = result.problems.length === 0 ? 'ok' : result.problems.join('; ');
  return `${row([...cells, result.endMasters.join(',')], WIDTHS)}${words}`;
}

function summary({ name }: BlowKind, results: readonly BlowResult[]): string {
  const of = results.filter(({ fault }) => fault === name);
  const most = (pick: (result: BlowResult) => number | null): number =>
    Math.max(0, ...of.map((result) => pick(result) ?? 0));
  const good = of.filter(({ problems }) => problems.length === 0).length;
  return (
    `${name}: ${good} of ${of.length} as it must be; the old host acted at most ${most((r) => r.lastActMs)} ms after the blow, ` +
    `${most((r) => r.leftMs)} ms after its last renewal (lease ${of[0]?.leaseMs ?? '-'} ms), ` +
    `the successor came after ${most((r) => r.takeoverMs)} ms at most, two acted for ${most((r) => r.overlapMs)} ms`
  );
}
