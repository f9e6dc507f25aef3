/** What a scenario is, and what may be expected of one. The scenarios themselves are in scenarios.ts. */
import type { Fault } from '../../src/core/index.ts';
import type { Stage } from './stage.ts';

/** What must hold of a run; the tests and the lab's exit status judge by it. */
export interface Expectation {
  /** Exactly one host in Service at the end, or it does not matter. */
  readonly endMasters: 'one' | 'any';
  /** `overlapMs` 0, or it does not matter. */
  readonly overlap: 'none' | 'any';
  /** What hosts out of Handover and Service send into the uplink does not matter: there is one host alone, which asks there. */
  readonly standby?: 'any';
  /** The long transfer arrives whole, or it does not matter. */
  readonly tcp: 'survives' | 'any';
  /** How often the service may move. */
  readonly changes: readonly [least: number, most: number];
}

export interface Scenario {
  readonly name: string;
  readonly summary: string;
  /** The fault of spec/timing.md that this is: its bound is printed beside the outage, for people. */
  readonly timed?: Fault;
  readonly hosts: number;
  /** Hosts whose daemons are not started at first, from the last on. */
  readonly absent?: number;
  /** Hosts that the roster does not have at first, from the last on; not started either. */
  readonly outside?: number;
  /** Lines of TOML at the end of each host's configuration, where the service's sections stand; `home` is the host's directory. */
  readonly more?: (home: string) => readonly string[];
  /** Lines of TOML in the service's own section. */
  readonly head?: readonly string[];
  /** Programs in that directory, by name. */
  readonly programs?: { readonly [name: string]: string };
  /** With a settled cluster and flowing traffic, at a random point of the interval. */
  readonly fault: (stage: Stage) => Promise<void>;
  /** How long the lab looks on after that, in milliseconds. */
  readonly watchMs: number;
  readonly expect: (stage: Pick<Stage, 'policy' | 'gateways' | 'hosts'>) => Expectation;
}

/** The service moves so often, and nobody notices more than the gap. */
export const moved = (least: number, most = least): Expectation => ({
  endMasters: 'one',
  overlap: 'none',
  tcp: 'survives',
  changes: [least, most],
});
export const always = (expectation: Expectation) => (): Expectation => expectation;
/** How often the service moves depends on chance. */
export const restless = (most: number): Expectation => ({ ...moved(0, most), tcp: 'any' });
