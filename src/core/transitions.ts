/**
 * The places of the main state machine and every way from one to another. `become` (context.ts) takes no other way:
 * a change that is not in this table is a fault of ours and ends the process. spec/state-machine.md holds the
 * same table with guards and effects; a test compares the two, and fires every row.
 */

/** Main state and substate. The five main states are the slides'. */
export const PLACES = [
  'init.cleaning', // making the host harmless, and confirming it
  'init.linking', // waiting for the downlink, or a member's word
  'decide.listening', // asking who is there; silent for a promise
  'decide.electing', // nobody serves: claiming in the order of the hosts present
  'backup.watching', // hearing the master, checking the service as a client does
  'backup.suspecting', // the master is silent: probing it, and the own downlink
  'handover.claiming', // asking for grants or objections
  'handover.raising', // the uplink comes up; its next hop must answer
  'handover.listening', // the conflict window: is somebody serving, seen from the uplink?
  'handover.waiting', // an unsigned answer: giving it one promise's time
  'handover.preparing', // addresses, rules, routes behind the shut gate, and their test
  'handover.releasing', // telling the old master to let go; or, planned, ready and waiting for it to
  'handover.opening', // the right to serve is there: opening the gate
  'handover.withdrawing', // rolling back; ends with the uplink down
  'service.serving', // master, gate open
  'service.seeking', // serving, while a successor gets ready
  'service.shutting', // the successor is ready: shutting the gate
  'service.suspended', // the right to serve ran out: gate shut, addresses kept
  'service.releasing', // letting go; ends with the uplink down
] as const;
export type Place = (typeof PLACES)[number];
export type MainState = 'init' | 'decide' | 'backup' | 'handover' | 'service';

export function mainState(place: Place): MainState {
  return MAIN_STATES[place];
}

const MAIN_STATES = Object.fromEntries(
  PLACES.map((place) => [place, place.slice(0, place.indexOf('.'))]),
) as { readonly [P in Place]: MainState };

/**
 * [from, cause, to]. `handover.*` is every place of Handover but withdrawing; `service.*` every one of
 * Service but releasing; `serving` is service.serving and service.seeking.
 */
export const TRANSITIONS = [
  ['init.cleaning', 'harmless', 'init.linking'],
  ['init.linking', 'linked', 'decide.listening'],

  ['decide.listening', 'master-heard', 'backup.watching'],
  ['decide.listening', 'listened', 'decide.electing'],
  ['decide.electing', 'master-heard', 'backup.watching'],
  ['decide.electing', 'may-claim', 'handover.claiming'],
  ['decide.electing', 'forced', 'handover.claiming'],

  ['backup.watching', 'silence', 'backup.suspecting'],
  ['backup.watching', 'released', 'backup.suspecting'],
  ['backup.watching', 'asked', 'handover.raising'],
  ['backup.watching', 'forced', 'handover.claiming'],
  ['backup.suspecting', 'master-heard', 'backup.watching'],
  ['backup.suspecting', 'may-claim', 'handover.claiming'],
  ['backup.suspecting', 'forced', 'handover.claiming'],

  ['handover.claiming', 'granted', 'handover.raising'],
  ['handover.raising', 'next-hop-answered', 'handover.listening'],
  ['handover.raising', 'next-hop-answered-planned', 'handover.preparing'],
  ['handover.listening', 'quiet', 'handover.preparing'],
  ['handover.listening', 'address-answered', 'handover.waiting'],
  ['handover.listening', 'stalled', 'handover.listening'],
  ['handover.waiting', 'quiet', 'handover.preparing'],
  ['handover.waiting', 'waited', 'handover.preparing'],
  ['handover.waiting', 'stalled', 'handover.listening'],
  ['handover.preparing', 'prepared', 'handover.releasing'],
  ['handover.preparing', 'stalled', 'handover.listening'],
  ['handover.releasing', 'released', 'handover.opening'],
  ['handover.releasing', 'silent', 'handover.opening'],
  ['handover.releasing', 'stalled', 'handover.listening'],
  ['handover.opening', 'gate-open', 'service.serving'],

  ['handover.*', 'master-alive', 'handover.withdrawing'],
  ['handover.*', 'rival', 'handover.withdrawing'],
  ['handover.*', 'too-late', 'handover.withdrawing'],
  ['handover.*', 'downlink-lost', 'handover.withdrawing'],
  ['handover.*', 'ordered', 'handover.withdrawing'],
  ['handover.withdrawing', 'harmless', 'backup.watching'],
  ['handover.withdrawing', 'harmless-alone', 'decide.listening'],

  ['service.serving', 'wanted', 'service.seeking'],
  ['service.seeking', 'nobody', 'service.serving'],
  ['service.seeking', 'ready', 'service.shutting'],
  ['serving', 'lapsed', 'service.suspended'],
  ['service.suspended', 'renewed', 'service.serving'],
  ['service.shutting', 'shut', 'service.releasing'],
  ['service.*', 'deposed', 'service.releasing'],
  ['service.*', 'service-failed', 'service.releasing'],
  ['service.*', 'downlink-failed', 'service.releasing'],
  ['service.*', 'ordered', 'service.releasing'],
  ['service.suspended', 'too-late', 'service.releasing'],
  ['service.releasing', 'harmless', 'backup.watching'],
] as const satisfies readonly (readonly [string, string, Place])[];

export type Cause = (typeof TRANSITIONS)[number][1];

/** Whether a row's first column covers that place. */
export function covers(pattern: string, place: Place): boolean {
  if (pattern === 'handover.*') return place.startsWith('handover.') && place !== 'handover.withdrawing';
  if (pattern === 'service.*') return place.startsWith('service.') && place !== 'service.releasing';
  if (pattern === 'serving') return place === 'service.serving' || place === 'service.seeking';
  return pattern === place;
}

/** Where that cause leads from that place; undefined when there is no such way. */
export function destination(from: Place, cause: Cause): Place | undefined {
  return TRANSITIONS.find(([pattern, because]) => because === cause && covers(pattern, from))?.[2];
}
