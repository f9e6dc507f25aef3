/** All doors of a running daemon for operators and programs: control, the read-only one, metrics. */
import type { Settings } from './config/settings.ts';
import { type ControlHandlers, type ControlSocket, openControl } from './control.ts';
import type { ProcessFigures } from './metrics.ts';
import { openMetricsPort } from './metrics-port.ts';

/** Opens those that are configured, all or none. Throws OperatorError. */
export async function openSockets(settings: Settings, handlers: ControlHandlers): Promise<ControlSocket[]> {
  const open: ControlSocket[] = [];
  try {
    open.push(await openControl(settings.control, handlers, false));
    if (settings.statusSocket !== null) open.push(await openControl(settings.statusSocket, handlers, true));
    const { metrics } = handlers;
    if (settings.metrics !== null && metrics !== undefined)
      open.push(await openMetricsPort(settings.metrics, metrics));
    return open;
  } catch (error) {
    for (const socket of open) socket.close();
    throw error;
  }
}

/** Of this process, now. */
export function processFigures(): ProcessFigures {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  return {
    cpuSeconds: (user + system) / 1e6,
    residentBytes: rss,
    heapBytes: heapUsed,
    startedAtSeconds: Math.round(Date.now() / 1000 - process.uptime()),
  };
}
