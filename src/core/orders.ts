/**
 * What an operator may order, what is refused and why, and what comes of it.
 */
import type { ServiceName } from './basics.ts';
import type { Ctx } from './context.ts';
import type { Order } from './events.ts';
import { isOld } from './fitness.ts';
import { preferred } from './placement.ts';
import type { HostState } from './state.ts';
import { seek } from './succession.ts';
import { mainState, type Place } from './transitions.ts';

/** Where a host can claim on an operator's word alone. */
const CAN_BE_FORCED: readonly Place[] = ['backup.watching', 'backup.suspecting', 'decide.electing'];

/** How a refusal ends that is over by itself in a moment. */
export const TRY_AGAIN = 'try again when it has left it';

/** Why an order cannot be obeyed now, with the remedy; null when it can. Read-only: for the control socket. */
export function refusal(state: HostState, order: Order, nowMs: number): string | null {
  if (state.stopping) return 'this host is stopping';
  if (order.kind !== 'handover') return null;
  const { members, self } = state.config.membership;
  const own = members.find((m) => m.name === self);
  if (own === undefined) return `${self} is not in the roster any more`;
  if (own.role !== 'gateway') return `${self} is a witness: it never serves`;
  if (order.to !== null && members.find((m) => m.name === order.to)?.role !== 'gateway') {
    return `no gateway called ${order.to} in the roster; it has ${members.map((m) => m.name).join(', ')}`;
  }
  const wanted = Object.values(state.services).filter(
    (s) => order.service === null || s.service === order.service,
  );
  if (wanted.length === 0) return `no service called ${order.service} on this host`;
  const serving = wanted.filter((s) => mainState(s.place) === 'service');
  if (serving.length > 0) {
    if (order.to === self) return `${self} is master already`;
    if (serving.every((s) => s.place === 'service.suspended')) {
      return `this host is in service.suspended now; ${TRY_AGAIN}`;
    }
    if (!serving.some((s) => s.place === 'service.serving')) return 'a handover is under way already';
    const to = order.to;
    if (to === null || order.force) return null;
    if (serving.some((s) => s.reports[to] === undefined)) {
      return `${to} has not reported since the last start or reload here; --force tries all the same`;
    }
    if (serving.some((s) => isOld(s.reports[to], nowMs, state.config.timing.intervalMs))) {
      return `${to} has not been heard of late; --force tries all the same`;
    }
    if (serving.some((s) => s.reports[to]?.fit !== true)) {
      return `${to} does not say that it is fit to take over; --force tries all the same`;
    }
    return null;
  }
  if (order.force && (order.to === null || order.to === self)) {
    const busy = wanted.find((s) => !CAN_BE_FORCED.includes(s.place));
    return busy === undefined ? null : `this host is in ${busy.place} now; ${TRY_AGAIN}`;
  }
  const masters = wanted.map((s) => s.known?.term.host).filter((h) => h !== undefined);
  return masters.length === 0
    ? 'no master is known; with --force this host claims without a majority'
    : `this host is not master; ask on ${masters[0]}`;
}

/** Carries an order out for one service. `standby`, `resume` and `stop` are already noted in the host's state. */
export function obey(c: Ctx, order: Order): void {
  if (order.kind === 'handover') {
    if (order.service === null || order.service === c.s.service) handover(c, order);
  } else if (order.kind === 'standby') {
    if (c.main === 'service') seek(c, 'standby', null);
    else withdraw(c);
  } else if (order.kind === 'stop') stop(c);
}

/** An order that names no service is for those that this host serves, if it serves any: no other is forced by it. */
function handover(c: Ctx, { to, force, service }: Order & { kind: 'handover' }): void {
  if (c.main === 'service') seek(c, 'operator', to ?? preferred(c)[0] ?? null);
  else if (force && (to === null || to === c.me) && c.at(...CAN_BE_FORCED)) {
    const servesOthers = Object.values(c.host.services).some((s) => mainState(s.place) === 'service');
    if (service !== null || !servesOthers) c.become('forced');
  }
}

function stop(c: Ctx): void {
  if (c.s.place === 'service.serving') seek(c, 'stop', null);
  else if (c.s.place === 'service.suspended') c.become('ordered', 'stop');
  else if (c.s.trial !== null) c.set({ trial: { ...c.s.trial, cause: 'stop' } });
  else withdraw(c);
}

/** R21: the roster takes this host out of the service, or out of the cluster. It lets go without asking anybody. */
export function expel(c: Ctx): void {
  if (c.member(c.me)?.role === 'gateway') return;
  if (c.main === 'service' && c.s.place !== 'service.releasing') c.become('ordered', 'by the roster');
  else withdraw(c);
}

/** A takeover under way is given up. */
function withdraw(c: Ctx): void {
  if (c.main === 'handover' && c.s.place !== 'handover.withdrawing') c.become('ordered');
}

/** Whether a service's place leaves nothing behind if the process ends now. */
export function atRest(state: HostState, service: ServiceName): boolean {
  const place = state.services[service]?.place;
  return place === undefined || /^(init\.linking|decide\.|backup\.)/.test(place);
}
