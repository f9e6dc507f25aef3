/**
 * What is compared: every place with every event that can come there, over all values of the bits that matter for the
 * two. A list of axes for each place and for each event; the domain is their product, without the states that cannot be.
 */
import { ALL_FIELDS, blank, EVENTS, ME, model, pack, term, type Vector } from './vector.ts';

/** Some fields with one choice of values. */
type Choice = { readonly [field: string]: number };
/** The choices of one axis. */
type Axis = readonly Choice[];

const bits = (...fields: string[]): Axis[] => fields.map((field) => [{ [field]: 0 }, { [field]: 1 }]);
const all = (field: string, ...values: number[]): Axis => values.map((value) => ({ [field]: value }));

/** Own terms: 4/h1 while claiming or serving. The known master is h0 in 3/h0. */
const MINE = term(4, ME);
const KNOWN = term(3, 0);
const FORMER = term(3, ME);

const POLICY = all('available', 0, 1);
const CLAIM_OK: Choice = {
  rested: 1,
  sound: 1,
  down: 1,
  downSince: 1,
  unanswered: 3,
  slot: 1,
  standby: 0,
  stopping: 0,
  sign: 0,
  bound: 0,
  trustHeld: 0,
};

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
/** After these a searching host looks whether it may claim. */
const LOOKS = /^E_(STATUS|CLAIM|RELEASED|WITHDRAW|WORD|DOWN_|T_PROBE|T_CLAIM)/;

/** The bits of each place that matter for that event; `m`: it is a message. */
const PLACES: { readonly [place: string]: (event: string, m: boolean) => readonly Axis[] } = {
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
  HANDOVER_RAISING: (_, m) => [[attempt(MINE)], ATTEMPTS, m ? RIVALS.slice(0, 2) : NO_RIVAL],
  HANDOVER_LISTENING: (event) => window(event),
  HANDOVER_WAITING: (event) => window(event),
  HANDOVER_PREPARING: () => [[attempt(MINE)], ATTEMPTS, all('pend', 0, 2)],
  HANDOVER_RELEASING: () => [[attempt(MINE)], ATTEMPTS, ...bits('masterLives')],
  HANDOVER_OPENING: () => [[attempt(MINE)], ATTEMPTS, ...bits('right', 'gate')],
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
  SERVICE_SUSPENDED: (_, m) => [
    [{ known: MINE }, { known: FORMER }],
    ...bits('forced', 'gate', 'right', 'suspect', 'sign'),
    m ? RIVALS.slice(0, 2) : RIVALS.slice(0, 3),
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
  ];
}

/** Who speaks, of which term: below, at and above the known one and the own one. */
const SPEAKERS: Axis = [
  { from: 0, mt: term(2, 0) },
  { from: 0, mt: KNOWN },
  { from: 0, mt: term(4, 0) },
  { from: 0, mt: term(5, 0) },
  { from: 2, mt: term(2, 2) },
  { from: 2, mt: term(4, 2) },
];
const NO_TERM: Axis = [
  { from: 0, mt: 0 },
  { from: 2, mt: 0 },
];
const EVENT_AXES: { readonly [event: string]: readonly Axis[] } = {
  E_STATUS: [SPEAKERS, ...bits('promised')],
  E_STATUS_SUSPENDED: [SPEAKERS, ...bits('promised')],
  E_STATUS_HANDOVER: [SPEAKERS, ...bits('promised')],
  E_CLAIM: [SPEAKERS, ...bits('promised')],
  E_PROBE: [[...SPEAKERS, ...NO_TERM]],
  E_PROBE_BLAME: [[...SPEAKERS, ...NO_TERM]],
  E_PROBED: [NO_TERM],
  E_PROBED_SERVING: [SPEAKERS],
  E_PROBED_HANDOVER: [SPEAKERS],
  E_OBJECT_SERVING: [SPEAKERS],
  E_OBJECT_HEARING: [SPEAKERS],
  E_OBJECT_PROMISE: [[...SPEAKERS, { from: 2, mt: term(9, 3) }]],
  E_ANSWER: [
    [
      { from: 0, mt: MINE },
      { from: 2, mt: MINE },
    ],
  ],
  E_RELEASE: [SPEAKERS],
  E_RELEASED: [SPEAKERS, all('succ', 0, ME + 1, 3)],
  E_WITHDRAW: [SPEAKERS],
  E_HANDOVER: [SPEAKERS],
  E_READY: [SPEAKERS],
  E_CHECK: [NO_TERM],
  E_CHECK_INSIST: [NO_TERM, ...bits('counts')],
  E_WORD: [NO_TERM],
  E_DOWN_CONFIRMED: [...bits('began', 'risen')],
  E_DOWN_LOST: [...bits('fallen', 'blamed')],
  E_DOWN_REFUTED: [...bits('fallen')],
  E_UP_CONFIRMED: [...bits('uplinkBad', 'standby', 'stopping', 'pausing', 'better')],
  E_UP_FAILED: [...bits('uplinkBad', 'fallen', 'standby', 'stopping', 'pausing', 'better')],
  E_LOCAL_FAILED: [...bits('fallen')],
  E_REMOTE_FAILED: [...bits('disputed', 'down')],
  E_OP_HANDOVER: [...bits('standby', 'stopping')],
  E_OP_FORCE: [...bits('standby', 'stopping')],
  E_OP_STANDBY: [...bits('standby', 'stopping')],
  E_OP_RESUME: [...bits('standby', 'stopping')],
  E_OP_STOP: [...bits('standby', 'stopping')],
  E_NONE: [...bits('stalled')],
  E_T_STEP: [...bits('limitOver', 'stopping')],
  E_T_TRIAL: [...bits('uplinkBad', 'standby', 'stopping', 'pausing', 'better')],
  E_T_WINDOW: [...bits('sinceP')],
  E_T_RETRY: [...bits('renewed')],
};

/** Where the code arms that timer; elsewhere it cannot fire. Timers without an entry run in every place. */
export const ARMED: { readonly [event: string]: RegExp } = {
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

/** Bits of R10: all of them good, and each alone bad. */
const ONE_BAD: Axis = [
  CLAIM_OK,
  ...[
    { rested: 0 },
    { sound: 0 },
    { downSince: 0 },
    { downSince: 0, down: 0 },
    { unanswered: 2 },
    { slot: 0 },
    { standby: 1 },
    { stopping: 1 },
    { sign: 1 },
    { sign: 1, sinceP: 1 },
    { bound: 1 },
    { trustHeld: 1 },
  ].map((bad) => ({ ...CLAIM_OK, ...bad })),
];
const FEW_BAD: Axis = ONE_BAD.filter((c) => c.sound === 0 || c.bound === 1 || c.sign === 1 || c === CLAIM_OK);
const ANY_BAD: readonly Axis[] = [
  [CLAIM_OK],
  all('unanswered', 0, 2, 3),
  [{ standby: 0 }, { standby: 1 }, { stopping: 1 }],
  ...bits('rested', 'sound', 'downSince', 'slot', 'sign', 'sinceP', 'bound', 'trustHeld'),
];

const SEARCHING = /^(DECIDE_ELECTING|BACKUP_SUSPECTING)$/;
const CANDIDATES: { readonly [place: string]: { readonly events: RegExp; readonly choices: Axis } } = {
  SERVICE_SERVING: {
    events: /^E_(UP_|OP_|T_TRIAL|CHECK_INSIST)/,
    choices: all('candidate', 0, 1, 3, 4),
  },
  SERVICE_SEEKING: { events: /^E_(T_STEP|WITHDRAW)/, choices: all('candidate', 0, 4) },
};

const isMessage = (event: string): boolean =>
  model(event) >= model('E_STATUS') && model(event) <= model('E_WORD');

/** What looks for a successor matters to a serving master alone. */
const SUCCESSION = /^E_(UP_CONFIRMED|UP_FAILED|T_TRIAL)$/;

function axesOf(place: string, event: string): readonly Axis[] {
  const axes: Axis[] = [[base(place, event)], POLICY, ...(PLACES[place]?.(event, isMessage(event)) ?? [])];
  const vital = event === 'E_T_CLAIM' && place === 'BACKUP_SUSPECTING';
  if (SEARCHING.test(place)) {
    axes.push(...(vital ? ANY_BAD : [LOOKS.test(event) && !isMessage(event) ? ONE_BAD : FEW_BAD]));
  }
  if (!SUCCESSION.test(event) || place === 'SERVICE_SERVING') axes.push(...(EVENT_AXES[event] ?? []));
  else if (place.startsWith('SERVICE_S')) axes.push(...bits('fallen', 'uplinkBad'));
  // What an answer or a renewal makes of a right that has grown.
  if (
    /^SERVICE_S|OPENING/.test(place) &&
    /^E_(ANSWER|T_ADVERT|T_RENEW|CLAIM|STATUS|JOINED|GATE_OPEN)$/.test(event)
  ) {
    axes.push(...bits('grown'));
  }
  if (
    /^E_(STATUS|PROBED_SERVING|OBJECT_SERVING|RELEASE)$/.test(event) &&
    /^HANDOVER_(?!WITH)|^SERVICE_S/.test(place)
  ) {
    axes.push(...bits('evidence'));
  }
  if (event === 'E_RELEASED' && place === 'HANDOVER_RELEASING')
    axes.push(...bits('match', 'lent', 'limitOver'));
  if (event === 'E_OBJECT_HEARING' && place === 'HANDOVER_CLAIMING') axes.push(...bits('claimP'));
  if (/^E_(ADDR|T_WINDOW|NONE)/.test(event) && place === 'HANDOVER_LISTENING') axes.push(...bits('claimP'));
  const candidates = CANDIDATES[place];
  if (candidates?.events.test(event)) axes.push(candidates.choices);
  return axes;
}

function base(place: string, event: string): Choice {
  const host: Choice = { place: model(place), ev: model(event), highest: 5 };
  if (place.startsWith('INIT')) return { ...host, highest: 0 };
  if (SEARCHING.test(place)) return { ...host, heard: 1, suspect: 1 };
  if (place === 'DECIDE_LISTENING') return { ...host, heard: 1, rested: 0 };
  if (place.startsWith('BACKUP')) return { ...host, heard: 1, rested: 1 };
  if (place.startsWith('SERVICE')) {
    return { ...host, term: MINE, heard: 1, rested: 1, sound: 1, down: 1, fresh: 0, heardP: 0 };
  }
  return host;
}

/** Makes a product's element a state that can be, or returns false. */
function settle(v: Vector, place: string, event: string): boolean {
  const quorum = v.available === 0 && v.forced === 0;
  if (v.available === 1 && v.forced === 1) return false;
  if (v.known === 0 && (v.rel !== 0 || v.fresh === 1 || v.heardP === 1)) return false;
  // A watching host whose master is overdue is no longer watching.
  if (place === 'BACKUP_WATCHING' && v.known !== 0 && v.fresh === 0 && event !== 'E_T_SILENCE') return false;
  if (v.downSince === 1 && (v.down === 0 || v.suspect === 0)) return false;
  if (place.startsWith('HANDOVER') && place !== 'HANDOVER_WITHDRAWING') {
    if (v.available === 1) v.maj = 0;
    if (place !== 'HANDOVER_OPENING') v.right = quorum ? (v.maj as number) : 0;
    else if (quorum && v.maj === 1 && v.right === 0) return false;
    if (v.plannedBy !== 0 && v.forced === 1) return false;
    if (v.masterLives === 0 && v.plannedBy !== 0) return false;
    if (place !== 'HANDOVER_OPENING' && v.gate === 1) return false;
  } else if (v.maj === 1) return false;
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
    if (v.gate === 1 && v.right === 0 && event !== 'E_GATE_OPEN' && event !== 'E_GATE_SHUT') return false;
    // Suspended is who has no right; a gate that could not be kept open leaves one.
    if (event === 'E_T_WINDOW' && quorum) return false;
  }
  if (event === 'E_T_WINDOW') {
    if (place === 'SERVICE_SUSPENDED' && v.gate === 1 && v.suspect === 1) return false;
    if (place.startsWith('HANDOVER') && v.windowOver === 0) v.windowOver = 1;
    else if (place.startsWith('HANDOVER')) return false;
  }
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

export const PLACE_NAMES = Object.keys(PLACES);

export interface Domain {
  readonly bytes: Buffer;
  readonly size: number;
  /** How many vectors each place and event have, by `PLACE EVENT`. */
  readonly counts: ReadonlyMap<string, number>;
}

/** All vectors, packed one after the other: one of each place and event, then the next of each, and so on. */
export function domain(): Domain {
  const width = ALL_FIELDS.length;
  const groups = new Map<string, Buffer[]>();
  for (const place of PLACE_NAMES) {
    for (const event of EVENTS) {
      if (!possible(place, event)) continue;
      const seen = new Map<string, Buffer>();
      for (const v of product(axesOf(place, event))) {
        if (event === 'E_STARTED') v.stage = 0;
        if (!settle(v, place, event)) continue;
        const row = Buffer.alloc(width);
        pack(v, row, 0);
        seen.set(row.toString('latin1'), row);
      }
      if (seen.size > 0) groups.set(`${place} ${event}`, mixed([...seen.values()]));
    }
  }
  const counts = new Map([...groups].map(([key, rows]) => [key, rows.length]));
  const rows: Buffer[] = [];
  for (let i = 0, before = -1; rows.length !== before; i++) {
    before = rows.length;
    for (const group of groups.values()) {
      const row = group[i];
      if (row !== undefined) rows.push(row);
    }
  }
  return { bytes: Buffer.concat(rows), size: rows.length, counts };
}

/** The same rows in an order without a pattern: each step goes a fixed, large part of the way round. */
function mixed(rows: Buffer[]): Buffer[] {
  const n = rows.length;
  let step = Math.max(1, Math.floor(n * 0.618));
  while (gcd(step, n) !== 1) step++;
  return rows.map((_, i) => rows[(i * step) % n] as Buffer);
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

/** Every combination of one choice an axis; later axes overrule earlier ones. The vector is the caller's own. */
function* product(axes: readonly Axis[]): Generator<Vector> {
  const digits = axes.map(() => 0);
  for (;;) {
    const v = blank();
    axes.forEach((axis, i) => {
      Object.assign(v, axis[digits[i] as number]);
    });
    yield v;
    let i = 0;
    for (; i < axes.length; i++) {
      digits[i] = (digits[i] as number) + 1;
      if ((digits[i] as number) < (axes[i] as Axis).length) break;
      digits[i] = 0;
    }
    if (i === axes.length) return;
  }
}
