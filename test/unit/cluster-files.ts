/** A cluster's files in a directory of its own, made by the real commands: keys, roster, configuration. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { CommandIo } from '../../src/cli/io.ts';
import { run } from '../../src/cli/main.ts';

/** The example of spec/configuration.md, with the paths of a directory. */
export function exampleText(dir: string): string {
  return `cluster = "dmz"
host    = "fw1"
key     = "${dir}/fw1.key"
admin   = "${dir}/admin.key.pub"
state   = "${dir}/state"
roster  = "${dir}/roster.cose"
control = "${dir}/control.sock"
user    = "portcullis"

[timing]
interval = "200ms"

[[link]]
name   = "downlink"
device = "eth0"
listen = "10.77.1.11:7946"

[[service]]
name   = "firewall"
policy = "available"
[service.downlink]
device    = "eth0"
addresses = ["10.77.1.1/24"]
check     = ["auto", "broadcast-ping"]
[service.uplink]
device     = "up0"
activation = "admin"
addresses  = ["10.77.2.1/24"]
next_hop   = "10.77.2.254"
[service.firewall]
rules = "${dir}/rules.v4"
# standby_rules = "..."
[service.procedures]
# checkServiceRemote = "/usr/local/lib/portcullis/check-web"
`;
}

/** What a command printed. */
export class RecordedIo implements CommandIo {
  stdout = '';
  stderr = '';
  out(text: string): void {
    this.stdout += text;
  }
  err(text: string): void {
    this.stderr += text;
  }
  askSecret(): Uint8Array | null {
    return null;
  }
}

export function temporaryDir(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-test-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

export interface HostOptions {
  readonly name: string;
  readonly addresses: string;
  readonly role?: string;
}

/** Keys, roster and `fw1`'s configuration file. Throws when a command fails. */
export async function makeCluster(dir: string, hosts: readonly HostOptions[]): Promise<{ config: string }> {
  const key = (name: string): string => join(dir, `${name}.key`);
  const roster = join(dir, 'roster.cose');
  await must(['key', 'generate', '--out', key('admin')]);
  await must(['cluster', 'init', 'dmz', '--admin-key', key('admin'), '--out', roster]);
  for (const { name, addresses, role = 'gateway' } of hosts) {
    await must(['key', 'generate', '--out', key(name)]);
    const what = ['--roster', roster, '--admin-key', key('admin'), '--key', `${key(name)}.pub`];
    await must(['cluster', 'add', name, ...what, '--address', addresses, '--role', role]);
  }
  const config = join(dir, 'portcullis.toml');
  writeFileSync(config, exampleText(dir));
  return { config };
}

export const TWO_HOSTS: readonly HostOptions[] = [
  { name: 'fw1', addresses: '10.77.1.11:7946' },
  { name: 'fw2', addresses: '10.77.1.12:7946' },
];

async function must(args: readonly string[]): Promise<void> {
  const io = new RecordedIo();
  if ((await run(args, io)) !== 0) throw new Error(`${args.join(' ')}: ${io.stderr}`);
}
