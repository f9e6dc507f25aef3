/**
 * A second cluster on the same LAN, made from the same key files: another roster, and so another cluster id. Only one host of it
 * runs, in a namespace of its own; the address of the other leads nowhere but to the attacker.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { portcullis } from './gateway.ts';
import { CLUSTER_PORT, TWIN } from './topology.ts';

/** Its files, for the key of `host`; `peer` is its other member. Answers with the configuration's path. */
export async function makeTwin(directory: string, host: string, peer: string): Promise<string> {
  const home = join(directory, TWIN.name);
  await rm(home, { recursive: true, force: true });
  await mkdir(join(home, 'state'), { recursive: true, mode: 0o750 });
  const roster = join(home, 'roster.cose');
  const key = ['--admin-key', join(directory, 'admin.key')];
  await order('cluster', 'init', 'lab', ...key, '--out', roster);
  for (const [name, address] of [
    [host, TWIN.address],
    [peer, TWIN.peer],
  ] as const)
    await order(
      ...['cluster', 'add', name, '--roster', roster, ...key, '--key', join(directory, `${name}.key.pub`)],
      ...['--address', `${address}:${CLUSTER_PORT}`],
    );
  const file = join(home, 'portcullis.toml');
  await writeFile(file, configuration(directory, home, host));
  return file;
}

async function order(...args: string[]): Promise<void> {
  const done = await portcullis(...args);
  if (done.code !== 0) throw new Error(`portcullis ${args.join(' ')}: ${done.stderr}`);
}

function configuration(directory: string, home: string, host: string): string {
  return `cluster = "lab"
host    = "${host}"
key     = "${directory}/${host}.key"
admin   = "${directory}/admin.key.pub"
state   = "${home}/state"
roster  = "${home}/roster.cose"
control = "${home}/control.sock"

[timing]
interval = "200ms"

[[link]]
name   = "downlink"
device = "eth0"
listen = "${TWIN.address}:${CLUSTER_PORT}"

[[service]]
name   = "firewall"
policy = "quorum"
[service.downlink]
device    = "eth0"
addresses = ["10.77.1.9/24"]
[service.uplink]
device     = "up0"
activation = "admin"
addresses  = ["10.77.2.9/24"]
next_hop   = "10.77.2.1"
`;
}
