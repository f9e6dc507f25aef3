/**
 * The right to serve (spec R4, R5, R12). Every time in here counts from the *sending* of the request that was
 * answered, so that delay can only shorten a right, never lengthen it (security H7).
 */
import type { HostName, Membership, Policy } from './basics.ts';

/** A renewal that was sent and may still be answered. */
export interface Request {
  readonly id: number;
  readonly sentAtMs: number;
}

export interface Right {
  readonly requests: readonly Request[];
  /** Per voter: until when its promise lets us serve (R4). */
  readonly leases: { readonly [voter: HostName]: number };
  /** Policy `available`: our own renewal (R5). Counts alone. */
  readonly ownUntilMs: number;
  /** The rest of the former master's lease, lent to us (R12). */
  readonly lentUntilMs: number;
}

/** No right at all. */
export const NO_RIGHT: Right = { requests: [], leases: {}, ownUntilMs: 0, lentUntilMs: 0 };

/** Renewals older than a lease can give nothing any more; more than this many are never outstanding. */
const MAX_REQUESTS = 64;

export function requested(right: Right, request: Request, leaseMs: number): Right {
  const young = right.requests.filter((r) => r.sentAtMs + leaseMs > request.sentAtMs);
  return { ...right, requests: [...young, request].slice(-MAX_REQUESTS) };
}

/** A voter answered request `id`: its lease runs from when that was sent. Unknown ids change nothing. */
export function answered(right: Right, voter: HostName, id: number, leaseMs: number): Right {
  const request = right.requests.find((r) => r.id === id);
  if (request === undefined) return right;
  const untilMs = request.sentAtMs + leaseMs;
  if ((right.leases[voter] ?? 0) >= untilMs) return right;
  return { ...right, leases: { ...right.leases, [voter]: untilMs } };
}

/** Until when a majority of each voter set lets us serve: the latest time at which a majority's leases still run. */
export function majorityUntil(right: Right, membership: Membership): number {
  let until = Number.POSITIVE_INFINITY;
  for (const voters of membership.voterSets) {
    const ends = voters.map((v) => right.leases[v] ?? 0).sort((a, b) => b - a);
    until = Math.min(until, ends[Math.floor(voters.length / 2)] ?? 0);
  }
  return Number.isFinite(until) ? until : 0;
}

/** Until when this host may serve. */
export function rightUntil(right: Right, policy: Policy, membership: Membership): number {
  if (policy === 'available') return right.ownUntilMs;
  return Math.max(majorityUntil(right, membership), right.lentUntilMs);
}
