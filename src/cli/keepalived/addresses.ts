/** Addresses and routes that move with a VRRP instance, as keepalived writes them. Pure. */
import { canonicalIp, parsePrefix } from '../../daemon/config/address.ts';
import type { AddressPrefix } from '../../linux/config.ts';
import type { Remarks } from './remarks.ts';
import { type Place, refuse } from './source.ts';
import type { Statement } from './tree.ts';

export interface VirtualAddress extends Place {
  readonly prefix: AddressPrefix;
  /** The file has no length, or that of a single address: it does not tell the network. */
  readonly isBare: boolean;
  /** Null: the instance's own. */
  readonly device: string | null;
}

export interface DefaultRoute extends Place {
  readonly gateway: string;
  readonly device: string | null;
}

/** Options that take a word after them. */
const WITH_VALUE = new Set(['brd', 'broadcast', 'dev', 'scope', 'label', 'peer', 'preferred_lft', 'metric']);
const TOLD = new Set(['label', 'scope', 'peer']);

/** `virtual_ipaddress` and `virtual_ipaddress_excluded`: one address a line, options after it. */
export function virtualAddresses(block: readonly Statement[], remarks: Remarks): VirtualAddress[] {
  return block.flatMap((statement) => {
    const out: { place: Place; prefix: AddressPrefix; isBare: boolean; device: string | null }[] = [];
    for (let i = 0; i < statement.words.length; i++) {
      const word = statement.words[i] ?? '';
      const option = i === 0 ? null : word;
      const last = out.at(-1);
      if (option !== null && last !== undefined && WITH_VALUE.has(option)) {
        const value = statement.words[++i] ?? '';
        if (option === 'dev') last.device = value;
        if (TOLD.has(option) && !(option === 'scope' && value === 'global'))
          remarks.add(statement, option, 'of an address has no counterpart', labelInstead(option));
        continue;
      }
      // A second address on the same line is taken as such; any other word is a flag of `ip address`.
      const address = addressOf(word);
      if (address !== null) out.push({ place: statement, device: null, ...address });
      else if (option === null || last === undefined)
        refuse(
          statement,
          `is no address: ${JSON.stringify(word)}`,
          'write ADDRESS/LENGTH, as in 192.0.2.1/24',
        );
    }
    return out.flatMap(({ place: { file, line }, prefix, isBare, device }) => {
      if (!isLinkLocal(prefix)) return [{ file, line, prefix, isBare, device }];
      remarks.add(
        statement,
        'virtual_ipaddress',
        'has link-local addresses, which are left out',
        'clients need an address of their network; the hosts’ own words go from and to their own addresses',
      );
      return [];
    });
  });
}

function isLinkLocal({ family, address }: AddressPrefix): boolean {
  return family === 4 ? address.startsWith('169.254.') : /^fe[89ab]/.test(address);
}

function labelInstead(option: string): string {
  return option === 'label' ? 'roving addresses have no label; see ip address show dev DEVICE' : '';
}

function addressOf(word: string): { prefix: AddressPrefix; isBare: boolean } | null {
  const ip = canonicalIp(word);
  const whole = ip === null ? null : { ...ip, prefixLength: ip.family === 4 ? 32 : 128 };
  const prefix = parsePrefix(word) ?? whole;
  if (prefix === null) return null;
  return { prefix, isBare: prefix.prefixLength === (prefix.family === 4 ? 32 : 128) };
}

const EVERYWHERE = new Set(['default', '0.0.0.0/0', '0.0.0.0', '0/0', '::/0', 'default6']);
const MAIN_TABLE = new Set(['main', '254']);

/** `virtual_routes`: the default routes become next hops, the others are told. */
export function defaultRoutes(block: readonly Statement[], remarks: Remarks): DefaultRoute[] {
  return block.flatMap((statement) => {
    const { file, line, words } = statement;
    const after = (...names: string[]): string | null => {
      const at = words.findIndex((word) => names.includes(word));
      return at < 0 ? null : (words[at + 1] ?? null);
    };
    const rest = words[0] === 'src' || words[0] === 'from' ? words.slice(2) : words;
    const to = rest[0] === 'to' ? rest[1] : rest[0];
    const via = after('via', 'gw');
    // `via inet6 ADDRESS` is a gateway of the other family.
    const gateway = canonicalIp(via === 'inet' || via === 'inet6' ? (after(via) ?? '') : (via ?? ''));
    const table = after('table');
    if (
      to !== undefined &&
      EVERYWHERE.has(to) &&
      gateway !== null &&
      (table === null || MAIN_TABLE.has(table))
    )
      return [{ file, line, gateway: gateway.address, device: after('dev') }];
    remarks.add(
      statement,
      'virtual_routes',
      'other than a default route have no counterpart in the built-in procedures',
      'where both hosts may have the route all the time, write it into their network configuration; else a program for activateService',
    );
    return [];
  });
}
