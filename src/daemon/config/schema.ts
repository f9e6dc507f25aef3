/**
 * The shape of the configuration file, key by key, and nothing about how values depend on each other. Unknown
 * keys are errors: a misspelt key would otherwise be a silent default.
 */
import type { Procedure } from '../../core/procedures.ts';
import { PROCEDURES } from '../../core/procedures.ts';
import { SERVICES_MAX } from '../../linux/config.ts';
import {
  boolean,
  card,
  device,
  downlinkChecks,
  driver,
  duration,
  endpoint,
  loadSources,
  module,
  name,
  names,
  nextHops,
  number,
  oneOf,
  path,
  prefix,
  prefixes,
  socketPath,
} from './leaves.ts';
import { remoteChecks } from './remote-check.ts';
import { type Infer, List, type Optional, Table } from './shape.ts';

const timing = new Table({
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

const metrics = new Table({ listen: endpoint(), anywhere: boolean().optional() });

const raise = new Table({
  burst: number('raise.burst').optional(),
  every: duration('raise.every').optional(),
});

const log = new Table({
  segment_size: number('log.segment_size').optional(),
  segment_age: duration('log.segment_age').optional(),
  keep_size: number('log.keep_size').optional(),
  keep_age: duration('log.keep_age').optional(),
  checkpoint: duration('log.checkpoint').optional(),
});

const load = new Table({
  sources: loadSources(),
  every: duration('load.every').optional(),
  conntrack: number('load.conntrack').optional(),
  cpu: number('load.cpu').optional(),
  downlink: number('load.downlink').optional(),
  link: number('load.link').optional(),
  program: path().optional(),
  remote: number('load.remote').optional(),
});

const conntrackd = new Table({
  config: path().optional(),
  directory: path().optional(),
  link: name().optional(),
  port: number('conntrackd.port').optional(),
  limit: duration('conntrackd.limit').optional(),
});

const link = new Table({ name: name(), device: device(), listen: endpoint() });

const downlink = new Table({
  device: device().optional(),
  addresses: prefixes(),
  check: downlinkChecks().optional(),
});

const uplink = new Table({
  device: device().optional(),
  activation: oneOf(['admin', 'module', 'unbind', 'command']).optional(),
  card: card().optional(),
  module: module().optional(),
  driver: driver().optional(),
  addresses: prefixes(),
  next_hop: nextHops().optional(),
  own_address: prefix().optional(),
  limit: duration('service.uplink.limit').optional(),
  speculative: boolean().optional(),
});

const firewall = new Table({
  rules: path().optional(),
  rules6: path().optional(),
  standby_rules: path().optional(),
  standby_rules6: path().optional(),
});

const limits = new Table({
  test: duration('service.limits.test').optional(),
  switch: duration('service.limits.switch').optional(),
});

const remote = new Table({
  checks: remoteChecks().optional(),
  need: oneOf(['all', 'any']).optional(),
});

const feedback = new Table({
  high: number('service.feedback.high').optional(),
  low: number('service.feedback.low').optional(),
  after: duration('service.feedback.after').optional(),
});

type OptionalPath = Optional<string>;
const optionalPaths = PROCEDURES.map((procedure) => [procedure, path().optional()]);
const procedures = new Table(Object.fromEntries(optionalPaths) as Record<Procedure, OptionalPath>);

const service = new Table({
  name: name(),
  policy: oneOf(['quorum', 'available']),
  preempt_delay: duration('service.preempt_delay').optional(),
  check_interval: duration('service.check_interval').optional(),
  rise: number('service.rise').optional(),
  fall: number('service.fall').optional(),
  together: names().optional(),
  alone: oneOf(['suspend', 'serve']).optional(),
  apart: names().optional(),
  feedback: feedback.optional(),
  downlink,
  uplink,
  remote: remote.optional(),
  firewall: firewall.optional(),
  procedures: procedures.optional(),
  limits: limits.optional(),
});

export const fileSchema = new Table({
  cluster: name(),
  host: name(),
  key: path(),
  admin: path(),
  state: path(),
  roster: path(),
  control: socketPath(),
  status_socket: socketPath().optional(),
  user: name().optional(),
  actuator: socketPath().optional(),
  protocol: number('protocol').optional(),
  metrics: metrics.optional(),
  raise: raise.optional(),
  timing: timing.optional(),
  log: log.optional(),
  load: load.optional(),
  conntrackd: conntrackd.optional(),
  link: new List(link, 8),
  service: new List(service, SERVICES_MAX),
});

export type FileContent = Infer<typeof fileSchema>;
export type FileService = FileContent['service'][number];
