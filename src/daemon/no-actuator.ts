/**
 * The Linux side of a witness: it has none. A witness votes and serves nothing, so there is nothing to be done to its host,
 * and no process with rights. Whatever is asked here all the same ends without evidence.
 */
import type { ActuatorEvents } from '../driver/ports.ts';
import type { LinuxSide } from './remote-actuator.ts';

const WHY = 'a witness has no Linux side';

export function noActuator(events: ActuatorEvents): LinuxSide {
  return {
    start: async () => undefined,
    members: async () => undefined,
    reload: async () => undefined,
    fence: async () => true,
    close: () => undefined,
    silentMs: 0,
    filtered: { stranger: 0, hops: 0, rate: 0 },
    load: null,
    // Always after the call, as from any other Linux side.
    run: (name, procedure, id) =>
      queueMicrotask(() => events.procedureEnded(name, procedure, id, 'unknown', WHY)),
    // Not asked is no silence: somebody may be there.
    probeAddresses: (name, side, id) =>
      queueMicrotask(() => events.addressesProbed(name, side, id, true, WHY)),
    gate: (name, _untilMs, id) => queueMicrotask(() => events.gateSet(name, id, null)),
  };
}
