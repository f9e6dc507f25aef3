/** Common to the strategies that make a device come and go: waiting for it by the kernel's events, and its name. */
import { renameLink } from '../rtnetlink.ts';
import type { StrategyTools } from './strategy.ts';
import { type Card, cardText, type Sysfs } from './sysfs.ts';

export interface Place {
  readonly device: string;
  readonly card: Card;
}

/**
 * Waits until the card's device is there under its configured name. One that comes under the kernel's own name (`eth1`)
 * is renamed: a manager of names that knows it gives it the same one, and then finds that it has it.
 */
export async function appear({ device, card }: Place, tools: StrategyTools, limitMs: number): Promise<void> {
  const { sysfs, events, link } = tools;
  const isThere = await events.until(() => {
    const names = sysfs.netDevicesOf(card);
    if (names.includes(device)) return true;
    const [other] = names;
    const found = other === undefined || names.length > 1 ? null : link(other);
    if (found !== null && !found.up && !sysfs.isNetDevice(device)) renameLink(found.index, device);
    return sysfs.netDevicesOf(card).includes(device) ? true : null;
  }, limitMs);
  if (isThere) return;
  const names = sysfs.netDevicesOf(card);
  if (names.length > 0)
    throw new Error(`${cardText(card)} has ${names.join(', ')}, which could not be called ${device}`);
  const driver = sysfs.driverOf(card);
  const holder = driver === null ? 'no driver' : `driver ${driver}`;
  throw new Error(
    `${device} did not appear within ${Math.round(limitMs)} ms (${cardText(card)} has ${holder})`,
  );
}

/** Waits until the card has no device any more. */
export async function vanish({ device, card }: Place, tools: StrategyTools, limitMs: number): Promise<void> {
  const { sysfs, events, link } = tools;
  const isGone = (): true | null =>
    sysfs.netDevicesOf(card).length === 0 && link(device) === null ? true : null;
  if (!(await events.until(isGone, limitMs))) throw new Error(`${device} is still there`);
}

/**
 * Why a card must not lose its driver: a device of it is a configured link, or is up. The uplink's own device was
 * set down before.
 */
export function whyKept(card: Card, own: string | null, tools: StrategyTools): string | null {
  const names = tools.sysfs.netDevicesOf(card);
  for (const name of names) {
    if (name === own) continue;
    if (tools.kept().has(name)) return `${name}, a configured link, has it too`;
    if (tools.link(name)?.up) return `${name}, which is up, has it too`;
  }
  return null;
}

/** A driver that holds a card which has no network device here: of a disk, for one, when the wrong card is configured; null: none. */
export function strangeHolder(card: Card, sysfs: Sysfs): string | null {
  return sysfs.netDevicesOf(card).length > 0 ? null : sysfs.driverOf(card);
}

export function wrongCard(card: Card, driver: string): string {
  return `driver ${driver} holds ${cardText(card)}, which has no network device here: is it the uplink’s card?`;
}

export function isSame(a: Card, b: Card): boolean {
  return a.bus === b.bus && a.address === b.address;
}

/** The card's devices, and whatever else has the configured name. */
export function devicesAt({ device, card }: Place, { sysfs, link }: StrategyTools): string[] {
  const names = sysfs.netDevicesOf(card);
  return link(device) === null || names.includes(device) ? names : [...names, device];
}
