/** What a judge is: it watches the modelled world and keeps its own account; hosts' opinions are nothing to it. */
import type { Effect, Event, HostState } from '../../../src/core/index.ts';
import type { Host } from '../host.ts';
import type { Frame } from '../network.ts';
import type { World } from '../world.ts';

export interface Violation {
  /** True time. */
  readonly atMs: number;
  readonly judge: string;
  readonly host: string | null;
  readonly what: string;
}

export interface Judge {
  /** Ports, gates, services, uplinks, paths or processes changed; what is seen now holds until the next change. */
  changed?(w: World): void;
  /** A host's daemon sent a frame, whether or not its port lets it out. */
  sent?(w: World, from: Host, frame: Frame): void;
  /** A frame is handed to a host's daemon. */
  delivered?(w: World, to: Host, frame: Frame): void;
  stepped?(w: World, host: Host, event: Event, state: HostState, effects: readonly Effect[]): void;
}
