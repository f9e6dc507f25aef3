/** `[conntrackd]`: its settings with all defaults, what is wrong with them, and the file that conntrackd reads. Pure. */
import { formatSocketAddress } from '../../trust/address.ts';
import type { Config } from './config.ts';
import { SYNC_DURATIONS, SYNC_NUMBERS, SYNC_TEXTS } from './conntrackd-keys.ts';
import type { FileContent } from './schema.ts';
import type { LinkSettings, Settings } from './settings.ts';

export interface ConntrackdSettings {
  readonly config: string;
  readonly directory: string;
  /** The name of a [[link]]. */
  readonly link: string;
  readonly port: number;
  readonly limitMs: number;
}

interface ConntrackdProblem {
  readonly key: keyof NonNullable<FileContent['conntrackd']>;
  readonly what: string;
  readonly remedy: string;
}

/** Null without the section: then connections are not synchronised. */
export function conntrackdSettings({ conntrackd, link }: FileContent): ConntrackdSettings | null {
  if (conntrackd === undefined) return null;
  return {
    config: conntrackd.config ?? SYNC_TEXTS['conntrackd.config'].default,
    directory: conntrackd.directory ?? SYNC_TEXTS['conntrackd.directory'].default,
    link: conntrackd.link ?? link[0]?.name ?? '',
    port: conntrackd.port ?? SYNC_NUMBERS['conntrackd.port'].default,
    limitMs: conntrackd.limit ?? SYNC_DURATIONS['conntrackd.limit'].defaultMs(),
  };
}

export function conntrackdLink(
  settings: Pick<Settings, 'links'>,
  { link }: ConntrackdSettings,
): LinkSettings | undefined {
  return settings.links.find(({ name }) => name === link);
}

export function conntrackdProblems(settings: Settings): ConntrackdProblem[] {
  const { conntrackd, links, services } = settings;
  if (conntrackd === null) return [];
  const problems: ConntrackdProblem[] = [];
  if (conntrackdLink(settings, conntrackd) === undefined) {
    const remedy = `name one of the links: ${links.map(({ name }) => name).join(', ')}`;
    problems.push({ key: 'link', what: `names no [[link]]: "${conntrackd.link}"`, remedy });
  }
  if (links.some(({ listen }) => listen.port === conntrackd.port)) {
    const remedy = 'give conntrackd a port of its own';
    problems.push({ key: 'port', what: `is the cluster’s own: ${conntrackd.port}`, remedy });
  }
  const shortestMs = Math.min(...services.map(({ gateway }) => gateway.limits.switchMs));
  if (conntrackd.limitMs >= shortestMs) {
    const remedy = 'lower it, or raise service.limits.switch';
    problems.push({ key: 'limit', what: 'is not less than service.limits.switch', remedy });
  }
  return problems;
}

const SOCKET_BUFFER_BYTES = 1_249_280;
const NETLINK_BUFFER_BYTES = 2 << 20;
/** For several receivers; each cluster on a link of its own, or with a port of its own. */
const GROUPS = { 4: '225.0.0.50', 6: 'ff12::3780' } as const;

/**
 * The text of conntrackd.conf(5) for this host, or why there can be none. `connectionsMax`: what this kernel tracks at most
 * (net.netfilter.nf_conntrack_max).
 */
export function conntrackdText(
  config: Config,
  connectionsMax: number,
): { text: string } | { problem: string } {
  const { settings, roster } = config;
  const { conntrackd, host } = settings;
  if (conntrackd === null) return { problem: 'there is no section [conntrackd]' };
  const link = conntrackdLink(settings, conntrackd);
  const number = config.links.find(({ listen }) => listen === link?.listen)?.index;
  if (link === undefined || number === undefined) return { problem: 'its link is none of the roster’s' };
  const others = roster.members.filter(({ name, role }) => name !== host && role === 'gateway');
  if (others.length === 0) return { problem: 'the roster has no other gateway' };
  const peers = others.flatMap(({ addresses }) => addresses[number - 1] ?? []);
  const strange = peers.find(({ family }) => family !== link.listen.family);
  if (strange !== undefined)
    return {
      problem: `${formatSocketAddress(strange)} is of another family than ${link.name}’s own address`,
    };
  const every = roster.members.flatMap(({ addresses }) => addresses.map(({ ip }) => ip));
  const text = `# Made by \`portcullis conntrackd\` for ${host} of cluster ${settings.cluster}; made anew when the members change.
Sync {
${sync(link, peers.length === 1 ? (peers[0]?.ip ?? null) : null, conntrackd.port)}
}
General {
\tHashSize 32768
\t# Twice what the kernel tracks: entries are kept here until the other host has acknowledged their end.
\tHashLimit ${2 * connectionsMax}
\tLogFile off
\tLockFile ${conntrackd.directory}/conntrackd.lock
\tUNIX {
\t\tPath ${conntrackd.directory}/conntrackd.sock
\t}
\tNetlinkBufferSize ${NETLINK_BUFFER_BYTES}
\tNetlinkBufferSizeMaxGrowth ${4 * NETLINK_BUFFER_BYTES}
\tFilter From Kernelspace {
\t\tProtocol Accept {
\t\t\tTCP
\t\t\tSCTP
\t\t\tDCCP
\t\t\tUDP
\t\t}
\t\t# What begins or ends on a host itself: the cluster's own words, these here, the operator's. The roving addresses do not
\t\t# stand here: translated connections to servers of the own domain have them as their destination.
\t\tAddress Ignore {
\t\t\tIPv4_address 127.0.0.0/8
\t\t\tIPv6_address ::1
\t\t\tIPv6_address fe80::/10
${[...new Set(every)].map((ip) => `\t\t\t${word(ip)}_address ${ip}\n`).join('')}\t\t}
\t}
}
`;
  return { text };
}

/** Two gateways acknowledge each other's words (FTFW); that protocol knows one other end, so more of them do not (NOTRACK). */
function sync({ device, listen }: LinkSettings, peer: string | null, port: number): string {
  const own = word(listen.ip);
  const mode = peer === null ? 'NOTRACK' : 'FTFW';
  const ends =
    peer === null
      ? [
          `${own}_address ${GROUPS[listen.family]}`,
          `Group ${port}`,
          ...(listen.family === 4 ? [`IPv4_interface ${listen.ip}`] : [`IPv6_interface ${listen.ip}`]),
        ]
      : [`${own}_address ${listen.ip}`, `${own}_Destination_Address ${peer}`, `Port ${port}`];
  const lines = [
    ...ends,
    `Interface ${device}`,
    `SndSocketBuffer ${SOCKET_BUFFER_BYTES}`,
    `RcvSocketBuffer ${SOCKET_BUFFER_BYTES}`,
    'Checksum on',
  ];
  const transport = peer === null ? 'Multicast' : 'UDP';
  // After a start of conntrackd alone it knows nothing of the others' connections until it asks.
  return `\tMode ${mode} {
\t\tStartupResync yes
\t}
\t${transport} {
${lines.map((line) => `\t\t${line}`).join('\n')}
\t}`;
}

function word(ip: string): 'IPv4' | 'IPv6' {
  return ip.includes(':') ? 'IPv6' : 'IPv4';
}
