/** What `portcullis check` finds about the measuring of the load on this host. */
import type { ActuatorConfig } from '../config.ts';
import { programProblem } from '../external.ts';
import type { Finding } from '../inspect.ts';
import { conntrackLoad, cpuLoad, deviceBytes, deviceSpeed } from './sources.ts';

export async function inspectLoad({ load, services }: ActuatorConfig): Promise<Finding[]> {
  if (load === undefined) return [];
  const out: Finding[] = [];
  const silent = (what: string, hint: string): number =>
    out.push({ level: 'warning', message: `load: ${what}`, hint });
  for (const source of load.sources) {
    if (source === 'conntrack' && conntrackLoad(load.connections) === null)
      silent(
        'this kernel tracks no connections now',
        'load nf_conntrack, or take conntrack out of load.sources',
      );
    if (source === 'cpu' && cpuLoad(load.cpuPercent) === null)
      silent('neither /proc/pressure/cpu nor /proc/loadavg can be read', 'take cpu out of load.sources');
    if (source === 'downlink')
      for (const { name, downlink, procedures } of services)
        if (procedures.checkDownlink === undefined && downlink.checks.some(({ kind }) => kind === 'carrier'))
          silent(
            `downlink.check of service ${name} lists carrier, which confirms whatever is lost on the link`,
            'take carrier out of it, or downlink out of load.sources',
          );
    if (source !== 'link' || load.linkMbit > 0) continue;
    const present = deviceBytes();
    const devices = new Set(services.flatMap((s) => [s.downlink.device, s.uplink.device]));
    for (const device of devices)
      if (present.has(device) && deviceSpeed(device) === null)
        silent(
          `${device} tells no speed now`,
          'right while it is down; else name the rate as load.link, in Mbit/s',
        );
  }
  const problem = load.program === null ? null : await programProblem(load.program);
  if (problem !== null)
    out.push({ level: 'error', message: `load: ${problem}`, hint: 'install it, owned by root, mode 0755' });
  return out;
}
