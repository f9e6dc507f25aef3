/**
 * The status document as Prometheus metrics, in its text format: base units, a bounded number of labels, each metric with
 * its help and type. Pure. Written by hand: it is a page of text made from one value, and a library that keeps
 * registries, and loads others, is more than a process that holds a firewall's signing key should have for it.
 */
import type { Verdict } from '../core/procedures.ts';
import type { MainState } from '../core/transitions.ts';
import type { Status } from './status.ts';

const MAIN_STATES: readonly MainState[] = ['init', 'decide', 'backup', 'handover', 'service'];
const VERDICTS: readonly Verdict[] = ['confirmed', 'unknown', 'lost', 'refuted'];

/** Of the process, from Node. */
export interface ProcessFigures {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly heapBytes: number;
  readonly startedAtSeconds: number;
}

type Labels = { readonly [label: string]: string };
type Sample = readonly [labels: Labels, value: number];

/** The whole page. */
export function renderMetrics(status: Status, figures: ProcessFigures): string {
  const page = new Page();
  host(page, status);
  services(page, status);
  peers(page, status);
  counters(page, status);
  page.counter('process_cpu_seconds_total', 'User and system CPU time of this process.', [
    [{}, figures.cpuSeconds],
  ]);
  page.gauge('process_resident_memory_bytes', 'Resident memory of this process.', [
    [{}, figures.residentBytes],
  ]);
  page.gauge('portcullis_heap_bytes', 'JavaScript heap in use.', [[{}, figures.heapBytes]]);
  page.gauge('process_start_time_seconds', 'Start of this process, Unix time.', [
    [{}, figures.startedAtSeconds],
  ]);
  return page.text;
}

function host(page: Page, s: Status): void {
  const { cluster, host, role, protocol, roster } = s;
  page.gauge('portcullis_info', 'This host; the value is always 1.', [
    [{ cluster, host, role, protocol: String(protocol) }, 1],
  ]);
  page.gauge('portcullis_roster_version', 'Version of the roster in force.', [[{}, roster.version]]);
  page.gauge('portcullis_roster_settled_version', 'Highest version of the roster that is settled.', [
    [{}, roster.settled],
  ]);
  page.gauge('portcullis_standby', 'Whether an operator took this host out.', [[{}, Number(s.standby)]]);
  page.gauge('portcullis_stopping', 'Whether the daemon is stopping.', [[{}, Number(s.stopping)]]);
  page.gauge('portcullis_links', 'Links of the cluster that are present; a raised uplink is one.', [
    [{}, s.links.length],
  ]);
  if (s.load)
    page.gauge('portcullis_load_ratio', 'How burdened this host is, as last measured: 0 to 1.', [
      [{}, s.load.permille / 1000],
    ]);
  if (s.loop) {
    const { lateMs, gcMs } = s.loop;
    page.gauge(
      'portcullis_loop_late_seconds',
      'Longest time in the last minute that a due timer waited beyond its moment.',
      [[{}, lateMs / 1000]],
    );
    page.gauge('portcullis_gc_pause_seconds', 'Longest pause of the garbage collector in the last minute.', [
      [{}, gcMs / 1000],
    ]);
  }
  const all = [
    ...s.alarms,
    ...s.services.flatMap(({ name, alarms }) => alarms.map((one) => ({ ...one, service: name }))),
  ];
  page.gauge(
    'portcullis_alarm',
    'Alarms that are raised, the value 1; one that is not raised is not listed. Empty service: of the host.',
    all.map(({ code, service }) => [{ code, service: service ?? '' }, 1]),
  );
  page.gauge('portcullis_alarms', 'How many alarms are raised.', [[{}, all.length]]);
}

function services(page: Page, { services: all, host: self }: Status): void {
  const each = (value: (service: Status['services'][number]) => number): Sample[] =>
    all.map((service) => [{ service: service.name }, value(service)]);
  page.gauge(
    'portcullis_service_state',
    'The main state of this host: 1 for the one that it is in.',
    all.flatMap((service) =>
      MAIN_STATES.map((state): Sample => [{ service: service.name, state }, Number(service.state === state)]),
    ),
  );
  page.gauge(
    'portcullis_service_state_seconds',
    'How long it has been in its place.',
    each((s) => s.inStateMs / 1000),
  );
  page.gauge(
    'portcullis_service_serving',
    'Whether this host is master with its gate open.',
    each((s) => Number(s.master === self && s.gateOpen)),
  );
  page.gauge(
    'portcullis_service_master_known',
    'Whether this host knows who serves.',
    each((s) => Number(s.master !== null)),
  );
  page.gauge(
    'portcullis_service_gate_open',
    'Whether this host holds its gate open.',
    each((s) => Number(s.gateOpen)),
  );
  page.gauge(
    'portcullis_service_forced',
    'Whether it serves without a majority.',
    each((s) => Number(s.forced)),
  );
  page.gauge(
    'portcullis_service_lease_seconds',
    'What is left of the right to serve.',
    each((s) => s.leaseMs / 1000),
  );
  page.gauge(
    'portcullis_service_hold_down_seconds',
    'What is left of a hold-down after failed takeovers.',
    each((s) => s.holdDownMs / 1000),
  );
  page.gauge(
    'portcullis_service_term',
    'Number of the term; grows with each takeover.',
    each((s) => s.term?.n ?? 0),
  );
  page.gauge(
    'portcullis_service_check_verdict',
    'What the last run of each test found: 1 for that verdict.',
    all.flatMap(({ name, checks }) =>
      Object.entries(checks).flatMap(([check, found]) =>
        VERDICTS.map((verdict): Sample => [{ service: name, check, verdict }, Number(found === verdict)]),
      ),
    ),
  );
  const rows = (value: (row: Status['services'][number]['table'][number]) => boolean): Sample[] =>
    all.flatMap(({ name, table }) =>
      table.map((row): Sample => [{ service: name, host: row.host }, Number(value(row))]),
    );
  page.gauge(
    'portcullis_service_host_master',
    'Whether that host serves, as far as this one knows.',
    rows((row) => row.master),
  );
  page.gauge(
    'portcullis_service_host_fit',
    'Whether that host would take over.',
    rows((row) => row.fit),
  );
  page.gauge(
    'portcullis_service_host_burdened',
    'Whether that host wants others to go before it.',
    rows((row) => row.burdened),
  );
}

function peers(page: Page, { peers: all }: Status): void {
  page.gauge(
    'portcullis_peer_session',
    'Whether the signed words of that member are accepted.',
    all.map((p) => [{ host: p.host }, Number(p.session)]),
  );
  const known = (name: string, help: string, value: (peer: Status['peers'][number]) => number | null): void =>
    page.gauge(
      name,
      help,
      all.flatMap((peer): Sample[] => {
        const found = value(peer);
        return found === null ? [] : [[{ host: peer.host }, found / 1000]];
      }),
    );
  known(
    'portcullis_peer_heard_age_seconds',
    'Since its last word; not listed: never heard.',
    (p) => p.lastHeardMs,
  );
  known(
    'portcullis_peer_round_trip_seconds',
    'Of its newest answer to a question of ours.',
    (p) => p.roundTripMs,
  );
  page.gauge(
    'portcullis_peer_link_heard_age_seconds',
    'Since its last word over that link.',
    all.flatMap(({ host: name, links }) =>
      Object.entries(links).map(([link, ageMs]): Sample => [{ host: name, link }, ageMs / 1000]),
    ),
  );
  page.gauge(
    'portcullis_peer_roster_differs',
    'Whether that member has another roster.',
    all.map((p) => [{ host: p.host }, Number(p.rosterDiffers)]),
  );
}

/** `WHAT:CODE` of the status document, and what it counts without a code. */
function counters(page: Page, { counters: counted }: Status): void {
  const coded = (what: string): Sample[] =>
    Object.entries(counted).flatMap(([key, value]): Sample[] =>
      key.startsWith(`${what}:`) ? [[{ code: key.slice(what.length + 1) }, value]] : [],
    );
  const plain = (name: string, help: string, key: string): void => {
    const value = counted[key];
    if (value !== undefined) page.counter(name, help, [[{}, value]]);
  };
  plain('portcullis_datagrams_received_total', 'Datagrams received on the cluster’s port.', 'received');
  plain('portcullis_datagrams_sent_total', 'Datagrams sent.', 'sent');
  plain('portcullis_datagrams_oversized_total', 'Datagrams received that were too long.', 'oversized');
  plain('portcullis_datagrams_unsent_total', 'Datagrams that the kernel did not take.', 'notSent');
  page.counter(
    'portcullis_refused_total',
    'Datagrams refused, by reason (spec/protocol.md).',
    coded('refused'),
  );
  page.counter(
    'portcullis_filtered_total',
    'Datagrams that the kernel’s filter dropped, by reason.',
    coded('filtered'),
  );
  plain('portcullis_log_entries_total', 'Entries of the event log.', 'eventsLogged');
  plain('portcullis_log_entries_lost_total', 'Entries that the event log has lost.', 'eventsLost');
  page.counter(
    'portcullis_transitions_total',
    'Changes of place since the start, by cause (spec/state-machine.md); gate-open: became master.',
    Object.entries(counted).flatMap(([key, value]): Sample[] => {
      const [what, service = '', cause = ''] = key.split(':');
      return what === 'transition' ? [[{ service, cause }, value]] : [];
    }),
  );
}

/** Lines of the text format. */
class Page {
  text = '';

  gauge(name: string, help: string, samples: readonly Sample[]): void {
    this.#metric('gauge', name, help, samples);
  }

  counter(name: string, help: string, samples: readonly Sample[]): void {
    this.#metric('counter', name, help, samples);
  }

  #metric(type: string, name: string, help: string, samples: readonly Sample[]): void {
    if (samples.length === 0) return;
    this.text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
    for (const [labels, value] of samples) this.text += `${name}${labelText(labels)} ${value}\n`;
  }
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

/** As the format has it: backslash, quote and line end. */
function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
