/** What an interrupted bench has measured is there for the next one, and nothing is measured twice or overwritten. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { Records } from './records.ts';
import { median, quantile } from './statistics.ts';

function inDirectory(run: (file: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-records-'));
  try {
    run(join(directory, 'figures.jsonl'));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test('each record is in the file at once; a bench that was cut off within a line goes on after the last whole one', () => {
  inDirectory((file) => {
    const first = new Records<{ n: number }>(file, false);
    first.add({ n: 1 });
    assert.equal(readFileSync(file, 'utf8'), '{"n":1}\n');
    first.add({ n: 2 });
    appendFileSync(file, '{"n":3');
    const second = new Records<{ n: number }>(file, true);
    assert.deepEqual(second.all, [{ n: 1 }, { n: 2 }]);
    second.add({ n: 4 });
    assert.deepEqual(new Records<{ n: number }>(file, true).all, [{ n: 1 }, { n: 2 }, { n: 4 }]);
  });
});

test('a file that is there is not overwritten, one that is no JSON is told with its line, and going on needs a file', () => {
  inDirectory((file) => {
    new Records(file, false);
    assert.throws(() => new Records(file, false), /is there already: name another file/);
    appendFileSync(file, '{}\nno\n');
    assert.throws(() => new Records(file, true), /figures\.jsonl:2: no line of JSON/);
    assert.throws(() => new Records(null, true), /--resume needs --out/);
    const kept = new Records<object>(null, false);
    kept.add({});
    assert.equal(kept.all.length, 1);
  });
});

test('median is the upper one and looks past what is missing; a quantile is one of the values', () => {
  assert.equal(median([3, null, 1, 2]), 2);
  assert.equal(median([4, 1, 3, 2]), 3);
  assert.equal(median([null]), null);
  const ten = [10, 9, 8, 7, 6, 5, 4, 3, 2, 1];
  assert.deepEqual(
    [0, 0.1, 0.5, 0.9, 0.99, 1].map((share) => quantile(ten, share)),
    [1, 1, 5, 9, 10, 10],
  );
  assert.equal(quantile([], 0.5), null);
});
