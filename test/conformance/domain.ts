/**
 * What is compared: every place with every event that can come there, over all values of the bits that matter for the
 * two. A list of axes for each place and for each event; the domain is their product, without the states that cannot be.
 */
import { type Axis, all, bits, type Choice, LOOKS, MINE, SEARCHING } from './domain-axes.ts';
import { EVENT_AXES } from './domain-events.ts';
import { PLACES } from './domain-places.ts';
import { possible, settle } from './domain-possible.ts';
import { ALL_FIELDS, blank, EVENTS, model, pack, type Vector } from './vector.ts';

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
  // R27: a majority's answer ends a forced mastership; an advert in vain may begin one.
  if (event === 'E_ANSWER' && place.startsWith('SERVICE_S')) axes.push(...bits('maj'));
  if (event === 'E_T_ADVERT' && place === 'SERVICE_SUSPENDED') axes.push(...bits('alone'));
  if (event === 'E_RELEASED' && place === 'HANDOVER_RELEASING')
    axes.push(...bits('match', 'lent', 'limitOver'));
  if (event === 'E_OBJECT_HEARING' && place === 'HANDOVER_CLAIMING') axes.push(...bits('claimP'));
  // Who claims with nobody else to object.
  if (event === 'E_T_PROBE' && place === 'BACKUP_SUSPECTING') axes.push(...bits('two'));
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
