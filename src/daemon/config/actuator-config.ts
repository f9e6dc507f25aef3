/** What the Linux side must know, from the file alone: the actuator reads no roster. Pure. */
import { createHash } from 'node:crypto';
import type { ActuatorConfig } from '../../linux/config.ts';
import { conntrackdLink } from './conntrackd.ts';
import type { Settings } from './settings.ts';

/** `memberAddresses`: the other members' own; without them (`fence` must work without a roster) everybody is a foreigner. */
export function actuatorConfig(settings: Settings, memberAddresses: readonly string[]): ActuatorConfig {
  const { cluster, host, timing, state, conntrackd } = settings;
  const device = conntrackd === null ? undefined : conntrackdLink(settings, conntrackd)?.device;
  return {
    cluster,
    host,
    clusterLinks: settings.links.map(({ device, listen }) => ({
      device,
      address: listen.ip,
      port: listen.port,
    })),
    memberAddresses,
    leaseMs: timing.leaseMs,
    probes: timing.probes,
    probeTimeoutMs: timing.probeTimeoutMs,
    stateDir: state,
    ...(settings.load === null ? {} : { load: settings.load }),
    services: settings.services.map((service) => service.gateway),
    conntrackd:
      conntrackd === null || device === undefined
        ? null
        : { config: conntrackd.config, limitMs: conntrackd.limitMs, device, port: conntrackd.port },
  };
}

/** By which the two processes see that they read the same file: 32 hexadecimal digits of SHA-256 of all that it says. */
export function settingsHash(settings: Settings): string {
  const { lines: _lines, file: _file, ...said } = settings;
  return createHash('sha256').update(JSON.stringify(said)).digest('hex').slice(0, 32);
}
