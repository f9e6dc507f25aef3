/** What a keepalived configuration says of VRRP: instances, groups and scripts, with what else it says as remarks. Pure. */
import { printable } from '../../audit/words.ts';
import { canonicalIp } from '../../daemon/config/address.ts';
import { type DefaultRoute, defaultRoutes, type VirtualAddress, virtualAddresses } from './addresses.ts';
import type { Remarks } from './remarks.ts';
import { type Place, refuse } from './source.ts';
import type { Statement } from './tree.ts';
import { counterpartOf, UNKNOWN } from './unmatched.ts';

export interface Script extends Place {
  readonly name: string;
  /** As it stands in the file; null: it has none. */
  readonly command: string | null;
  readonly intervalMs: number;
  /** Not 0: it changes the priority, and is no failure. */
  readonly weight: number;
  readonly rise: number | null;
  readonly fall: number | null;
}

export interface Tracked extends Place {
  readonly name: string;
  /** Null: the script's own. */
  readonly weight: number | null;
}

/** What instances and groups have in common. */
interface Tracking {
  readonly trackedDevices: readonly Tracked[];
  readonly trackedScripts: readonly Tracked[];
  /** The commands of notify_master, notify_backup and so on. */
  readonly hooks: readonly string[];
}

export interface Instance extends Place, Tracking {
  readonly name: string;
  readonly device: string | null;
  readonly routerId: number | null;
  readonly priority: number;
  readonly isMaster: boolean;
  /** Null: the file does not say. */
  readonly intervalMs: number | null;
  readonly preempts: boolean;
  readonly preemptDelayMs: number | null;
  readonly source: string | null;
  readonly peers: readonly string[];
  readonly addresses: readonly VirtualAddress[];
  readonly routes: readonly DefaultRoute[];
}

export interface Group extends Place, Tracking {
  readonly name: string;
  readonly members: readonly string[];
}

export interface Vrrp {
  readonly instances: readonly Instance[];
  readonly groups: readonly Group[];
  readonly scripts: readonly Script[];
}

const PRIORITY_DEFAULT = 100;
const ENTRIES_MAX = 64;

/** Throws OperatorError, with file and line, at what cannot be meant. */
export function readVrrp(tree: readonly Statement[], remarks: Remarks): Vrrp {
  const instances: Instance[] = [];
  const groups: Group[] = [];
  const scripts: Script[] = [];
  for (const statement of tree) {
    const keyword = statement.words[0] ?? '';
    if (keyword === 'vrrp_instance') unique(instances, readInstance(statement, remarks), statement);
    else if (keyword === 'vrrp_sync_group') unique(groups, readGroup(statement, remarks), statement);
    else if (keyword === 'vrrp_script') unique(scripts, readScript(statement, remarks), statement);
    else if (keyword === 'global_defs') globals(statement, remarks);
    else told(statement, remarks);
  }
  for (const group of groups)
    for (const member of group.members)
      if (!instances.some(({ name }) => name === member))
        refuse(
          group,
          `vrrp_sync_group ${group.name} names ${member}, which is no vrrp_instance`,
          'correct the name',
        );
  return { instances, groups, scripts };
}

/** The name of the router means nothing to a cluster that has one of its own. */
function globals({ block }: Statement, remarks: Remarks): void {
  for (const inner of block ?? []) if (inner.words[0] !== 'router_id') told(inner, remarks);
}

function unique<T extends { readonly name: string }>(all: T[], one: T, place: Statement): void {
  const what = place.words[0] ?? '';
  if (all.some(({ name }) => name === one.name))
    refuse(place, `${what} ${one.name} stands twice`, 'give each its own name, or remove one');
  if (all.length >= ENTRIES_MAX) refuse(place, `more than ${ENTRIES_MAX} of ${what}`, 'divide the file');
  all.push(one);
}

/** Anything else may be a secret out of a wrong file, and is not repeated. */
const KEYWORD = /^[A-Za-z][\w-]*$/;

/** What is in the table of unmatched keywords, or in no table at all, becomes a remark. */
function told(statement: Statement, remarks: Remarks): void {
  const keyword = statement.words[0] ?? '';
  const { what, instead } = counterpartOf(keyword) ?? UNKNOWN;
  remarks.add(
    statement,
    KEYWORD.test(keyword) ? shown(keyword) : 'what begins with no keyword',
    what,
    instead,
  );
}

function shown(word: string): string {
  return printable(word).slice(0, 60);
}

function nameOf({ words, file, line }: Statement): string {
  const [keyword = '', name = ''] = words;
  if (name === '') refuse({ file, line }, `${keyword} without a name`, `write ${keyword} NAME {`);
  return shown(name);
}

function wordOf(statement: Statement): string {
  const [keyword = '', value = ''] = statement.words;
  if (value === '') refuse(statement, `${shown(keyword)} without a value`, 'write it behind the keyword');
  return value;
}

function numberOf(statement: Statement, min: number, max: number): number {
  const [keyword = ''] = statement.words;
  const text = wordOf(statement);
  const value = /^-?\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  return refuse(
    statement,
    `${keyword} is no whole number from ${min} to ${max}: ${JSON.stringify(text)}`,
    'correct it',
  );
}

/** Seconds, with a fraction; in milliseconds. */
function timeOf(statement: Statement, maxS: number): number {
  const [keyword = ''] = statement.words;
  const text = wordOf(statement);
  const seconds = /^\d{1,9}(\.\d{1,9})?$/.test(text) ? Number(text) : Number.NaN;
  if (seconds <= maxS) return Math.round(seconds * 1000);
  return refuse(
    statement,
    `${keyword} is no time in seconds up to ${maxS}: ${JSON.stringify(text)}`,
    'correct it',
  );
}

function ipOf(statement: Statement, text: string): string {
  const ip = canonicalIp(text);
  return ip?.address ?? refuse(statement, `is no address: ${JSON.stringify(text)}`, 'write an IP address');
}

/** `NAME [weight N] [reverse]`, several on a line or each on its own. */
function trackedOf(block: readonly Statement[], remarks: Remarks): Tracked[] {
  const out: { file: string; line: number; name: string; weight: number | null }[] = [];
  for (const { words, file, line } of block) {
    for (let i = 0; i < words.length; i++) {
      const word = words[i] ?? '';
      const last = out.at(-1);
      if (word === 'weight' && last !== undefined) {
        const weight = Number(words[++i]);
        last.weight = Number.isInteger(weight) ? weight : 0;
      } else if (word === 'reverse' || word === 'noreverse')
        remarks.add({ file, line }, word, 'has no counterpart', 'let the program itself say the contrary');
      else out.push({ file, line, name: shown(word), weight: null });
    }
  }
  return out;
}

interface Draft {
  trackedDevices: Tracked[];
  trackedScripts: Tracked[];
  hooks: string[];
}

/** Whether a statement was one of those that instances and groups share. */
function takeTracking(draft: Draft, statement: Statement, remarks: Remarks): boolean {
  const [keyword = '', value = ''] = statement.words;
  const block = statement.block ?? [];
  if (keyword === 'track_interface') draft.trackedDevices.push(...trackedOf(block, remarks));
  else if (keyword === 'track_script') draft.trackedScripts.push(...trackedOf(block, remarks));
  else if (/^notify(_|$)/.test(keyword) && !keyword.endsWith('_changes')) {
    draft.hooks.push(value);
    // What conntrackd's own script does is built in: conversion.ts says so.
    if (!isConntrackHook(value)) told(statement, remarks);
  } else return false;
  return true;
}

/** conntrackd comes with a script for keepalived's notify_*, of that name. */
export function isConntrackHook(command: string): boolean {
  return /primary-backup\.sh|conntrackd/.test(command);
}

function readInstance(statement: Statement, remarks: Remarks): Instance {
  const name = nameOf(statement);
  const draft: Draft = { trackedDevices: [], trackedScripts: [], hooks: [] };
  const said = {
    device: null as string | null,
    routerId: null as number | null,
    priority: PRIORITY_DEFAULT,
    isMaster: false,
    intervalMs: null as number | null,
    preempts: true,
    preemptDelayMs: null as number | null,
    source: null as string | null,
  };
  const peers: string[] = [];
  const addresses: VirtualAddress[] = [];
  const routes: DefaultRoute[] = [];
  for (const inner of statement.block ?? []) {
    const block = inner.block ?? [];
    switch (inner.words[0]) {
      case 'state':
        said.isMaster = wordOf(inner) === 'MASTER';
        break;
      case 'interface':
        said.device = shown(wordOf(inner));
        break;
      case 'virtual_router_id':
        said.routerId = numberOf(inner, 1, 255);
        break;
      case 'priority':
        said.priority = numberOf(inner, 1, 255);
        break;
      case 'advert_int':
        said.intervalMs = timeOf(inner, 255);
        break;
      case 'preempt':
        break;
      case 'nopreempt':
        said.preempts = false;
        break;
      case 'preempt_delay':
        said.preemptDelayMs = timeOf(inner, 1000);
        break;
      case 'unicast_src_ip':
        said.source = ipOf(inner, wordOf(inner));
        break;
      case 'unicast_peer':
        // Some write the only one behind the keyword.
        peers.push(
          ...peersOf(inner, inner.words.slice(1)),
          ...block.flatMap((peer) => peersOf(peer, peer.words)),
        );
        break;
      case 'virtual_ipaddress':
      case 'virtual_ipaddress_excluded':
        addresses.push(...virtualAddresses(block, remarks));
        break;
      case 'virtual_routes':
        routes.push(...defaultRoutes(block, remarks));
        break;
      default:
        if (!takeTracking(draft, inner, remarks)) told(inner, remarks);
    }
  }
  const { file, line } = statement;
  return { file, line, name, ...said, ...draft, peers, addresses, routes };
}

/** Addresses of one line; what limits their TTL is passed over. */
function peersOf(statement: Statement, words: readonly string[]): string[] {
  const bounds = words.findIndex((word) => word === 'min_ttl' || word === 'max_ttl');
  return words.slice(0, bounds < 0 ? undefined : bounds).map((word) => ipOf(statement, word));
}

function readGroup(statement: Statement, remarks: Remarks): Group {
  const name = nameOf(statement);
  const draft: Draft = { trackedDevices: [], trackedScripts: [], hooks: [] };
  const members: string[] = [];
  for (const inner of statement.block ?? []) {
    if (inner.words[0] === 'group')
      members.push(...(inner.block ?? []).flatMap(({ words }) => words.map(shown)));
    else if (takeTracking(draft, inner, remarks)) continue;
    else if (isLoose(inner)) members.push(shown(inner.words[0] ?? ''));
    else told(inner, remarks);
  }
  const { file, line } = statement;
  return { file, line, name, members, ...draft };
}

/** Some name the members without `group { }`. */
function isLoose({ words, block }: Statement): boolean {
  return block === null && words.length === 1 && counterpartOf(words[0] ?? '') === null;
}

const SCRIPT_INTERVAL_MS = 1000;

function readScript(statement: Statement, remarks: Remarks): Script {
  const said = {
    command: null as string | null,
    intervalMs: SCRIPT_INTERVAL_MS,
    weight: 0,
    rise: null as number | null,
    fall: null as number | null,
  };
  for (const inner of statement.block ?? []) {
    const keyword = inner.words[0] ?? '';
    if (keyword === 'script') said.command = inner.words.slice(1).join(' ');
    else if (keyword === 'interval') said.intervalMs = timeOf(inner, 1_000_000);
    else if (keyword === 'timeout') timeOf(inner, 1_000_000);
    else if (keyword === 'weight') said.weight = numberOf(inner, -254, 254);
    else if (keyword === 'rise') said.rise = numberOf(inner, 1, 1_000_000);
    else if (keyword === 'fall') said.fall = numberOf(inner, 1, 1_000_000);
    else if (keyword === 'user')
      remarks.add(inner, 'user', 'has no counterpart: tests run as a user without any right');
    else if (keyword === 'init_fail')
      remarks.add(
        inner,
        'init_fail',
        'has no counterpart: until a test has ended well it counts as failed anyway',
      );
    else told(inner, remarks);
  }
  const { file, line } = statement;
  return { file, line, name: nameOf(statement), ...said };
}
