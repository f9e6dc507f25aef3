/** The smallest pieces of the configuration's schema: one for each kind of value. Each tells what is wrong and the remedy. */
import { type AddressPrefix, type DownlinkCheck, SERVICES_MAX } from '../../linux/config.ts';
import { LOAD_SOURCES, type LoadSource } from '../../linux/load/sources.ts';
import type { Card } from '../../linux/uplink/sysfs.ts';
import { isLinkLocal, parseSocketAddress } from '../../trust/address.ts';
import { canonicalIp, parsePrefix, unusable } from './address.ts';
import { durationText, parseDuration } from './duration.ts';
import type { DurationKey, NumberKey } from './key-kinds.ts';
import type { DurationKeyName, NumberKeyName } from './keys.ts';
import { DURATION_KEYS, NUMBER_KEYS } from './keys.ts';
import { Leaf } from './shape.ts';

/** A refused value: what is wrong with it, and what to write instead. */
export class Refused {
  readonly what: string;
  readonly remedy: string;
  constructor(what: string, remedy: string) {
    this.what = what;
    this.remedy = remedy;
  }
}

/** A missing key is `is missing`, with the same remedy as a wrong value. */
function leaf<T>(remedy: string, parse: (value: unknown) => T | Refused) {
  return new Leaf<T>((value, refuse) => {
    const result = value === undefined ? new Refused('is missing', remedy) : parse(value);
    if (!(result instanceof Refused)) return result;
    refuse(result.what, result.remedy);
    return undefined;
  });
}

/** How a value is shown in an error: short, on one line. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

export function duration(key: DurationKeyName) {
  const spec: DurationKey = DURATION_KEYS[key];
  const range = `${durationText(spec.minMs)} to ${durationText(spec.maxMs)}`;
  const remedy = `write a duration in quotes, as in "200ms", "1.5s" or "2m", from ${range}`;
  return leaf(remedy, (value) => {
    const ms = typeof value === 'string' ? parseDuration(value) : null;
    if (ms === null) return new Refused(`is no duration: ${shown(value)}`, remedy);
    if (ms < spec.minMs || ms > spec.maxMs) return new Refused(`is out of range: ${shown(value)}`, remedy);
    return ms;
  });
}

export function number(key: NumberKeyName) {
  const spec: NumberKey = NUMBER_KEYS[key];
  const remedy = `write a ${spec.whole ? 'whole ' : ''}number from ${spec.min} to ${spec.max}, without quotes`;
  return leaf(remedy, (value) => {
    if (typeof value !== 'number' || (spec.whole && !Number.isInteger(value))) {
      return new Refused(`is no ${spec.whole ? 'whole ' : ''}number: ${shown(value)}`, remedy);
    }
    return value < spec.min || value > spec.max
      ? new Refused(`is out of range: ${shown(value)}`, remedy)
      : value;
  });
}

/** A text that matches; `kind` names it in errors. */
function text(kind: string, pattern: RegExp, remedy: string) {
  return leaf(remedy, (value) =>
    typeof value === 'string' && pattern.test(value)
      ? value
      : new Refused(`is no ${kind}: ${shown(value)}`, remedy),
  );
}

const NAME = /^[a-z0-9-]{1,32}$/;
export const name = () => text('name', NAME, 'use 1 to 32 of a-z, 0-9 and -');

/** Names of services, none twice. */
export function names() {
  const remedy = 'list names of other services, as in ["mail", "web"]';
  return list<string>(
    remedy,
    (value) =>
      typeof value === 'string' && NAME.test(value)
        ? value
        : new Refused(`is no name: ${shown(value)}`, remedy),
    (one) => one,
    SERVICES_MAX,
  );
}
/** A network device as the kernel allows it, without what would be an option or a path. */
export const device = () =>
  text(
    'device name',
    /^(?![-.])[A-Za-z0-9_.-]{1,15}$/,
    'give the name that `ip link` shows, at most 15 characters',
  );
/** A kernel module as modprobe takes it, without what would be an option. */
export const module = () =>
  text('module name', /^(?!-)[A-Za-z0-9_-]{1,55}$/, 'give the name that `lsmod` or `modinfo` shows');
export const driver = () =>
  text('driver name', /^(?![-.])[A-Za-z0-9_.+-]{1,64}$/, 'give a name that is in /sys/bus/BUS/drivers');

/** A device of a bus, as `portcullis uplink plan` prints it. */
export function card() {
  const remedy = 'write BUS/ADDRESS, as in "pci/0000:03:00.0"; `portcullis uplink plan DEVICE` prints it';
  return leaf(remedy, (value): Card | Refused => {
    const pattern = /^([a-z][a-z0-9_-]{0,19})\/(?!\.)([A-Za-z0-9:._-]{1,64})$/;
    const [, bus, address] = (typeof value === 'string' ? pattern.exec(value) : null) ?? [];
    if (bus === undefined || address === undefined) return new Refused(`is no card: ${shown(value)}`, remedy);
    return { bus, address };
  });
}

export function boolean() {
  const remedy = 'write true or false, without quotes';
  return leaf(remedy, (value) =>
    typeof value === 'boolean' ? value : new Refused(`is neither true nor false: ${shown(value)}`, remedy),
  );
}

/** Absolute, without `.` or `..`, at most 255 bytes. */
export const path = () =>
  text(
    'absolute path',
    /^(?!.*\/\.{1,2}(?:\/|$))\/[\x21-\x7e]{1,254}$/,
    'give an absolute path without spaces, "." or ".."',
  );

export function socketPath() {
  const remedy = 'give an absolute path of at most 100 bytes, the most that the kernel takes for a socket';
  return leaf(remedy, (value) =>
    typeof value === 'string' && /^\/[\x21-\x7e]{1,99}$/.test(value)
      ? value
      : new Refused(`is no path for a socket: ${shown(value)}`, remedy),
  );
}

export function oneOf<const T extends string>(values: readonly T[]) {
  const remedy = `write one of: ${values.map((v) => `"${v}"`).join(', ')}`;
  return leaf(remedy, (value) => {
    const found = values.find((v) => v === value);
    return found ?? new Refused(`is unknown: ${shown(value)}`, remedy);
  });
}

export function endpoint() {
  const remedy = 'write IP:PORT, as in "10.77.1.11:7946" or "[fd00:77:1::11]:7946"';
  return leaf(remedy, (value) => {
    const parsed = typeof value === 'string' ? parseSocketAddress(value) : null;
    if (parsed === null) return new Refused(`is no address with a port: ${shown(value)}`, remedy);
    if (!isLinkLocal(parsed)) return parsed;
    return new Refused(
      `is good on one link alone, and names none: ${shown(value)}`,
      'give a global or unique local address (fd00::/8), or one of IPv4',
    );
  });
}

const PREFIX_REMEDY = 'write address/length, as in "10.77.1.1/24" or "fd00:77:1::1/64"';

export function prefix() {
  return leaf(PREFIX_REMEDY, (value) => prefixOf(value));
}

function prefixOf(value: unknown): AddressPrefix | Refused {
  const parsed = typeof value === 'string' ? parsePrefix(value) : null;
  if (parsed === null) return new Refused(`is no address with its length: ${shown(value)}`, PREFIX_REMEDY);
  const why = unusable(parsed);
  return why === null ? parsed : new Refused(`${why}: ${shown(value)}`, PREFIX_REMEDY);
}

/** 1 to 16 of them, none twice. */
export function prefixes() {
  return list<AddressPrefix>(`${PREFIX_REMEDY}, in brackets`, prefixOf, (p) => p.address);
}

/** One address or a list; at most one a family. */
export function nextHops() {
  const remedy = 'write an address, as in "10.77.2.254", or a list of one IPv4 and one IPv6 address';
  return leaf(remedy, (value) => {
    const hops = (Array.isArray(value) ? value : [value]).map((v) =>
      typeof v === 'string' ? canonicalIp(v) : null,
    );
    const good = hops.filter((hop) => hop !== null);
    if (good.length !== hops.length || good.length === 0)
      return new Refused(`is no address: ${shown(value)}`, remedy);
    const families = new Set(good.map((hop) => hop.family));
    return families.size < good.length ? new Refused('names two addresses of one family', remedy) : good;
  });
}

export function downlinkChecks() {
  const remedy = 'list some of: auto, broadcast-ping, arp:IP, ping:IP, carrier, command:PATH';
  return list<DownlinkCheck>(
    remedy,
    (value) =>
      (typeof value === 'string' ? downlinkCheck(value) : null) ??
      new Refused(`is no check: ${shown(value)}`, remedy),
    (check) => JSON.stringify(check),
  );
}

function downlinkCheck(value: string): DownlinkCheck | null {
  if (value === 'auto' || value === 'broadcast-ping' || value === 'carrier') return { kind: value };
  const [, kind, rest = ''] = /^(arp|ping|command):(.+)$/.exec(value) ?? [];
  if (kind === 'command') return /^\/[\x21-\x7e]{1,254}$/.test(rest) ? { kind, path: rest } : null;
  const ip = canonicalIp(rest);
  if (ip === null || (kind !== 'arp' && kind !== 'ping')) return null;
  return kind === 'arp' && ip.family === 6 ? null : { kind, address: ip.address };
}

export function loadSources() {
  const remedy = `list some of: ${LOAD_SOURCES.map((source) => `"${source}"`).join(', ')}`;
  return list<LoadSource>(
    remedy,
    (value) =>
      LOAD_SOURCES.find((source) => source === value) ?? new Refused(`is no source: ${shown(value)}`, remedy),
    (source) => source,
  );
}

/** 1 to `most` items, none twice. Every wrong one is told, not only the first. */
export function list<T>(
  remedy: string,
  parse: (value: unknown) => T | Refused,
  identity: (item: T) => string,
  most = 16,
) {
  return new Leaf<readonly T[]>((value, refuse) => {
    const refused = (what: string): undefined => refuse(what, remedy);
    if (value === undefined) return refused('is missing');
    if (!Array.isArray(value)) return refused(`is no list: ${shown(value)}`);
    if (value.length < 1 || value.length > most)
      return refused(`must list 1 to ${most}, not ${value.length}`);
    const items: T[] = [];
    for (const entry of value) {
      const item = parse(entry);
      if (item instanceof Refused) refuse(item.what, item.remedy);
      else if (items.some((other) => identity(other) === identity(item)))
        refused(`lists ${shown(entry)} twice`);
      else items.push(item);
    }
    return items.length < value.length ? undefined : items;
  });
}
