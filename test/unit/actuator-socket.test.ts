/** Whose socket the network process takes for its actuator's. */
import assert from 'node:assert/strict';
import { chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { isOurSocket } from '../../src/daemon/actuator-socket.ts';
import { temporaryDir } from './cluster-files.ts';

test('a socket of somebody else’s is no actuator: he could say that all is done, and do nothing', (t) => {
  const path = join(temporaryDir(t), 'actuator.sock');
  const self = process.geteuid?.() ?? 0;
  assert.equal(isOurSocket(path, []), false, 'none there: one is started');
  writeFileSync(path, '');
  assert.equal(isOurSocket(path, [self]), true);
  if (self !== 0) {
    assert.throws(() => isOurSocket(path, [self + 1]), /belongs to user/);
    return;
  }
  assert.equal(isOurSocket(path, []), true, 'root’s');
  chownSync(path, 65_532, 65_532);
  assert.equal(isOurSocket(path, [0, 65_532]), true, 'the user of the configuration');
  assert.throws(() => isOurSocket(path, [0]), { message: /belongs to user 65532/, hint: /under actuator/ });
});
