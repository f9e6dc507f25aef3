/**
 * What the wire costs on this machine: microseconds an operation, medians over batches. With `--json` one line of
 * JSON, else a table. Refusals are told by the step that refuses: wrong prefix, unknown key id, bad MAC, replay.
 */
import type { Message } from '../../src/core/messages.ts';
import { decodeRecords, encodeRecord } from '../../src/wire/codec.ts';
import { readSign1 } from '../../src/wire/cose.ts';
import { importVerifyKey } from '../../src/wire/ed25519.ts';
import { gateHolds, gateKey } from '../../src/wire/gate.ts';
import { GATE_BYTES } from '../../src/wire/limits.ts';
import { decodeBody } from '../../src/wire/payload.ts';
import { scan } from '../../src/wire/scan.ts';
import { seededBytes, testEndpoint, testIdentity, testRoster } from '../unit/wire-fixture.ts';

const BATCHES = 15;

function medianUs(perBatch: number, operation: (i: number) => void): number {
  const times: number[] = [];
  for (let batch = 0; batch < BATCHES; batch++) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < perBatch; i++) operation(i);
    times.push(Number(process.hrtime.bigint() - start) / 1000 / perBatch);
  }
  times.sort((a, b) => a - b);
  return Math.round((times[BATCHES >> 1] ?? 0) * 100) / 100;
}

const roster = testRoster(['fw1', 'fw2']);
const [fw1, fw2] = ['fw1', 'fw2'].map((name) => testEndpoint(roster, name));
if (fw1 === undefined || fw2 === undefined) throw new Error('unreachable');
let nowMs = 1000;
for (let i = 0; i < 20; i++) {
  nowMs++;
  for (const [host, peer] of [
    [fw1, fw2],
    [fw2, fw1],
  ] as const) {
    let outgoing = host.tick(nowMs);
    for (let [to, back] = [peer, host]; outgoing.length > 0; [to, back] = [back, to]) {
      outgoing = outgoing.flatMap((out) => {
        const received = to.receive(nowMs, out.link, out.datagram);
        return received.kind === 'refused' ? [] : received.replies;
      });
    }
  }
}

const status: Message = {
  type: 'STATUS',
  service: 'firewall',
  id: 1,
  term: { n: 1, host: 'fw1' },
  phase: 'serving',
  digest: 'ab'.repeat(32),
  tableSeq: 1,
};
const seal = () => fw1.seal(nowMs, 'fw2', [status])[0]?.datagram ?? new Uint8Array();
const good = seal();
const payload = readSign1(good, GATE_BYTES)?.payload ?? new Uint8Array();
const noise = seededBytes('noise')(good.length);
const stranger = good.map((byte, i) => (i === 30 ? byte ^ 1 : byte));
const ungated = good.map((byte, i) => (i === 0 ? byte ^ 1 : byte));
const identity = testIdentity('fw1');
const key = importVerifyKey(identity.publicKey);
const signature = identity.sign(payload);
const [sender, receiver] = roster.members;
if (sender === undefined || receiver === undefined) throw new Error('unreachable');
const pairKey = gateKey(identity.agree(receiver.publicKey), roster.clusterId, sender.kid, receiver.kid);
if (!gateHolds(pairKey, 1, good)) throw new Error('the gate does not hold');
if (fw2.receive(nowMs, 1, good).kind !== 'messages') throw new Error('the datagram is not taken');
// A millisecond apart: within max_age when it is taken, and slower than the budget of signatures.
let next = 0;
const fresh = Array.from({ length: BATCHES * 20 }, () => {
  nowMs++;
  return seal();
});
nowMs -= fresh.length;
const receiveUs = medianUs(20, () => {
  nowMs++;
  const received = fw2.receive(nowMs, 1, fresh[next++] ?? noise);
  if (received.kind !== 'messages')
    throw new Error('a fresh datagram was refused: the figure would be false');
});

/** A refusal by exactly that step, or the figure would be another one's. */
function refusalUs(perBatch: number, datagram: Uint8Array, code: string): number {
  return medianUs(perBatch, () => {
    const received = fw2?.receive(nowMs, 1, datagram);
    if (received?.kind !== 'refused' || received.code !== code) throw new Error(`not refused as ${code}`);
  });
}

const figures = {
  node: process.version,
  datagramBytes: good.length,
  refuseNoiseUs: refusalUs(2000, noise, 'envelope'),
  refuseStrangerUs: refusalUs(2000, stranger, 'unknown-sender'),
  refuseAtGateUs: refusalUs(1000, ungated, 'gate'),
  refuseReplayUs: refusalUs(1000, good, 'replayed'),
  gateUs: medianUs(2000, () => gateHolds(pairKey, 1, good)),
  scanUs: medianUs(2000, () => scan(payload)),
  decodeUs: medianUs(1000, () => decodeRecords('STATUS', decodeBody(payload) ?? null)),
  encodeUs: medianUs(1000, () => encodeRecord(status)),
  signUs: medianUs(200, () => identity.sign(payload)),
  verifyUs: medianUs(100, () => key.verify(payload, signature)),
  sealUs: medianUs(100, seal),
  receiveUs,
};
if (process.argv.includes('--json')) console.log(JSON.stringify(figures));
else for (const [name, value] of Object.entries(figures)) console.log(`${name.padEnd(18)} ${value}`);
