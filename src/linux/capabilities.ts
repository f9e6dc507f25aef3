/**
 * The capabilities that this process has, from /proc/self/status (proc(5), capabilities(7)). A unit or a container that
 * withholds one shows itself at the start, and not in the middle of the first takeover.
 */
import { readFileSync } from 'node:fs';
import { OperatorError } from '../trust/errors.ts';
import type { ActuatorConfig } from './config.ts';

const NET_ADMIN = 12;
const NET_RAW = 13;
const SYS_MODULE = 16;

/** The effective set, as bits; null: /proc does not tell. */
export function effectiveCapabilities(status = readStatus()): bigint | null {
  const hex = /^CapEff:\s*([0-9a-f]{1,16})$/m.exec(status)?.[1];
  return hex === undefined ? null : BigInt(`0x${hex}`);
}

/** Throws `OperatorError` with the remedy when something that the configuration asks for could not be done. */
export function requireCapabilities({ services }: ActuatorConfig, has = effectiveCapabilities()): void {
  if (has === null || services.length === 0) return;
  const lacks = (bit: number): boolean => (has & (1n << BigInt(bit))) === 0n;
  const missing = [lacks(NET_ADMIN) ? 'CAP_NET_ADMIN' : '', lacks(NET_RAW) ? 'CAP_NET_RAW' : ''].filter(
    Boolean,
  );
  if (missing.length > 0)
    throw new OperatorError(
      `this process lacks ${missing.join(' and ')}: it could neither hold the lease nor test a link`,
      'start it as root, or as its unit does (systemd/portcullis-actuator.service)',
    );
  if (services.some(({ uplink }) => uplink.activation === 'module') && lacks(SYS_MODULE))
    throw new OperatorError(
      'this process lacks CAP_SYS_MODULE: with activation "module" it could not load the uplink’s driver',
      'portcullis uplink provision --config FILE writes the drop-in of its unit that grants it',
    );
}

function readStatus(): string {
  try {
    return readFileSync('/proc/self/status', 'latin1');
  } catch {
    return '';
  }
}
