/** The configuration file of each of the lab's hosts. */
import { join } from 'node:path';
import { conntrackdSection } from './conntrackd.ts';
import type { ClusterOptions } from './gateway.ts';
import { ONE, serviceSections } from './services.ts';
import { CLUSTER_PORT, type HostPlan, SERVER } from './topology.ts';
import { NETWORK_USER } from './units.ts';

/** Its address on each of the cluster's links. */
export function listens(host: HostPlan): string[] {
  return host.second === undefined ? [host.address] : [host.address, host.second];
}

/** A host's configuration file. */
export function configuration(directory: string, host: HostPlan, options: ClusterOptions): string {
  const home = join(directory, host.name);
  return `cluster = "lab"
host    = "${host.name}"
key     = "${directory}/${host.name}.key"
admin   = "${directory}/admin.key.pub"
state   = "${home}/state"
roster  = "${home}/roster.cose"
control = "${home}/run/control.sock"
actuator = "${home}/actuator/actuator.sock"
user    = "${NETWORK_USER}"

[timing]
interval = "${options.intervalMs}ms"
${options.timing.join('\n')}

${listens(host).map(link).join('\n')}
${options.conntrackd === true ? conntrackdSection(home) : ''}${serviceSections(options.services ?? [ONE], { policy: options.policy, home, nextHop: SERVER.address, head: options.head ?? [] })}${(options.more?.(home) ?? []).join('\n')}
`;
}

function link(address: string, i: number): string {
  return `[[link]]
name   = "link${i + 1}"
device = "eth0"
listen = "${address}:${CLUSTER_PORT}"
`;
}
