/** Tools that are started before they are needed. `ip -batch -` stands for them: any user may run it. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { Generations } from '../../src/linux/generations.ts';
import { WarmTool } from '../../src/linux/warm.ts';
import { until } from '../netns/netns.ts';

const ARGS = ['-o', '-batch', '-'];
const ASK = 'link show lo\n';

/** Its next one comes after 50 ms. */
async function warm(t: TestContext): Promise<{ tool: WarmTool; pid: number }> {
  const tool = new WarmTool('ip', ARGS, 50);
  t.after(() => tool.keep(false));
  tool.keep(true);
  const pid = tool.waitingPid;
  assert.ok(pid !== null);
  return { tool, pid };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('the one that waits is the one that serves; it serves once, and another waits after a while', async (t) => {
  const { tool, pid } = await warm(t);
  process.kill(pid, 'SIGSTOP');
  let isOver = false;
  const asked = tool.run(ASK).finally(() => {
    isOver = true;
  });
  assert.equal(tool.waitingPid, null);
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.equal(isOver, false, 'no other was started for it');
  process.kill(pid, 'SIGCONT');
  const { status, output } = await asked;
  assert.deepEqual([status, /LOOPBACK/.test(output)], [0, true]);
  assert.equal(await until(() => tool.waitingPid !== null, 5000), true);
  assert.notEqual(tool.waitingPid, pid);
});

test('what the tool refuses is told, as if it had been started for it', async (t) => {
  const { tool } = await warm(t);
  const { status, errors } = await tool.run('link show no-such-device\n');
  assert.equal(status, 1);
  assert.match(errors, /no-such-device/);
});

test('one that was killed is nothing: who asks gets another, at once or when it is known', async (t) => {
  const { tool, pid } = await warm(t);
  process.kill(pid, 'SIGKILL');
  // In the same turn: nobody can know yet that it is dead.
  assert.equal((await tool.run(ASK)).status, 0);
  assert.equal(await until(() => tool.waitingPid !== null, 5000), true);
  const next = tool.waitingPid ?? 0;
  process.kill(next, 'SIGKILL');
  assert.equal(await until(() => tool.waitingPid === null, 5000), true, 'its death is seen');
  assert.equal((await tool.run(ASK)).status, 0);
  assert.equal(await until(() => ![null, next].includes(tool.waitingPid), 5000), true, 'and it is replaced');
});

test('one that hangs is killed at the limit, and is not tried again', async (t) => {
  const { tool, pid } = await warm(t);
  process.kill(pid, 'SIGSTOP');
  const ended = await tool.run(ASK, 100);
  assert.deepEqual([ended.status, ended.late], [null, true]);
  assert.equal(await until(() => !isAlive(pid), 5000), true);
});

test('without a place kept it starts when it is asked, and nothing waits afterwards', async (t) => {
  const { tool, pid } = await warm(t);
  tool.keep(false);
  assert.equal(await until(() => !isAlive(pid), 5000), true, 'it was ended');
  assert.equal((await tool.run(ASK)).status, 0);
  await new Promise((resolve) => setTimeout(resolve, 150));
  assert.equal(tool.waitingPid, null);
});

test('own transactions are not foreign once their program has ended well, and nothing is told before', async () => {
  let kernel = 10;
  const generations = new Generations(() => kernel);
  assert.equal(generations.foreign(), 10);
  const ended = { status: 0, output: '', errors: '', late: false };
  const during = (transactions: number, status: number): Promise<unknown> =>
    generations.during(transactions, async () => {
      kernel++;
      assert.equal(generations.foreign(), null);
      await new Promise(setImmediate);
      kernel += transactions - 1;
      return { ...ended, status };
    });
  await Promise.all([during(2, 0), during(3, 0)]);
  assert.deepEqual([kernel, generations.foreign()], [15, 10]);
  kernel++;
  assert.equal(generations.foreign(), 11, 'somebody else');
  await during(2, 1);
  assert.notEqual(generations.foreign(), 11, 'what a failed one did nobody knows');
  await assert.rejects(generations.during(1, () => Promise.reject(new Error('not installed'))));
  assert.equal(generations.isChanging, false);
});
