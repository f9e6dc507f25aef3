/** What happens next in virtual time: a binary heap, stable for what falls on the same moment. */

interface Task {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

export class TaskQueue {
  readonly #heap: Task[] = [];
  #order = 0;

  get size(): number {
    return this.#heap.length;
  }

  /** The time of the next task; Infinity when there is none. */
  get nextMs(): number {
    return this.#heap[0]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  add(atMs: number, run: () => void): void {
    const heap = this.#heap;
    const task = { atMs, order: this.#order++, run };
    let at = heap.length;
    heap.push(task);
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = heap[up] as Task;
      if (before(parent, task)) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = task;
  }

  /** Takes the next task out. */
  take(): Task | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      if (down >= heap.length) break;
      const right = heap[down + 1];
      if (right !== undefined && before(right, heap[down] as Task)) down++;
      const child = heap[down] as Task;
      if (before(last, child)) break;
      heap[at] = child;
      at = down;
    }
    heap[at] = last;
    return first;
  }
}

function before(a: Task, b: Task): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
