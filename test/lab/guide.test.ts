/** spec/operations.md, every line of it, on a real cluster; and what the page says of the outcome. */
import assert from 'node:assert/strict';
import { cp } from 'node:fs/promises';
import test from 'node:test';
import { needsRoot } from '../netns/netns.ts';
import { boxesOf } from '../pages.ts';
import type { Status } from './gateway.ts';
import { Guide } from './guide.ts';
import { cleanUpOnSignals, closeAll, Lab, removeWorkDirectory } from './lab.ts';
import { must, until } from './process.ts';
import { allFit } from './run.ts';
import { planHosts } from './topology.ts';

const ALL = ['fw1', 'fw2', 'fw3'];
const LIMIT_MS = 30_000;

cleanUpOnSignals();

test('the guide to operations, every line of it, on three hosts', { skip: needsRoot() }, async (t) => {
  t.after(async () => {
    await closeAll();
    removeWorkDirectory();
  });
  const lab = await Lab.open({
    ...{ hosts: planHosts(3, false), policy: 'quorum', intervalMs: 200, timing: [] },
    ...{ answerBroadcasts: false, askMs: null },
  });
  const { cluster } = lab;
  const guide = new Guide(lab);
  /** One serves, and the others have told it that they would take over: what an operator then orders is not refused. */
  const settled = async (hosts: readonly string[]): Promise<void> => {
    const master = await cluster.settle(hosts, LIMIT_MS);
    assert.ok(await until(() => allFit(lab, master, hosts), LIMIT_MS), `backups of ${master} are fit`);
  };
  /** That host comes to have these alarms, and no others. */
  const alarmed = async (host: string, codes: readonly string[]): Promise<void> => {
    let last: Status | null = null;
    const isSo = async (): Promise<boolean> => {
      last = await cluster.status(host);
      const found = last?.services[0]?.alarms?.map(({ code }) => code);
      return JSON.stringify(found) === JSON.stringify(codes);
    };
    assert.ok(await until(isSo, LIMIT_MS), `${codes.join()}: ${JSON.stringify(last)}`);
  };
  /** One of these hosts comes to serve. */
  const served = async (hosts: readonly string[], why: string): Promise<void> =>
    assert.ok(await until(async () => (await cluster.master(hosts)) !== null, LIMIT_MS), why);
  const inside = (host: string, argv: readonly string[]) => must(lab.topology.inside(host, argv));
  await guide.begin();
  for (const host of ALL) cluster.start(host);
  await settled(ALL);
  for (const block of boxesOf(import.meta.filename, 'spec/control.md')) await guide.follow(block);

  /** What happened before an operator opens the page there. */
  const before: { readonly [heading: string]: () => Promise<unknown> } = {
    'A host is lost': async () => {
      await guide.lose('fw3');
      await settled(['fw1', 'fw2']);
    },
    // The others are really off.
    'The network is split': async () => {
      await cluster.kill('fw3', lab.faults);
      assert.ok(
        await until(async () => (await cluster.master(['fw1'])) === null, LIMIT_MS),
        'no majority, no master',
      );
    },
    'An audit report': async () => {
      for (const host of ['fw1', 'fw3']) await cluster.stop(host);
      for (const host of ALL)
        await cp(guide.at(host, 'state/log'), guide.at('stick', `log-${host}`), { recursive: true });
    },
    Leaving: async () => {
      for (const host of ['fw1', 'fw3']) cluster.start(host);
      await settled(['fw1', 'fw3']);
    },
  };
  /** After each box: by heading, and which of them it is. */
  const after: { readonly [box: string]: () => Promise<unknown> } = {
    'A host is to be rebooted, or its hardware changed 1': async () => {
      await served(['fw2', 'fw3'], 'another host serves');
    },
    'A host is to be rebooted, or its hardware changed 2': () => settled(ALL),
    'Upgrade, downgrade 1': () => settled(ALL),
    'Another key for a host 4': () => settled(ALL),
    'A host is lost 6': async () => {
      await settled(ALL);
      await alarmed('fw1', []);
    },
    'A host or its key is stolen 2': async () => {
      // Its own daemon lets go as well, since it is honest: the cables are the operator's.
      await settled(['fw1', 'fw3']);
      await cluster.stop('fw2');
    },
    'The network is split 1': async () => {
      await served(['fw1'], 'by force');
      await alarmed('fw1', ['forced']);
      cluster.start('fw3');
      await settled(['fw1', 'fw3']);
      // Ended without a command.
      await alarmed('fw1', []);
    },
    'Leaving 1': async () => {
      assert.doesNotMatch(await inside('fw3', ['ip', 'addr']), /10\.77\.[12]\.1\//);
      assert.match(await inside('fw3', ['ip', '-o', 'link', 'show', 'up0']), / state DOWN /);
    },
  };
  const seen = new Set<string>();
  let heading = '';
  let number = 0;
  for (const block of boxesOf(import.meta.filename, 'spec/operations.md')) {
    if (block.heading !== heading) {
      ({ heading } = block);
      number = 0;
      await before[heading]?.();
      seen.add(heading);
    }
    number += 1;
    await guide.follow(block);
    await after[`${heading} ${number}`]?.();
    seen.add(`${heading} ${number}`);
  }
  for (const box of [...Object.keys(before), ...Object.keys(after)])
    assert.ok(seen.has(box), `no box ${box}`);
  for (const command of ['drain', 'handover', 'audit report', 'cluster revoke', 'host join', 'fence'])
    assert.ok(guide.commands.has(command), command);
});
