/** Faults in host.pml by hand: guards dropped, comparisons turned round, acts left out, in the conditions and reactions. */

export interface ModelMutant {
  readonly name: string;
  /** A condition, value or act in host.pml; it must be there exactly once, on a line that has `on` in it. */
  readonly find: string;
  readonly replace: string;
  readonly on?: string;
  /** An act and not an expression. */
  readonly act?: boolean;
}

export const MUTANTS_BY_HAND: readonly ModelMutant[] = [
  // R10, bit by bit.
  { name: 'R10 a claim soon after the start', on: 'define MAY_CLAIM', find: 'S.rested', replace: 'true' },
  { name: 'R10 a claim beside another one', on: 'define MAY_CLAIM', find: 'S.rivalFresh', replace: 'false' },
  { name: 'R10 a claim by an unfit host', on: 'define MAY_CLAIM', find: 'FIT', replace: 'true' },
  { name: 'R19 a claim under the trust hold', on: 'define MAY_CLAIM', find: 'g.trustHeld', replace: 'false' },
  { name: 'R10 a claim without an own downlink', on: '&& S.downSince', find: 'S.downSince', replace: 'true' },
  {
    name: 'R10 a claim before the probes',
    on: '&& S.downSince',
    find: 'S.unanswered >= NP',
    replace: 'true',
  },
  {
    name: 'R10 one probe more',
    on: '&& S.downSince',
    find: 'S.unanswered >= NP',
    replace: 'S.unanswered > NP',
  },
  { name: 'R10 a claim before the slot', on: '&& S.downSince', find: 'g.slot', replace: 'true' },
  {
    name: 'R10 a claim although the own vote binds',
    on: 'define VOTE_FREE',
    find: '!BOUND(h)',
    replace: 'true',
  },
  { name: 'R10 a sign of life is nothing', on: 'define VOTE_FREE', find: 'S.sign', replace: 'false' },
  { name: 'R19 a sign of life holds for ever', on: 'define VOTE_FREE', find: 'SIGN_OVER', replace: 'false' },
  {
    name: 'R15 RELEASED still needs probes',
    on: 'define FREE',
    find: 'S.rel == TO_NOBODY',
    replace: 'false',
  },
  { name: 'R15 RELEASED counts for ever', on: 'define FREE', find: 'S.heardP', replace: 'true' },
  { name: 'R11 a majority is not stronger', on: 'define STRONGER', find: 'MAJ(h)', replace: 'false' },
  { name: 'R11 every claimant is stronger', on: 'define STRONGER', find: 'S.granted', replace: 'true' },
  {
    name: 'R11 who was not heard is waited for',
    on: 'define NOBODY_TO_ASK',
    find: '!S.masterLives',
    replace: 'false',
  },
  { name: 'R10 nobody’s objection is waited for', on: 'S.due = g.two', find: 'g.two', replace: 'true' },
  {
    name: 'R10 objections of nobody are waited for',
    on: 'S.due = g.two && !S.forced; end',
    find: 'g.two',
    replace: 'false',
  },
  {
    name: 'R11 a program beside the window',
    on: 'g.early -> prepare',
    find: 'AT(HANDOVER_LISTENING) && g.early',
    replace: 'AT(HANDOVER_LISTENING)',
  },
  {
    name: 'R11 what failed its test is not ordered again',
    on: 'preparing orders it again',
    find: '!AT(HANDOVER_PREPARING)',
    replace: 'false',
  },
  {
    name: 'R11 prepared before it is tested',
    on: ':: S.prep == TESTED -> why',
    find: 'S.prep == TESTED',
    replace: 'S.prep != 0',
  },
  { name: 'R26 a host in standby is fit', on: 'define FIT ', find: '!S.standby', replace: 'true' },
  { name: 'R10 an unsound downlink is fit', on: 'define FIT ', find: 'S.sound', replace: 'true' },
  // R1, R2, R15, R16.
  { name: 'R1 a lower term is established', on: ':: SERVES && (mt', find: 'mt > S.known', replace: 'true' },
  {
    name: 'R1 a word overtaken by RELEASED counts',
    on: ':: SERVES && (mt',
    find: 'S.rel == NOT_SAID',
    replace: 'true',
  },
  {
    name: 'R1 a claim establishes its term',
    on: 'S.rival = mt; S.rivalFresh = true',
    find: 'S.rival = mt',
    replace: 'S.known = mt',
    act: true,
  },
  {
    name: 'R16 WITHDRAW forgets any rival',
    on: 'ev == E_WITHDRAW && S.rival',
    find: 'HOST(S.rival) == HOST(mt)',
    replace: 'true',
  },
  {
    name: 'R2 a renewal is no request',
    on: ':: !available && (ev == E_STATUS',
    find: 'ev == E_STATUS_HANDOVER',
    replace: 'false',
  },
  {
    name: 'R18 no objection of those that hear',
    on: ':: available && ev == E_CLAIM',
    find: 'S.fresh',
    replace: 'false',
  },
  {
    name: 'R18 an objection without hearing',
    on: ':: available && ev == E_CLAIM',
    find: 'S.fresh',
    replace: 'true',
  },
  {
    name: 'R15 RELEASED of anybody',
    on: ':: ev == E_RELEASED && FROM_MASTER && mt',
    find: 'FROM_MASTER',
    replace: 'true',
  },
  // R7, R8, R12, R13.
  {
    name: 'R7 no number in place while claiming',
    on: 'AT(HANDOVER_CLAIMING) && mt > S.term',
    find: 'mt > S.term',
    replace: 'false',
  },
  {
    name: 'R7 a number in place for a lower one',
    on: ':: ev == E_OBJECT_PROMISE && mt > S.term',
    find: 'mt > S.term',
    replace: 'true',
  },
  {
    name: 'R13 no objection of a master',
    on: ':: SERVING -> DO(D_CHECK_LOCAL)',
    find: 'SAY(S_OBJECT)',
    replace: 'skip',
    act: true,
  },
  {
    name: 'R13 a claim deposes',
    on: ':: SERVES && FROM_MASTER -> why',
    find: 'SERVES && FROM_MASTER',
    replace: 'SERVES && FROM_MASTER || ev == E_CLAIM && mt > S.term',
  },
  {
    name: 'R13 RELEASE deposes a healthy master',
    on: ':: ev == E_RELEASE && (AT(SERVICE_SUSPENDED)',
    find: 'AT(SERVICE_SUSPENDED)',
    replace: 'true',
  },
  {
    name: 'R12 a lapse ends the search',
    on: 'R12: what a lapse interrupted',
    find: 'S.trialTo != 0 -> Q_WANTED : 0',
    replace: 'S.trialTo != 0 -> 0 : 0',
  },
  { name: 'R12 READY of anybody', on: ':: ev == E_READY', find: 'S.trialTo == from + 1', replace: 'true' },
  {
    name: 'R8 open again without a round of probes',
    on: 'define OTHERS_MAY_SERVE',
    find: 'S.sign',
    replace: 'false',
  },
  {
    name: 'R8 what has not come back yet is silence',
    on: ':: S.suspect && !WINDOW_DONE',
    find: '!WINDOW_DONE',
    replace: 'false',
  },
  {
    name: 'R8 a round begins before an open gate',
    on: 'why == Q_ANEW -> if :: S.gate',
    find: 'S.gate',
    replace: 'false',
  },
  {
    name: 'R15 RELEASED before the gate is shut',
    on: ':: S.stage == GATE_STAGE -> gate_is_shut',
    find: 'S.stage == GATE_STAGE',
    replace: 'S.stage != 0',
  },
  {
    name: 'R15 RELEASED is said once',
    on: ':: S.term != 0 && S.copies',
    find: 'S.copies < 3',
    replace: 'S.copies < 1',
  },
  {
    name: 'R15 claims soon after an own release',
    on: ':: AT(SERVICE_RELEASING) -> S.rested',
    find: 'S.rested = false',
    replace: 'skip',
    act: true,
  },
  {
    name: 'R17 no hold-down',
    on: 'why != Q_ORDERED && why != Q_RIVAL',
    find: 'S.held = true',
    replace: 'skip',
    act: true,
  },
  { name: 'R9 a stall proves silence', on: ':: g.stalled && SEARCHING', find: 'SEARCHING', replace: 'false' },
  {
    name: 'R9 the suspicion is not begun anew',
    on: ':: SEARCHING -> S.unanswered = 0',
    find: 'S.unanswered = 0',
    replace: 'skip',
    act: true,
  },
  { name: 'R8 a lapsed right serves on', on: 'first the own right', find: '!RIGHT(h)', replace: 'false' },
  {
    name: 'R8 a gate that was read back after the right opens the service',
    on: ':: AT(HANDOVER_OPENING) && RIGHT(h) -> why',
    find: 'RIGHT(h)',
    replace: 'true',
  },
  {
    name: 'R8 a suspended host opens on an old round',
    on: 'AT(SERVICE_SUSPENDED) && !RIGHT(h) && S.gate && AVAIL',
    find: 'S.gate',
    replace: 'false',
  },
  {
    name: 'R8 a round that was slept through counts',
    on: 'g.stalled && AT(SERVICE_SUSPENDED)',
    find: 'g.stalled',
    replace: 'false',
  },
  {
    name: 'R13 a member’s word deposes a master with a majority',
    on: ':: SERVES && (mt',
    find: '!SECURE(h)',
    replace: 'true',
  },
  {
    name: 'R13 a forced master stays beside another one',
    on: '!FROM_MASTER && S.forced',
    find: 'S.forced',
    replace: 'false',
  },
  {
    name: 'R16 a host does not stay for its words',
    on: 'S.stage = WORDS_STAGE',
    find: 'S.copies == 3',
    replace: 'true',
  },
  {
    name: 'R12 nobody but the former master is asked',
    on: 'PLANNED || !RIGHT(h)',
    find: 'PLANNED',
    replace: 'false',
  },
  {
    name: 'R6 the gate opens without a right',
    on: ':: AT(HANDOVER_OPENING) -> if :: RIGHT(h)',
    find: 'RIGHT(h)',
    replace: 'true',
  },
  { name: 'R27 alone beside another gateway', on: '!RIGHT(h) && g.alone', find: 'g.alone', replace: 'true' },
  {
    name: 'R27 alone with a right that runs',
    on: '!RIGHT(h) && g.alone',
    find: '!RIGHT(h)',
    replace: 'true',
  },
  {
    name: 'R27 forced no more without a majority',
    on: 'S.forced && MAJ(h)',
    find: 'MAJ(h)',
    replace: 'true',
  },
  {
    name: 'R13 a forced master keeps what a majority wants',
    on: ':: ev == E_RELEASE && (AT(SERVICE_SUSPENDED)',
    find: 'S.forced',
    replace: 'false',
  },
  {
    name: 'R18 an objection is worth nothing',
    on: 'S.due && g.claimP',
    find: 'S.due && g.claimP',
    replace: 'S.due',
  },
];
