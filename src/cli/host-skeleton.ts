/**
 * The configuration that `host join` leaves on a host: what the roster knows is filled in, what only this host's
 * operator knows is a comment to be filled in. Pure.
 */
import { formatSocketAddress } from '../trust/address.ts';
import type { RosterMember } from '../trust/roster.ts';

export interface SkeletonPaths {
  readonly key: string;
  readonly admin: string;
  readonly roster: string;
}

/** TOML; `portcullis check` names what is still missing in it. */
export function configurationSkeleton(
  clusterName: string,
  member: RosterMember,
  paths: SkeletonPaths,
): string {
  const links = member.addresses.map((address, i) => {
    const name = i === 0 ? 'downlink' : `link${i + 1}`;
    return `[[link]]
name   = "${name}"
# device = "eth0"                          # FILL IN: the network device that has this address
listen = "${formatSocketAddress(address)}"
`;
  });
  const role =
    member.role === 'witness'
      ? `
# This host is a witness: it votes and never serves. Its services name what it votes for: name, policy and addresses as on
# the gateways; leave out devices, activation, next_hop, rules and programs. Its unit is portcullis-witness.service.`
      : '';
  return `# ${member.name} of cluster ${clusterName}, from the bundle that made it a member. Fill in what is marked, then:
#   portcullis check --config FILE
# All keys and their defaults: spec/configuration.md

cluster = ${text(clusterName)}
host    = ${text(member.name)}
key     = ${text(paths.key)}
admin   = ${text(paths.admin)}
state   = "/var/lib/portcullis"            # roster.cose, audit log
roster  = ${text(paths.roster)}
control = "/run/portcullis/control.sock"
user    = "portcullis"                     # of the process that reads the network; make it first

[timing]
interval = "200ms"                         # equal on all hosts

${links.join('\n')}${role}
# FILL IN, equal on all hosts but for devices and files:
# [[service]]
# name   = "firewall"
# policy = "quorum"                        # or "available"
# [service.downlink]
# device    = "eth0"
# addresses = ["10.77.1.1/24"]             # roving addresses on this side
# check     = ["auto"]
# [service.uplink]
# device     = "up0"
# activation = "admin"                     # module | unbind | admin | command
# addresses  = ["10.77.2.1/24"]            # roving addresses on that side
# next_hop   = "10.77.2.254"
# [service.firewall]
# rules = "/etc/portcullis/rules.v4"       # iptables-save format, while serving
`;
}

/** A basic string of TOML. Paths come from the command line. */
function text(value: string): string {
  return JSON.stringify(value);
}
