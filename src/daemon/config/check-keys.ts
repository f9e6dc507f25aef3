/** The keys of checks and load, which keys.ts takes into its table. */
import type { DurationKey, Known, NumberKey, TextKey } from './key-kinds.ts';

export const CHECK_TEXT_KEYS = {
  'load.sources': {
    unit: 'list of sources',
    default: 'none: the load is 0',
    rule: 'What tells how burdened this host is, the highest of: conntrack (tracked connections), conntrackd (1000 while it does not answer), cpu (pressure), downlink (its test’s runs that were not confirmed), link (use of the services’ devices), program, remote (likewise of the services elsewhere, seen from here).',
  },
  'load.program': {
    unit: 'path',
    default: 'none',
    rule: 'A program that prints the load as a number from 0 to 1000, within a second; when it fails the load is 1000. Run as a test’s is.',
  },
  'service.remote.checks': {
    unit: 'list of remote checks',
    default: '["gateway"]',
    rule: 'What a backup asks of the service, as a client: gateway, icmp:IP, arp:IP, nd:IP, tcp:IP:PORT, http://IP..., https://IP..., dns:IP/NAME, and through: before all but gateway, arp and nd (spec/procedures.md, "Remote checks").',
  },
  'service.remote.need': {
    unit: '"all" or "any"',
    default: '"all"',
    rule: 'Whether each of them must be good, or one.',
  },
} as const satisfies { readonly [key: string]: TextKey };

export const CHECK_DURATION_KEYS = {
  'load.every': {
    minMs: 1000,
    maxMs: 600_000,
    defaultMs: () => 5000,
    formula: '5s',
    rule: 'How often the load is measured.',
  },
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
  'load.conntrack': {
    min: 0,
    max: 100_000_000,
    whole: true,
    default: 0,
    rule: 'So many tracked connections are a load of 1000. 0: as many as the kernel takes (nf_conntrack_max).',
  },
  'load.cpu': {
    min: 1,
    max: 100,
    whole: true,
    default: 100,
    rule: 'So many per cent of the last ten seconds in which something waited for a processor are a load of 1000. Without /proc/pressure: of the load average for each processor.',
  },
  'load.downlink': {
    min: 1,
    max: 100,
    whole: true,
    default: 100,
    rule: 'So many per cent of the last 20 runs of checkDownlink on one device not confirmed are a load of 1000.',
  },
  'load.link': {
    min: 0,
    max: 1_000_000,
    whole: true,
    default: 0,
    unit: 'Mbit/s',
    rule: 'So many Mbit/s of one device in one direction are a load of 1000. 0: the device’s own speed.',
  },
  'load.remote': {
    min: 1,
    max: 100,
    whole: true,
    default: 100,
    rule: 'So many per cent of the last 20 runs of checkServiceRemote of each service elsewhere not confirmed are a load of 1000.',
  },
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
