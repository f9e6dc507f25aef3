/** The status document for people: who serves, who stands by, what is wrong. Pure. */
import { printable } from '../audit/words.ts';
import type { Status, StatusPeer, StatusRow, StatusService } from '../daemon/status.ts';
import { columns } from './columns.ts';
import { PLAIN, type Style } from './style.ts';

/** Whole lines. */
export function renderStatus(status: Status, style: Style = PLAIN): string {
  const sections = [
    head(status, style),
    services(status, style),
    peers(status.peers, style),
    alarms(status, style),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function head(status: Status, style: Style): string[] {
  const since = status.standbySince === null ? '' : ` since ${status.standbySince}`;
  const flags = [status.standby ? `on standby${since}` : '', status.stopping ? 'stopping' : ''].filter(
    (flag) => flag !== '',
  );
  const own = flags.length > 0 ? style.warn(` (${flags.join(', ')})`) : '';
  const { cluster, host, role, roster, protocol } = status;
  const witness = role === 'witness' ? ', a witness' : '';
  const lines = [
    `cluster ${style.strong(cluster)}, host ${style.strong(host)}${own}${witness}, roster version ${roster.version}, protocol ${protocol}`,
  ];
  // A daemon of an earlier version does not tell.
  if (status.load) lines.push(`load ${status.load.permille} of 1000: ${printable(status.load.sources)}`);
  return lines;
}

function services(status: Status, style: Style): string[] {
  const header = ['SERVICE', 'THIS HOST', 'SINCE', 'MASTER', 'TERM', 'LEASE', 'GATE', 'HOSTS IN THEIR ORDER'];
  const rows = status.services.map((service) => {
    const { state, substate, inStateMs, term, master, leaseMs, gateOpen } = service;
    const isMaster = master === status.host;
    const paint = isMaster ? style.good : state === 'backup' ? (text: string) => text : style.warn;
    return [
      style.strong(nameOf(service)),
      paint(`${state} (${substate})`),
      duration(inStateMs),
      master === null ? style.bad('unknown') : isMaster ? style.good(master) : master,
      term === null ? '-' : `${term.n} of ${term.host}`,
      leaseMs > 0 ? `${leaseMs} ms` : '-',
      gateOpen ? style.good('open') : 'shut',
      service.table.map((row) => hostText(row, style)).join(', '),
    ];
  });
  const notes = status.services.flatMap((service) => notesOf(service, style));
  return rows.length === 0 ? [] : [...columns([header.map(style.faint), ...rows]), ...notes];
}

function nameOf({ name, together }: StatusService): string {
  const others = together.filter((other) => other !== name);
  return others.length > 0 ? `${name} (with ${others.join(', ')})` : name;
}

function hostText(row: StatusRow, style: Style): string {
  if (row.master) return style.good(`${row.host} master`);
  if (row.standby) return style.warn(`${row.host} standby`);
  if (row.activity === null) return style.faint(`${row.host} unheard`);
  if (!row.fit) return style.warn(`${row.host} unfit`);
  const state = row.activity === 'backup' ? '' : ` ${row.activity}`;
  return row.burdened ? style.warn(`${row.host}${state} burdened`) : `${row.host}${state} fit`;
}

/** What a row has no room for, and only where there is something to say. */
function notesOf(service: StatusService, style: Style): string[] {
  const notes: string[] = [];
  if ((service.successor ?? null) !== null) notes.push(`${service.successor} is asked to take over`);
  if (service.holdDownMs > 0)
    notes.push(`held down for ${duration(service.holdDownMs)} after a failed takeover`);
  if (service.forced) notes.push('serves without a majority');
  // Outside these two the uplink is down because it shall be.
  const raises = service.state === 'handover' || service.state === 'service';
  const bad = Object.entries(service.checks).filter(
    ([check, verdict]) =>
      (verdict === 'lost' || verdict === 'refuted') && (raises || check !== 'checkUplink'),
  );
  for (const [check, verdict] of bad) notes.push(`${check}: ${verdict}`);
  return notes.map((note) => style.warn(`  ${service.name}: ${note}`));
}

function peers(all: readonly StatusPeer[], style: Style): string[] {
  if (all.length === 0) return [];
  const header = ['PEER', 'ROLE', 'HEARD', 'ROUND TRIP', 'ROSTER', 'PROTOCOL', 'LINKS'];
  const rows = all.map((peer) => {
    const heard = peer.lastHeardMs === null ? style.bad('never') : `${duration(peer.lastHeardMs)} ago`;
    const roster =
      peer.rosterVersion === null
        ? '-'
        : `${peer.rosterVersion}${peer.rosterDiffers ? style.warn(' (differs)') : ''}`;
    return [
      style.strong(peer.host),
      peer.role,
      peer.session ? heard : `${heard}${style.warn(', no session')}`,
      peer.roundTripMs === null || peer.roundTripMs === undefined ? '-' : `${peer.roundTripMs} ms`,
      roster,
      String(peer.protocol ?? '-'),
      Object.entries(peer.links)
        .map(([link, ageMs]) => `${link}: ${duration(ageMs)}`)
        .join(', '),
    ];
  });
  return columns([header.map(style.faint), ...rows]);
}

function alarms(status: Status, style: Style): string[] {
  const all = [
    ...status.alarms.map((alarm) => ({ ...alarm, of: '' })),
    ...status.services.flatMap(({ name, alarms: found }) => found.map((alarm) => ({ ...alarm, of: name }))),
  ];
  if (all.length === 0) return [];
  const rows = all.map(({ code, of, since, detail }) => [
    style.bad(code),
    of === '' ? '-' : of,
    since === '' ? '-' : since,
    printable(detail),
  ]);
  return columns([['ALARM', 'SERVICE', 'SINCE', 'WHAT'].map(style.faint), ...rows]);
}

/** 350 → `350 ms`, 4200 → `4.2 s`, then minutes, hours, days. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${Math.floor(ms / 100) / 10} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min ${Math.floor((ms % 60_000) / 1000)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
