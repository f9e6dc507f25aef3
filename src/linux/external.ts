/**
 * Procedures replaced by external programs (spec/procedures.md): argv is PROCEDURE SERVICE, the environment holds
 * the configuration as PORTCULLIS_* and nothing else of ours, exit status 0 confirms.
 */
import { stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { type Procedure, TEST_PROCEDURES } from '../core/procedures.ts';
import type { ActuatorConfig, AddressPrefix, GatewayService } from './config.ts';
import { confirmed, type Outcome, unknown } from './outcome.ts';
import { runPowerless, runProgram, textOf } from './tools.ts';

const GROUP_OR_OTHERS_WRITE = 0o022;

/** Why a program must not be run, or null. */
export async function programProblem(path: string): Promise<string | null> {
  if (!isAbsolute(path)) return `${path}: not an absolute path`;
  try {
    const found = await stat(path);
    if (!found.isFile()) return `${path}: not a file`;
    if ((found.mode & 0o111) === 0) return `${path}: not executable`;
    if ((found.mode & GROUP_OR_OTHERS_WRITE) !== 0) return `${path}: group or others may write it`;
    if (found.uid !== 0 && found.uid !== process.geteuid?.())
      return `${path}: belongs to another user than root`;
    return null;
  } catch (error) {
    return `${path}: ${textOf(error)}`;
  }
}

function prefixes(list: readonly AddressPrefix[]): string {
  return list.map((a) => `${a.address}/${a.prefixLength}`).join(' ');
}

/** The environment of a procedure. Lists are separated by blanks. */
export function procedureEnvironment(
  config: ActuatorConfig,
  service: GatewayService,
  procedure: Procedure,
): { [name: string]: string } {
  const { downlink, uplink, firewall } = service;
  return {
    PORTCULLIS_CLUSTER: config.cluster,
    PORTCULLIS_HOST: config.host,
    PORTCULLIS_SERVICE: service.name,
    PORTCULLIS_PROCEDURE: procedure,
    PORTCULLIS_DOWNLINK_DEVICE: downlink.device,
    PORTCULLIS_DOWNLINK_ADDRESSES: prefixes(downlink.addresses),
    PORTCULLIS_UPLINK_DEVICE: uplink.device,
    PORTCULLIS_UPLINK_ADDRESSES: prefixes(uplink.addresses),
    PORTCULLIS_UPLINK_OWN_ADDRESS: uplink.ownAddress === null ? '' : prefixes([uplink.ownAddress]),
    PORTCULLIS_NEXT_HOPS: uplink.nextHops.join(' '),
    PORTCULLIS_RULES: firewall.rules ?? '',
    PORTCULLIS_RULES6: firewall.rules6 ?? '',
    PORTCULLIS_STANDBY_RULES: firewall.standbyRules ?? '',
    PORTCULLIS_STANDBY_RULES6: firewall.standbyRules6 ?? '',
  };
}

/** Runs a procedure's program to its end or its limit, when it and all it started is killed. */
export async function procedureProgram(
  config: ActuatorConfig,
  service: GatewayService,
  procedure: Procedure,
  path: string,
  limitMs: number,
): Promise<Outcome> {
  const problem = await programProblem(path);
  if (problem !== null) return unknown(problem);
  const env = procedureEnvironment(config, service, procedure);
  const isTest = (TEST_PROCEDURES as readonly Procedure[]).includes(procedure);
  const start = isTest ? runPowerless : runProgram;
  const ended = await start(path, [procedure, service.name], env, limitMs);
  const said = textOf(`${ended.output} ${ended.errors}`);
  if (ended.status === 0) return confirmed(said);
  return unknown(`${path}: ${ended.status === null ? '' : `exit status ${ended.status} `}${said}`);
}
