/** The bits of each event that matter wherever it comes: who speaks, of which term, and what an end of a check means. */
import { type Axis, all, bits, KNOWN, MINE } from './domain-axes.ts';
import { ME, term } from './vector.ts';

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
/** The bits of each event that matter in every place. */
export const EVENT_AXES: { readonly [event: string]: readonly Axis[] } = {
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
