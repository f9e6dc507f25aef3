/** One DNS question and the judgement of what comes back (RFC 1035). Pure; takes any bytes and never throws. */
import { formatIp, parseIp } from '../ip.ts';
import { DNS_TYPES, type DnsType } from './kinds.ts';

const IN = 1;
const QR = 0x8000;
const TRUNCATED = 0x0200;
const RECURSION_DESIRED = 0x0100;
const HEADER_BYTES = 12;
const RECORDS_MAX = 64;
const CODES: { readonly [code: number]: string } = {
  1: 'FORMERR',
  2: 'SERVFAIL',
  3: 'NXDOMAIN',
  5: 'REFUSED',
};

export interface DnsQuestion {
  readonly id: number;
  readonly name: string;
  readonly type: DnsType;
}

/** The name as labels; of letters, digits, hyphen and underscore, as the configuration has checked. */
function encodedName(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  const parts = labels.map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`, 'latin1'));
  return Buffer.concat([...parts, Buffer.from([0])]);
}

/** The datagram that asks. */
export function dnsQuestion({ id, name, type }: DnsQuestion): Buffer {
  const head = Buffer.alloc(HEADER_BYTES);
  head.writeUInt16BE(id, 0);
  head.writeUInt16BE(RECURSION_DESIRED, 2);
  head.writeUInt16BE(1, 4);
  return Buffer.concat([head, encodedName(name), Buffer.from([0, DNS_TYPES[type], 0, IN])]);
}

export interface DnsJudgement {
  readonly ok: boolean;
  readonly why: string;
}

/**
 * Null: not an answer to this question, so that another one may still come. `answer`: an address that must be among the
 * records; null: any record of that type will do.
 */
export function judgeDns(
  question: DnsQuestion,
  answer: string | null,
  datagram: Buffer,
): DnsJudgement | null {
  if (datagram.length < HEADER_BYTES || datagram.readUInt16BE(0) !== question.id) return null;
  const flags = datagram.readUInt16BE(2);
  const asked = dnsQuestion(question).subarray(HEADER_BYTES);
  const echoed = datagram.subarray(HEADER_BYTES, HEADER_BYTES + asked.length);
  // Letters may come back in another case.
  const same = echoed.toString('latin1').toLowerCase() === asked.toString('latin1').toLowerCase();
  if ((flags & QR) === 0 || datagram.readUInt16BE(4) !== 1 || !same) return null;
  const code = flags & 15;
  if (code !== 0) return { ok: false, why: `it answers ${CODES[code] ?? `code ${code}`}` };
  const records = recordsOf(datagram, HEADER_BYTES + asked.length, question.type);
  if (answer === null) {
    if (records.length > 0) return { ok: true, why: `${question.name} has an answer` };
    const cut = (flags & TRUNCATED) !== 0 ? ', and is cut' : '';
    return { ok: false, why: `the answer has no ${question.type} record${cut}` };
  }
  const wanted = parseIp(answer)?.bytes;
  const found = wanted !== undefined && records.some((data) => data.equals(wanted));
  if (found) return { ok: true, why: `${question.name} is ${answer}` };
  const shown = records.filter(({ length }) => length === 4 || length === 16).map(formatIp);
  return {
    ok: false,
    why: `${question.name} is ${shown.slice(0, 4).join(', ') || 'nothing'}, not ${answer}`,
  };
}

/** The data of all answers of that type, up to a bound; ends at the first malformed one. */
function recordsOf(datagram: Buffer, start: number, type: DnsType): Buffer[] {
  const out: Buffer[] = [];
  const count = Math.min(datagram.readUInt16BE(6), RECORDS_MAX);
  let at = start;
  for (let i = 0; i < count; i++) {
    const head = afterName(datagram, at);
    if (head === null || head + 10 > datagram.length) break;
    const end = head + 10 + datagram.readUInt16BE(head + 8);
    if (end > datagram.length) break;
    const isOurs = datagram.readUInt16BE(head) === DNS_TYPES[type] && datagram.readUInt16BE(head + 2) === IN;
    if (isOurs) out.push(datagram.subarray(head + 10, end));
    at = end;
  }
  return out;
}

/** Behind a name: labels to the empty one, or to a pointer, which need not be followed. Null: it does not end. */
function afterName(datagram: Buffer, start: number): number | null {
  let at = start;
  for (let labels = 0; labels < 128; labels++) {
    const length = datagram[at];
    if (length === undefined) return null;
    if (length === 0) return at + 1;
    if (length >= 0xc0) return at + 2;
    if (length > 63) return null;
    at += 1 + length;
  }
  return null;
}
