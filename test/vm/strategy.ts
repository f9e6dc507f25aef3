/** How a guest's uplink is kept down, and what must be done at its boot for it. */
import type { CardModel } from './guest.ts';

export type Strategy = 'admin' | 'module' | 'unbind';

export interface UplinkSetup {
  /** For the `[service.uplink]` section. */
  readonly toml: readonly string[];
  /** Programs that the guest runs once it is up, before any daemon. */
  readonly boot: readonly (readonly string[])[];
}

export function uplinkOf(parts: {
  readonly strategy: Strategy;
  readonly speculative: boolean;
  readonly uplink: CardModel;
}): UplinkSetup {
  const driver = parts.uplink === 'e1000e' ? 'e1000e' : 'virtio_net';
  const toml = [`activation = "${parts.strategy}"`];
  if (parts.speculative) toml.push('speculative = true');
  if (parts.strategy === 'admin') return { toml, boot: [['modprobe', driver]] };
  throw new Error(`${parts.strategy} is not there yet`);
}
