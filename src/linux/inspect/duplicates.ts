/**
 * Whether somebody else has an address of ours. Own addresses are probed for as RFC 5227 has it, without a sender; roving
 * ones of the downlink are asked for from an own address, since a probe would pass for a claimant's. The uplink is down at
 * rest: what has its addresses is found by each claim. Sends at most a few frames a link; changes nothing.
 */
import { resolve, type Sources, sourcesOf, whoHas } from '../asking.ts';
import type { ActuatorConfig } from '../config.ts';
import type { Ear } from '../ear.ts';
import { formatMac, parseIp } from '../ip.ts';
import { Links } from '../links.ts';
import { Poller } from '../poller.ts';
import { error, type Finding, warning } from './finding.ts';

/** Patient enough for a busy switch; a takeover's own questions are quicker. */
const PROBES = 3;
const GAP_MS = 100;
const PATIENCE = { probes: PROBES, probeTimeoutMs: GAP_MS, limitMs: PROBES * GAP_MS };
const NO_SOURCES: Sources = { four: null, linkLocal: null };

export async function inspectDuplicates(config: ActuatorConfig): Promise<Finding[]> {
  if (process.geteuid?.() !== 0)
    return [warning('nobody was asked for the addresses: only root may', 'run it as root')];
  const poller = new Poller();
  const links = new Links(poller, () => {});
  try {
    const own = config.clusterLinks.map(({ device, address }) => ownTaken(links, device, address));
    const sides = new Map(config.services.map(({ downlink }) => [downlink.device, true]));
    const roving = [...sides.keys()].map((device) => rovingTaken(links, device, config));
    return (await Promise.all([...own, ...roving])).flat();
  } finally {
    links.close();
    poller.close();
  }
}

function listening(links: Links, device: string): Ear | null {
  const ear = links.ear(device);
  return ear.link?.carrier === true && ear.link.mac.length === 6 ? ear : null;
}

async function ownTaken(links: Links, device: string, address: string): Promise<Finding[]> {
  const ear = listening(links, device);
  const ip = parseIp(address);
  if (ear === null || ip === null) return [];
  const heard = await resolve(ear, NO_SOURCES, ip.bytes, PATIENCE, (mac) => links.isOwn(mac));
  if (heard === null) return [];
  return [
    error(
      `${device}: ${formatMac(heard.mac)} has ${address} too, this host’s own address`,
      'give one of the two another address; ip neigh, and the switch’s table, tell where it is',
    ),
  ];
}

/** A roving address may be a member's, who serves then; anybody else's is a duplicate. */
async function rovingTaken(links: Links, device: string, config: ActuatorConfig): Promise<Finding[]> {
  const ear = listening(links, device);
  if (ear === null) return [];
  const roving = config.services
    .filter((s) => s.downlink.device === device)
    .flatMap((s) => s.downlink.addresses);
  const names = new Set(roving.map(({ address }) => address));
  const { index } = ear.link ?? {};
  const own = links.route.addresses().filter((a) => a.index === index);
  const sources = sourcesOf(
    own
      .map(({ bytes }) => bytes)
      .filter((bytes) => !roving.some((r) => parseIp(r.address)?.bytes.equals(bytes))),
  );
  const isOwn = (mac: Buffer): boolean => links.isOwn(mac);
  const ask = async (address: string): Promise<{ address: string; mac: Buffer } | null> => {
    const ip = parseIp(address);
    // Without an own address to ask from the question would be a claimant's.
    if (ip === null || (ip.bytes.length === 4 ? sources.four : sources.linkLocal) === null) return null;
    if (whoHas(ear, sources, ip.bytes).length === 0) return null;
    const heard = await resolve(ear, sources, ip.bytes, PATIENCE, isOwn);
    return heard === null ? null : { address, mac: heard.mac };
  };
  const [holders, members] = await Promise.all([
    Promise.all([...names].map(ask)),
    Promise.all(config.memberAddresses.map(ask)),
  ]);
  const known = members.flatMap((member) => (member === null ? [] : [formatMac(member.mac)]));
  return holders.flatMap((holder) => {
    if (holder === null || known.includes(formatMac(holder.mac))) return [];
    const what = `${device}: ${formatMac(holder.mac)} has the roving address ${holder.address}`;
    if (known.length < config.memberAddresses.length || known.length === 0)
      return [
        warning(
          `${what}, and not all members were heard there, so that it may be one of them`,
          'look at the other hosts; a gateway of before that still has it must give it up first',
        ),
      ];
    return [
      error(
        `${what}, and is no member: it would answer clients beside the master`,
        'take it from that host (a gateway of before?), or choose another',
      ),
    ];
  });
}
