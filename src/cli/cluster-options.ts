/** What stands in the options of the cluster commands, read strictly. Each throws OperatorError with exit status 2. */
import type { Role } from '../core/basics.ts';
import { isLinkLocal, isLoopback, parseSocketAddress, type SocketAddress } from '../trust/address.ts';
import { OperatorError } from '../trust/errors.ts';
import { isFingerprint } from '../trust/fingerprint.ts';
import { PRIORITY_MAX } from '../trust/roster-body.ts';
import { ADDRESSES_MAX } from '../wire/limits.ts';
import { isName } from '../wire/names.ts';

const WRONG_USAGE = 2;

/** A name as the roster takes it. Throws OperatorError, status 2, as all of these do. */
export function parseName(what: 'cluster' | 'host', name: string): string {
  if (isName(name)) return name;
  throw new OperatorError(
    `not a ${what} name: ${JSON.stringify(name)}`,
    '1 to 32 of a-z, 0-9 and -',
    WRONG_USAGE,
  );
}

/** `gateway` or `witness`. Throws OperatorError, status 2. */
export function parseRole(text: string): Role {
  if (text === 'gateway' || text === 'witness') return text;
  throw new OperatorError(`--role: ${JSON.stringify(text)} is no role`, 'gateway or witness', WRONG_USAGE);
}

/** A whole number from 0 to PRIORITY_MAX. Throws OperatorError, status 2. */
export function parsePriority(text: string): number {
  const value = /^[0-9]{1,3}$/.test(text) ? Number(text) : Number.NaN;
  if (value <= PRIORITY_MAX) return value;
  throw new OperatorError(
    `--priority: ${JSON.stringify(text)} is no priority`,
    `a whole number from 0 to ${PRIORITY_MAX}`,
    WRONG_USAGE,
  );
}

/** `IP:PORT[,IP:PORT]`, one a link. */
export function parseAddresses(text: string): SocketAddress[] {
  const parts = text.split(',');
  if (parts.length > ADDRESSES_MAX) {
    throw new OperatorError(`--address: more than ${ADDRESSES_MAX} addresses`, 'one a link', WRONG_USAGE);
  }
  return parts.map((part) => {
    const address = parseSocketAddress(part);
    if (address !== null && isLinkLocal(address))
      throw new OperatorError(
        `--address: ${part} is an address of IPv6 that is good on one link alone, and names none`,
        'a global or unique local address (fd00::/8) of the host, or one of IPv4',
        WRONG_USAGE,
      );
    if (address !== null && !isLoopback(address)) return address;
    if (address !== null)
      throw new OperatorError(
        `--address: ${part} is each host’s own: no other host reaches it`,
        'the address that the others send to',
        WRONG_USAGE,
      );
    throw new OperatorError(
      `--address: ${JSON.stringify(part)} is no address with its port`,
      'IP:PORT, with IPv6 as [ADDR]:PORT',
      WRONG_USAGE,
    );
  });
}

/** `SHA256:` and 43 characters, as `key show` prints it. Throws OperatorError, status 2. */
export function parseFingerprint(text: string): string {
  if (isFingerprint(text)) return text;
  throw new OperatorError(
    '--admin-fingerprint: not a fingerprint',
    'as key show prints it: SHA256: and 43 characters',
    WRONG_USAGE,
  );
}
