/**
 * Where a service goes (R25): the one order in which hosts claim, and in which successors are asked. It follows from
 * what hosts said in their REPORTs alone, so that hosts that heard the same agree. Advice, never a matter of safety.
 */
import type { HostName, ServiceConfig, ServiceName } from './basics.ts';
import { LOAD_STEP } from './burden.ts';
import type { Ctx } from './context.ts';
import { gone, ofMyself } from './fitness.ts';
import type { PeerReport, ServiceState } from './state.ts';
import { completed } from './table.ts';

/** Where services are, and how many each host has. */
class Places {
  readonly #at = new Map<ServiceName, HostName>();
  readonly #counts = new Map<HostName, number>();

  put(service: ServiceName, host: HostName): void {
    this.#at.set(service, host);
    this.#counts.set(host, this.count(host) + 1);
  }

  at(service: ServiceName): HostName | undefined {
    return this.#at.get(service);
  }

  count(host: HostName): number {
    return this.#counts.get(host) ?? 0;
  }
}

/** Who serves what, as far as it is known, and who is to: of the silent master's services and those being handed over. */
interface Placing {
  readonly served: Places;
  readonly placed: Places;
}

/** A fit host, and what ranks it: held down, burdened, services that had better be apart, load, how many it serves, its row. */
interface Choice {
  readonly host: HostName;
  readonly key: readonly number[];
}

/** All fit hosts for this turn's service, the first choice first; this one among them, unless it is master. */
export function preferred(c: Ctx): HostName[] {
  return choices(c).map(({ host }) => host);
}

/** The same with what it rests on, for the log: who reads that later has not heard the reports. */
export function orderText(c: Ctx): string {
  const shown = choices(c).map(({ host, key: [held, burdened, conflicts, load, serves] }) => {
    const marks = [held === 1 ? 'held down' : '', burdened === 1 ? 'burdened' : ''];
    const numbers = { beside: conflicts, load, serves };
    const counts = Object.entries(numbers).flatMap(([name, n]) => (n ? [`${name} ${n}`] : []));
    const why = [...marks, ...counts].filter((word) => word !== '').join(' ');
    return why === '' ? host : `${host} [${why}]`;
  });
  return `order: ${shown.join(', ')}`;
}

/** A master counts the services that it is handing over already; all others place those of the same silent master first. */
function choices(c: Ctx): Choice[] {
  const all = Object.values(c.host.services);
  const known = (s: ServiceState) => s.known?.term.host;
  const mine = known(c.s);
  const isMaster = c.main === 'service';
  const served = new Places();
  const placed = new Places();
  for (const s of all) {
    const master = s.known?.released === undefined ? known(s) : undefined;
    const to = s.handingTo?.host ?? s.trial?.to;
    if (s.service === c.s.service) continue;
    if (isMaster && to !== undefined) placed.put(s.service, to);
    else if (master !== undefined && (isMaster || master !== mine)) served.put(s.service, master);
  }
  const before = isMaster ? [] : all.filter((s) => s.service < c.s.service && known(s) === mine);
  for (const s of before.sort((a, b) => (a.service < b.service ? -1 : 1))) {
    const [first] = ranked(c, s, { served, placed });
    if (first !== undefined) placed.put(s.service, first.host);
  }
  return ranked(c, c.s, { served, placed });
}

/** The fit hosts for a service but for its known master, best first. */
function ranked(c: Ctx, s: ServiceState, { served, placed }: Placing): Choice[] {
  const apart = apartFrom(c.host.config.services, s.service);
  const found = completed(s.table?.rows ?? [], c.host.config.membership).flatMap(({ host }, row) => {
    const mine = host === c.me && s === c.s;
    if (mine ? c.main === 'service' : host === s.known?.term.host) return [];
    const said = mine ? ofMyself(c) : host === c.me ? s.said : present(c, s, host);
    if (said == null || !said.fit) return [];
    const held = host === c.me && c.now < s.holdUntilMs;
    const conflicts = apart.filter((other) => (placed.at(other) ?? served.at(other)) === host).length;
    const load = Math.floor(said.load / LOAD_STEP) + placed.count(host);
    return [{ host, key: [Number(held), Number(said.burdened), conflicts, load, served.count(host), row] }];
  });
  return found.sort((a, b) => compared(a.key, b.key));
}

/** What another host said last, unless it is gone, or did not answer the PROBEs of this suspicion either. */
function present(c: Ctx, s: ServiceState, host: HostName): PeerReport | undefined {
  const said = s.reports[host];
  if (said === undefined || gone(c, s, host)) return undefined;
  const sinceMs = c.s.suspicion?.sinceMs ?? c.now;
  const heardMs = Math.max(said.atMs, ...Object.values(c.host.peers[host]?.heardOn ?? {}));
  return heardMs < sinceMs && c.now - sinceMs >= c.probeMs ? undefined : said;
}

/** By the first number that differs. */
function compared(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, i) => value !== b[i]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}

/** By configuration, since many services ask often: whom each had better not be with. */
const apartness = new WeakMap<readonly ServiceConfig[], ReadonlyMap<ServiceName, ServiceName[]>>();

/** The services that had better not be on one host with that one, whichever of the two says so. */
function apartFrom(services: readonly ServiceConfig[], service: ServiceName): readonly ServiceName[] {
  let all = apartness.get(services);
  if (all === undefined) {
    all = new Map(
      services.map((one) => {
        const others = services.filter((o) => one.apart.includes(o.name) || o.apart.includes(one.name));
        return [one.name, others.map(({ name }) => name)];
      }),
    );
    apartness.set(services, all);
  }
  return all.get(service) ?? [];
}
