/** Cores with a guard taken out: what each judge must see. Each wraps the real step. */
import { type Event, type HostState, type ServiceState, type Step, step } from '../../src/core/index.ts';
import { SERVICE } from './world.ts';

type Core = typeof step;

function patched(state: HostState, patch: (s: ServiceState) => Partial<ServiceState>): HostState {
  const s = state.services[SERVICE];
  if (s === undefined) return state;
  return { ...state, services: { ...state.services, [SERVICE]: { ...s, ...patch(s) } } };
}

function place(state: HostState): string {
  return state.services[SERVICE]?.place ?? '';
}

/** Forgets what it promised, and so promises to whoever asks. */
export const promisesTwice: Core = (state, event, nowMs) =>
  step(
    patched(state, () => ({ voter: { term: null, holder: null, untilMs: 0 } })),
    event,
    nowMs,
  );

/** Says RELEASED before its gate is read back shut. */
export const saysReleasedEarly: Core = (state, event, nowMs) => {
  const next = step(state, event, nowMs);
  const s = next.state.services[SERVICE];
  if (s?.place !== 'service.shutting' || place(state) === s.place || s.term === null) return next;
  const message = {
    type: 'RELEASED',
    service: SERVICE,
    term: s.term,
    successor: null,
    id: 0,
    restMs: 0,
  } as const;
  return { ...next, effects: [...next.effects, { type: 'send', to: 'all', message }] };
};

/** Takes its downlink for sound without looking. */
export const claimsBlindly: Core = (state, event, nowMs) =>
  step(
    patched(state, (s) => ({
      checks: {
        ...s.checks,
        checkDownlink: { ...s.checks.checkDownlink, verdict: 'confirmed', confirmedAtMs: nowMs, sound: true },
      },
    })),
    event,
    nowMs,
  );

/** Becomes a backup without taking its uplink down. */
export const leavesUplinkUp: Core = (state, event, nowMs) => {
  const next = step(state, event, nowMs);
  const run = next.effects.find((e) => e.type === 'run' && e.procedure === 'deactivateUplink');
  if (run?.type !== 'run' || place(state) === 'init.cleaning') return next;
  const ended: Event = {
    type: 'procedure-ended',
    service: SERVICE,
    procedure: 'deactivateUplink',
    id: run.id,
    verdict: 'confirmed',
  };
  const last = step(next.state, ended, nowMs);
  return { state: last.state, effects: [...next.effects.filter((e) => e !== run), ...last.effects] };
};

/** Orders its gate open for longer than its right lasts. */
export const opensTooLong: Core = (state, event, nowMs) => {
  const next = step(state, event, nowMs);
  return {
    state: patched(next.state, (s) => ({
      gate: s.gate.untilMs === null ? s.gate : { ...s.gate, untilMs: s.gate.untilMs + 1000 },
    })),
    effects: next.effects,
  };
};

/** Does not survive a GRANT. */
export const throwsOnGrant: Core = (state, event, nowMs) => {
  if (event.type === 'message' && event.message.type === 'GRANT') throw new Error('not today');
  return step(state, event, nowMs);
};

/** Forgets the deadlines of silence, so that nobody ever misses a master. */
export const neverMissesAnybody: Core = (state, event, nowMs) => {
  const next = step(state, event, nowMs);
  return {
    state: patched(next.state, (s) => {
      return { timers: { ...s.timers, silence: null, listen: null } };
    }),
    effects: next.effects,
  };
};

/** Speaks in another host's term. */
export const borrowsTerms: Core = (state, event, nowMs) => {
  const next = step(state, event, nowMs);
  const effects = next.effects.map((e): Step['effects'][number] =>
    e.type === 'send' && e.message.type === 'STATUS'
      ? { ...e, message: { ...e.message, term: { ...e.message.term, host: 'b' } } }
      : e,
  );
  return { state: next.state, effects };
};

/** While it takes over, it hears no master and sees no sign of one. */
export const ignoresMasters: Core = (state, event, nowMs) => {
  if (!/handover/.test(place(state))) return step(state, event, nowMs);
  if (event.type === 'message' && /STATUS|PROBED|OBJECT/.test(event.message.type)) {
    return step(state, { type: 'timer' }, nowMs);
  }
  if (event.type === 'addresses-probed') return step(state, { ...event, answered: false }, nowMs);
  if (event.type === 'procedure-ended' && event.procedure === 'checkServiceRemote') {
    return step(state, { ...event, verdict: 'unknown' }, nowMs);
  }
  return step(state, event, nowMs);
};
