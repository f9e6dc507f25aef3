/**
 * Which generation of the host's nftables rules stands, without the transactions that this process and the programs it started
 * have made: it changes exactly when somebody else changes rules. So rules need not be read back to know that they stand as the
 * kernel acknowledged them. Invariant: what is not known exactly is not told; whoever asks then reads the rules.
 */
import type { Ended } from './child.ts';
import { runTool } from './tools.ts';

export class Generations {
  readonly #read: () => number | null;
  /** Transactions of programs of ours that have ended well. */
  #own = 0;
  /** Programs of ours that change rules now. */
  #running = 0;

  /** `read`: the kernel's number, without the transactions of this very process; null: not told. */
  constructor(read: () => number | null) {
    this.#read = read;
  }

  /** Whether a program of ours changes rules now. */
  get isChanging(): boolean {
    return this.#running > 0;
  }

  /** Null: not told by the kernel, or a program of ours is changing rules. */
  foreign(): number | null {
    const generation = this.isChanging ? null : this.#read();
    return generation === null ? null : (generation - this.#own) >>> 0;
  }

  /** Runs a program of ours that makes so many transactions when it ends well; else nobody knows how many it made. */
  async during(transactions: number, program: () => Promise<Ended>): Promise<Ended> {
    this.#running++;
    try {
      const ended = await program();
      if (ended.status === 0) this.#own += transactions;
      return ended;
    } finally {
      this.#running--;
    }
  }

  /** Has nft carry out that text as one transaction. */
  nft(text: string): Promise<Ended> {
    return this.during(1, () => runTool('nft', ['-f', '-'], text));
  }
}
