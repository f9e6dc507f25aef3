/** The rules of the lab's gateways, in iptables-save format. */
import { CLUSTER_PORT, LAN, WAN } from './topology.ts';

/** A small firewall: out is allowed and translated to the roving address, back only what belongs to it. */
export const RULES4 = `*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A POSTROUTING -s ${LAN.net} -o up0 -j SNAT --to-source ${WAN.roving}
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i up0 -p tcp -j DROP
-A INPUT -i up0 -p udp -m udp ! --dport ${CLUSTER_PORT} -j DROP
-A FORWARD -i eth0 -o up0 -j ACCEPT
-A FORWARD -i up0 -o eth0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
`;
/** The same for IPv6, without translation. */
export const RULES6 = `*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A FORWARD -i eth0 -o up0 -j ACCEPT
-A FORWARD -i up0 -o eth0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
`;
