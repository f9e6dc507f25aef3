/** The keys of the order among hosts, which keys.ts takes into its table. */
import type { DurationKey, NumberKey, TextKey } from './key-kinds.ts';

const HOUR_MS = 3_600_000;

export const ORDER_TEXT_KEYS = {
  'service.together': {
    unit: 'list of names',
    default: 'none',
    rule: 'Services that are to be where this one is, all or none; named by one of them is enough. They are one service to the cluster, under that of their names which sorts first. Policy, times, alone, apart and feedback must be the same. The same on all hosts.',
  },
  'service.alone': {
    unit: '"suspend" or "serve"',
    default: '"suspend"',
    rule: 'Policy quorum: what a master does that hears neither a majority nor another gateway, as when the witness was gone and the other gateway dies. serve: it goes on, with the alarm `forced`; where the network is split instead, two hosts may serve until they hear each other. The same on all hosts.',
  },
  'service.apart': {
    unit: 'list of names',
    default: 'none',
    rule: 'Services that had better be on other hosts than this one: a wish, by which services are placed, and which moves nothing by itself.',
  },
} as const satisfies { readonly [key: string]: TextKey };

export const ORDER_DURATION_KEYS = {
  'service.preempt_delay': {
    minMs: 1000,
    maxMs: 24 * HOUR_MS,
    defaultMs: null,
    formula: 'none: never',
    rule: 'After so long the service is handed over to a fit host of higher priority, or away from a burdened one. Leave it out where services that were spread are to stay spread.',
  },
  'service.feedback.after': {
    minMs: 1000,
    maxMs: HOUR_MS,
    defaultMs: () => 30_000,
    formula: '30s',
    rule: 'So long the load must be at the mark or beyond it.',
  },
} as const satisfies { readonly [key: string]: DurationKey };

export const ORDER_NUMBER_KEYS = {
  'service.feedback.high': {
    min: 1,
    max: 1000,
    whole: true,
    default: 800,
    rule: 'From this load on (0 to 1000) the host is burdened: others come before it, and with preempt_delay it gives the service away. Without [service.feedback] it never is.',
  },
  'service.feedback.low': {
    min: 0,
    max: 999,
    whole: true,
    default: 500,
    rule: 'At this load or below it is burdened no more. Below feedback.high.',
  },
} as const satisfies { readonly [key: string]: NumberKey };
