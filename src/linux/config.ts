/**
 * What the actuator must know of the host and its services: root's configuration, already checked
 * (src/daemon/config makes it from TOML). Nothing in here ever comes from the network.
 */
import type { ServiceName } from '../core/basics.ts';
import type { Procedure } from '../core/procedures.ts';
import type { LoadSettings } from './load/sources.ts';
import type { RemoteChecks } from './remote/kinds.ts';
import type { Card } from './uplink/sysfs.ts';

/** Services of one host, and records that one message can hold. */
export const SERVICES_MAX = 64;

/** An address with its prefix length, as in `10.77.1.1/24` or `fd00:77:1::1/64`. */
export interface AddressPrefix {
  readonly family: 4 | 6;
  /** Canonical text without the prefix length. */
  readonly address: string;
  readonly prefixLength: number;
}

/** One way to confirm the downlink; any one positive confirms it. */
export type DownlinkCheck =
  | { readonly kind: 'auto' }
  | { readonly kind: 'broadcast-ping' }
  | { readonly kind: 'arp'; readonly address: string }
  | { readonly kind: 'ping'; readonly address: string }
  | { readonly kind: 'carrier' }
  | { readonly kind: 'command'; readonly path: string };

export type Activation = 'module' | 'unbind' | 'admin' | 'command';

export interface GatewayService {
  readonly name: ServiceName;
  readonly downlink: {
    readonly device: string;
    readonly addresses: readonly AddressPrefix[];
    readonly checks: readonly DownlinkCheck[];
  };
  readonly uplink: {
    readonly device: string;
    readonly activation: Activation;
    readonly addresses: readonly AddressPrefix[];
    /** Default routes and what checkUplink asks; at most one a family, empty when the uplink has none. */
    readonly nextHops: readonly string[];
    /** An own, not roving address on the uplink where IPv6 is off; null: IPv6 link-local. */
    readonly ownAddress: AddressPrefix | null;
    /** What must be known while the device is absent: `module` needs `module` and `card`, `unbind` `driver` and `card`. */
    readonly card?: Card;
    readonly module?: string;
    readonly driver?: string;
    /** Take the driver in at the first suspicion, and out again when the master answers. */
    readonly speculative?: boolean;
  };
  readonly firewall: {
    /** Files in iptables-save format; null: that family's rules are left alone. */
    readonly rules: string | null;
    readonly rules6: string | null;
    readonly standbyRules: string | null;
    readonly standbyRules6: string | null;
  };
  /** What checkServiceRemote asks; absent: the gateway's own addresses. */
  readonly remote?: RemoteChecks;
  /** Procedures replaced by external programs: absolute paths. */
  readonly procedures: { readonly [P in Procedure]?: string };
  readonly limits: { readonly testMs: number; readonly switchMs: number };
}

/** Where conntrackd is told what to do, and where its own words go. */
export interface ConntrackdConfig {
  /** conntrackd's own configuration file. */
  readonly config: string;
  /** How long a takeover waits for its commit. */
  readonly limitMs: number;
  /** The link and UDP port over which the hosts' conntrackds talk. */
  readonly device: string;
  readonly port: number;
}

export interface ActuatorConfig {
  readonly cluster: string;
  readonly host: string;
  /** The cluster's own sockets: their port must stay open on these devices, whatever rules are loaded. */
  readonly clusterLinks: readonly {
    readonly device: string;
    readonly address: string;
    readonly port: number;
  }[];
  /** The other members' own addresses: whoever has them is no foreigner. */
  readonly memberAddresses: readonly string[];
  /** An order may open the gate at most that far ahead. */
  readonly leaseMs: number;
  readonly probes: number;
  readonly probeTimeoutMs: number;
  /** Writable directory for what must survive the actuator (none of it secret). */
  readonly stateDir: string;
  /** How the host's load is measured; absent: it is not. */
  readonly load?: LoadSettings;
  readonly services: readonly GatewayService[];
  /** Null or absent: connections are not synchronised. */
  readonly conntrackd?: ConntrackdConfig | null;
}
