/**
 * An endpoint that can be set back: it is a function of its seed and of what was done to it, so a snapshot is the
 * number of things done, and restoring one is doing them again on a new endpoint. As after the restoring of a real
 * machine, only the kernel's randomness is another one from then on.
 */
import type { Endpoint } from '../../src/wire/endpoint.ts';
import { seededBytes } from './wire-fixture.ts';

export type RandomBytes = (length: number) => Uint8Array;

export class Recorded {
  readonly #make: (randomBytes: RandomBytes) => Endpoint;
  readonly #seed: string;
  readonly #done: ((endpoint: Endpoint) => unknown)[] = [];
  #random: RandomBytes;
  readonly #endpoint: Endpoint;

  constructor(seed: string, make: (randomBytes: RandomBytes) => Endpoint) {
    this.#make = make;
    this.#seed = seed;
    this.#random = seededBytes(seed);
    this.#endpoint = make((length) => this.#random(length));
  }

  do<T>(action: (endpoint: Endpoint) => T): T {
    this.#done.push(action);
    return action(this.#endpoint);
  }

  snapshot(): number {
    return this.#done.length;
  }

  /** Another endpoint in the state of that snapshot; this one goes on. `label`: what its randomness hangs on. */
  restored(snapshot: number, label: string): Recorded {
    const copy = new Recorded(this.#seed, this.#make);
    for (const action of this.#done.slice(0, snapshot)) copy.do(action);
    copy.#random = seededBytes(label);
    return copy;
  }
}
