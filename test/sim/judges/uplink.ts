/** An uplink is raised only while its host is in Handover or Service, or just started and still making itself harmless. */
import type { World } from '../world.ts';
import type { Judge } from './judge.ts';

export class UplinkJudge implements Judge {
  readonly #told = new Set<string>();

  changed(w: World): void {
    for (const host of w.hosts) {
      if (!host.uplinkRaised || !host.up) {
        this.#told.delete(host.name);
        continue;
      }
      const { place } = host;
      if (place === undefined || /^(handover|service)\.|^init\.cleaning$/.test(place)) continue;
      // Somebody else raised it: the host's guard has its time.
      if (w.nowMs < host.intruderUntilMs || this.#told.has(host.name)) continue;
      this.#told.add(host.name);
      w.violation('uplink', host.name, `the uplink is up in ${place}`);
    }
  }
}
