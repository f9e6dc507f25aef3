/**
 * Address conflict detection for the roving addresses of one side (RFC 5227, 2.1.1; RFC 4862, 5.4), and the ear
 * for rivals. A probe has no sender address, and so is no use of a roving one.
 */
import type { AddressPrefix } from './config.ts';
import type { Ear } from './ear.ts';
import { arpRequest, type Heard, solicitation } from './frames.ts';
import { formatIp, formatMac, parseIp } from './ip.ts';

const NOBODY4 = Buffer.alloc(4);

/** The roving address that a frame uses as its sender's, in the words of ARP or neighbour discovery; else null. */
export function usedBy(heard: Heard, roving: ReadonlySet<string>): string | null {
  const used = heard.kind === 'arp' ? heard.sender : heard.kind === 'advertisement' ? heard.target : null;
  const text = used === null ? null : formatIp(used);
  return text !== null && roving.has(text) ? text : null;
}

/** The roving address that a frame probes for, as another claimant does. */
function probedBy(heard: Heard, roving: ReadonlySet<string>): string | null {
  if (
    heard.kind === 'arp' &&
    !heard.reply &&
    heard.sender.equals(NOBODY4) &&
    roving.has(formatIp(heard.target))
  )
    return formatIp(heard.target);
  if (
    heard.kind === 'solicitation' &&
    heard.source.every((b) => b === 0) &&
    roving.has(formatIp(heard.target))
  )
    return formatIp(heard.target);
  return null;
}

/**
 * Probes `probes` times, `gapMs` apart; the answer names the first other host that has or wants an address. Nobody is there without a
 * carrier; but where no question could leave, nobody was asked, and somebody may be.
 */
export async function probeAddresses(
  ear: Ear,
  addresses: readonly AddressPrefix[],
  probes: number,
  gapMs: number,
  isOwn: (mac: Buffer) => boolean,
): Promise<{ answered: boolean; detail: string }> {
  if (!ear.link?.carrier) return { answered: false, detail: `${ear.device} has no carrier` };
  const roving = new Set(addresses.map((a) => a.address));
  const targets = addresses.flatMap((a) => parseIp(a.address)?.bytes ?? []);
  let sent = 0;
  const frames = (): Buffer[] => {
    const mac = ear.link?.mac;
    if (mac === undefined) return [];
    sent += targets.length;
    return targets.map((t) => (t.length === 4 ? arpRequest(mac, NOBODY4, t) : solicitation(mac, null, t)));
  };
  const taken = (heard: Heard): string | null => usedBy(heard, roving) ?? probedBy(heard, roving);
  const answers = (heard: Heard): boolean => !isOwn(heard.mac) && taken(heard) !== null;
  const limitMs = probes * gapMs;
  const unsent = (): void => {
    sent--;
  };
  const heard = await ear.ask({ frames, answers, times: probes, gapMs, limitMs, unsent });
  if (heard === null && sent === 0 && targets.length > 0)
    return { answered: true, detail: `${ear.device}: no question could leave` };
  if (heard === null) return { answered: false, detail: 'no other host has or wants them' };
  const word = usedBy(heard, roving) !== null ? 'uses' : 'probes for';
  return { answered: true, detail: `${formatMac(heard.mac)} ${word} ${taken(heard)}` };
}
