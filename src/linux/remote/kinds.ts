/** The ready-made remote checks as root's configuration names them (spec/procedures.md, "Remote checks"). Types only, and their spelling. */

/** Asked by frames of our own: address resolution and echo. */
export type FrameCheck =
  /** The first roving downlink address of each family: who has it, and an echo. */
  | { readonly kind: 'gateway' }
  /** `through`: the frame goes to the gateway's hardware address, and the answer must come from it. */
  | { readonly kind: 'icmp'; readonly address: string; readonly through: boolean }
  | { readonly kind: 'arp' | 'nd'; readonly address: string };

/** Where a conversation goes. `through`: by the gateway, whatever the host's own routes say. */
interface Target {
  readonly address: string;
  readonly port: number;
  readonly through: boolean;
}

/** Asked over a socket, by the process that has no rights. */
export type SocketCheck =
  | ({ readonly kind: 'tcp' } & Target)
  | ({
      readonly kind: 'http' | 'https';
      readonly path: string;
      /** For the Host field and the certificate; null: the address. */
      readonly name: string | null;
      /** Null: any of 200 to 299. */
      readonly status: number | null;
      /** What the body must contain; null: anything. */
      readonly text: string | null;
      /** A file of certificates to trust; null: those that Node knows. */
      readonly ca: string | null;
      /** Whether the certificate is verified. */
      readonly verify: boolean;
    } & Target)
  | ({
      readonly kind: 'dns';
      readonly name: string;
      readonly type: DnsType;
      /** An address that must be among the answers; null: any answer of that type. */
      readonly answer: string | null;
    } & Target);

export type RemoteCheck = FrameCheck | SocketCheck;

/** RFC 1035, RFC 2782, RFC 3596. */
export const DNS_TYPES = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
} as const;
export type DnsType = keyof typeof DNS_TYPES;

/** `need`: whether every check must be confirmed, or any one. */
export interface RemoteChecks {
  readonly need: 'all' | 'any';
  readonly checks: readonly RemoteCheck[];
}

export const GATEWAY_ONLY: RemoteChecks = { need: 'all', checks: [{ kind: 'gateway' }] };

/** For logs: the check as an operator would write it, without its options. */
export function checkName(check: RemoteCheck): string {
  if (check.kind === 'gateway') return 'gateway';
  const through = 'through' in check && check.through ? 'through:' : '';
  if (!isSocketCheck(check)) return `${through}${check.kind}:${check.address}`;
  const host = check.address.includes(':') ? `[${check.address}]` : check.address;
  switch (check.kind) {
    case 'tcp':
      return `${through}tcp:${host}:${check.port}`;
    case 'dns':
      return `${through}dns:${check.address}/${check.name}/${check.type}`;
    default:
      return `${through}${check.kind}://${host}:${check.port}${check.path}`;
  }
}

export function isSocketCheck(check: RemoteCheck): check is SocketCheck {
  return 'port' in check;
}
