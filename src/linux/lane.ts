/**
 * A serial lane: one task at a time, in order, at most so many waiting.
 */
/** Each of a host’s services may have its own order wait for one device. */
const WAITING_MAX = 256;

export class Lane {
  private last: Promise<unknown> = Promise.resolve();
  private count = 0;

  /** How many tasks run or wait. */
  get length(): number {
    return this.count;
  }

  /** Runs the task after all before it. Rejects at once when too many wait. */
  run<T>(task: () => Promise<T>): Promise<T> {
    if (this.count > WAITING_MAX) return Promise.reject(new Error('too many orders wait'));
    this.count++;
    const result = this.last.then(task);
    this.last = result.then(
      () => this.count--,
      () => this.count--,
    );
    return result;
  }
}

/** Lanes by name, made at need. Names come from the configuration, so that there is a bounded number. */
export class Lanes {
  private readonly lanes = new Map<string, Lane>();

  get(name: string): Lane {
    let lane = this.lanes.get(name);
    if (lane === undefined) {
      lane = new Lane();
      this.lanes.set(name, lane);
    }
    return lane;
  }
}
