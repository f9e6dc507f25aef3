/** What a running daemon shows of itself: the status document, the state machine's own state, metrics. */
import type { Driver } from '../driver/driver.ts';
import { rawNowMs } from '../linux/libc.ts';
import type { Endpoint } from '../wire/endpoint.ts';
import type { Alarms } from './alarms.ts';
import { type Config, servicesOf } from './config/config.ts';
import { groupsOf } from './config/groups.ts';
import type { EventLog } from './event-log.ts';
import type { LoopStatus } from './loopwatch.ts';
import { renderMetrics } from './metrics.ts';
import type { OperatorDesk } from './operator-desk.ts';
import type { LinuxSide } from './remote-actuator.ts';
import { processFigures } from './sockets.ts';
import type { StateReport } from './state-report.ts';
import { counted, type Status, statusOf } from './status.ts';
import type { Tally } from './tally.ts';
import type { UdpTransport } from './udp.ts';

/** The parts that are looked at. `config`: the one in force. */
export interface Parts {
  readonly config: () => Config;
  /** Null before it is watched. */
  readonly loop: () => LoopStatus | null;
  readonly driver: Driver;
  readonly endpoint: Endpoint;
  readonly transport: UdpTransport;
  readonly actuator: LinuxSide;
  readonly operator: OperatorDesk;
  readonly alarms: Alarms;
  readonly events: EventLog;
  readonly tally: Tally;
}

/** Each made anew when it is asked for, and only then. */
export interface Views {
  status(): Status;
  state(): StateReport;
  metrics(): string;
}

export function viewsOf(parts: Parts): Views {
  const { driver, endpoint, transport, actuator, operator, alarms, events, tally } = parts;
  const status = (): Status => {
    const config = parts.config();
    const { settings } = config;
    const { roster, settled } = driver.rosters;
    const journal = events.status();
    return statusOf({
      nowMs: rawNowMs(),
      state: driver.state,
      names: servicesOf(config),
      groups: groupsOf(settings.services),
      standbySince: operator.standbySince,
      cluster: settings.cluster,
      roster,
      settled,
      protocol: settings.protocol,
      links: transport.links(),
      peers: endpoint.peers(),
      alarms: alarms.list(),
      load: actuator.load,
      loop: parts.loop(),
      counters: {
        ...transport.counters,
        eventsLogged: journal.entries,
        eventsLost: journal.lost,
        ...counted('refused', endpoint.counters()),
        ...counted('filtered', actuator.filtered),
        ...counted('transition', tally.transitions),
      },
    });
  };
  return {
    status,
    metrics: () => renderMetrics(status(), processFigures()),
    state: () => {
      const config = parts.config();
      const [names, groups] = [servicesOf(config), groupsOf(config.settings.services)];
      return { schema: 1, nowMs: rawNowMs(), names, groups, state: driver.state };
    },
  };
}
