/** The Linux side as a daemon has it: the actuator process behind its port, groups of services joined, its news as alarms. */
import type { ActuatorEvents } from '../driver/ports.ts';
import { rawNowMs } from '../linux/libc.ts';
import type { Alarms } from './alarms.ts';
import type { AuditTrail } from './audit-trail.ts';
import { settingsHash } from './config/actuator-config.ts';
import { type Config, servicesOf } from './config/config.ts';
import { Grouping } from './grouping.ts';
import { noActuator } from './no-actuator.ts';
import { type LinuxSide, RemoteActuator, type RemoteActuatorOptions } from './remote-actuator.ts';

export interface LinuxSideOptions extends Pick<RemoteActuatorOptions, 'onLost' | 'beside'> {
  /** To the actuator; null on a witness, which has none. */
  readonly stream: RemoteActuatorOptions['stream'] | null;
  readonly config: Config;
  readonly alarms: Alarms;
  readonly trail: AuditTrail;
  /** The core, by group. */
  readonly events: ActuatorEvents;
}

/** `grouping` is what the core orders from; `actuator` what the daemon starts, reloads and ends. */
export function linuxSide(options: LinuxSideOptions): { grouping: Grouping; actuator: LinuxSide } {
  const { config, alarms, trail, events, stream, onLost, beside } = options;
  const { settings } = config;
  const grouping = new Grouping(settings.services, events);
  const remote = (stream: RemoteActuatorOptions['stream']): LinuxSide =>
    new RemoteActuator({
      ...{ stream, onLost, beside, nowMs: rawNowMs },
      leaseMs: settings.timing.leaseMs,
      hash: settingsHash(settings),
      isGateway: config.isGateway,
      services: servicesOf(config),
      memberAddresses: config.actuator.memberAddresses,
      events: grouping.memberEvents,
      onTrouble: (alarm, service, detail) => alarms.set(alarm, service, detail !== null, detail ?? ''),
      onUplinkGuarded: (service, text) => trail.guarded(grouping.leaderOf(service), text),
      onSpent: (service) => spent(service, alarms, settings.raise.everyMs),
    });
  const actuator = stream === null ? noActuator(grouping.memberEvents) : remote(stream);
  grouping.over(actuator);
  return { grouping, actuator };
}

function spent(service: string, alarms: Alarms, everyMs: number): void {
  alarms.set('raised-too-often', service, true, 'the actuator raises the uplink no more for now');
  setTimeout(() => alarms.set('raised-too-often', service, false, ''), everyMs).unref();
}
