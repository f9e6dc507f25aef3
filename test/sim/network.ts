/**
 * The modelled network: a LAN (link 1) and the foreign side's segment (link 0). Each directed pair of hosts has its
 * own path on each. A frame that a host's port lets out is seen by the judges and by the attacker, then lost, cut,
 * doubled, damaged or delayed as its path says.
 */
import type { Chance } from './random.ts';

/** What goes wrong on one directed path. */
export interface PathFaults {
  readonly cut: boolean;
  /** Shares, 0 to 1. */
  readonly loss: number;
  readonly duplicate: number;
  readonly corrupt: number;
  /** On top of the network's own delay; each frame draws up to that much, so that frames overtake one another. */
  readonly extraDelayMs: number;
}

export const SOUND: PathFaults = { cut: false, loss: 0, duplicate: 0, corrupt: 0, extraDelayMs: 0 };

export interface Frame {
  readonly from: string;
  readonly to: string;
  readonly link: number;
  readonly datagram: Uint8Array;
}

/** What the attacker does with a frame on its way: null lets it pass, a number holds it for so long (Infinity: for ever). */
export type Tap = (frame: Frame) => number | null;

export class Network {
  /** The delay of an undisturbed frame: between half of this and one and a half times it. */
  delayMs = 0.5;
  loss = 0;
  tap: Tap | null = null;
  /** Hears every frame that a port let out. */
  ear: ((frame: Frame) => void) | null = null;
  readonly #paths = new Map<string, PathFaults>();
  readonly #chance: Chance;
  readonly #changed: () => void;

  constructor(chance: Chance, changed: () => void) {
    this.#chance = chance;
    this.#changed = changed;
  }

  path(from: string, to: string, link: number): PathFaults {
    return this.#paths.size === 0 ? SOUND : (this.#paths.get(`${from}>${to}/${link}`) ?? SOUND);
  }

  /** Changes one directed path. */
  set(from: string, to: string, link: number, faults: Partial<PathFaults>): void {
    this.#paths.set(`${from}>${to}/${link}`, { ...this.path(from, to, link), ...faults });
    this.#changed();
  }

  heal(): void {
    this.#paths.clear();
    this.loss = 0;
    this.tap = null;
    this.#changed();
  }

  /** Whether frames pass undisturbed: what the judge of overlaps may count on. */
  sound(from: string, to: string, link: number): boolean {
    const path = this.path(from, to, link);
    return !path.cut && path.loss === 0 && path.corrupt === 0 && path.extraDelayMs === 0 && this.loss === 0;
  }

  /** When, if at all, the copies of a frame arrive, and as what. */
  carry(frame: Frame, arrive: (afterMs: number, datagram: Uint8Array) => void): void {
    this.ear?.(frame);
    const path = this.path(frame.from, frame.to, frame.link);
    if (path.cut) return;
    const chance = this.#chance;
    if ((path.loss > 0 && chance.is(path.loss)) || (this.loss > 0 && chance.is(this.loss))) return;
    const heldMs = this.tap === null ? null : this.tap(frame);
    if (heldMs === Number.POSITIVE_INFINITY) return;
    const copies = path.duplicate > 0 && chance.is(path.duplicate) ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      const extraMs = path.extraDelayMs > 0 ? chance.next() * path.extraDelayMs : 0;
      const afterMs = this.delayMs * (0.5 + chance.next()) + extraMs + (heldMs ?? 0);
      const damaged = path.corrupt > 0 && chance.is(path.corrupt);
      arrive(afterMs, damaged ? mutated(frame.datagram, chance) : frame.datagram);
    }
  }
}

/** A damaged copy: some bits flipped, or the end cut off. */
export function mutated(datagram: Uint8Array, chance: Chance): Uint8Array {
  if (chance.is(0.2)) return datagram.slice(0, chance.below(datagram.length));
  const copy = datagram.slice();
  for (let flips = 1 + chance.below(4); flips > 0; flips--) {
    const at = chance.below(copy.length);
    copy[at] = (copy[at] ?? 0) ^ (1 << chance.below(8));
  }
  return copy;
}
