/** Address probes on an ear without a device: what could not leave asked nobody. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { probeAddresses } from '../../src/linux/addressprobe.ts';
import { Ear } from '../../src/linux/ear.ts';
import { parseMac } from '../../src/linux/ip.ts';
import { EPERM } from '../../src/linux/libc.ts';
import type { Poller } from '../../src/linux/poller.ts';
import type { Link } from '../../src/linux/rtnetlink.ts';

const LINK: Link = { index: 2, name: 'eth0', mac: parseMac('02:00:00:00:00:01'), up: true, carrier: true };
const ADDRESSES = [
  { family: 4, address: '10.0.0.1', prefixLength: 24 },
  { family: 6, address: 'fd00::1', prefixLength: 64 },
] as const;

/** Nobody answers; so many frames leave, the others are refused. */
class LonelyEar extends Ear {
  private leaving: number;

  constructor(leaving: number) {
    super({} as Poller, 'eth0');
    this.leaving = leaving;
  }
  override get link(): Link {
    return LINK;
  }
  override send(): number {
    return this.leaving-- > 0 ? 0 : EPERM;
  }
}

function probe(leaving: number, addresses: Parameters<typeof probeAddresses>[1] = ADDRESSES) {
  return probeAddresses(new LonelyEar(leaving), addresses, 2, 1, () => false);
}

test('no answer is silence where a question left, or where there was none to ask', async () => {
  assert.equal((await probe(4)).answered, false);
  assert.equal((await probe(1)).answered, false, 'one is enough');
  assert.equal((await probe(0, [])).answered, false, 'no address');
});

test('no answer is no silence where no question could leave', async () => {
  assert.deepEqual(await probe(0), { answered: true, detail: 'eth0: no question could leave' });
});
