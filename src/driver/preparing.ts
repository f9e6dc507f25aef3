/**
 * Speculative preparation of uplinks: at the first suspicion of the master the actuator is told that the uplink may soon
 * be wanted, and when that came to nothing, that it is not. A hint, read off the core's state: no decision hangs on
 * it, and the actuator bounds what it makes of it.
 */
import type { HostState, ServiceName, ServiceState } from '../core/index.ts';

/** Suspecting as a host that could follow, or claiming: the steps before the uplink is raised. */
function mayBeWanted(service: ServiceState): boolean {
  if (service.place === 'handover.claiming') return true;
  return service.place === 'backup.suspecting' && service.said?.fit === true;
}

export class Preparing {
  readonly #tell: (service: ServiceName, wanted: boolean) => void;
  readonly #wanted = new Set<ServiceName>();

  constructor(tell: (service: ServiceName, wanted: boolean) => void) {
    this.#tell = tell;
  }

  /** Once a step, after its effects: an uplink that is raised by then is not taken for unwanted by the actuator. */
  follow(state: HostState): void {
    for (const service of Object.values(state.services)) {
      const { service: name } = service;
      const wanted = mayBeWanted(service);
      if (wanted === this.#wanted.has(name)) continue;
      if (wanted) this.#wanted.add(name);
      else this.#wanted.delete(name);
      this.#tell(name, wanted);
    }
    for (const name of this.#wanted)
      if (state.services[name] === undefined) {
        this.#wanted.delete(name);
        this.#tell(name, false);
      }
  }
}
