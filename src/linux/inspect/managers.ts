/**
 * Who else thinks the devices and addresses of the cluster its own: systemd-networkd and NetworkManager as they run now, and
 * files that give this host a roving address at boot, or move it by VRRP. Reads only.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ActuatorConfig } from '../config.ts';
import { Sysfs } from '../uplink/sysfs.ts';
import { type Finding, warning } from './finding.ts';

const FILES_MAX = 128;
const FILE_MAX_BYTES = 256 * 1024;

/** Where addresses of this host are written down, by who reads it; a directory stands for its files. */
const ADDRESS_FILES: readonly (readonly [string, string])[] = [
  ['/etc/network/interfaces', 'ifupdown'],
  ['/etc/network/interfaces.d', 'ifupdown'],
  ['/etc/systemd/network', 'systemd-networkd'],
  ['/run/systemd/network', 'systemd-networkd'],
  ['/etc/netplan', 'netplan'],
  ['/etc/NetworkManager/system-connections', 'NetworkManager'],
  ['/etc/keepalived/keepalived.conf', 'keepalived'],
  ['/etc/keepalived/conf.d', 'keepalived'],
];

/** `root`: another system's, for tests. */
export function inspectManagers(config: ActuatorConfig, root = '/', sysfs = new Sysfs()): Finding[] {
  const out: Finding[] = [];
  const uplinks = new Set(config.services.map(({ uplink }) => uplink.device));
  const downlinks = new Set(config.services.map(({ downlink }) => downlink.device));
  for (const device of uplinks) {
    const manager = managerOf(device, root, sysfs);
    if (manager === null) continue;
    out.push(
      warning(
        `${manager.name} manages the uplink ${device} now, and would set it up`,
        `portcullis uplink provision --config FILE, then ${manager.reload}`,
      ),
    );
  }
  for (const device of downlinks) {
    const manager = managerOf(device, root, sysfs);
    if (manager === null || manager.keepsForeign) continue;
    out.push(
      warning(
        `systemd-networkd manages ${device}, and takes addresses that it does not know from it when it starts anew, roving ones too`,
        'KeepConfiguration=static under [Network] of its .network file, ManageForeignRoutes=no in networkd.conf',
      ),
    );
  }
  out.push(...writtenDown(config, root));
  return out;
}

interface Manager {
  readonly name: string;
  readonly reload: string;
  readonly keepsForeign: boolean;
}

/** Who manages a device that is there, by what the managers themselves keep under /run. */
function managerOf(device: string, root: string, sysfs: Sysfs): Manager | null {
  const index = sysfs.netAttribute(device, 'ifindex');
  if (index === null || !/^\d+$/.test(index)) return null;
  const networkd = textAt(join(root, 'run/systemd/netif/links', index));
  const state = /^ADMIN_STATE=(.*)$/m.exec(networkd ?? '')?.[1];
  if (state !== undefined && state !== 'unmanaged') {
    const file = /^NETWORK_FILE=(\/.*)$/m.exec(networkd ?? '')?.[1];
    const text = file === undefined ? null : textAt(join(root, file));
    const keepsForeign = /^\s*KeepConfiguration\s*=\s*(static|yes|true)\b/im.test(text ?? '');
    return { name: 'systemd-networkd', reload: 'networkctl reload', keepsForeign };
  }
  const kept = textAt(join(root, 'run/NetworkManager/devices', index));
  if (/^managed=true$/m.test(kept ?? ''))
    return { name: 'NetworkManager', reload: 'nmcli general reload conf', keepsForeign: true };
  return null;
}

function writtenDown({ services }: ActuatorConfig, root: string): Finding[] {
  const roving = services
    .flatMap((s) => [...s.downlink.addresses, ...s.uplink.addresses])
    .map((a) => a.address);
  const out: Finding[] = [];
  for (const [place, reader] of ADDRESS_FILES)
    for (const path of filesAt(root, place)) {
      const lines = (textAt(join(root, path)) ?? '').split('\n');
      for (const address of roving) {
        const at = lines.findIndex((line) => names(line, address));
        if (at >= 0) out.push(written(`${path}:${at + 1}`, reader, address));
      }
    }
  return out;
}

function written(place: string, reader: string, address: string): Finding {
  if (reader === 'keepalived')
    return warning(
      `${place}: keepalived moves the roving address ${address} too`,
      'systemctl disable --now keepalived, before this serves',
    );
  return warning(
    `${place}: ${reader} gives this host the roving address ${address} at boot`,
    'take it out there: it is put on the device of whoever serves',
  );
}

/** Whether a line that is no comment has the address as a word of its own. */
function names(line: string, address: string): boolean {
  const bare = line.replace(/(^|\s)[#!;].*$/, '');
  for (let at = bare.indexOf(address); at >= 0; at = bare.indexOf(address, at + 1)) {
    const before = bare[at - 1] ?? ' ';
    const after = bare[at + address.length] ?? ' ';
    if (!/[0-9A-Fa-f.:]/.test(before) && !/[0-9A-Fa-f.:]/.test(after)) return true;
  }
  return false;
}

function filesAt(root: string, place: string): string[] {
  try {
    const there = join(root, place);
    if (statSync(there).isFile()) return [place];
    return readdirSync(there)
      .slice(0, FILES_MAX)
      .sort()
      .map((name) => join(place, name));
  } catch {
    return [];
  }
}

/** Null: it is no small file that can be read. */
function textAt(path: string): string | null {
  try {
    const stat = statSync(path);
    return stat.isFile() && stat.size <= FILE_MAX_BYTES ? readFileSync(path, 'utf8') : null;
  } catch {
    return null;
  }
}
