/** The bits of each place that matter for an event there: what is known, who rivals, how far a takeover or a release has come. */
import { type Axis, all, bits, type Choice, FORMER, KNOWN, LOOKS, MINE } from './domain-axes.ts';
import { term } from './vector.ts';

const KNOWNS: Axis = [
  { known: 0 },
  { known: KNOWN, rel: 0, fresh: 1, heardP: 1 },
  { known: KNOWN, rel: 0, fresh: 0, heardP: 1 },
  { known: KNOWN, rel: 0, fresh: 0, heardP: 0 },
  { known: KNOWN, rel: 1, fresh: 1, heardP: 1 },
  { known: KNOWN, rel: 1, fresh: 0, heardP: 0 },
  { known: KNOWN, rel: 3, fresh: 0, heardP: 1 },
  { known: FORMER, rel: 0, fresh: 0, heardP: 1 },
];
const RIVALS: Axis = [
  { rival: 0 },
  { rival: term(2, 2), rivalFresh: 1 },
  { rival: term(6, 2), rivalFresh: 1 },
  { rival: term(6, 0), rivalFresh: 0 },
];
const NO_RIVAL: Axis = [{}];
const FITS: Axis = [
  { sound: 1, down: 1 },
  { sound: 0 },
  { sound: 1, standby: 1 },
  { sound: 1, down: 1, stopping: 1 },
];

const PLANNED: Choice = { plannedBy: KNOWN, granted: 1, due: 1, masterLives: 1, known: KNOWN };
/** The right to serve before it is used: a majority's promises under quorum, nothing under available. */
const ATTEMPTS: Axis = [
  { ...PLANNED, rel: 0, heardP: 1 },
  { ...PLANNED, rel: 2, letGo: 1, heardP: 1 },
  { ...PLANNED, rel: 0, heardP: 0 },
  { granted: 1, due: 1, known: KNOWN },
  { granted: 1, due: 1, known: KNOWN, maj: 1, right: 1 },
  { granted: 1, due: 1, known: KNOWN, masterLives: 1, heardP: 1, fresh: 1 },
  { granted: 1, due: 1, known: KNOWN, rel: 1, letGo: 1 },
  { granted: 1, due: 1, known: 0 },
  { granted: 1, due: 1, known: FORMER },
  { granted: 1, due: 1, known: KNOWN, forced: 1, maj: 1 },
];
const CLAIMINGS: Axis = [
  { known: 0 },
  { known: KNOWN, due: 1 },
  { known: KNOWN, maj: 1, right: 1 },
  { known: KNOWN, forced: 1, maj: 1, due: 1 },
  { known: KNOWN, rel: 1, letGo: 1, masterLives: 1 },
];
const ROUNDS: Axis = [0, 1, 2, 3].flatMap((pend) =>
  [0, 1, 2, 3].filter((answ) => (answ & pend) === 0).map((answ) => ({ pend, answ })),
);
const SERVING: Axis[] = [
  [
    { known: MINE, gate: 1, right: 1 },
    { known: MINE, gate: 1, right: 0 },
    { known: FORMER, gate: 1, right: 1 },
  ],
  ...bits('forced'),
];
const TRIALS: Axis = [
  { trialTo: 3, cause: 1, only: 1 },
  { trialTo: 3, cause: 2 },
  { trialTo: 1, cause: 4 },
  { trialTo: 3, cause: 5, only: 1 },
  { trialTo: 3, cause: 6, only: 1 },
  { trialTo: 3, cause: 3 },
];
const FORMERS: Axis = [
  { known: MINE, fresh: 0, heardP: 0 },
  { known: term(5, 0), fresh: 1, heardP: 1 },
];

const attempt = (n: number): Choice => ({
  attempt: 1,
  term: n,
  highest: 4,
  rested: 1,
  heard: 1,
  sound: 1,
  down: 1,
});

/** The bits of each place that matter for that event; `m`: it is a message. */
export const PLACES: { readonly [place: string]: (event: string, m: boolean) => readonly Axis[] } = {
  INIT_CLEANING: () => [all('stage', 1, 2, 3), ...bits('heard', 'down', 'sound')],
  INIT_LINKING: () => [...bits('sound', 'standby')],
  DECIDE_LISTENING: (_, m) => [m ? KNOWNS : KNOWNS.slice(0, 2), m ? RIVALS : NO_RIVAL],
  DECIDE_ELECTING: (event) => [LOOKS.test(event) ? KNOWNS : KNOWNS.slice(0, 5), RIVALS.slice(0, 2)],
  BACKUP_WATCHING: (event, m) => [
    KNOWNS,
    m ? RIVALS : NO_RIVAL,
    event === 'E_HANDOVER' ? FITS : FITS.slice(0, 2),
    event === 'E_HANDOVER' ? all('held', 0, 1) : [{}],
  ],
  BACKUP_SUSPECTING: (event) =>
    event === 'E_T_CLAIM'
      ? [KNOWNS.slice(0, 6), RIVALS.slice(1)]
      : [KNOWNS, LOOKS.test(event) ? RIVALS : RIVALS.slice(0, 2)],
  HANDOVER_CLAIMING: (_, m) => [[attempt(MINE)], CLAIMINGS, m ? RIVALS : NO_RIVAL],
  HANDOVER_RAISING: (event, m) => [
    [attempt(MINE)],
    ATTEMPTS,
    m ? RIVALS.slice(0, 2) : NO_RIVAL,
    event === 'E_UP_CONFIRMED' ? all('early', 0, 1) : [{}],
  ],
  HANDOVER_LISTENING: (event) => window(event),
  HANDOVER_WAITING: (event) => window(event),
  HANDOVER_PREPARING: (event) => [
    [attempt(MINE)],
    ATTEMPTS,
    all('pend', 0, 2),
    all('prep', 1),
    stalling(event),
  ],
  HANDOVER_RELEASING: (event) => [
    [attempt(MINE)],
    ATTEMPTS,
    ...bits('masterLives'),
    all('prep', 2),
    stalling(event),
  ],
  HANDOVER_OPENING: () => [[attempt(MINE)], ATTEMPTS, ...bits('right', 'gate'), all('prep', 2)],
  HANDOVER_WITHDRAWING: () => [
    [{ term: MINE, highest: 4, rested: 1, heard: 1 }],
    KNOWNS,
    all('stage', 1, 2, 3, 4),
    all('copies', 0, 2, 3),
    all('forced', 0, 1),
  ],
  SERVICE_SERVING: () => SERVING,
  SERVICE_SEEKING: () => [...SERVING, TRIALS],
  SERVICE_SHUTTING: (event) => [
    [{ known: MINE }],
    event === 'E_OP_STOP' ? TRIALS : TRIALS.slice(1, 3),
    [{ handTo: 3 }, { handTo: 1 }],
    ...bits('right', 'forced'),
  ],
  SERVICE_SUSPENDED: (event, m) => [
    [{ known: MINE }, { known: FORMER }],
    ...bits('forced', 'gate', 'right', 'suspect', 'sign'),
    m ? RIVALS.slice(0, 2) : RIVALS.slice(0, 3),
    // A search that the lapse interrupted.
    /^E_(GATE|OP_|T_STEP|T_ADVERT|READY|WITHDRAW|RELEASE|ANSWER)/.test(event)
      ? [{}, ...TRIALS.slice(0, 2)]
      : [{}],
    ...(/^E_(ADDR|T_WINDOW|NONE|GATE)/.test(event)
      ? [all('pend', 0, 1, 2, 3), ...bits('windowOver')]
      : [[{ pend: 3 }, {}]]),
  ],
  SERVICE_RELEASING: () => [
    [{ term: MINE, highest: 5, heard: 1, rested: 0 }],
    FORMERS,
    all('stage', 1, 2, 3, 4),
    all('copies', 0, 2, 3),
    all('handTo', 0, 3),
    ...bits('forced', 'uplinkBad'),
  ],
};

/** The conflict window, and the wait for one promise. */
function window(event: string): readonly Axis[] {
  const rounds = /^E_(ADDR|T_WINDOW|NONE)/.test(event);
  return [
    [attempt(MINE)],
    ATTEMPTS.slice(3),
    rounds ? ROUNDS : ROUNDS.filter((r) => r.pend === 2),
    ...(rounds ? bits('windowOver') : []),
    // The window's end goes by how far preparing has come.
    rounds || /^E_(LOCAL|SERVICE_UP)/.test(event) ? all('prep', 0, 1, 2) : all('prep', 1),
    stalling(event),
  ];
}

/** After a stall a window begins anew. */
function stalling(event: string): Axis {
  return event === 'E_NONE' ? all('early', 0, 1) : [{}];
}
