/** A simulated cluster that serves, a host's state at a moment of its life, and what that state makes of one event. */
import assert from 'node:assert/strict';
import { type Event, type HostState, type Message, type ServiceState, step } from '../../src/core/index.ts';
import { SERVICE, World, type WorldOptions } from './world.ts';

export type Seen = { readonly state: HostState; readonly nowMs: number };

export function serviceOf(state: HostState | undefined): ServiceState {
  return state?.services[SERVICE] ?? assert.fail('the host runs, and has the service');
}

/** A cluster that has a master since a while; what it lost until now does not count. */
export function serving(options: Pick<WorldOptions, 'hosts' | 'policy'> & Partial<WorldOptions>) {
  const w = new World(options);
  w.startAll();
  w.pass(20 * w.times.timing.intervalMs);
  const master = w.host(w.masters()[0] ?? assert.fail('nobody serves'));
  w.resetFigures();
  return { w, master, state: master.driver?.state ?? assert.fail() };
}

/** The host's state as it is in `place` for the first time from now on. */
export function firstIn(w: World, place: string): () => Seen {
  let seen: Seen | null = null;
  w.observe = (_host, nowMs, _event, state) => {
    if (seen === null && state.services[SERVICE]?.place === place) seen = { state, nowMs };
  };
  return () => seen ?? assert.fail(`nobody was in ${place}`);
}

/** What one event makes of that state at that time (ms): the service, procedures run, words said, whether a gate is ordered open. */
export function effectsOf(state: HostState, event: Event, nowMs: number) {
  const after = step(state, event, nowMs);
  const runs = after.effects.flatMap((e) => (e.type === 'run' ? [e.procedure] : []));
  const says = after.effects.flatMap((e) => (e.type === 'send' ? [e.message] : []));
  const opens = after.effects.some((e) => e.type === 'gate' && e.untilMs !== null);
  return { it: serviceOf(after.state), runs, says, opens };
}

/** The same of a message that comes over the first link. */
export function told(state: HostState, from: string, message: Message, nowMs: number) {
  return effectsOf(state, { type: 'message', from, link: 1, message }, nowMs);
}
