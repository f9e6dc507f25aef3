/**
 * The cluster end to end, as in lab.test.ts: what an operator does to it, and faults that come together or end again.
 */
import { suite } from 'node:test';
import { testCases } from './cases.ts';

suite('scenarios', () => {
  testCases([
    ['split', 2],
    ['bad-uplink', 3],
    ['old-master-returns', 3],
    ['handover', 3],
    ['there-and-back', 2],
    ['standby', 3],
    ['add-host', 3],
    ['remove-master', 3],
    ['clients-view', 3],
  ]);
});
