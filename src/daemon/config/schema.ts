/**
 * The shape of the configuration file, key by key, and nothing about how values depend on each other. Unknown
 * keys are errors: a misspelt key would otherwise be a silent default.
 */
import { z } from 'zod';
import type { Procedure } from '../../core/procedures.ts';
import { PROCEDURES } from '../../core/procedures.ts';
import {
  device,
  downlinkChecks,
  duration,
  endpoint,
  name,
  nextHops,
  notYet,
  number,
  oneOf,
  path,
  prefix,
  prefixes,
  socketPath,
} from './leaves.ts';

const timing = z.strictObject({
  interval: duration('timing.interval').optional(),
  lease: duration('timing.lease').optional(),
  max_drift: number('timing.max_drift').optional(),
  max_age: duration('timing.max_age').optional(),
  probe_timeout: duration('timing.probe_timeout').optional(),
  probes: number('timing.probes').optional(),
  slot: duration('timing.slot').optional(),
  conflict_window: duration('timing.conflict_window').optional(),
  handover_limit: duration('timing.handover_limit').optional(),
  hold_down: duration('timing.hold_down').optional(),
  trust_hold: duration('timing.trust_hold').optional(),
  stall: duration('timing.stall').optional(),
});

const log = z.strictObject({
  segment_size: number('log.segment_size').optional(),
  segment_age: duration('log.segment_age').optional(),
  keep_size: number('log.keep_size').optional(),
  keep_age: duration('log.keep_age').optional(),
  checkpoint: duration('log.checkpoint').optional(),
});

const link = z.strictObject({ name: name(), device: device(), listen: endpoint() });

const downlink = z.strictObject({
  device: device(),
  addresses: prefixes(),
  check: downlinkChecks().optional(),
});

const uplink = z.strictObject({
  device: device(),
  activation: oneOf(['admin', 'command'], ['module', 'unbind']),
  addresses: prefixes(),
  next_hop: nextHops().optional(),
  own_address: prefix().optional(),
  limit: duration('service.uplink.limit').optional(),
  speculative: notYet(false).optional(),
});

const firewall = z.strictObject({
  rules: path().optional(),
  rules6: path().optional(),
  standby_rules: path().optional(),
  standby_rules6: path().optional(),
});

const limits = z.strictObject({
  test: duration('service.limits.test').optional(),
  switch: duration('service.limits.switch').optional(),
});

type OptionalPath = z.ZodOptional<ReturnType<typeof path>>;
const optionalPaths = PROCEDURES.map((procedure) => [procedure, path().optional()]);
const procedures = z.strictObject(Object.fromEntries(optionalPaths) as Record<Procedure, OptionalPath>);

const service = z.strictObject({
  name: name(),
  policy: oneOf(['quorum', 'available']),
  preempt_delay: duration('service.preempt_delay').optional(),
  check_interval: duration('service.check_interval').optional(),
  rise: number('service.rise').optional(),
  fall: number('service.fall').optional(),
  together: notYet().optional(),
  apart: notYet().optional(),
  downlink,
  uplink,
  firewall: firewall.optional(),
  procedures: procedures.optional(),
  limits: limits.optional(),
});

export const fileSchema = z.strictObject({
  cluster: name(),
  host: name(),
  key: path(),
  admin: path(),
  state: path(),
  roster: path(),
  control: socketPath(),
  status_socket: socketPath().optional(),
  user: name().optional(),
  actuator: notYet().optional(),
  timing: timing.optional(),
  log: log.optional(),
  link: z.array(link).min(1).max(8),
  service: z.array(service).min(1).max(16),
});

export type FileContent = z.infer<typeof fileSchema>;
export type FileService = FileContent['service'][number];
