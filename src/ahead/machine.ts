/**
 * One host as the run ahead knows it: the core's own state, and a kernel and cables as simple as they can be. What a
 * test would find is true here by itself: a fault changes these values, and the core finds out as it does on a real host.
 */
import type { HostName, HostState, Role, ServiceName, Verdict } from '../core/index.ts';

/** What the kernel of a host holds for one service. */
export interface Kernel {
  /** Addresses, routes and rules are there; the gate decides whether anything passes. */
  configured: boolean;
  uplinkRaised: boolean;
  /** The cluster's socket on the uplink is open. */
  talking: boolean;
  /** When the gate shuts by itself. */
  gateUntilMs: number;
  /** What checkDownlink finds. */
  downlink: Verdict;
  uplinkCut: boolean;
  /** What activateService made is gone, or does not work. */
  broken: boolean;
  /** Switches and announcements run one after the other: until when they do. */
  laneUntilMs: number;
}

export interface Machine {
  readonly name: HostName;
  readonly role: Role;
  /** Null: its daemon does not run, or nothing was heard of it for so long that it is not counted on. */
  state: HostState | null;
  readonly kernels: Map<ServiceName, Kernel>;
  /** The links over which it is heard, without those that are cut. */
  readonly links: Set<number>;
  /** What its state rests on. */
  readonly basis: string;
}

export const DARK: Kernel = {
  configured: false,
  uplinkRaised: false,
  talking: false,
  gateUntilMs: 0,
  downlink: 'confirmed',
  uplinkCut: false,
  broken: false,
  laneUntilMs: 0,
};

/** The kernel of that service. */
export function kernelOf(machine: Machine, service: ServiceName): Kernel {
  const found = machine.kernels.get(service);
  if (found !== undefined) return found;
  const made = { ...DARK };
  machine.kernels.set(service, made);
  return made;
}

/** Whether clients get through that host now, from one side to the other. */
export function serves(machine: Machine, service: ServiceName, nowMs: number, nextHop: boolean): boolean {
  const k = kernelOf(machine, service);
  const passes = k.downlink !== 'refuted' && k.uplinkRaised && !k.uplinkCut && nextHop;
  return k.configured && k.gateUntilMs > nowMs && !k.broken && passes;
}

/** Whether it answers for the roving addresses on that side. */
export function answers(
  machine: Machine,
  service: ServiceName,
  side: 'downlink' | 'uplink',
  nowMs: number,
): boolean {
  const k = kernelOf(machine, service);
  if (!k.configured || k.gateUntilMs <= nowMs) return false;
  return side === 'downlink' ? k.downlink !== 'refuted' : k.uplinkRaised && !k.uplinkCut;
}
