/**
 * Settings and roster together: all that core, Linux side and sockets are configured with. Checks here what one
 * file alone cannot show. Pure; the invariant is that a `Config` exists only when file and roster agree.
 */
import { createHash } from 'node:crypto';
import type { CoreConfig, HostName, Role, ServiceConfig, ServiceName } from '../../core/basics.ts';
import type { ActuatorConfig } from '../../linux/config.ts';
import { formatSocketAddress, type SocketAddress } from '../../trust/address.ts';
import { membershipOf, type Roster, type RosterMember } from '../../trust/roster.ts';
import { actuatorConfig } from './actuator-config.ts';
import { type Group, groupsOf, leaders, preparesEarly } from './groups.ts';
import { lineOf, pathText } from './lines.ts';
import { ConfigError, type Problem } from './problems.ts';
import type { ServiceSettings, Settings } from './settings.ts';

export interface Config {
  readonly settings: Settings;
  readonly roster: Roster;
  readonly core: CoreConfig;
  readonly actuator: ActuatorConfig;
  /** A witness serves nothing: its Linux side has no services. */
  readonly isGateway: boolean;
  /** This host's own cluster links; `index` is the address's place in the roster, from 1. */
  readonly links: readonly { readonly index: number; readonly listen: SocketAddress }[];
  /** The other members' addresses, in the roster's order. */
  readonly peers: ReadonlyMap<HostName, readonly SocketAddress[]>;
  /** Where link 0 goes, by service. Empty on a witness. */
  readonly uplinks: ReadonlyMap<ServiceName, { device: string; ownAddress: string | null; port: number }>;
}

/** Throws ConfigError when the file does not fit the roster. */
export function buildConfig(settings: Settings, roster: Roster): Config {
  const problems = rosterProblems(settings, roster);
  const self = roster.members.find((member) => member.name === settings.host);
  if (problems.length > 0 || self === undefined) throw new ConfigError(problems);
  const others = roster.members.filter((member) => member.name !== settings.host);
  const links = settings.links.map(({ listen }) => ({ index: linkNumber(self, listen), listen }));
  const port = clusterPort(roster);
  const gateways = self.role === 'gateway' ? settings.services.map((service) => service.gateway) : [];
  return {
    settings,
    roster,
    core: coreConfig(settings, roster, self),
    isGateway: self.role === 'gateway',
    actuator: { ...actuatorConfig(settings, addressesOf(others)), services: gateways },
    links,
    peers: new Map(others.map((member) => [member.name, member.addresses])),
    uplinks: new Map(
      gateways.map(({ name, uplink }) => {
        return [name, { device: uplink.device, ownAddress: uplink.ownAddress?.address ?? null, port }];
      }),
    ),
  };
}

/**
 * The configuration under a newer roster, while the process runs. It always comes about: a revoked key must be refused
 * whatever else a roster does. What cannot follow without a restart stays as it was, and is told.
 */
export function followRoster(before: Config, roster: Roster): { config: Config; misfits: string[] } {
  const { settings } = before;
  const host = settings.host;
  const misfits: string[] = [];
  try {
    const config = buildConfig(settings, roster);
    if (roleOf(config.core, host) !== roleOf(before.core, host))
      misfits.push(`the roster has another role for ${host}: restart the daemon`);
    else if (JSON.stringify(config.links) !== JSON.stringify(before.links))
      misfits.push(`the roster has other addresses for ${host}: restart the daemon`);
    else return { config, misfits };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    misfits.push(...error.problems.map(({ key, what }) => `${key} ${what}`));
  }
  const others = roster.members.filter((member) => member.name !== host);
  const role = roleOf(before.core, host);
  const { members, ...membership } = membershipOf(roster, host);
  const core = {
    ...before.core,
    membership: {
      ...membership,
      // A witness that becomes a gateway has no Linux side yet; a gateway that becomes a witness lets go at once.
      members: members.map((member) =>
        member.name === host && role === 'witness' ? { ...member, role } : member,
      ),
    },
  };
  const actuator = { ...before.actuator, memberAddresses: addressesOf(others) };
  const peers = new Map(others.map((member) => [member.name, member.addresses] as const));
  return { config: { ...before, roster, core, actuator, peers }, misfits };
}

function roleOf(core: CoreConfig, host: HostName): Role | undefined {
  return core.membership.members.find((member) => member.name === host)?.role;
}

function addressesOf(members: readonly RosterMember[]): string[] {
  return members.flatMap((member) => member.addresses.map((address) => address.ip));
}

/** In the file's order, as the two processes count them. */
export function servicesOf(config: Config): ServiceName[] {
  return config.settings.services.map((service) => service.gateway.name);
}

/** The port of link 0, where no roster address tells it: all hosts read the same one out of the roster. */
export function clusterPort(roster: Roster): number {
  return roster.members[0]?.addresses[0]?.port ?? 7946;
}

function coreConfig(settings: Settings, roster: Roster, self: RosterMember): CoreConfig {
  const { maxDrift: _drift, maxAgeMs: _age, stallMs: _stall, ...timing } = settings.timing;
  return {
    membership: membershipOf(roster, settings.host),
    timing,
    services: groupsOf(settings.services).map((group) => groupConfig(group, settings, self)),
  };
}

/** A group as the core is to know it: the member that it is named by, with what must be the same everywhere of all members. */
function groupConfig(group: Group, settings: Settings, self: RosterMember): ServiceConfig {
  // In the group's order, not the file's: the digest must not hang on that.
  const members = group.flatMap((name) => {
    const service = settings.services.find(({ gateway }) => gateway.name === name);
    return service === undefined ? [] : [serviceConfig(service, settings, self)];
  });
  const [first, ...others] = members;
  if (first === undefined) throw new RangeError(`no service ${group[0]}`);
  const led = leaders(settings.services);
  const apart = [...new Set(first.apart.map((name) => led.get(name) ?? name))].filter(
    (name) => name !== group[0],
  );
  if (others.length === 0) return { ...first, apart };
  const sameLink = others.every((other) => other.downlinkLink === first.downlinkLink);
  const digests = members.map((member) => [member.name, member.digest]);
  const digest = createHash('sha256')
    .update(JSON.stringify(['portcullis group 1', digests]))
    .digest('hex');
  return { ...first, apart, downlinkLink: sameLink ? first.downlinkLink : null, digest };
}

function serviceConfig(service: ServiceSettings, settings: Settings, self: RosterMember): ServiceConfig {
  const { name, limits, downlink } = service.gateway;
  const link = settings.links.find((candidate) => candidate.device === downlink.device);
  return {
    name,
    policy: service.policy,
    checkIntervalMs: service.checkIntervalMs,
    fall: service.fall,
    rise: service.rise,
    uplinkLimitMs: service.uplinkLimitMs,
    switchLimitMs: limits.switchMs,
    preparesEarly: preparesEarly(service, settings.services),
    downlinkLink: link === undefined ? null : linkNumber(self, link.listen),
    preemptDelayMs: service.preemptDelayMs,
    alone: service.alone,
    apart: service.apart,
    feedback: service.feedback,
    digest: digestOf(service, settings),
  };
}

/**
 * SHA-256, as hex, of all that must be the same on every host for one master to be one (spec/threats.md, H5). Hosts that
 * differ are unfit and say so. The order of addresses does not count, as it does not to the service.
 */
export function digestOf(service: ServiceSettings, settings: Settings): string {
  const { name, downlink, uplink } = service.gateway;
  const { intervalMs, leaseMs, promiseMs, maxDrift } = settings.timing;
  const sorted = (addresses: readonly { address: string; prefixLength: number }[]): string[] =>
    addresses.map((a) => `${a.address}/${a.prefixLength}`).sort();
  const parts = [
    ...['portcullis service 1', settings.cluster, name, service.policy],
    ...[intervalMs, leaseMs, promiseMs, maxDrift],
    ...[sorted(downlink.addresses), sorted(uplink.addresses)],
    // Left out where it is as in versions that did not have the key: hosts of both agree then.
    ...(service.alone === 'suspend' ? [] : [service.alone]),
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** n: the link that runs over this own address; 0 when it is none of the member's. */
function linkNumber(self: RosterMember, listen: SocketAddress): number {
  const wanted = formatSocketAddress(listen);
  return self.addresses.findIndex((address) => formatSocketAddress(address) === wanted) + 1;
}

function rosterProblems(settings: Settings, roster: Roster): Problem[] {
  const { file, lines } = settings;
  const problems: Problem[] = [];
  const add = (path: (string | number)[], what: string, remedy: string): void => {
    const key = pathText(path.filter((part) => typeof part === 'string'));
    problems.push({ file, line: lineOf(lines, path), key, what, remedy });
  };
  if (settings.cluster !== roster.clusterName) {
    add(
      ['cluster'],
      `is "${settings.cluster}", the roster’s is "${roster.clusterName}"`,
      'correct it, or name the right roster',
    );
  }
  const { floor } = roster.body;
  if (settings.protocol < floor) {
    const what = `is ${settings.protocol}, and the roster lets nobody take part who speaks less than ${floor} (its floor)`;
    add(['protocol'], what, `remove it or set it to ${floor}, and restart the daemon`);
  }
  const names = roster.members.map((member) => member.name).join(', ');
  const self = roster.members.find((member) => member.name === settings.host);
  if (self === undefined) {
    add(
      ['host'],
      `is not in the roster: "${settings.host}"`,
      `the roster has ${names}; correct the name, or add the host`,
    );
    return problems;
  }
  const own = self.addresses.map(formatSocketAddress).join(', ');
  settings.links.forEach((link, i) => {
    if (linkNumber(self, link.listen) > 0) return;
    const what = `is none of this host’s addresses in the roster: ${formatSocketAddress(link.listen)}`;
    add(['link', i, 'listen'], what, `the roster has ${own}; correct the address, or sign a new roster`);
  });
  const taken = new Map(
    roster.members.flatMap((m) => m.addresses.map((address) => [address.ip, m.name] as const)),
  );
  settings.services.forEach(({ gateway, isBare }, i) => {
    if (isBare && self.role === 'gateway')
      add(
        ['service', i],
        'has no devices',
        'write downlink.device, uplink.device and uplink.activation: this host is a gateway',
      );
    for (const side of ['downlink', 'uplink'] as const) {
      for (const { address } of gateway[side].addresses) {
        const owner = taken.get(address);
        if (owner === undefined) continue;
        add(
          ['service', i, side, 'addresses'],
          `names ${address}, ${owner}’s own address`,
          'a roving address must be no host’s own',
        );
      }
    }
  });
  return problems;
}

/** Something that works, but not as an operator may think. `fails`: `check` ends with 1. */
export interface Remark {
  readonly fails: boolean;
  readonly text: string;
  readonly hint: string;
}

/** What of a file is for gateways alone: a witness has no actuator. */
function unusedByWitness({ load, conntrackd, services }: Settings): string[] {
  const sections = [load !== null && '[load]', conntrackd !== null && '[conntrackd]'];
  const parts = services.map(({ isBare, gateway: { name, remote, firewall, procedures } }) => {
    const found = [
      !isBare && 'devices',
      remote !== undefined && 'remote checks',
      Object.values(firewall).some((file) => file !== null) && 'rule files',
      Object.keys(procedures).length > 0 && 'programs',
    ].filter((what) => what !== false);
    return found.length > 0 && `service ${name}’s ${found.join(', ')}`;
  });
  return [...sections, ...parts].filter((what) => what !== false);
}

export function remarks(config: Config): Remark[] {
  const { settings, roster } = config;
  const found: Remark[] = [];
  const add = (fails: boolean, text: string, hint: string): number => found.push({ fails, text, hint });
  const quorum = settings.services.filter((service) => service.policy === 'quorum');
  if (quorum.length > 0 && roster.members.length < 3) {
    const names = quorum.map((service) => service.gateway.name).join(', ');
    const text = `service ${names}: policy "quorum" with ${roster.members.length} member(s): when one fails, nobody may serve`;
    add(true, text, 'add a witness to the roster, or choose policy "available"');
  }
  const self = roster.members.find((member) => member.name === settings.host);
  const unused = (self?.addresses.length ?? 0) - config.links.length;
  if (unused > 0) {
    add(
      false,
      `${unused} of this host’s addresses in the roster have no [[link]]`,
      'words that others send there are lost',
    );
  }
  const port = clusterPort(roster);
  if (config.uplinks.size > 0 && !settings.links.some((link) => link.listen.port === port)) {
    const text = `no [[link]] uses port ${port}, that of the roster’s first address, which the hosts use over a raised uplink`;
    add(true, text, 'give all members the same port in the roster');
  }
  const hops = new Set(
    settings.services.map(({ gateway: { uplink } }) => `${uplink.device} ${uplink.nextHops}`),
  );
  if (config.isGateway && hops.size > 1) {
    const text =
      'services differ in their uplinks or next hops: while this host serves several, the first default route takes all that it forwards';
    add(false, text, 'give them the same next hop, or routes of their own by programs (spec/procedures.md)');
  }
  const idle = config.isGateway ? [] : unusedByWitness(settings);
  if (idle.length > 0)
    add(
      false,
      `this host is a witness and makes no use of ${idle.join(', ')}`,
      'remove it, unless the file is to be a gateway’s as well (spec/configuration.md, "A witness")',
    );
  const unmeasured = settings.services.filter(({ feedback }) => feedback !== null);
  if (config.isGateway && settings.load === null && unmeasured.length > 0) {
    const names = unmeasured.map(({ gateway }) => gateway.name).join(', ');
    const text = `service ${names}: feedback without [load]: the load is 0, so that this host is never burdened`;
    add(false, text, 'write [load] with its sources');
  }
  const gateways = roster.members.filter(({ role }) => role === 'gateway').length;
  if (config.isGateway && settings.conntrackd !== null && gateways > 2 && config.core.services.length > 1) {
    const text = `conntrackd with ${gateways} gateways: connections of services on different hosts meet in one cache`;
    add(false, text, 'keep all services on one host, or do without (spec/procedures.md)');
  }
  if (settings.user === null) {
    const text =
      'no user is named: the process that reads the network keeps the rights of the one that serves';
    add(false, text, 'name an unprivileged user of its own, as in user = "portcullis"');
  }
  if (settings.timing.maxDrift < 0.1) {
    add(
      false,
      `max_drift is ${settings.timing.maxDrift}: a kernel whose time is slewed faster breaks the lease’s margin`,
      'limit the time daemon’s slew rate on every host',
    );
  }
  return found;
}
