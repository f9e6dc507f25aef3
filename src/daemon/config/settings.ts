/**
 * From the text of a configuration file to checked settings: parsed, complete, and consistent in themselves. What
 * needs other files (roster, keys) is checked in config.ts. Pure; reads nothing.
 */
import { parse as parseToml, TomlError } from 'smol-toml';
import type { Policy } from '../../core/basics.ts';
import type { GatewayService } from '../../linux/config.ts';
import type { LoadSettings } from '../../linux/load/sources.ts';
import { formatSocketAddress, isLoopback, type SocketAddress } from '../../trust/address.ts';
import { type ConntrackdSettings, conntrackdProblems, conntrackdSettings } from './conntrackd.ts';
import { groupProblems } from './groups.ts';
import { DURATION_KEYS, NUMBER_KEYS, TEXT_KEYS } from './keys.ts';
import type { KeyLines } from './lines.ts';
import { lineOf, locateKeys, pathText } from './lines.ts';
import { loadProblems, loadSettings } from './load.ts';
import { type LogSettings, logProblem, logSettings } from './log.ts';
import type { Problem } from './problems.ts';
import { ConfigError } from './problems.ts';
import type { FileContent } from './schema.ts';
import { fileSchema } from './schema.ts';
import { serviceProblems, serviceSettings } from './service.ts';
import type { Issue } from './shape.ts';
import type { FullTiming } from './timing.ts';
import { fullTiming, timingProblems } from './timing.ts';

/** A file beyond this is no configuration; parsing it would only cost time. */
export const MAX_FILE_BYTES = 256 * 1024;

export interface LinkSettings {
  readonly name: string;
  readonly device: string;
  readonly listen: SocketAddress;
}

/** A service: what the core and what the Linux side must know, before the roster is known. */
export interface ServiceSettings {
  readonly policy: Policy;
  readonly checkIntervalMs: number;
  readonly fall: number;
  readonly rise: number;
  readonly uplinkLimitMs: number;
  readonly preemptDelayMs: number | null;
  readonly alone: 'suspend' | 'serve';
  readonly apart: readonly string[];
  readonly feedback: { readonly high: number; readonly low: number; readonly afterMs: number } | null;
  /** Names of services that are to be where this one is, as the file has them: see groups.ts. */
  readonly together: readonly string[];
  /** Without devices: a witness votes for it. Nothing else of `gateway` is of use then but name and addresses. */
  readonly isBare: boolean;
  readonly gateway: GatewayService;
}

export interface Settings {
  /** The file's path and its keys' lines, for later errors. */
  readonly file: string;
  readonly lines: KeyLines;
  readonly cluster: string;
  readonly host: string;
  readonly key: string;
  readonly admin: string;
  readonly state: string;
  readonly roster: string;
  readonly control: string;
  readonly statusSocket: string | null;
  /** Where metrics are to be read over TCP; null: nowhere. */
  readonly metrics: SocketAddress | null;
  readonly user: string | null;
  /** Where the actuator listens. */
  readonly actuator: string;
  /** The highest protocol number to speak. */
  readonly protocol: number;
  /** How often an uplink may be raised (spec/actuator.md). */
  readonly raise: { readonly burst: number; readonly everyMs: number };
  readonly timing: FullTiming;
  readonly log: LogSettings;
  /** Null: nothing is measured. */
  readonly load: LoadSettings | null;
  /** Null: connections are not synchronised. */
  readonly conntrackd: ConntrackdSettings | null;
  readonly links: readonly LinkSettings[];
  readonly services: readonly ServiceSettings[];
}

/** Throws ConfigError with every mistake that the text has. `file` is for messages only. */
export function parseSettings(text: string, file: string): Settings {
  const content = parseText(text, file);
  const lines = locateKeys(text);
  const issues: Issue[] = [];
  const shape = fileSchema.read(content, [], issues);
  if (shape === undefined || issues.length > 0)
    throw new ConfigError(issues.flatMap((issue) => shapeProblems(issue, lines, file)));
  const settings = assemble(shape, lines, file);
  const problems = relationProblems(settings, shape);
  if (problems.length > 0) throw new ConfigError(problems);
  return settings;
}

function parseText(text: string, file: string): unknown {
  if (text.length > MAX_FILE_BYTES) {
    const what = `is larger than ${MAX_FILE_BYTES} bytes`;
    throw new ConfigError([{ file, line: null, key: '', what, remedy: 'is it the right file?' }]);
  }
  try {
    return parseToml(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const what = (error.message.split('\n')[0] ?? '').replace(
      'Invalid TOML document: ',
      'is not valid TOML: ',
    );
    throw new ConfigError([
      { file, line: error.line, key: '', what, remedy: 'correct the line, or the one before' },
    ]);
  }
}

function shapeProblems(issue: Issue, lines: KeyLines, file: string): Problem[] {
  const { path } = issue;
  const at = (where: Issue['path'], what: string, remedy: string): Problem => ({
    file,
    line: lineOf(lines, where),
    key: pathText(where.filter((part) => typeof part === 'string')),
    what,
    remedy,
  });
  if (issue.kind === 'unknown') {
    const remedy = 'correct the spelling, or remove it; spec/configuration.md lists all keys';
    return issue.keys.map((key) => at([...path, key], 'is no key that is known here', remedy));
  }
  if (issue.kind === 'value') return [at(path, issue.what, issue.remedy)];
  if (issue.kind === 'too-many') return [at(path, 'has too many entries', `at most ${issue.maximum}`)];
  const key = String(path.findLast((part) => typeof part === 'string') ?? '');
  const header =
    key === 'link' || key === 'service'
      ? `[[${key}]]`
      : `[${pathText(path.filter((p) => typeof p === 'string'))}]`;
  return [at(path, issue.missing ? 'is missing' : `must be a table`, `write a section ${header}`)];
}

function assemble(content: FileContent, lines: KeyLines, file: string): Settings {
  const timing = fullTiming(content.timing ?? {});
  const { cluster, host, key, admin, state, roster, control } = content;
  return {
    ...{ file, lines, cluster, host, key, admin, state, roster, control, timing },
    log: logSettings(content.log ?? {}),
    load: loadSettings(content.load),
    conntrackd: conntrackdSettings(content),
    statusSocket: content.status_socket ?? null,
    metrics: content.metrics?.listen ?? null,
    user: content.user ?? null,
    actuator: content.actuator ?? TEXT_KEYS.actuator.default,
    protocol: content.protocol ?? NUMBER_KEYS.protocol.default,
    raise: {
      burst: content.raise?.burst ?? NUMBER_KEYS['raise.burst'].default,
      everyMs: content.raise?.every ?? DURATION_KEYS['raise.every'].defaultMs(),
    },
    links: content.link,
    services: content.service.map((service) => serviceSettings(service, timing)),
  };
}

/** What single values cannot show: relations between keys. */
function relationProblems(settings: Settings, content: FileContent): Problem[] {
  const { file, lines, links, services } = settings;
  const problems: Problem[] = [];
  const add = (path: (string | number)[], what: string, remedy: string): void => {
    const key = pathText(path.filter((part) => typeof part === 'string'));
    problems.push({ file, line: lineOf(lines, path), key, what, remedy });
  };
  const slowestUplinkMs = Math.max(...services.map((service) => service.uplinkLimitMs));
  for (const { key, what, remedy } of timingProblems(settings.timing, slowestUplinkMs))
    add(key.split('.'), what, remedy);
  const tooSmall = logProblem(settings.log);
  if (tooSmall !== null)
    add(['log', 'keep_size'], tooSmall, 'raise log.keep_size, or lower log.segment_size');
  for (const { key, what, remedy } of loadProblems(content.load)) add(['load', key], what, remedy);
  if (settings.control === settings.statusSocket) {
    add(['status_socket'], 'is the same as control', 'give the read-only socket a path of its own');
  }
  if (settings.metrics !== null && content.metrics?.anywhere !== true && !isLoopback(settings.metrics))
    add(
      ['metrics', 'listen'],
      `can be reached by other hosts: ${formatSocketAddress(settings.metrics)}`,
      'listen at 127.0.0.1 or [::1]; or write anywhere = true, and say in your rules who may',
    );
  if (settings.actuator === settings.control || settings.actuator === settings.statusSocket)
    add(['actuator'], 'is another socket’s path too', 'give the actuator’s socket a path of its own');
  links.forEach((link, i) => {
    const before = links.slice(0, i);
    if (before.some((other) => other.name === link.name))
      add(['link', i, 'name'], 'is used twice', 'give each link its own name');
    const same = before.some((other) => JSON.stringify(other.listen) === JSON.stringify(link.listen));
    if (same) add(['link', i, 'listen'], 'is used twice', 'give each link its own address');
  });
  const names = services.map((service) => service.gateway.name);
  if (settings.load?.sources.includes('conntrackd') === true && settings.conntrackd === null)
    add(
      ['load', 'sources'],
      'names conntrackd, which is not configured',
      'write [conntrackd], or take it out',
    );
  for (const { key, what, remedy } of conntrackdProblems(settings)) add(['conntrackd', key], what, remedy);
  services.forEach((service, i) => {
    const stray = service.apart.find((name) => name === service.gateway.name || !names.includes(name));
    if (stray !== undefined) {
      const remedy = `name other services of this file: ${names.filter((name) => name !== service.gateway.name).join(', ')}`;
      add(['service', i, 'apart'], `names "${stray}", which is no other service`, remedy);
    }
    const others = services.slice(0, i);
    const problems = [
      ...serviceProblems(service, settings.timing, content.service[i], links, others),
      ...groupProblems(service, services),
    ];
    for (const problem of problems) {
      add(['service', i, ...problem.path], problem.what, problem.remedy);
    }
  });
  return problems;
}
