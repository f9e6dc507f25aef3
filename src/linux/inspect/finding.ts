/** One thing that `portcullis check` finds on a host, and the two ways to say it. */

export interface Finding {
  /** `error`: a takeover would fail; `warning`: worth knowing. */
  readonly level: 'error' | 'warning';
  /** Lower case, names the thing. */
  readonly message: string;
  /** What to do. */
  readonly hint: string;
}

export function error(message: string, hint: string): Finding {
  return { level: 'error', message, hint };
}

export function warning(message: string, hint: string): Finding {
  return { level: 'warning', message, hint };
}
