/** What the Linux side tells, handed on to whoever is there to hear it. */
import type { ActuatorEvents } from '../driver/ports.ts';

/** `to` calls back with the listener, or not at all. */
export function relay(to: (tell: (events: ActuatorEvents) => void) => void): ActuatorEvents {
  return {
    procedureEnded: (...args) => to((events) => events.procedureEnded(...args)),
    addressesProbed: (...args) => to((events) => events.addressesProbed(...args)),
    gateSet: (...args) => to((events) => events.gateSet(...args)),
    linkChanged: (...args) => to((events) => events.linkChanged(...args)),
    foreignerHeard: (...args) => to((events) => events.foreignerHeard(...args)),
    rivalHeard: (...args) => to((events) => events.rivalHeard(...args)),
    loadMeasured: (...args) => to((events) => events.loadMeasured?.(...args)),
  };
}
