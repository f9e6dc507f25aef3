/** What there is not: events that cannot come at a place, and states that cannot be. */
import { KNOWN, SEARCHING } from './domain-axes.ts';
import type { Vector } from './vector.ts';

/** Where the code arms that timer; elsewhere it cannot fire. Timers without an entry run in every place. */
const ARMED: { readonly [event: string]: RegExp } = {
  E_T_STEP:
    /^HANDOVER_(CLAIMING|RAISING|LISTENING|PREPARING|RELEASING|OPENING)$|^SERVICE_(SEEKING|SHUTTING|SUSPENDED)$/,
  E_T_SILENCE: /^BACKUP_WATCHING$/,
  E_T_LISTEN: /^DECIDE_LISTENING$/,
  E_T_PROBE:
    /^DECIDE_|^BACKUP_SUSPECTING$|^HANDOVER_(RAISING|LISTENING|WAITING|PREPARING|OPENING)$|^SERVICE_SUSPENDED$/,
  E_T_CLAIM: /^DECIDE_ELECTING$|^BACKUP_SUSPECTING$|^HANDOVER_CLAIMING$/,
  E_T_WINDOW: /^HANDOVER_(LISTENING|WAITING)$|^SERVICE_SUSPENDED$/,
  E_T_RENEW: /^HANDOVER_OPENING$|^SERVICE_(SERVING|SEEKING|SHUTTING|SUSPENDED)$/,
  E_T_ADVERT:
    /^HANDOVER_(RAISING|LISTENING|WAITING|PREPARING|RELEASING|OPENING)$|^SERVICE_(SERVING|SEEKING|SHUTTING|SUSPENDED)$/,
  E_T_RETRY:
    /^HANDOVER_(CLAIMING|RAISING|LISTENING|WAITING|PREPARING|RELEASING|OPENING)$|^SERVICE_(SERVING|SEEKING|SHUTTING|SUSPENDED)$/,
  E_T_REPEAT: /^HANDOVER_(RELEASING|WITHDRAWING)$|^SERVICE_(SEEKING|RELEASING)$/,
  E_T_CLEAN: /^INIT_CLEANING$|^HANDOVER_WITHDRAWING$|^SERVICE_RELEASING$/,
  E_T_TRIAL: /^SERVICE_SERVING$/,
};

/** Whether that event can come at that place at all. */
export function possible(place: string, event: string): boolean {
  if (event === 'E_STARTED') return place === 'INIT_CLEANING';
  if (event.startsWith('E_OFF_'))
    return /^(INIT_CLEANING|HANDOVER_WITHDRAWING|SERVICE_RELEASING)$/.test(place);
  // Address rounds are asked for in the conflict window; a later place may see the end of the last ones.
  if (event.startsWith('E_ADDR')) return !/^HANDOVER_(CLAIMING|RAISING|RELEASING|OPENING)$/.test(place);
  if (event === 'E_ANSWER') return /^HANDOVER_(?!WITH)|^SERVICE/.test(place);
  return ARMED[event]?.test(place) ?? true;
}

/** Makes a product's element a state that can be, or returns false. */
export function settle(v: Vector, place: string, event: string): boolean {
  const quorum = v.available === 0 && v.forced === 0;
  if (v.available === 1 && v.forced === 1) return false;
  if (v.known === 0 && (v.rel !== 0 || v.fresh === 1 || v.heardP === 1)) return false;
  if (v.downSince === 1 && (v.down === 0 || v.suspect === 0)) return false;
  if (place.startsWith('HANDOVER') && place !== 'HANDOVER_WITHDRAWING') {
    if (v.available === 1) v.maj = 0;
    if (place !== 'HANDOVER_OPENING') v.right = quorum ? (v.maj as number) : 0;
    else if (quorum && v.maj === 1 && v.right === 0) return false;
    if (v.plannedBy !== 0 && v.forced === 1) return false;
    if (v.masterLives === 0 && v.plannedBy !== 0) return false;
    if (place !== 'HANDOVER_OPENING' && v.gate === 1) return false;
  } else if (v.maj === 1 && !(event === 'E_ANSWER' && v.forced === 1)) return false;
  // Two members, of which the known master is the other one: nobody else has a slot, or claims.
  if (v.two === 1 && (quorum || v.known !== KNOWN || v.slot === 0 || v.rival !== 0)) return false;
  if (v.alone === 1 && !quorum) return false;
  if (v.gate === 0 && v.grown === 1) return false;
  if (v.grown === 1 && v.right === 0) return false;
  // The code opens the gate at once where a right runs.
  if (place === 'HANDOVER_OPENING' && v.gate === 0 && v.right === 1 && v.available === 1) return false;
  if (v.bound === 1 && (v.available === 1 || !SEARCHING.test(place))) return false;
  if (v.promised === 1 && v.available === 1) return false;
  if (v.promised === 1 && SEARCHING.test(place)) v.bound = 1;
  if (v.trustHeld === 1 && v.available === 0) return false;
  if (v.renewed === 1 && (!quorum || v.right === 0 || (v.attempt === 1 && v.maj === 0))) return false;
  if (event === 'E_T_RETRY' && !quorum && place !== 'HANDOVER_CLAIMING') return false;
  if (event === 'E_T_RENEW' && quorum) return false;
  if (event === 'E_T_ADVERT' && v.plannedBy !== 0) return false;
  if (v.limitOver === 1 && (place !== 'HANDOVER_RELEASING' || v.plannedBy === 0)) return false;
  if (v.stage === 1 && (v.copies as number) > 0) return false;
  // Who has said it all does not stay for the words.
  if (v.stage === 4 && (v.copies === 3 || v.copies === 0)) return false;
  if (place === 'SERVICE_SUSPENDED') {
    if (v.suspect === 0 && v.sign === 1) return false;
    if (quorum && v.suspect === 1) return false;
    // A round begins behind a shut gate, and waits for what it asked.
    if (v.suspect === 1 && v.gate === 1) return false;
    if (v.suspect === 0 && ((v.pend as number) > 0 || v.windowOver === 1)) return false;
    if (v.suspect === 1 && v.pend === 0 && v.windowOver === 1) return false;
    if (v.gate === 1 && v.right === 0 && event !== 'E_GATE_OPEN' && event !== 'E_GATE_SHUT') return false;
    // Suspended is who has no right; a gate that could not be kept open leaves one.
    if (event === 'E_T_WINDOW' && quorum) return false;
  }
  if (event === 'E_T_WINDOW' && v.windowOver === 1) return false;
  if (event.startsWith('E_ADDR') && place.startsWith('HANDOVER') && v.attempt === 1 && v.pend === 0)
    return false;
  if (event === 'E_DOWN_LOST' && v.blamed === 1 && place.startsWith('INIT')) return false;
  if (event === 'E_REMOTE_FAILED' && v.disputed === 1 && v.down === 0) return false;
  if (event === 'E_DOWN_CONFIRMED' && v.began === 1 && v.suspect === 0) return false;
  if (v.better === 1 && v.candidate !== 4) return false;
  if (v.counts === 1 && (v.candidate as number) === 0) return false;
  if (place === 'SERVICE_SEEKING' && v.candidate === v.trialTo) return false;
  if (place === 'SERVICE_SHUTTING' && v.trialTo !== v.handTo) return false;
  if ((event === 'E_GATE_OPEN' || event === 'E_GATE_SHUT') && v.stage === 0 && place.startsWith('BACKUP'))
    return true;
  return true;
}
