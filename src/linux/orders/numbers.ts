/**
 * The numbers by which orders and answers name services (INDEX, spec/actuator.md): places in the configuration at first. A
 * reload changes no number that stands: orders that are on their way meanwhile mean what they meant. Pure; both ends
 * of the conversation reckon with it alike.
 */
import type { ActuatorConfig } from '../config.ts';

/** By number; null: nobody's now. */
export type Numbers = readonly (string | null)[];

/**
 * Who stays keeps its number, who goes leaves it, and who is new gets the lowest that was nobody's before this reload: then
 * every order for its last owner has been read.
 */
export function renumbered(before: Numbers, names: readonly string[]): Numbers {
  const numbers = before.map((name) => (name !== null && names.includes(name) ? name : null));
  const free = before.flatMap((name, number) => (name === null ? [number] : []));
  for (const name of names) {
    if (numbers.includes(name)) continue;
    numbers[free.shift() ?? numbers.length] = name;
  }
  return numbers;
}

/** The services of one conversation, as orders name them. */
export class Roll {
  private numbers: Numbers = [];
  private uplinks: ReadonlyMap<string, string> = new Map();

  /** That configuration holds from now on. */
  take({ services }: Pick<ActuatorConfig, 'services'>): void {
    const names = services.map(({ name }) => name);
    this.numbers = renumbered(this.numbers, names);
    this.uplinks = new Map(services.map(({ name, uplink }) => [name, uplink.device]));
  }

  /** Null: nobody has that number. */
  nameOf(number: number): string | null {
    return this.numbers[number] ?? null;
  }

  /** -1: it has none. */
  numberOf(name: string): number {
    return this.numbers.indexOf(name);
  }

  /** The device of its uplink. */
  uplinkOf(name: string): string {
    return this.uplinks.get(name) ?? '';
  }

  /** The numbers of all services with that uplink. */
  sharing(device: string): number[] {
    return [...this.uplinks].flatMap(([name, uplink]) => (uplink === device ? [this.numberOf(name)] : []));
  }
}
