/**
 * What must be true after every step, in the simulator and in production alike. A broken invariant is a fault of
 * the core: the process ends, and the kernel's lease ends the service.
 */
import type { ServiceConfig } from './basics.ts';
import { rightUntil } from './lease.ts';
import type { HostState, ServiceState } from './state.ts';
import { mainState, type Place } from './transitions.ts';

/**
 * The invariants that a state breaks, in words; empty when it is sound. `before`: the sound one that it came from by a step,
 * so that what is as it was there need not be looked at again.
 */
export function brokenInvariants(state: HostState, before?: HostState): string[] {
  const broken: string[] = [];
  for (const cfg of state.config.services) {
    const s = state.services[cfg.name];
    if (s !== undefined && s === before?.services[cfg.name] && state.config === before.config) continue;
    if (s === undefined) broken.push(`${cfg.name}: a configured service has a state`);
    else for (const text of ofService(state, s, cfg)) broken.push(`${s.service}: ${text}`);
  }
  return broken;
}

/** Places where the host becomes harmless, and those where its gate may be open. */
const CLEANING: readonly Place[] = ['init.cleaning', 'handover.withdrawing', 'service.releasing'];
const OPEN: readonly Place[] = [
  'handover.opening',
  'service.serving',
  'service.seeking',
  'service.suspended',
];

function ofService(state: HostState, s: ServiceState, cfg: ServiceConfig): string[] {
  const broken: string[] = [];
  const must = (holds: boolean, text: string) => {
    if (!holds) broken.push(`${text} (in ${s.place})`);
  };
  const main = mainState(s.place);
  const cleaning = CLEANING.includes(s.place);
  const policy = s.forced ? 'available' : cfg.policy;
  must(
    s.gate.untilMs === null || OPEN.includes(s.place),
    'the gate is ordered open only while serving or about to',
  );
  must(
    s.gate.untilMs === null || s.gate.untilMs <= rightUntil(s.right, policy, state.config.membership),
    'the gate is never ordered open beyond the right to serve',
  );
  must(
    s.term === null || main === 'handover' || main === 'service',
    'a term is held only in Handover and Service',
  );
  must(s.term === null || s.term.host === state.config.membership.self, 'a held term is one’s own');
  must(
    (s.attempt !== null) === (main === 'handover' && !cleaning),
    'an attempt is Handover, and Handover is an attempt',
  );
  must(
    (s.cleaning !== null) === cleaning || (s.place === 'init.cleaning' && s.cleaning === null),
    'cleaning goes on exactly where its places are',
  );
  must(
    s.trial === null || ['service.seeking', 'service.shutting', 'service.suspended'].includes(s.place),
    'a successor is sought only in Service',
  );
  must(s.voter.holder === null || s.voter.term !== null, 'a promise is for a term');
  return broken;
}
