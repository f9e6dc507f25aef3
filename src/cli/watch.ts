/** `status --watch` on a terminal: the page, live. A daemon that is gone is said to be, and asked again. */
import type { Status } from '../daemon/status.ts';
import { OperatorError } from '../trust/errors.ts';
import { getStatus } from './control-client.ts';
import { outputGone } from './io.ts';
import { Screen } from './screen.ts';
import { duration, renderStatus } from './status-text.ts';
import type { Style } from './style.ts';

/** From one answer to the next question; a daemon that is slow to answer is not asked twice at once. */
export const WATCH_MS = 500;

const PAGE = 10;
const MOVES: { readonly [key: string]: number } = {
  '\u001b[A': -1,
  k: -1,
  '\u001b[B': 1,
  j: 1,
  '\u001b[5~': -PAGE,
  '\u001b[6~': PAGE,
  '\u001b[H': Number.NEGATIVE_INFINITY,
  '\u001b[F': Number.POSITIVE_INFINITY,
  // As some terminals send the same.
  '\u001bOA': -1,
  '\u001bOB': 1,
  '\u001b[1~': Number.NEGATIVE_INFINITY,
  '\u001b[4~': Number.POSITIVE_INFINITY,
};

/** What was last heard of the daemon, and when. */
export interface Seen {
  readonly status: Status | null;
  readonly heardAtMs: number;
  /** Why it does not answer now; null: it does. */
  readonly trouble: string | null;
  /** Datagrams a second, in and out; null: not known yet. */
  readonly rates: { readonly received: number; readonly sent: number; readonly refused: number } | null;
}

/** Until `q`. Never throws because of the daemon. */
export async function watch(socket: string, style: Style): Promise<void> {
  const screen = new Screen();
  let seen: Seen = { status: null, heardAtMs: performance.now(), trouble: 'not asked yet', rates: null };
  let from = 0;
  let quit = (): void => undefined;
  const ended = new Promise<true>((resolve) => {
    quit = () => resolve(true);
  });
  const draw = (): void => {
    from = screen.draw(pageOf(seen, performance.now(), style), footOf(seen, style), from);
  };
  screen.onKey = (key) => {
    if (key === 'q' || key === 'Q') quit();
    else {
      from = Math.max(0, Math.min(1e6, from + (MOVES[key] ?? 0)));
      draw();
    }
  };
  screen.open();
  try {
    for (let over = false; !over && !outputGone(); ) {
      seen = await looked(socket, seen);
      draw();
      let timer: NodeJS.Timeout | undefined;
      const pause = new Promise<false>((resolve) => {
        timer = setTimeout(() => resolve(false), WATCH_MS);
      });
      over = await Promise.race([ended, pause]);
      clearTimeout(timer);
    }
  } finally {
    screen.close();
  }
}

async function looked(socket: string, before: Seen): Promise<Seen> {
  try {
    const status = await getStatus(socket);
    const heardAtMs = performance.now();
    return { status, heardAtMs, trouble: null, rates: ratesOf(before, status, heardAtMs) };
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    return { ...before, trouble: error.message, rates: null };
  }
}

/** Null after a restart of the daemon, which counts anew. */
export function ratesOf(before: Seen, status: Status, nowMs: number): Seen['rates'] {
  if (before.status === null || before.trouble !== null || before.status.pid !== status.pid) return null;
  const [old, fresh] = [before.status.counters, status.counters];
  const seconds = Math.max(0.001, (nowMs - before.heardAtMs) / 1000);
  const refused = (counters: Status['counters']): number =>
    Object.entries(counters).reduce((sum, [key, value]) => sum + (key.startsWith('refused:') ? value : 0), 0);
  const rate = (a = 0, b = 0): number => Math.max(0, Math.round((b - a) / seconds));
  return {
    received: rate(old.received, fresh.received),
    sent: rate(old.sent, fresh.sent),
    refused: rate(refused(old), refused(fresh)),
  };
}

/** The page without its last line. */
export function pageOf({ status, heardAtMs, trouble, rates }: Seen, nowMs: number, style: Style): string[] {
  const lines: string[] = [];
  if (trouble !== null) {
    const since = status === null ? '' : `; what follows is ${duration(nowMs - heardAtMs)} old`;
    lines.push(style.bad(`no answer, trying on: ${trouble}${since}`), '');
  }
  if (status !== null) lines.push(...renderStatus(status, style).trimEnd().split('\n'));
  if (rates !== null)
    lines.push('', `datagrams a second: ${rates.received} in, ${rates.sent} out, ${rates.refused} refused`);
  return lines;
}

function footOf({ trouble }: Seen, style: Style): string {
  const time = new Date().toISOString().slice(11, 19);
  return style.faint(`q quits; ${trouble === null ? 'asked' : 'tried'} at ${time} UTC`);
}
