/** The cluster end to end, as in lab.test.ts: one of a host's two processes dead or frozen alone, and both as units of their own. */
import { suite } from 'node:test';
import { testCases } from './cases.ts';

suite('scenarios', () => {
  testCases([
    ['service', 2],
    ['restart-all', 3],
    ['hang', 2],
    ['hang-alone', 2],
    ['kill-network', 2],
    ['kill-actuator', 2],
    ['hang-network', 2],
    ['hang-actuator', 2],
    ['handover', 3, 'apart'],
    ['kill-actuator', 2, 'apart'],
    ['hang', 2, 'apart'],
  ]);
});
