/** A set of 64-bit numbers in two flat arrays: what a search has seen. Two nodes of n share one by chance with n²/2⁶⁵. */
export class Seen {
  #a = new Uint32Array(1 << 16);
  #b = new Uint32Array(1 << 16);
  size = 0;

  /** Adds a number; false when it was there already. */
  add(a: number, b: number): boolean {
    if (2 * this.size > this.#a.length) this.#grow();
    // Both zero marks a free place.
    const fresh = place(this.#a, this.#b, a, b === 0 && a === 0 ? 1 : b);
    if (fresh) this.size++;
    return fresh;
  }

  #grow(): void {
    const a = new Uint32Array(2 * this.#a.length);
    const b = new Uint32Array(2 * this.#b.length);
    for (let i = 0; i < this.#a.length; i++) {
      const [x, y] = [this.#a[i] ?? 0, this.#b[i] ?? 0];
      if (x !== 0 || y !== 0) place(a, b, x, y);
    }
    this.#a = a;
    this.#b = b;
  }
}

function place(as: Uint32Array, bs: Uint32Array, a: number, b: number): boolean {
  const mask = as.length - 1;
  let i = (a ^ Math.imul(b, 0x9e3779b1)) & mask;
  while (as[i] !== 0 || bs[i] !== 0) {
    if (as[i] === a && bs[i] === b) return false;
    i = (i + 1) & mask;
  }
  as[i] = a;
  bs[i] = b;
  return true;
}
