/** What a remote check reads of the network: a DNS answer; and what the actuator reads of its checker. */
import assert from 'node:assert/strict';
import { dnsQuestion, judgeDns } from '../../src/linux/remote/dns.ts';
import { parseReply } from '../../src/linux/remote/words.ts';
import type { Target } from './targets.ts';

const ASKED = { id: 0x1234, name: 'www.example', type: 'A' } as const;

export function remoteTarget(): Target {
  const question = dnsQuestion(ASKED);
  const answer = Buffer.concat([question, Buffer.from('c00c0001000100000005000407070707', 'hex')]);
  answer.writeUInt16BE(0x8180, 2);
  answer.writeUInt16BE(1, 6);
  return {
    name: 'remote',
    corpus: [answer, question, Buffer.from('7 ok it takes connections'), Buffer.from('7 no no answer')].map(
      (bytes) => Uint8Array.from(bytes),
    ),
    share: 10,
    run(input) {
      const datagram = Buffer.from(input);
      for (const wanted of [null, '7.7.7.7', '192.0.2.1']) {
        const judged = judgeDns(ASKED, wanted, datagram);
        // Good only what answers this question with a record, however the rest of it looks.
        if (judged?.ok !== true) continue;
        assert.equal(datagram.readUInt16BE(0), ASKED.id);
        assert.ok((datagram.readUInt16BE(2) & 0x800f) === 0x8000 && datagram.readUInt16BE(6) > 0);
        if (wanted !== null) assert.ok(datagram.includes(Buffer.from(wanted.split('.').map(Number))));
      }
      const reply = parseReply(datagram.toString('latin1'));
      if (reply !== null) assert.ok(reply.id > 0 && /^[\x20-\x7e]*$/.test(reply.text));
    },
  };
}
