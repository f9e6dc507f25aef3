/** What the engine's flags hold of the heap, seen on a process that makes more at once than a daemon does, and keeps it for a while. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';

interface Spaces {
  /** The most that each space had of the machine at any time, MiB. */
  readonly newMost: number;
  readonly oldMost: number;
}

const compiled = import.meta.url.endsWith('.js');
const ENGINE = new URL(`../../src/daemon/engine.${compiled ? 'js' : 'ts'}`, import.meta.url).href;

/** What a process takes that makes 256 MiB in all, and keeps the last 4 of them: each piece lives through the collections of what is new. */
function lived(isFlagged: boolean): Spaces {
  const script = `
    import { getHeapSpaceStatistics } from 'node:v8';
    ${isFlagged ? `await import('${ENGINE}');` : ''}
    const most = { new_space: 0, old_space: 0 };
    const kept = [];
    for (let i = 0; i < 1024 * 256; i++) {
      kept[i % 4096] = Array.from({ length: 120 }, (_, k) => k + 0.5);
      if (i % 256 > 0) continue;
      for (const { space_name: name, space_size: bytes } of getHeapSpaceStatistics())
        if (name in most) most[name] = Math.max(most[name], bytes / 1024 / 1024);
    }
    console.log(JSON.stringify({ newMost: most.new_space, oldMost: most.old_space, kept: kept.length }));
  `;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    encoding: 'utf8',
  });
  // V8 says there which flag it does not know.
  assert.equal(stderr, '');
  return JSON.parse(stdout) as Spaces;
}

test('what is new takes no more than at the start, and what is old no multiple of what is kept', () => {
  const { newMost, oldMost } = lived(true);
  const usual = lived(false);
  assert.ok(newMost <= 4, `${newMost} MiB`);
  assert.ok(usual.newMost > 4, `without flags ${usual.newMost} MiB: this test would not see them`);
  assert.ok(oldMost < usual.oldMost / 3, `${oldMost} MiB, without flags ${usual.oldMost}`);
});
