/** Imports configurations of keepalived that tests write, through the command line. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import type { ConvertedService } from '../../src/cli/keepalived/conversion.ts';
import type { Remark } from '../../src/cli/keepalived/remarks.ts';
import { parseSettings, type Settings } from '../../src/daemon/config/settings.ts';
import { portcullis } from './cli-harness.ts';
import { temporaryDir } from './cluster-files.ts';

export interface Imported {
  readonly configuration: string;
  readonly services: readonly ConvertedService[];
  readonly remarks: readonly Remark[];
  readonly open: readonly string[];
  readonly commands: readonly string[];
}

/** Files by name; `keepalived.conf` is the one to be imported. Returns the directory. */
export function conf(t: TestContext, files: { readonly [name: string]: string } | string): string {
  const dir = temporaryDir(t);
  for (const [name, text] of Object.entries(
    typeof files === 'string' ? { 'keepalived.conf': files } : files,
  )) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), text);
  }
  return dir;
}

/** What becomes of it on another host; options come behind. */
export async function imported(
  t: TestContext,
  files: { readonly [name: string]: string } | string,
  ...options: string[]
): Promise<Imported> {
  const file = join(conf(t, files), 'keepalived.conf');
  const words = ['import', 'keepalived', file, '--elsewhere', '--host', 'fw1', '--json', ...options];
  const { status, out, err } = await portcullis(words);
  assert.equal(status, 0, err);
  return JSON.parse(out) as Imported;
}

/** Its settings: what our own reader makes of it, with nothing open. */
export function settingsOf({ configuration, open }: Imported): Settings {
  assert.deepEqual(open, []);
  return parseSettings(configuration, 'made.toml');
}

/** The remark about a keyword; fails when there is not exactly one. */
export function remarkOn({ remarks }: Imported, keyword: string): Remark {
  const [found, ...more] = remarks.filter(({ keywords }) => keywords.includes(keyword));
  assert.ok(found !== undefined && more.length === 0, `${keyword}: ${JSON.stringify(remarks, null, 1)}`);
  return found;
}

/** As `address/length`, by side. */
export function addressesOf(settings: Settings, index = 0): { downlink: string[]; uplink: string[] } {
  const gateway = settings.services[index]?.gateway;
  assert.ok(gateway);
  const texts = (list: readonly { address: string; prefixLength: number }[]): string[] =>
    list.map((a) => `${a.address}/${a.prefixLength}`);
  return { downlink: texts(gateway.downlink.addresses), uplink: texts(gateway.uplink.addresses) };
}

/** Two instances without a group on two links: public guides have them so; names tell the uplink. */
export const UNGROUPED = `
vrrp_instance VI_LAN {
  state MASTER
  interface lan
  virtual_router_id 1
  priority 100
  virtual_ipaddress {
    10.0.0.1/24
  }
}
vrrp_instance VI_WAN {
  state MASTER
  interface wan
  virtual_router_id 2
  priority 100
  virtual_ipaddress {
    10.99.0.1/24
  }
}
`;
