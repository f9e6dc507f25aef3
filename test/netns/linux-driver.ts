/**
 * A child process for tests: runs the actuator inside a namespace and takes orders as JSON lines on standard
 * input. Prints each event as a JSON line with the time in milliseconds since its order, where it has one.
 */
import { execFileSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { ActuatorEvents } from '../../src/driver/ports.ts';
import { createActuator } from '../../src/linux/actuator.ts';
import type { ActuatorConfig } from '../../src/linux/config.ts';
import { rawNowMs } from '../../src/linux/libc.ts';

const config = JSON.parse(process.argv[2] ?? '') as ActuatorConfig;
const started = new Map<number, number>();

function say(event: { readonly [key: string]: unknown }, id?: number): void {
  const tookMs = id === undefined ? null : rawNowMs() - (started.get(id) ?? 0);
  process.stdout.write(`${JSON.stringify({ ...event, id, tookMs })}\n`);
}

const events: ActuatorEvents = {
  procedureEnded: (_s, procedure, id, verdict, detail) =>
    say({ type: 'ended', procedure, verdict, detail }, id),
  addressesProbed: (_s, side, id, answered, detail) => say({ type: 'probed', side, answered, detail }, id),
  gateSet: (service, id, openUntilMs) => say({ type: 'gate', service, open: openUntilMs !== null }, id),
  linkChanged: (_s, side) => say({ type: 'link', side }),
  foreignerHeard: () => say({ type: 'foreigner' }),
  loadMeasured: (load, detail) => say({ type: 'load', load, detail }),
  rivalHeard: (_s, side, detail) => say({ type: 'rival', side, detail }),
};
const actuator = createActuator(config, events, {
  onFilterTrouble: (detail) => say({ type: 'filter', detail }),
  onSyncTrouble: (detail) => say({ type: 'sync', detail }),
  onUplinkTrouble: (report) => say({ type: 'guard', ...report }),
});

type Order =
  /** `whenDark`: this process stands still until that device has no carrier, so that no event tells of it before the procedure runs. */
  | {
      readonly run: Parameters<typeof actuator.run>[1];
      readonly id: number;
      readonly service?: string;
      readonly whenDark?: string;
    }
  /** `heldUpMs`: right after the first question this process is busy for so long. `behind`: so many like it are ordered before. */
  | {
      readonly probe: 'downlink' | 'uplink';
      readonly id: number;
      readonly service?: string;
      readonly heldUpMs?: number;
      readonly behind?: number;
    }
  /** Opens for so many milliseconds; null shuts. `every`: opens again and again, so often. */
  | {
      readonly gateMs: number | null;
      readonly id: number;
      readonly everyMs?: number;
      readonly service?: string;
    }
  | { readonly reconfigure: ActuatorConfig; readonly id: number }
  | { readonly filtered: true; readonly id: number }
  | { readonly close: true; readonly id: number };

/** By service. */
const refresh = new Map<string, NodeJS.Timeout>();

function gate(service: string, gateMs: number | null, id: number): void {
  actuator.gate(service, gateMs === null ? null : rawNowMs() + gateMs, id);
}

function heldUp(forMs: number): void {
  const endMs = rawNowMs() + forMs;
  while (rawNowMs() < endMs);
}

/** Returns once the device has no carrier; nothing else happens in this process meanwhile. */
function untilDark(device: string): void {
  const endMs = rawNowMs() + 10_000;
  while (rawNowMs() < endMs)
    if (!execFileSync('/usr/sbin/ip', ['link', 'show', device], { encoding: 'utf8' }).includes('LOWER_UP'))
      return;
}

async function obey(order: Order): Promise<void> {
  started.set(order.id, rawNowMs());
  const service = ('service' in order ? order.service : undefined) ?? config.services[0]?.name ?? '';
  if ('run' in order) {
    if (order.whenDark !== undefined) {
      say({ type: 'still' });
      untilDark(order.whenDark);
    }
    actuator.run(service, order.run, order.id);
  } else if ('probe' in order) {
    for (let i = order.behind ?? 0; i > 0; i--)
      actuator.probeAddresses(service, order.probe, -1, config.probeTimeoutMs);
    actuator.probeAddresses(service, order.probe, order.id, config.probeTimeoutMs);
    const { heldUpMs } = order;
    if (heldUpMs !== undefined) setImmediate(() => heldUp(heldUpMs));
  } else if ('gateMs' in order) {
    const { gateMs, everyMs, id } = order;
    clearInterval(refresh.get(service));
    gate(service, gateMs, id);
    if (everyMs !== undefined)
      refresh.set(
        service,
        setInterval(() => gate(service, gateMs, -1), everyMs),
      );
  } else if ('filtered' in order) say({ type: 'filtered', counts: actuator.filtered }, order.id);
  else if ('reconfigure' in order) {
    const error = await actuator.reconfigure(order.reconfigure).then(
      () => null,
      (e: Error) => e.message,
    );
    say({ type: 'reconfigured', error }, order.id);
  } else {
    await actuator.close();
    say({ type: 'closed' }, order.id);
    process.exit(0);
  }
}

await actuator.start();
say({ type: 'ready' });
createInterface({ input: process.stdin })
  .on('line', (line) => void obey(JSON.parse(line) as Order))
  .on('close', () => process.exit(0));
