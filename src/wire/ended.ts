/** Why a run cannot go on: the process must end, fenced, and the next one begins a new session. */

const REASONS = {
  numbers: 'this session has used up its numbers',
  'set-back': 'this process was set back to an earlier state, or copied while it ran (a snapshot?)',
  'actuator-lost': 'the process that carries out its orders is lost',
} as const;

export class RunEnded extends Error {
  readonly reason: keyof typeof REASONS;

  constructor(reason: keyof typeof REASONS, detail = '') {
    super(REASONS[reason] + detail);
    this.name = 'RunEnded';
    this.reason = reason;
  }
}
