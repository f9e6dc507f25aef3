/** Whether this kernel and its tools can do what a gateway's lease and rules need. Reads, and has nft judge without loading. */
import { accessSync, constants, readFileSync, realpathSync } from 'node:fs';
import type { ActuatorConfig } from '../config.ts';
import { gateTables } from '../gatetable.ts';
import { isClockKept } from '../libc.ts';
import { readSysctl } from '../sysctl.ts';
import { findTool, runTool, textOf } from '../tools.ts';
import { moduleName, Sysfs } from '../uplink/sysfs.ts';
import { error, type Finding, warning } from './finding.ts';

/** IPv6 needs it (RFC 8200, 5), and a datagram of ours with its headers is smaller. */
const MTU_MIN = 1280;

/** What stands in a file of the kernel; null: there is none such. */
function kernelText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return null;
  }
}

/** The tables that hold the lease, given to nft to be judged by the kernel, and not loaded. */
export async function inspectGate(config: ActuatorConfig): Promise<Finding[]> {
  if (config.services.length === 0 || findTool('nft') === null || process.geteuid?.() !== 0) return [];
  const { status, errors } = await runTool('nft', ['--check', '-f', '-'], gateTables(config));
  if (status === 0) return [];
  return [
    error(
      `the kernel cannot hold the lease: nft refuses its tables: ${textOf(errors)}`,
      'load nf_tables (modprobe nf_tables), or boot a kernel with CONFIG_NF_TABLES, _INET and _ARP',
    ),
  ];
}

/** Other variants of iptables keep rules of their own, which are in force beside those that are seen. */
export function inspectVariants(config: ActuatorConfig, proc = '/proc'): Finding[] {
  if (config.services.length === 0) return [];
  return ([4, 6] as const).flatMap((family) => {
    const prefix = family === 4 ? 'ip' : 'ip6';
    const tables = kernelText(`${proc}/net/${prefix}_tables_names`);
    if (tables === null || tables === '' || !usesNft(family)) return [];
    return [
      warning(
        `rules of ${prefix}tables-legacy are in force (${tables.split('\n').join(', ')}) beside those that ${prefix}tables shows here`,
        `look with ${prefix}tables-legacy-save; remove them with ${prefix}tables-legacy -F and -X, table by table, or start the host anew`,
      ),
    ];
  });
}

/** Whether the tool without a suffix is the nf_tables one: by what the link of the alternatives leads to. */
function usesNft(family: 4 | 6): boolean {
  const path = findTool(family === 4 ? 'iptables-restore' : 'ip6tables-restore');
  return path !== null && !/legacy/.test(realpathSync(path));
}

export function inspectMtu(config: ActuatorConfig, sysfs = new Sysfs()): Finding[] {
  return config.clusterLinks.flatMap(({ device }) => {
    const mtu = Number(sysfs.netAttribute(device, 'mtu') ?? Number.NaN);
    if (!(mtu < MTU_MIN)) return [];
    return [
      error(
        `${device}: its MTU is ${mtu}, and the cluster’s datagrams need ${MTU_MIN}`,
        `ip link set ${device} mtu 1500, here and on all that lies between the hosts`,
      ),
    ];
  });
}

/** Forwarding is switched on by whoever serves; that it may be is what counts. */
export function inspectForwarding(config: ActuatorConfig): Finding[] {
  if (config.services.length === 0 || process.geteuid?.() !== 0) return [];
  const all = config.services.flatMap((s) => [...s.downlink.addresses, ...s.uplink.addresses]);
  return ([4, 6] as const).flatMap((family) => {
    const setting = `ipv${family}/conf/all/forwarding`;
    if (!all.some((a) => a.family === family) || readSysctl(setting) === null) return [];
    try {
      accessSync(`/proc/sys/net/${setting}`, constants.W_OK);
      return [];
    } catch {
      return [
        error(
          `net.${setting.replaceAll('/', '.')} cannot be set: /proc/sys is read-only here, so that nothing would be forwarded`,
          'start the actuator where it may write /proc/sys/net (a container needs it writable)',
        ),
      ];
    }
  });
}

/** What keeps a driver from being loaded or removed, whatever else is right. */
export function inspectModules(config: ActuatorConfig, proc = '/proc', sysfs = new Sysfs()): Finding[] {
  const uplinks = config.services
    .map(({ uplink }) => uplink)
    .filter(({ activation }) => activation === 'module');
  if (uplinks.length === 0) return [];
  const out: Finding[] = [];
  if (kernelText(`${proc}/sys/kernel/modules_disabled`) === '1')
    out.push(
      error(
        'kernel.modules_disabled is 1: no driver can be loaded or removed until the next boot',
        'take it out of /etc/sysctl.d, or use activation "unbind" or "admin"',
      ),
    );
  for (const module of new Set(uplinks.flatMap(({ module }) => module ?? []))) {
    if (!sysfs.isLoadable(module)) continue;
    const users = kernelText(`${sysfs.root}/module/${moduleName(module)}/refcnt`);
    if (users === null)
      out.push(
        error(
          `this kernel removes no modules: ${module} would stay`,
          'boot one with CONFIG_MODULE_UNLOAD, or use activation "unbind" or "admin"',
        ),
      );
    // Other modules that hold it are told by name elsewhere.
    else if (Number(users) > sysfs.holdersOf(module).length)
      out.push(
        warning(
          `${module} is in use (${users}): it cannot be removed while that is so`,
          'lsmod, lsof and ip netns tell who may have it; a program that has opened one of its devices must end',
        ),
      );
  }
  return out;
}

/** No lease hangs on the time of day; what people read of several hosts' logs does. */
export function inspectClock(): Finding[] {
  if (isClockKept() !== false) return [];
  return [
    warning(
      'no time daemon keeps this host’s clock: times in the hosts’ event logs will not agree',
      'start chrony or systemd-timesyncd; leases and promises do not hang on it, and audit report shows how far clocks were apart',
    ),
  ];
}
