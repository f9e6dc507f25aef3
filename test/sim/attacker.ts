/**
 * An attacker on the LAN without any key: records every frame there, plays old ones again, to their receiver or to
 * another, sends back what was meant for others, changes, forges and floods; and, where it sits on a wire, drops and
 * holds. Its memory outlives the hosts' runs, so that what a dead run said is played to the next one.
 */
import { GATE_BYTES, KID_BYTES } from '../../src/wire/limits.ts';
import { type Frame, mutated } from './network.ts';
import type { Chance } from './random.ts';
import type { World } from './world.ts';

const MEMORY = 1024;
const CONSTANT_BYTES = 10;

export type Trick = 'replay' | 'reflect' | 'mutate' | 'forge' | 'flood' | 'drop' | 'hold';
export const TRICKS: readonly Trick[] = ['replay', 'reflect', 'mutate', 'forge', 'flood', 'drop', 'hold'];

export class Attacker {
  readonly #world: World;
  readonly #memory: Frame[] = [];
  #recorded = 0;
  #active = false;
  #round = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** Listens from now on: every frame on the LAN, whatever becomes of it. */
  listen(): void {
    this.#world.network.ear = (frame) => {
      if (frame.link === 1) this.#memory[this.#recorded++ % MEMORY] = frame;
    };
  }

  /** Starts to play these tricks. */
  attack(tricks: readonly Trick[], chance: Chance): void {
    this.stop();
    this.#active = true;
    const round = ++this.#round;
    const drops = tricks.includes('drop') ? chance.between(0.05, 0.6) : 0;
    const holds = tricks.includes('hold') ? chance.between(0.05, 0.6) : 0;
    const heldMs = chance.logBetween(5, 3000);
    if (drops > 0 || holds > 0) {
      this.#world.network.tap = (frame) => {
        if (frame.link !== 1) return null;
        if (chance.is(drops)) return Number.POSITIVE_INFINITY;
        return chance.is(holds) ? chance.next() * heldMs : null;
      };
      this.#world.touch();
    }
    const active = tricks.filter((trick) => trick !== 'drop' && trick !== 'hold');
    const pauseMs = chance.logBetween(3, 200);
    const again = () => {
      if (!this.#active || this.#round !== round || active.length === 0) return;
      this.#play(chance.pick(active), chance);
      this.#world.at(pauseMs * 2 * chance.next(), again);
    };
    again();
  }

  stop(): void {
    this.#active = false;
    this.#world.network.tap = null;
    this.#world.touch();
  }

  #play(trick: Trick, chance: Chance): void {
    const { hosts } = this.#world;
    if (this.#memory.length === 0) return;
    const frame = chance.pick(this.#memory);
    const other = chance.pick(hosts).name;
    if (trick === 'replay') this.#put(frame, chance.is(0.7) ? frame.to : other);
    else if (trick === 'reflect') this.#put(frame, frame.from);
    else if (trick === 'mutate') this.#put({ ...frame, datagram: mutated(frame.datagram, chance) }, frame.to);
    else if (trick === 'forge') this.#put({ ...frame, datagram: forged(frame.datagram, chance) }, other);
    else if (trick === 'flood')
      for (let i = chance.below(60); i > 0; i--) this.#put(chance.pick(this.#memory), other);
  }

  /** A frame on the LAN that no host sent; it reaches whose port is on. */
  #put(frame: Frame, to: string): void {
    const host = this.#world.host(to);
    this.#world.at(0.3, () => {
      if (host.lanPort) this.#world.deliver(host, { ...frame, to, link: 1 });
    });
  }
}

/** A datagram in a member's name with another payload: a gate and a signature made of nothing. */
function forged(datagram: Uint8Array, chance: Chance): Uint8Array {
  const copy = datagram.slice();
  for (let i = 0; i < GATE_BYTES; i++) copy[i] = chance.below(256);
  for (let i = GATE_BYTES + CONSTANT_BYTES + KID_BYTES + 6; i < copy.length; i++) {
    if (chance.is(0.1)) copy[i] = chance.below(256);
  }
  return copy;
}
