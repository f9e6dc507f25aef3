/** The keys of checks, which keys.ts takes into its table. */
import type { DurationKey, Known, NumberKey, TextKey } from './keys.ts';

export const CHECK_TEXT_KEYS = {
  'service.remote.checks': {
    unit: 'list of remote checks',
    default: '["gateway"]',
    rule: 'What a backup asks of the service, as a client: gateway, icmp:IP, arp:IP, nd:IP, tcp:IP:PORT, http://IP..., https://IP..., dns:IP/NAME, and through: before them (spec/procedures.md, "Remote checks").',
  },
  'service.remote.need': {
    unit: '"all" or "any"',
    default: '"all"',
    rule: 'Whether each of them must be good, or one.',
  },
} as const satisfies { readonly [key: string]: TextKey };

export const CHECK_DURATION_KEYS = {
  'service.check_interval': {
    minMs: 20,
    maxMs: 60_000,
    defaultMs: (k: Known) => Math.max(k.intervalMs, 100),
    formula: 'max(I, 100ms)',
    rule: 'How often links and service are checked while nothing is suspected.',
  },
  'service.limits.test': {
    minMs: 20,
    maxMs: 60_000,
    defaultMs: () => 1000,
    formula: '1s',
    rule: 'How long a test procedure may take; then it counts as no evidence, and a program is killed.',
  },
} as const satisfies { readonly [key: string]: DurationKey };

export const CHECK_NUMBER_KEYS = {
  'service.rise': {
    min: 1,
    max: 100,
    whole: true,
    default: 2,
    rule: 'So many good checks in a row make a failed one good again.',
  },
  'service.fall': {
    min: 1,
    max: 100,
    whole: true,
    default: 2,
    rule: 'So many failed checks in a row make a failure.',
  },
} as const satisfies { readonly [key: string]: NumberKey };
