/**
 * Never two. Under `quorum`: two hosts with the service active at the same true time are a violation, whatever was
 * broken. Under `available`: an overlap may last one message delay; longer only while words cannot pass between the
 * two both ways (or one of them has no running daemon), and for a bounded time after that has ended.
 */
import type { Host } from '../host.ts';
import type { World } from '../world.ts';
import type { Judge } from './judge.ts';

interface Pair {
  readonly a: Host;
  readonly b: Host;
  overlaps: boolean;
  impaired: boolean;
  /** When words could last not pass. */
  impairedMs: number;
  /** Of the present overlap: what no impairment excuses. */
  unexcusedMs: number;
  told: boolean;
}

export class OverlapJudge implements Judge {
  readonly #pairs: Pair[] = [];
  readonly #tailMs: number;
  readonly #allowedMs: number;
  readonly #quorum: boolean;
  #sinceMs = 0;
  /** An operator's `--force` suspends the promise of `quorum` (spec). */
  #forced = false;

  constructor(w: World) {
    const { intervalMs, slackMs } = w.times.timing;
    this.#quorum = w.options.policy === 'quorum';
    // A silent session yields after three intervals, HELLOs come each second; then the next STATUS.
    this.#tailMs = (5 * intervalMs + slackMs + 1000 + 100) / (1 - w.times.maxDrift);
    // One message, the order to shut, and a jiffy.
    this.#allowedMs = 1.5 * w.delayMs + 1 + 4;
    w.hosts.forEach((a, i) => {
      for (const b of w.hosts.slice(i + 1)) {
        this.#pairs.push({
          a,
          b,
          overlaps: false,
          impaired: true,
          impairedMs: 0,
          unexcusedMs: 0,
          told: false,
        });
      }
    });
  }

  force(): void {
    this.#forced = true;
  }

  changed(w: World): void {
    const { nowMs } = w;
    const activeHosts = w.hosts.filter((h) => h.active(nowMs)).length;
    for (const pair of this.#pairs) {
      const { a, b } = pair;
      if (pair.impaired) pair.impairedMs = nowMs;
      if (pair.overlaps && !this.#quorum) this.#account(w, pair);
      const both = activeHosts > 1 && a.active(nowMs) && b.active(nowMs);
      pair.overlaps = both && (this.#quorum || (a.lanPort && b.lanPort) || (a.wanPort && b.wanPort));
      if (!pair.overlaps) {
        pair.unexcusedMs = 0;
        pair.told = false;
      } else if (this.#quorum && !this.#forced && !pair.told) {
        pair.told = true;
        w.violation('overlap', null, `${a.name} and ${b.name} both have the service active`);
      }
      if (!this.#quorum) pair.impaired = impaired(w, a, b);
    }
    this.#sinceMs = nowMs;
  }

  #account(w: World, pair: Pair): void {
    const fromMs = Math.max(this.#sinceMs, pair.impairedMs + this.#tailMs);
    pair.unexcusedMs += Math.max(0, w.nowMs - fromMs);
    if (pair.unexcusedMs <= this.#allowedMs || pair.told) return;
    pair.told = true;
    const what = `${pair.a.name} and ${pair.b.name} served both for ${pair.unexcusedMs.toFixed(1)} ms while words passed`;
    w.violation('overlap', null, what);
  }
}

/** Whether the two cannot tell each other that they serve. */
function impaired(w: World, a: Host, b: Host): boolean {
  if (!a.up || !b.up || a.frozen || b.frozen) return true;
  return !w.reaches(a, b) || !w.reaches(b, a);
}
