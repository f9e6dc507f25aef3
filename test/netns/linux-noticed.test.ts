/** Addresses, routes and forwarding are not read each time: whoever changes one of them is noticed at once all the same. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { programArgs } from '../programs.ts';
import { Namespaces, needsRoot } from './netns.ts';

test('the kernel tells of each change by others within the call that makes it', {
  skip: needsRoot(),
}, async (t) => {
  const net = new Namespaces();
  t.after(() => net.close());
  const said = net.exec(net.add('host'), process.execPath, ...programArgs('test/netns/noticed-runner.ts'));
  assert.deepEqual(JSON.parse(said), [
    [true, '10.9.9.1 10.9.9.2 0 0'],
    [true, '10.9.9.1 0 0'],
    [true, '10.9.9.1 10.9.9.254 0 0'],
    [true, '10.9.9.1 0 0'],
    [true, '10.9.9.1 fd00::254 0 0'],
    [true, '10.9.9.1 0 0'],
    [true, '10.9.9.1 1 0'],
    [true, '10.9.9.1 0 0'],
    [true, '10.9.9.1 0 1'],
    [true, '10.9.9.1 0 0'],
    [true, '10.9.9.1 10.9.9.254 0 0'],
    [true, '10.9.9.1 0 0'],
  ]);
});
