/** What `portcullis check` finds about remote checks on this host. */
import type { ActuatorConfig } from '../config.ts';
import type { Finding } from '../inspect.ts';
import { readSysctl } from '../sysctl.ts';
import { Checker } from './checker.ts';
import { isSocketCheck } from './kinds.ts';

export async function inspectRemote(config: ActuatorConfig): Promise<Finding[]> {
  const out: Finding[] = [];
  const talking = config.services.filter((s) => s.remote?.checks.some(isSocketCheck));
  if (talking.length === 0) return out;
  const checker = new Checker();
  const problem = await checker.problem();
  checker.close();
  if (problem !== null)
    out.push({
      level: 'error',
      message: `remote checks: the checker does not work: ${problem}`,
      hint: 'user 65533 must be able to read the installation, directories and all, and to start node',
    });
  for (const { name, remote, downlink } of talking) {
    const through = remote?.checks.some((check) => isSocketCheck(check) && check.through);
    const { device } = downlink;
    const settings = [readSysctl('ipv4/conf/all/rp_filter'), readSysctl(`ipv4/conf/${device}/rp_filter`)];
    if (through === true && settings.includes('1') && !settings.includes('2'))
      out.push({
        level: 'warning',
        message: `service ${name}: net.ipv4.conf.${device}.rp_filter is strict: answers of hosts behind the gateway may be dropped`,
        hint: 'right where the host’s own default route goes through the gateway; else set it to 0',
      });
  }
  return out;
}
