/**
 * How remote checks are written in the configuration, `[through:]KIND:TARGET [OPTION...]`, and what they must have to do
 * with the service (spec/procedures.md, "Remote checks"). Pure; targets are addresses, no name is ever resolved.
 */
import type { GatewayService } from '../../linux/config.ts';
import {
  checkName,
  DNS_TYPES,
  type DnsType,
  isSocketCheck,
  type RemoteCheck,
} from '../../linux/remote/kinds.ts';
import { canonicalIp, inNetwork } from './address.ts';
import { list, Refused, shown } from './leaves.ts';

const REMEDY =
  'list some of: gateway, icmp:IP, arp:IP, nd:IP, tcp:IP:PORT, http://IP[:PORT]/PATH, https://IP[:PORT]/PATH, dns:IP/NAME[/TYPE], icmp and the last four also as through:...; spec/procedures.md has their options';
const NAME = /^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})(?:\.[A-Za-z0-9_-]{1,63})*\.?$/;
const STATUS = /^[1-5]\d\d$/;
const PATH = /^\/[\x21-\x7e]{0,254}$/;
/** No more than an answer's line can hold beside it. */
const TEXT = /^[\x20-\x7e]{1,200}$/;

export function remoteChecks() {
  return list<RemoteCheck>(
    REMEDY,
    (value) => {
      const check = typeof value === 'string' ? remoteCheck(value) : null;
      return check ?? new Refused(`is no remote check: ${shown(value)}`, REMEDY);
    },
    (check) => JSON.stringify(check),
  );
}

/** Null when the text is none. */
export function remoteCheck(text: string): RemoteCheck | null {
  if (text === 'gateway') return { kind: 'gateway' };
  const through = text.startsWith('through:');
  // Everything behind `text=` belongs to it, blanks and all.
  const [, head = '', tail] = /^(.*?)(?: text=(.*))?$/.exec(through ? text.slice(8) : text) ?? [];
  const [target = '', ...options] = head.split(' ');
  const given = new Map<string, string>(tail === undefined ? [] : [['text', tail]]);
  for (const option of options) {
    const [, key = '', value = ''] = /^([a-z]+)(?:=(.+))?$/.exec(option) ?? [];
    if (key === '' || key === 'text' || given.has(key)) return null;
    given.set(key, value);
  }
  const [, kind = '', rest = ''] = /^([a-z]+):(.+)$/.exec(target) ?? [];
  if (kind === 'http' || kind === 'https') return webCheck(kind, rest, through, given);
  if (kind === 'dns') return dnsCheck(rest, through, given);
  if (given.size > 0) return null;
  if (kind === 'tcp') {
    const place = addressAndPort(rest, null);
    return place === null ? null : { kind, ...place, through };
  }
  const ip = canonicalIp(rest);
  if (ip === null) return null;
  if (kind === 'icmp') return { kind, address: ip.address, through };
  if (through || (kind !== 'arp' && kind !== 'nd') || ip.family !== (kind === 'arp' ? 4 : 6)) return null;
  return { kind, address: ip.address };
}

function addressAndPort(text: string, usual: number | null): { address: string; port: number } | null {
  const [, six, four, written] = /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::([1-9]\d{0,4}))?$/.exec(text) ?? [];
  const ip = canonicalIp(six ?? four ?? '');
  const port = written === undefined ? usual : Number(written);
  if (ip === null || port === null || port > 65_535) return null;
  return { address: ip.address, port };
}

function webCheck(
  kind: 'http' | 'https',
  rest: string,
  through: boolean,
  given: ReadonlyMap<string, string>,
): RemoteCheck | null {
  const [, authority = '', path = '/'] = /^\/\/([^/]+)(\/.*)?$/.exec(rest) ?? [];
  const place = addressAndPort(authority, kind === 'http' ? 80 : 443);
  const known = ['status', 'text', 'name', ...(kind === 'https' ? ['insecure', 'ca'] : [])];
  const isInsecure = given.has('insecure');
  const fits = (key: string, pattern: RegExp): boolean =>
    pattern.test(given.get(key) ?? '') || !given.has(key);
  if (place === null || !PATH.test(path) || [...given.keys()].some((key) => !known.includes(key)))
    return null;
  if (!fits('status', STATUS) || !fits('text', TEXT) || !fits('name', NAME) || !fits('ca', PATH)) return null;
  if (isInsecure && (given.get('insecure') !== '' || given.has('ca'))) return null;
  const status = given.get('status');
  return {
    kind,
    ...place,
    path,
    name: given.get('name') ?? null,
    status: status === undefined ? null : Number(status),
    text: given.get('text') ?? null,
    ca: given.get('ca') ?? null,
    verify: !isInsecure,
    through,
  };
}

function dnsCheck(rest: string, through: boolean, given: ReadonlyMap<string, string>): RemoteCheck | null {
  const [server = '', name = '', word = 'A', ...more] = rest.split('/');
  const ip = canonicalIp(server);
  const type = Object.keys(DNS_TYPES).find((known): known is DnsType => known === word);
  if (ip === null || type === undefined || !NAME.test(name) || more.length > 0) return null;
  if ([...given.keys()].some((key) => key !== 'answer')) return null;
  const written = given.get('answer');
  const answer = written === undefined ? null : canonicalIp(written);
  const isFitting = answer === null ? written === undefined : type === (answer.family === 4 ? 'A' : 'AAAA');
  if (!isFitting) return null;
  return { kind: 'dns', address: ip.address, port: 53, name, type, answer: answer?.address ?? null, through };
}

/** What is wrong with a service's checks as a whole. */
export function remoteProblems(service: GatewayService): { what: string; remedy: string }[] {
  const { addresses } = service.downlink;
  return (service.remote?.checks ?? []).flatMap((check) => {
    if (check.kind === 'gateway') return [];
    const ip = canonicalIp(check.address);
    if (ip === null) return [];
    const near = addresses.some((prefix) => inNetwork(ip, prefix));
    const through = 'through' in check && check.through;
    const about = (what: string, remedy: string) => [{ what: `${what}: ${checkName(check)}`, remedy }];
    if (through && near)
      return about('is on the downlink, not behind the gateway', 'write it without through:');
    if (through && ip.family === 6 && isSocketCheck(check))
      return about(
        'asks an IPv6 host through the gateway by a conversation',
        'write through:icmp:IP, or name its IPv4 address',
      );
    if (through && !addresses.some(({ family }) => family === ip.family))
      return about(
        `has no IPv${ip.family} gateway to go through`,
        `add an IPv${ip.family} address to downlink.addresses`,
      );
    if (!through && !near && !isSocketCheck(check) && !/^fe[89ab]/.test(ip.address))
      return about(
        'is not on the downlink',
        'name a host within downlink.addresses, or write through: before it',
      );
    return [];
  });
}
