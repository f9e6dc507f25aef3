/**
 * Orders to conntrackd(8), which holds the connections that the other hosts track, so that they outlive their gateway
 * (spec/procedures.md). Invariants: a takeover waits for it no longer than it is allowed to; what goes wrong is told, and
 * hinders nothing. Its own client program is used, whose words are documented; the socket's are not.
 */
import type { ConntrackdConfig } from './config.ts';
import { runTool, textOf } from './tools.ts';

/** Beside a takeover nothing is in a hurry, but nothing may hang either: a bulk update of a large table takes its time. */
const BACKGROUND_LIMIT_MS = 10_000;
const LOOK_EVERY_MS = 5000;
const LOOK_LIMIT_MS = 2000;
/** How long an operator is told of a takeover without its connections. */
const TOLD_MS = 60_000;

/** The words of conntrackd(8), as its primary-backup.sh gives them. */
const COMMIT = ['-c'];
const FLUSH_EXTERNAL = ['-f', 'external'];
const RESYNC_WITH_KERNEL = ['-R'];
const SEND_BULK = ['-B'];
const REQUEST_BULK = ['-n'];
const STATISTICS = ['-s'];

export class ConnectionSync {
  private readonly settings: () => ConntrackdConfig | null;
  private onTrouble: (detail: string | null) => void = () => undefined;
  private background: Promise<unknown> = Promise.resolve();
  private timer: NodeJS.Timeout | null = null;
  /** What a takeover missed, and until when that is told. */
  private missed: { readonly detail: string; readonly untilMs: number } | null = null;
  private told: string | null = null;
  private isAnswering = false;

  /** `settings`: asked each time, since a reload may change them; null: connections are not synchronised here. */
  constructor(settings: () => ConntrackdConfig | null) {
    this.settings = settings;
  }

  /** Whether it answered when it was looked at last. */
  get answers(): boolean {
    return this.isAnswering;
  }

  get isOn(): boolean {
    return this.settings() !== null;
  }

  /** Looks again and again whether conntrackd answers. `onTrouble`: what is wrong; null: nothing (any more). */
  watch(onTrouble: (detail: string | null) => void): void {
    this.onTrouble = onTrouble;
    const look = (): void => void this.look();
    this.timer = setInterval(look, LOOK_EVERY_MS);
    look();
  }

  close(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
    this.onTrouble = () => undefined;
  }

  /** Puts what the others track into this kernel's table. Resolves to what hindered it, or null, within `limitMs`. */
  async commit(): Promise<string | null> {
    const settings = this.settings();
    if (settings === null) return null;
    const problem = await this.order(COMMIT, settings.limitMs);
    if (problem === null) return null;
    const detail = `taken over without the connections of before: ${problem}`;
    this.missed = { detail, untilMs: performance.now() + TOLD_MS };
    this.tell(detail);
    return detail;
  }

  /**
   * This host serves now. Once more what came since the commit; then its own table is what counts, and the others get it.
   * `othersElsewhere`: connections of services on other hosts are still wanted of them.
   */
  serving(othersElsewhere: boolean): void {
    const ask = othersElsewhere ? [REQUEST_BULK] : [];
    this.later([COMMIT, FLUSH_EXTERNAL, RESYNC_WITH_KERNEL, SEND_BULK, ...ask]);
  }

  /** This host's own table has nothing any more that others need: it wants theirs. */
  backup(): void {
    this.later([REQUEST_BULK]);
  }

  /** One order after the other, in the background; what fails here is seen by the look that follows. */
  private later(orders: readonly (readonly string[])[]): void {
    if (!this.isOn) return;
    this.background = this.background.then(async () => {
      for (const order of orders) await this.order(order, BACKGROUND_LIMIT_MS);
    });
  }

  private async look(): Promise<void> {
    if (!this.isOn) return this.tell(null);
    const problem = await this.order(STATISTICS, LOOK_LIMIT_MS);
    this.isAnswering = problem === null;
    const missed =
      this.missed !== null && performance.now() < this.missed.untilMs ? this.missed.detail : null;
    const detail = `conntrackd does not answer, so that a takeover would lose connections: ${problem}`;
    this.tell(problem === null ? missed : detail);
  }

  private tell(detail: string | null): void {
    if (detail === this.told) return;
    this.told = detail;
    this.onTrouble(detail);
  }

  /** What went wrong, or null. Never throws. */
  private async order(words: readonly string[], limitMs: number): Promise<string | null> {
    const settings = this.settings();
    if (settings === null) return null;
    try {
      const ended = await runTool('conntrackd', ['-C', settings.config, ...words], '', limitMs);
      if (ended.status === 0) return null;
      return `conntrackd ${words.join(' ')}: ${textOf(`${ended.errors} ${ended.output}`) || `exit status ${ended.status}`}`;
    } catch (error) {
      return textOf(error);
    }
  }
}
