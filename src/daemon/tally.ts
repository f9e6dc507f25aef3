/** Counts what the event log is told of changes of place, for metrics: by service and cause, both from closed lists. */
import type { Journal } from '../driver/ports.ts';

export class Tally {
  /** `SERVICE:CAUSE` to how often, since the start. */
  readonly transitions: { [key: string]: number } = {};

  /** A journal that counts, and hands on to `next`. */
  before(next: Journal): Journal {
    return {
      append: (entry) => {
        const cause = entry.data?.cause;
        if (entry.kind === 'transition' && typeof cause === 'string') {
          const key = `${entry.service ?? ''}:${cause}`;
          this.transitions[key] = (this.transitions[key] ?? 0) + 1;
        }
        next.append(entry);
      },
    };
  }
}
