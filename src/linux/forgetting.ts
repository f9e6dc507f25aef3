/**
 * Forgets the tracked connections of services that were given away. The kernel's table may be large: it is read once for all
 * services that wait, and never by a reading that began before they had asked.
 */
import { forgetConnections } from './conntrack.ts';
import { textOf } from './tools.ts';

export interface ForgettingTools {
  /** All addresses of the host now. */
  readonly ownAddresses: () => readonly Buffer[];
  /** Whether a service is active on this host: then not every connection that was forwarded is to be forgotten. */
  readonly isActive: () => boolean;
  /** Tests hand in their own. */
  readonly forget?: typeof forgetConnections;
}

interface Waiting {
  readonly roving: Set<string>;
  readonly done: Promise<string | null>;
}

const hex = (bytes: Buffer): string => bytes.toString('hex');

export class Forgetting {
  private readonly tools: ForgettingTools;
  private running: Promise<unknown> = Promise.resolve();
  private next: Waiting | null = null;

  constructor(tools: ForgettingTools) {
    this.tools = tools;
  }

  /**
   * Connections from, to or translated to one of these addresses; and if no service is active, all but the host's own. Resolves
   * to what hindered it, or null.
   */
  forget(roving: readonly Buffer[]): Promise<string | null> {
    this.next ??= this.queued();
    for (const bytes of roving) this.next.roving.add(hex(bytes));
    return this.next.done;
  }

  private queued(): Waiting {
    const roving = new Set<string>();
    const done = this.running.then(() => {
      this.next = null;
      return this.readOnce(roving);
    });
    this.running = done;
    return { roving, done };
  }

  private async readOnce(roving: ReadonlySet<string>): Promise<string | null> {
    const { ownAddresses, isActive, forget = forgetConnections } = this.tools;
    try {
      const own = new Set(ownAddresses().map(hex));
      await forget((ends) => {
        const all = ends.map(hex);
        if (all.some((end) => roving.has(end))) return true;
        return !isActive() && !all.some((end) => own.has(end));
      });
      return null;
    } catch (error) {
      return textOf(error);
    }
  }
}
