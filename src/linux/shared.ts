/**
 * Tests that several services ask for alike are made once for all who wait. Invariant: each asker gets the outcome of a test
 * that began after it had asked; at most one test of a kind runs at a time.
 */

export class Shared<T> {
  private readonly running = new Map<string, Promise<T>>();
  private readonly next = new Map<string, Promise<T>>();

  /** Makes the test, or joins the one that begins when the present one of that kind has ended. */
  run(kind: string, test: () => Promise<T>): Promise<T> {
    const running = this.running.get(kind);
    if (running === undefined) return this.begin(kind, test);
    const waiting = this.next.get(kind);
    if (waiting !== undefined) return waiting;
    const begin = (): Promise<T> => {
      this.next.delete(kind);
      return this.begin(kind, test);
    };
    const joined = running.then(begin, begin);
    this.next.set(kind, joined);
    return joined;
  }

  private begin(kind: string, test: () => Promise<T>): Promise<T> {
    const made = test();
    this.running.set(kind, made);
    const ended = (): void => {
      if (this.running.get(kind) === made) this.running.delete(kind);
    };
    made.then(ended, ended);
    return made;
  }
}
