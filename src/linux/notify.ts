/**
 * Tells the service manager what a service of `Type=notify` must tell (sd_notify(3)): one datagram to the socket that
 * the environment names. Node has no such sockets, so that they are opened as the packet sockets are.
 */
import { AF_UNIX, closeFd, openSocket, SOCK_DGRAM, send } from './libc.ts';

/** sun_path of sockaddr_un (unix(7)). */
const PATH_MAX_BYTES = 108;

/** `READY=1`, `WATCHDOG=1`, `STATUS=...`, `STOPPING=1`. Without a service manager nothing happens; never throws. */
export function notifyManager(text: string, path = process.env.NOTIFY_SOCKET ?? ''): void {
  const name = Buffer.from(path.startsWith('@') ? `\0${path.slice(1)}` : path);
  if (!/^[/@]./.test(path) || name.length > PATH_MAX_BYTES) return;
  const family = Buffer.alloc(2);
  family.writeUInt16LE(AF_UNIX, 0);
  try {
    const fd = openSocket(AF_UNIX, SOCK_DGRAM, 0);
    send(fd, Buffer.from(text), Buffer.concat([family, name]));
    closeFd(fd);
  } catch {
    // No descriptor is left: the watchdog sees to it.
  }
}

/** How often the watchdog wants to hear of us: half of WATCHDOG_USEC, in milliseconds; null when it does not. */
export function watchdogMs(
  env: { readonly [name: string]: string | undefined } = process.env,
): number | null {
  const usec = Number(env.WATCHDOG_USEC);
  const isOurs = env.WATCHDOG_PID === undefined || Number(env.WATCHDOG_PID) === process.pid;
  return isOurs && Number.isFinite(usec) && usec > 0 ? usec / 2000 : null;
}
