/**
 * The attacks that fit into CI's time, each first against a build without the defence. That one does no damage is asserted;
 * how long a takeover took is not, beyond the limit within which somebody must have taken over.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { needsRoot } from '../netns/netns.ts';
import { attacksNamed, tryAttack } from './attack.ts';
import { ATTACKS, UNPROVEN } from './attacks.ts';
import { cleanUpOnSignals, closeAll, removeWorkDirectory } from './lab.ts';
import { taken, WEAKNESSES, type Weakness, weakenedFiles } from './weakened.ts';

cleanUpOnSignals();
const skip = needsRoot();
const IN_CI = ['replay-after-death', 'forge-member', 'witness-claims', 'absurd-term', 'revoked', 'arp-liar'];

test('a defence that moved is told, not passed over', () => {
  const [cut] = WEAKNESSES['no age bound'];
  assert.throws(() => taken('nothing of the kind', cut, 'no age bound'), /has 0 times/);
  assert.throws(() => taken(cut.from + cut.from, cut, 'no age bound'), /has 2 times/);
});

test('every place that a control takes out is in the build, exactly once', async () => {
  for (const weakness of Object.keys(WEAKNESSES) as Weakness[])
    await assert.doesNotReject(weakenedFiles(weakness), weakness);
});

test('what is not proven is no attack that passes for one', () => {
  const proven = ATTACKS.filter((attack) => attack.without !== null).map(({ name }) => name);
  for (const { name, why } of UNPROVEN) {
    assert.ok(!proven.includes(name), `${name} has a control`);
    assert.ok(why.length > 20, `${name} says why`);
  }
});

for (const attack of attacksNamed(IN_CI))
  test(`attack: ${attack.name}: ${attack.summary}`, { skip }, async (t) => {
    t.after(closeAll);
    const { problems, control, real } = await tryAttack(attack);
    assert.deepEqual(problems, [], JSON.stringify({ control, real }, null, 1));
  });

test('nothing is left behind', { skip }, async () => {
  await closeAll();
  removeWorkDirectory();
});
