/**
 * The one table of configuration keys: what each means, its unit, default, range and rule. The checks read the
 * ranges and defaults from here, and the table in spec/configuration.md is printed from here (a test compares
 * them), so that code and manual cannot differ.
 */
import { CHECK_DURATION_KEYS, CHECK_NUMBER_KEYS, CHECK_TEXT_KEYS } from './check-keys.ts';
import { SYNC_DURATIONS, SYNC_NUMBERS, SYNC_TEXTS } from './conntrackd-keys.ts';
import type { DurationKey, Known, NumberKey, TextKey } from './key-kinds.ts';
import { LOG_DURATION_KEYS, LOG_NUMBER_KEYS } from './log-keys.ts';
import { ORDER_DURATION_KEYS, ORDER_NUMBER_KEYS, ORDER_TEXT_KEYS } from './order-keys.ts';

const clamp = (value: number, min: number, max: number): number =>
  Math.round(Math.min(Math.max(value, min), max));
const HOUR_MS = 3_600_000;

export const DURATION_KEYS = {
  'timing.interval': {
    minMs: 10,
    maxMs: 60_000,
    defaultMs: () => 200,
    formula: '200ms',
    rule: 'I: how often the master advertises and renews its lease. Smaller: quicker takeover, more messages. Equal on all hosts.',
  },
  'timing.lease': {
    minMs: 20,
    maxMs: 600_000,
    defaultMs: (k) =>
      Math.max(Math.round(1.5 * k.intervalMs), k.intervalMs + 3 * k.probeTimeoutMs + k.stallMs, 20),
    formula: 'max(1.5 I, I + 3 probe_timeout + stall, 20ms)',
    rule: 'L: how long a master may serve without renewing its right to. At least I + 3 probe_timeout + stall. Equal on all hosts.',
  },
  'timing.max_age': {
    minMs: 100,
    maxMs: 600_000,
    defaultMs: (k) => Math.max(500, 4 * k.intervalMs),
    formula: 'max(500ms, 4 I)',
    rule: 'A message that was held back for longer is refused. At least 2 I.',
  },
  'timing.probe_timeout': {
    minMs: 2,
    maxMs: 10_000,
    defaultMs: (k) => clamp(k.intervalMs / 12, 2, 25),
    formula: 'I / 12, from 2ms to 25ms',
    rule: 'How long one question waits for its answer. More than a round trip between the hosts.',
  },
  'timing.slot': {
    minMs: 2,
    maxMs: 10_000,
    defaultMs: (k) => Math.max(5, Math.round(k.intervalMs / 20)),
    formula: 'max(5ms, I / 20)',
    rule: 'How far apart the backups claim, one after the other. More than one delay between the hosts and its jitter.',
  },
  'timing.conflict_window': {
    minMs: 4,
    maxMs: 60_000,
    defaultMs: (k) => 3 * k.probeTimeoutMs,
    formula: '3 probe_timeout',
    rule: 'How long a claimant listens on its raised uplink for a living master; under `quorum` at most, and no longer than max(2, probes) questions of a quarter of probe_timeout, or 2ms, take. At least 2 probe_timeout.',
  },
  'timing.handover_limit': {
    minMs: 200,
    maxMs: 600_000,
    defaultMs: () => 10_000,
    formula: '10s',
    rule: 'The longest that a handover may take; then it is rolled back. More than uplink.limit + conflict_window.',
  },
  'timing.hold_down': {
    minMs: 100,
    maxMs: 60_000,
    defaultMs: () => 1000,
    formula: '1s',
    rule: 'How long a host stands back after a failed handover; doubled by each further one, to 60s.',
  },
  'timing.trust_hold': {
    minMs: 0,
    maxMs: HOUR_MS,
    defaultMs: () => 30_000,
    formula: '30s',
    rule: 'How long a host that never heard a signed word of the others, only refused ones, holds back a claim (policy available).',
  },
  'timing.stall': {
    minMs: 1,
    maxMs: 10_000,
    defaultMs: () => 20,
    formula: '20ms',
    rule: 'How long this process may be kept from running before it is an alarm; part of the lease’s least length.',
  },
  ...LOG_DURATION_KEYS,
  ...ORDER_DURATION_KEYS,
  ...SYNC_DURATIONS,
  ...CHECK_DURATION_KEYS,
  'service.uplink.limit': {
    minMs: 100,
    maxMs: 120_000,
    // A card whose driver was just loaded may need seconds until it has a carrier.
    defaultMs: (k) => (k.activation === undefined || k.activation === 'admin' ? 1000 : 8000),
    formula: '1s with activation "admin", else 8s',
    rule: 'How long a raised uplink may take until its next hop answers.',
  },
  'raise.every': {
    minMs: 1000,
    maxMs: 24 * HOUR_MS,
    defaultMs: () => 60_000,
    formula: '1m',
    rule: 'After so long the uplink may be raised once more than `raise.burst` says.',
  },
  'service.limits.switch': {
    minMs: 100,
    maxMs: 120_000,
    defaultMs: () => 5000,
    formula: '5s',
    rule: 'How long a switch or announce procedure may take, its read-back included.',
  },
} as const satisfies { readonly [key: string]: DurationKey };
export type DurationKeyName = keyof typeof DURATION_KEYS;

export const NUMBER_KEYS = {
  ...LOG_NUMBER_KEYS,
  protocol: {
    // Those of wire/limits.ts, which the actuator must not load; a test holds them together.
    min: 1,
    max: 2,
    whole: true,
    default: 2,
    rule: 'The highest protocol number to speak. Lower: as the software before this one, until all programs are changed. Not below the roster’s floor.',
  },
  ...SYNC_NUMBERS,
  'timing.max_drift': {
    min: 0,
    max: 0.5,
    whole: false,
    default: 0.1,
    rule: 'How far the time by which a kernel shuts the gate may be off in rate. 0.1 covers a time daemon that slews it. Equal on all hosts.',
  },
  'timing.probes': {
    min: 1,
    max: 10,
    whole: true,
    default: 3,
    rule: 'How many questions must stay unanswered.',
  },
  'raise.burst': {
    min: 1,
    max: 1000,
    whole: true,
    default: 20,
    rule: 'So many times the uplink may be raised in a row, whatever the process that reads the network asks for.',
  },
  ...ORDER_NUMBER_KEYS,
  ...CHECK_NUMBER_KEYS,
} as const satisfies { readonly [key: string]: NumberKey };
export type NumberKeyName = keyof typeof NUMBER_KEYS;

export const TEXT_KEYS = {
  cluster: { unit: 'name', default: 'required', rule: 'The name in the roster.' },
  host: { unit: 'name', default: 'required', rule: 'This host’s name in the roster.' },
  key: {
    unit: 'path',
    default: 'required',
    rule: 'This host’s private key; its public half must be the roster’s.',
  },
  admin: {
    unit: 'path',
    default: 'required',
    rule: 'The admin’s public key, which must have signed the roster.',
  },
  state: {
    unit: 'path',
    default: 'required',
    rule: 'Directory for the event log and newer rosters; one daemon a directory.',
  },
  roster: { unit: 'path', default: 'required', rule: 'The first roster; a newer one is kept under state.' },
  control: {
    unit: 'path',
    default: 'required',
    rule: 'Unix socket for commands; group portcullis-admin where it exists. At most 100 bytes.',
  },
  status_socket: {
    unit: 'path',
    default: 'none',
    rule: 'A second Unix socket that answers status and takes no commands.',
  },
  'metrics.listen': {
    unit: 'address:port',
    default: 'required',
    rule: 'A TCP address that answers GET /metrics, for a Prometheus that cannot read the Unix sockets, which answer it as well: of this host alone (127.0.0.1, [::1]), for whoever reaches it reads all that status says. The section may be left out.',
  },
  'metrics.anywhere': {
    unit: 'true or false',
    default: 'false',
    rule: 'listen may be an address that other hosts reach, too. Then rules of yours say who may.',
  },
  user: {
    unit: 'name',
    default: 'none',
    rule: 'The unprivileged user of the process that reads the network (spec/actuator.md). None: both processes keep one user, and `check` says so.',
  },
  actuator: {
    unit: 'path',
    default: '/run/portcullis/actuator.sock',
    rule: 'Unix socket of the actuator. Where none listens there, the daemon starts an actuator itself. At most 100 bytes.',
  },
  ...SYNC_TEXTS,
  'link.name': { unit: 'name', default: 'required', rule: 'A name for messages to people.' },
  'link.device': { unit: 'device', default: 'required', rule: 'The network device that has the address.' },
  'link.listen': {
    unit: 'address:port',
    default: 'required',
    rule: 'One of this host’s addresses in the roster; its place there is the link’s number.',
  },
  'service.name': { unit: 'name', default: 'required', rule: 'Unique; the same on all hosts.' },
  'service.policy': {
    unit: '"quorum" or "available"',
    default: 'required',
    rule: 'Who may take over; the same on all hosts. Two gateways need a witness for quorum.',
  },
  ...ORDER_TEXT_KEYS,
  'service.downlink.device': {
    unit: 'device',
    default: 'required',
    rule: 'The link to the own domain. Not on a witness, as uplink.device and uplink.activation.',
  },
  'service.downlink.addresses': {
    unit: 'list of address/length',
    default: 'required',
    rule: 'Roving addresses on this side; the same on all hosts.',
  },
  'service.downlink.check': {
    unit: 'list of checks',
    default: '["auto"]',
    rule: 'Any one positive confirms the link: auto, broadcast-ping, arp:IP, ping:IP, carrier, command:PATH.',
  },
  ...CHECK_TEXT_KEYS,
  'service.uplink.device': {
    unit: 'device',
    default: 'required',
    rule: 'The link to the foreign domain; not the downlink’s nor a [[link]]’s.',
  },
  'service.uplink.activation': {
    unit: '"admin", "module", "unbind" or "command"',
    default: 'required',
    rule: 'How the uplink is raised and lowered. module: its driver’s module is loaded and removed; unbind: its card is given to its driver and taken from it; admin: it is set up and down; command: procedures activateUplink and deactivateUplink. `portcullis uplink plan DEVICE` says which are possible.',
  },
  'service.uplink.card': {
    unit: 'BUS/ADDRESS',
    default: 'none',
    rule: 'With module and unbind: the card, as in /sys/bus/BUS/devices/ADDRESS ("pci/0000:03:00.0"). It is there while the device is not.',
  },
  'service.uplink.module': {
    unit: 'name',
    default: 'none',
    rule: 'With module: what modprobe loads and removes. With unbind: loaded when the driver is not there.',
  },
  'service.uplink.driver': {
    unit: 'name',
    default: 'none',
    rule: 'With unbind: the driver, as in /sys/bus/BUS/drivers/DRIVER.',
  },
  'service.uplink.addresses': {
    unit: 'list of address/length',
    default: 'required',
    rule: 'Roving addresses on this side; the same on all hosts.',
  },
  'service.uplink.next_hop': {
    unit: 'address or list',
    default: 'none',
    rule: 'Default route and what checkUplink asks; at most one of IPv4 and one of IPv6, within a network of the addresses.',
  },
  'service.uplink.own_address': {
    unit: 'address/length',
    default: 'none',
    rule: 'An IPv4 address of this host alone on the uplink, where IPv6 is off there; none: IPv6 link-local.',
  },
  'service.uplink.speculative': {
    unit: 'true or false',
    default: 'false',
    rule: 'With module and unbind: the driver is taken in at the first suspicion, and out again when the master answers. The device stays down.',
  },
  'service.firewall.rules': {
    unit: 'path',
    default: 'none',
    rule: 'IPv4 rules while serving, in iptables-save format; none: IPv4 rules are left alone.',
  },
  'service.firewall.rules6': { unit: 'path', default: 'none', rule: 'IPv6 rules likewise.' },
  'service.firewall.standby_rules': {
    unit: 'path',
    default: 'the same, nothing forwarded',
    rule: 'IPv4 rules while not serving; needs rules.',
  },
  'service.firewall.standby_rules6': {
    unit: 'path',
    default: 'the same, nothing forwarded',
    rule: 'IPv6 rules while not serving; needs rules6.',
  },
  'service.procedures.*': {
    unit: 'path',
    default: 'built in',
    rule: 'Any of the twelve procedures, replaced by a program.',
  },
} as const satisfies { readonly [key: string]: TextKey };
export type TextKeyName = keyof typeof TEXT_KEYS;

/** The defaults' inputs for that interval, everything else at its default. */
export function knownAt(intervalMs: number): Known {
  const stallMs = DURATION_KEYS['timing.stall'].defaultMs();
  const start = { intervalMs, probeTimeoutMs: 0, probes: NUMBER_KEYS['timing.probes'].default, stallMs };
  return { ...start, probeTimeoutMs: DURATION_KEYS['timing.probe_timeout'].defaultMs(start) };
}
