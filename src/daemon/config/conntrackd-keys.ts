/** The keys of `[conntrackd]`, which keys.ts takes into its table. */
import type { DurationKey, NumberKey, TextKey } from './key-kinds.ts';

export const SYNC_TEXTS = {
  'conntrackd.config': {
    unit: 'path',
    default: '/etc/portcullis/conntrackd.conf',
    rule: 'conntrackd’s own configuration, which `portcullis conntrackd` prints. With the section `[conntrackd]` connections are synchronised (spec/procedures.md).',
  },
  'conntrackd.directory': {
    unit: 'path',
    default: '/run/portcullis-conntrackd',
    rule: 'Where conntrackd has its socket and its lock; the actuator’s user must reach it.',
  },
  'conntrackd.link': {
    unit: 'name',
    default: 'the first [[link]]',
    rule: 'The link over which the hosts’ conntrackds talk, unsigned: best one that has nobody else.',
  },
} as const satisfies { readonly [key: string]: TextKey };

export const SYNC_DURATIONS = {
  'conntrackd.limit': {
    minMs: 20,
    maxMs: 10_000,
    defaultMs: () => 300,
    formula: '300ms',
    rule: 'How long a takeover waits for conntrackd’s commit; then it goes on without, with an alarm. Less than service.limits.switch.',
  },
} as const satisfies { readonly [key: string]: DurationKey };

export const SYNC_NUMBERS = {
  'conntrackd.port': {
    min: 1,
    max: 65_535,
    whole: true,
    default: 3780,
    rule: 'The UDP port of conntrackd’s words (with three and more gateways also their multicast group); not the cluster’s. Of what comes over that link for this host, only members’ datagrams to this port pass; what is forwarded passes.',
  },
} as const satisfies { readonly [key: string]: NumberKey };
