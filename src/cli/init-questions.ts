/**
 * What `portcullis init` must know of a host, in the order in which it is asked: each with what is proposed from what the
 * host shows, and how an answer is judged. Pure.
 */
import { canonicalIp, inNetwork, parsePrefix } from '../daemon/config/address.ts';
import type { AddressPrefix } from '../linux/config.ts';
import { parseSocketAddress } from '../trust/address.ts';
import { isName } from '../wire/names.ts';
import type { DeviceFacts, HostFacts } from './host-facts.ts';

/** By flag, without the dashes. Lists are separated by blanks. */
export type Answers = { readonly [flag: string]: string };

export interface Question {
  /** The option that answers it. */
  readonly flag: string;
  readonly text: string;
  /** From the host and the answers before; null: nothing can be proposed. An empty proposal: it may be left out. */
  propose(facts: HostFacts, answers: Answers): string | null;
  /** What is wrong with an answer; null: nothing. */
  judge(answer: string, facts: HostFacts, answers: Answers): string | null;
  /** Whether it is asked at all; absent: always. */
  applies?(facts: HostFacts, answers: Answers): boolean;
}

export const PORT = 7946;

function words(text: string): string[] {
  return text.split(/[\s,]+/).filter((word) => word !== '');
}

/** Each of a list. */
export function listOf(answers: Answers, flag: string): string[] {
  return words(answers[flag] ?? '');
}

function device(facts: HostFacts, name: string | undefined): DeviceFacts | null {
  return facts.devices.find((one) => one.name === name) ?? null;
}

function prefixText({ address, prefixLength }: AddressPrefix): string {
  return `${address}/${prefixLength}`;
}

const NAME_HELP = '1 to 32 of a-z, 0-9 and -';

function judgeName(answer: string): string | null {
  return isName(answer) ? null : `is no name: ${NAME_HELP}`;
}

function judgeDevice(answer: string): string | null {
  return /^(?![-.])[A-Za-z0-9_.-]{1,15}$/.test(answer) ? null : 'is no device name: see ip link';
}

function judgePrefixes(answer: string): string | null {
  const bad = words(answer).find((word) => parsePrefix(word) === null);
  if (bad !== undefined) return `${bad} is no address with its length, as in 10.77.1.1/24`;
  return words(answer).length === 0 ? 'is missing' : null;
}

/** An address with or without the port, as `listen` has it; null: it is none. */
export function listenOf(answer: string): string | null {
  const ip = canonicalIp(answer);
  if (ip !== null) return ip.family === 6 ? `[${ip.address}]:${PORT}` : `${ip.address}:${PORT}`;
  return parseSocketAddress(answer) === null ? null : answer;
}

/** Where the default route leaves is outside, unless it is the only way that there is. */
function uplinkOf(facts: HostFacts, { downlink }: Answers): string | null {
  const routed = facts.defaultRoutes.map((route) => route.device).find((name) => name !== downlink);
  const isBeside = facts.devices.some((one) => one.name !== routed && one.addresses.length > 0);
  if (routed !== undefined && isBeside) return routed;
  const bare = facts.devices.filter((one) => one.name !== downlink && one.addresses.length === 0);
  return bare.length === 1 ? (bare[0]?.name ?? null) : null;
}

function downlinkOf(facts: HostFacts): string | null {
  const outer = facts.defaultRoutes[0]?.device;
  const inner = facts.devices.filter((one) => one.name !== outer && one.carrier && one.addresses.length > 0);
  return inner.length === 1 ? (inner[0]?.name ?? null) : null;
}

/** The addresses of a device but for the one that the host keeps. */
function others(facts: HostFacts, name: string | undefined, own: string | null): string | null {
  const found = device(facts, name)?.addresses.filter(({ address }) => address !== own) ?? [];
  return found.length === 0 ? null : found.map(prefixText).join(' ');
}

function hostOf(listen: string | undefined): string | null {
  return listen === undefined ? null : (parseSocketAddress(listen)?.ip ?? null);
}

export const QUESTIONS: readonly Question[] = [
  {
    flag: 'cluster',
    text: 'name of the cluster, as in the roster',
    propose: () => null,
    judge: judgeName,
  },
  {
    flag: 'host',
    text: 'name of this host, as in the roster',
    propose: ({ name }) => name,
    judge: judgeName,
  },
  {
    flag: 'policy',
    text: 'who may take over: available (two hosts), or quorum (three, or two and a witness)',
    propose: () => null,
    judge: (answer) =>
      answer === 'available' || answer === 'quorum' ? null : 'is neither available nor quorum',
  },
  {
    flag: 'downlink',
    text: 'device of the own domain',
    propose: downlinkOf,
    judge: (answer, facts) =>
      judgeDevice(answer) ?? (device(facts, answer) === null ? `is no device here: ${names(facts)}` : null),
  },
  {
    flag: 'listen',
    text: 'own address on it, for the hosts’ words to each other',
    propose: (facts, { downlink }) => {
      const [first] = device(facts, downlink)?.addresses ?? [];
      return first === undefined ? null : listenOf(first.address);
    },
    judge: (answer) =>
      listenOf(answer) === null ? 'is no address, as in 10.77.1.11 or 10.77.1.11:7946' : null,
  },
  {
    flag: 'downlink-address',
    text: 'roving addresses of the own domain: the clients’ gateway',
    propose: (facts, { downlink, listen }) => others(facts, downlink, hostOf(listen)),
    judge: (answer, _facts, { listen }) =>
      judgePrefixes(answer) ??
      (words(answer).some((word) => parsePrefix(word)?.address === hostOf(listen))
        ? 'is this host’s own address, which does not rove'
        : null),
  },
  {
    flag: 'uplink',
    text: 'device of the foreign domain: down unless this host serves',
    propose: uplinkOf,
    judge: (answer, _facts, { downlink }) =>
      judgeDevice(answer) ?? (answer === downlink ? 'is the downlink' : null),
  },
  {
    flag: 'uplink-address',
    text: 'roving addresses of the foreign domain',
    propose: (facts, { uplink }) => others(facts, uplink, null),
    judge: judgePrefixes,
  },
  {
    flag: 'next-hop',
    text: 'the router beyond the uplink',
    propose: (facts, answers) => {
      const hops = facts.defaultRoutes.filter((route) => route.device === answers.uplink);
      return hops.find(({ gateway }) => isNear(gateway, answers))?.gateway ?? null;
    },
    judge: (answer, _facts, answers) => {
      if (words(answer).length === 0) return 'is missing';
      const bad = words(answer).find((word) => !isNear(word, answers));
      return bad === undefined ? null : `${bad} is in no network of the roving addresses there`;
    },
  },
  {
    flag: 'own-address',
    text: 'IPv6 is off on the uplink: an IPv4 address of this host alone there',
    propose: () => null,
    judge: (answer) => (parsePrefix(answer)?.family === 4 ? null : 'is no IPv4 address with its length'),
    applies: (facts, answers) =>
      device(facts, answers.uplink)?.hasIpv6 === false &&
      listOf(answers, 'uplink-address').every((one) => parsePrefix(one)?.family === 4),
  },
];

function names({ devices }: HostFacts): string {
  return devices.map(({ name }) => name).join(', ');
}

function isNear(gateway: string, answers: Answers): boolean {
  const ip = canonicalIp(gateway);
  if (ip === null) return false;
  if (ip.family === 6 && /^fe[89ab]/.test(ip.address)) return true;
  return listOf(answers, 'uplink-address').some((word) => {
    const prefix = parsePrefix(word);
    return prefix !== null && prefix.address !== ip.address && inNetwork(ip, prefix);
  });
}
