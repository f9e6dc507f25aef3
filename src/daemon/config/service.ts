/** One `[[service]]`: its settings with all defaults, and the relations between its keys. Pure. */
import type { AddressPrefix, GatewayService } from '../../linux/config.ts';
import { GATEWAY_ONLY } from '../../linux/remote/kinds.ts';
import { canonicalIp, inNetwork } from './address.ts';
import { cardProblems } from './card.ts';
import { DURATION_KEYS, NUMBER_KEYS } from './keys.ts';
import { remoteProblems } from './remote-check.ts';
import type { FileService } from './schema.ts';
import type { LinkSettings, ServiceSettings } from './settings.ts';
import { type FullTiming, limitProblems } from './timing.ts';

export interface ServiceProblem {
  /** The path within the service, as in `['uplink', 'next_hop']`. */
  readonly path: readonly string[];
  readonly what: string;
  readonly remedy: string;
}

export function serviceSettings(service: FileService, timing: FullTiming): ServiceSettings {
  const checkIntervalMs = service.check_interval ?? DURATION_KEYS['service.check_interval'].defaultMs(timing);
  const known = { ...timing, activation: service.uplink.activation ?? 'admin' };
  return {
    policy: service.policy,
    checkIntervalMs,
    fall: service.fall ?? NUMBER_KEYS['service.fall'].default,
    rise: service.rise ?? NUMBER_KEYS['service.rise'].default,
    uplinkLimitMs: service.uplink.limit ?? DURATION_KEYS['service.uplink.limit'].defaultMs(known),
    preemptDelayMs: service.preempt_delay ?? null,
    alone: service.alone ?? 'suspend',
    apart: service.apart ?? [],
    feedback: feedbackOf(service),
    together: service.together ?? [],
    isBare: LEFT_OUT.every((key) => device(service, key) === undefined),
    gateway: gatewayOf(service),
  };
}

function feedbackOf({ feedback }: FileService): ServiceSettings['feedback'] {
  if (feedback === undefined) return null;
  return {
    high: feedback.high ?? NUMBER_KEYS['service.feedback.high'].default,
    low: feedback.low ?? NUMBER_KEYS['service.feedback.low'].default,
    afterMs: feedback.after ?? DURATION_KEYS['service.feedback.after'].defaultMs(),
  };
}

/** What a witness's file leaves out, all together. */
const LEFT_OUT = ['downlink.device', 'uplink.device', 'uplink.activation'] as const;

function device({ downlink, uplink }: FileService, key: (typeof LEFT_OUT)[number]): string | undefined {
  if (key === 'downlink.device') return downlink.device;
  return key === 'uplink.device' ? uplink.device : uplink.activation;
}

function gatewayOf(service: FileService): GatewayService {
  const { downlink, uplink, firewall, limits, remote } = service;
  const programs = Object.entries(service.procedures ?? {}).filter(([, program]) => program !== undefined);
  return {
    name: service.name,
    downlink: {
      device: downlink.device ?? '',
      addresses: downlink.addresses,
      checks: downlink.check ?? [{ kind: 'auto' }],
    },
    uplink: {
      device: uplink.device ?? '',
      activation: uplink.activation ?? 'admin',
      addresses: uplink.addresses,
      nextHops: (uplink.next_hop ?? []).map((hop) => hop.address),
      ownAddress: uplink.own_address ?? null,
      ...(uplink.card === undefined ? {} : { card: uplink.card }),
      ...(uplink.module === undefined ? {} : { module: uplink.module }),
      ...(uplink.driver === undefined ? {} : { driver: uplink.driver }),
      ...(uplink.speculative === true ? { speculative: true } : {}),
    },
    ...(remote === undefined
      ? {}
      : { remote: { need: remote.need ?? 'all', checks: remote.checks ?? GATEWAY_ONLY.checks } }),
    firewall: {
      rules: firewall?.rules ?? null,
      rules6: firewall?.rules6 ?? null,
      standbyRules: firewall?.standby_rules ?? null,
      standbyRules6: firewall?.standby_rules6 ?? null,
    },
    procedures: Object.fromEntries(programs) as GatewayService['procedures'],
    limits: {
      testMs: limits?.test ?? DURATION_KEYS['service.limits.test'].defaultMs(),
      switchMs: limits?.switch ?? DURATION_KEYS['service.limits.switch'].defaultMs(),
    },
  };
}

/** `others`: the services before this one in the file. */
export function serviceProblems(
  service: ServiceSettings,
  timing: FullTiming,
  written: FileService | undefined,
  links: readonly LinkSettings[],
  others: readonly ServiceSettings[],
): ServiceProblem[] {
  const { name, downlink, uplink, firewall, procedures } = service.gateway;
  const problems: ServiceProblem[] = [];
  const add = (path: string, what: string, remedy: string): void => {
    problems.push({ path: path.split('.'), what, remedy });
  };
  const { uplinkLimitMs, gateway } = service;
  for (const { path, what, remedy } of limitProblems(
    { testMs: gateway.limits.testMs, uplinkLimitMs },
    timing,
  ))
    add(path, what, remedy);
  if (others.some((other) => other.gateway.name === name))
    add('name', `is used twice: "${name}"`, 'give each service its own name');
  if (service.feedback !== null && service.feedback.low >= service.feedback.high)
    add('feedback.low', 'is not below feedback.high', 'lower feedback.low, or raise feedback.high');
  if (service.alone === 'serve' && service.policy !== 'quorum')
    add(
      'alone',
      'is for policy "quorum" alone',
      'remove it: with policy "available" a master needs no majority',
    );
  if (service.isBare) {
    addressProblems(service, links, others, add);
    return problems;
  }
  for (const key of LEFT_OUT)
    if (written !== undefined && device(written, key) === undefined)
      add(key, 'is missing', `write it; only a witness may leave out ${LEFT_OUT.join(', ')}, all together`);
  if (uplink.device === downlink.device)
    add('uplink.device', 'is the downlink’s device too', 'the uplink must be a device of its own');
  if (links.some((link) => link.device === uplink.device)) {
    const remedy = 'cluster links must stay up while the uplink is down; use another device';
    add('uplink.device', 'is the device of a [[link]] too', remedy);
  }
  addressProblems(service, links, others, add);
  for (const { what, remedy } of remoteProblems(service.gateway)) add('remote.checks', what, remedy);
  if (service.gateway.remote !== undefined && procedures.checkServiceRemote !== undefined)
    add(
      'remote',
      'is of no use beside procedures.checkServiceRemote, which replaces it',
      'remove one of the two',
    );
  if (firewall.standbyRules !== null && firewall.rules === null)
    add('firewall.standby_rules', 'stands without rules', 'add firewall.rules, or remove it');
  if (firewall.standbyRules6 !== null && firewall.rules6 === null)
    add('firewall.standby_rules6', 'stands without rules6', 'add firewall.rules6, or remove it');
  for (const { key, what, remedy } of ruleProblems(service, others)) add(`firewall.${key}`, what, remedy);
  const named = procedures.activateUplink !== undefined && procedures.deactivateUplink !== undefined;
  if (uplink.activation === 'command' && !named) {
    const remedy = 'name programs for activateUplink and deactivateUplink under [service.procedures]';
    add('uplink.activation', 'is "command" without its programs', remedy);
  }
  for (const { key, what, remedy } of cardProblems(service.gateway, others))
    add(`uplink.${key}`, what, remedy);
  if (uplink.nextHops.length === 0 && written?.procedures?.checkUplink === undefined) {
    const remedy = 'name the next hop, or a program for checkUplink under [service.procedures]';
    add('uplink.next_hop', 'is missing', remedy);
  }
  return problems;
}

/** iptables-restore loads whole tables: a host has one rule set a family, in force while any of its services serves. */
function ruleProblems(
  { gateway: { firewall } }: ServiceSettings,
  [first]: readonly ServiceSettings[],
): { key: string; what: string; remedy: string }[] {
  if (first === undefined) return [];
  const { name, firewall: its } = first.gateway;
  const pairs = [
    ['rules', firewall.rules, its.rules],
    ['rules6', firewall.rules6, its.rules6],
    ['standby_rules', firewall.standbyRules, its.standbyRules],
    ['standby_rules6', firewall.standbyRules6, its.standbyRules6],
  ] as const;
  return pairs.flatMap(([key, mine, other]) => {
    if (mine === other) return [];
    const what = `${mine === null ? 'is missing' : `is ${mine}`}, but that of service ${name} ${other === null ? 'is missing' : `is ${other}`}`;
    const remedy =
      'name the same file in every service: it is loaded whole, and in force while any of them serves here';
    return [{ key, what, remedy }];
  });
}

function addressProblems(
  service: ServiceSettings,
  links: readonly LinkSettings[],
  others: readonly ServiceSettings[],
  add: (path: string, what: string, remedy: string) => void,
): void {
  const { downlink, uplink } = service.gateway;
  const roving = (s: ServiceSettings): AddressPrefix[] => [
    ...s.gateway.downlink.addresses,
    ...s.gateway.uplink.addresses,
  ];
  const taken = new Set(others.flatMap(roving).map((p) => p.address));
  for (const [side, addresses] of [
    ['downlink', downlink.addresses],
    ['uplink', uplink.addresses],
  ] as const) {
    for (const { address } of addresses) {
      const twice = taken.has(address);
      taken.add(address);
      if (twice)
        add(`${side}.addresses`, `names ${address}, which is used already`, 'give each roving address once');
      if (links.some((link) => link.listen.ip === address)) {
        add(
          `${side}.addresses`,
          `names ${address}, a [[link]]’s own address`,
          'a roving address must be no host’s own',
        );
      }
    }
  }
  for (const hop of uplink.nextHops) {
    const ip = canonicalIp(hop);
    const near = ip !== null && uplink.addresses.some((p) => inNetwork(ip, p));
    const linkLocal = ip?.family === 6 && /^fe[89ab]/.test(ip.address);
    if (!near && !linkLocal)
      add(
        'uplink.next_hop',
        `is outside the uplink’s networks: ${hop}`,
        'name a neighbour within a network of uplink.addresses',
      );
    if (taken.has(hop))
      add('uplink.next_hop', `is a roving address: ${hop}`, 'name the router beyond the uplink');
  }
  const own = uplink.ownAddress;
  if (own !== null && own.family === 6)
    add('uplink.own_address', 'is an IPv6 address', 'remove it: with IPv6 the link-local address is used');
  if (own !== null && taken.has(own.address))
    add('uplink.own_address', 'is a roving address', 'name an address of this host alone');
}
