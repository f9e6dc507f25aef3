/**
 * The services of a lab: one with the lab's usual addresses, or several that share every host's cards, each with roving
 * addresses and a client of its own. Clients of several services are addresses of one station, which go by their own
 * gateway each; the hosts translate what a client sends to the address of its service.
 */
import { must } from './process.ts';
import { RULES4, RULES6 } from './rules.ts';
import { CLIENT, LAN, type Topology, WAN } from './topology.ts';

export interface ServicePlan {
  readonly name: string;
  readonly lan: string;
  readonly lan6: string;
  readonly wan: string;
  readonly wan6: string;
  /** The client's own address. */
  readonly client: string;
  /** Services that are to be where this one is. */
  readonly together?: readonly string[];
}

export const SERVICES_MAX = 64;
/** So many have a client; the lan has no addresses for more. */
export const CLIENTS_MAX = 32;
const FIRST_ROVING = 150;
const FIRST_CLIENT = 216;

/** The lab's usual service. */
export const ONE: ServicePlan = {
  ...{ name: 'firewall', lan: LAN.roving, lan6: LAN.roving6, wan: WAN.roving, wan6: WAN.roving6 },
  client: CLIENT.address,
};

export function planServices(count: number): ServicePlan[] {
  if (count === 1) return [ONE];
  return Array.from({ length: count }, (_, i) => ({
    name: `s${i + 1}`,
    lan: `10.77.1.${FIRST_ROVING + i}`,
    lan6: `fd00:77:1::${(FIRST_ROVING + i).toString(16)}`,
    wan: `10.77.2.${FIRST_ROVING + i}`,
    wan6: `fd00:77:2::${(FIRST_ROVING + i).toString(16)}`,
    client: i < CLIENTS_MAX ? `10.77.1.${FIRST_CLIENT + i}` : '',
  }));
}

/** The rule sets of every host, IPv4 and IPv6. */
export function rulesOf(services: readonly ServicePlan[]): [string, string] {
  if (services.length === 1) return [RULES4, RULES6];
  const usual = /^-A POSTROUTING .*$/m;
  const each = services
    .filter(({ client }) => client !== '')
    .map(({ client, wan }) => `-A POSTROUTING -s ${client} -o up0 -j SNAT --to-source ${wan}`);
  return [RULES4.replace(usual, each.join('\n')), RULES6];
}

/** The client's station gets an address for each service, whose words go by that service's gateway. */
export async function addClients(topology: Topology, services: readonly ServicePlan[]): Promise<void> {
  const lines = services.flatMap(({ client, lan }, i) =>
    client === '' || client === CLIENT.address
      ? []
      : [
          `addr add ${client}/24 dev eth0`,
          `route add default via ${lan} dev eth0 table ${1_000 + i}`,
          `rule add from ${client} lookup ${1_000 + i}`,
        ],
  );
  if (lines.length > 0)
    await must(['ip', '-n', topology.ns('client'), '-batch', '-'], `${lines.join('\n')}\n`);
}

export interface SectionOptions {
  readonly policy: string;
  /** The host's directory. */
  readonly home: string;
  readonly nextHop: string;
  /** Lines of TOML in each service's own section. */
  readonly head: readonly string[];
}

/** The `[[service]]` sections of a host's file. */
export function serviceSections(services: readonly ServicePlan[], options: SectionOptions): string {
  const { policy, home, nextHop, head } = options;
  return services
    .map(({ name, lan, lan6, wan, wan6, together = [] }) => {
      const group = together.length > 0 ? [`together = ${JSON.stringify(together)}`] : [];
      return `[[service]]
name   = "${name}"
policy = "${policy}"
${[...group, ...head].join('\n')}
[service.downlink]
device    = "eth0"
addresses = ["${lan}/24", "${lan6}/64"]
check     = ["auto", "broadcast-ping"]
[service.uplink]
device     = "up0"
activation = "admin"
addresses  = ["${wan}/24", "${wan6}/64"]
next_hop   = "${nextHop}"
[service.firewall]
rules  = "${home}/rules.v4"
rules6 = "${home}/rules.v6"
`;
    })
    .join('\n');
}
