/**
 * What a service does with the kernel's tracked connections when it comes and goes. A host that gave it away knows its
 * connections only as they were: before the service comes back they must be forgotten. With conntrackd those that live
 * come from the other hosts then, and a host forgets late: its conntrackd would have the others forget at once what
 * their kernels have yet to be told.
 */
import type { ConnectionSync } from './conntrackd.ts';

/** Longer than a takeover takes whose claimant is not slowed down by its card. */
const FORGET_LATER_MS = 10_000;

export interface ConnectionsTools {
  /** Forgets the tracked connections of these addresses; what hindered it, or null. */
  readonly forget: (roving: readonly Buffer[]) => Promise<string | null>;
  /** Whether another service is configured that is not active here. */
  readonly othersElsewhere: () => boolean;
  readonly sync: ConnectionSync;
}

export class Connections {
  private readonly roving: readonly Buffer[];
  private readonly tools: ConnectionsTools;
  /** What went wrong with forgetting, once that has ended. */
  private forgetting: Promise<string | null> = Promise.resolve(null);
  private pending: NodeJS.Timeout | null = null;
  private isTold = true;

  /** `roving`: the service's addresses. */
  constructor(roving: readonly Buffer[], tools: ConnectionsTools) {
    this.roving = roving;
    this.tools = tools;
  }

  /**
   * Before the addresses come up: stale connections are forgotten, then those of the other hosts taken in. Resolves to
   * what went wrong, or null; never later than the kernel's table takes to be read, and the limit of the commit.
   */
  async takeOver(): Promise<string | null> {
    if (this.pending !== null) this.forgetNow();
    const stale = await this.forgetting;
    this.isTold = false;
    const missed = await this.tools.sync.commit();
    const remembered = stale === null ? null : `connections of an earlier time are still tracked: ${stale}`;
    return [remembered, missed].filter((problem) => problem !== null).join('; ') || null;
  }

  /** The gate is open: from here on this kernel knows best. Called each time that it opens. */
  opened(): void {
    if (this.isTold) return;
    this.isTold = true;
    this.tools.sync.serving(this.tools.othersElsewhere());
  }

  /** The service was given away. Not waited for: a host with many connections is harmless before it has forgotten them. */
  gaveAway(): void {
    this.cancel();
    this.isTold = true;
    if (!this.tools.sync.isOn) {
      this.forgetNow();
      return;
    }
    this.pending = setTimeout(() => {
      this.forgetNow();
      // Whoever lost an entry with ours is told anew what the master has.
      void this.forgetting.then(() => this.tools.sync.backup());
    }, FORGET_LATER_MS);
    this.pending.unref();
  }

  /** When what is forgotten at once is forgotten; what hindered that, or null. */
  forgotten(): Promise<string | null> {
    return this.forgetting;
  }

  /** Forgets no more than it has begun to. */
  cancel(): void {
    if (this.pending !== null) clearTimeout(this.pending);
    this.pending = null;
  }

  private forgetNow(): void {
    this.cancel();
    this.forgetting = this.tools.forget(this.roving);
  }
}
