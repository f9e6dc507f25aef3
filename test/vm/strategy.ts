/** How a guest's uplink is kept down, and what must be done at its boot for it. */
import { type CardModel, uplinkCard } from './guest.ts';

export type Strategy = 'admin' | 'module' | 'unbind';

export interface UplinkSetup {
  /** For the `[service.uplink]` section. */
  readonly toml: readonly string[];
  /** Whether the boot loads the uplink's driver, as it would of itself; with `module` the provisioned files keep it out. */
  readonly isLoadedAtBoot: boolean;
}

export function driverOf(model: CardModel): string {
  return model === 'e1000e' ? 'e1000e' : 'virtio_net';
}

export function uplinkOf(parts: {
  readonly strategy: Strategy;
  readonly speculative: boolean;
  readonly downlink: CardModel;
  readonly uplink: CardModel;
}): UplinkSetup {
  const { strategy, speculative, uplink } = parts;
  const toml = [`activation = "${strategy}"`];
  if (strategy !== 'admin') toml.push(`card = "${uplinkCard(parts)}"`);
  if (strategy === 'module') toml.push(`module = "${driverOf(uplink)}"`);
  if (strategy === 'unbind') toml.push(`driver = "${driverOf(uplink)}"`);
  if (speculative) toml.push('speculative = true');
  return { toml, isLoadedAtBoot: strategy !== 'module' };
}
