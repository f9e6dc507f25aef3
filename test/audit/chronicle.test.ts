/** What the log tells of each step: its event, procedures, words heard and said, and all of it bounded (P67). */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Chronicle } from '../../src/driver/chronicle.ts';

test('P67: a step’s entries name its event, how long procedures took, and the words that were heard and said', () => {
  const chronicle = new Chronicle();
  chronicle.started(7, 1000);
  chronicle.ended(7, 'no carrier', 1034.4);
  const ended = {
    type: 'procedure-ended',
    service: 'firewall',
    procedure: 'activateUplink',
    id: 7,
    verdict: 'unknown',
  } as const;
  const [entry, ...rest] = chronicle.entries(ended, [], 1034.4);
  assert.deepEqual(rest, []);
  assert.deepEqual(entry, {
    service: 'firewall',
    kind: 'procedure',
    text: 'activateUplink: unknown',
    data: { procedure: 'activateUplink', verdict: 'unknown', tookMs: 34 },
    detail: 'no carrier',
  });
  const claim = { type: 'CLAIM', service: 'firewall', id: 3, term: { n: 4, host: 'fw2' } } as const;
  const heard = { type: 'message', from: 'fw2', link: 1, message: claim } as const;
  const grant = { type: 'GRANT', service: 'firewall', id: 3, term: claim.term } as const;
  const voted = { service: 'firewall', kind: 'voted', text: 'promised' } as const;
  const effects = [
    { type: 'log', entry: voted },
    { type: 'send', to: 'fw2', message: grant },
  ] as const;
  const told = chronicle.entries(heard, effects, 2000);
  assert.deepEqual(
    told.map(({ kind }) => kind),
    ['message', 'voted', 'message'],
  );
  assert.match(told[0]?.text ?? '', /^from fw2 on 1: CLAIM firewall id=3 term=4\/fw2$/);
  assert.equal(told[1]?.event, told[0]?.text);
  assert.match(told[2]?.text ?? '', /^to fw2: GRANT/);
  const copy = chronicle.entries({ ...heard, link: 2 }, [], 2001);
  assert.deepEqual(copy, [], 'the copy over another link is not told again');
});

test('P67: a member that claims without end is told 50 times at once and twice a second, and the rest is counted', () => {
  const chronicle = new Chronicle();
  let told = 0;
  let untold = 0;
  for (let i = 0; i < 20_000; i++) {
    const message = { type: 'CLAIM', service: 'firewall', id: i, term: { n: i, host: 'fw2' } } as const;
    for (const { data } of chronicle.entries({ type: 'message', from: 'fw2', link: 1, message }, [], i)) {
      told++;
      untold += Number(data?.untold ?? 0);
    }
  }
  assert.ok(told >= 80 && told <= 100, String(told));
  assert.ok(untold > 19_000, String(untold));
});

test('P67: promises and answers to a member that claims without end are bounded as its words are; what this host does is told', () => {
  const chronicle = new Chronicle();
  const kinds = new Map<string, number>();
  for (let i = 0; i < 20_000; i++) {
    const term = { n: i, host: 'fw2' } as const;
    const effects = [
      { type: 'log', entry: { service: 'firewall', kind: 'voted', text: 'promised' } },
      { type: 'log', entry: { service: 'firewall', kind: 'transition', text: 'a -> b: c' } },
      { type: 'send', to: 'fw2', message: { type: 'GRANT', service: 'firewall', id: i, term } },
    ] as const;
    const message = { type: 'CLAIM', service: 'firewall', id: i, term } as const;
    for (const { kind } of chronicle.entries({ type: 'message', from: 'fw2', link: 1, message }, effects, i))
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  assert.equal(kinds.get('transition'), 20_000);
  assert.ok(
    (kinds.get('voted') ?? 0) <= 100 && (kinds.get('message') ?? 0) <= 200,
    JSON.stringify([...kinds]),
  );
});

test('P67: what rounds of address probes said is told once in each place, and when it changes', () => {
  const chronicle = new Chronicle();
  const round = (id: number, answered: boolean, detail = '') => {
    chronicle.started(id, 1000);
    chronicle.ended(id, detail, 1051);
    return { type: 'addresses-probed', service: 'firewall', side: 'uplink', id, answered } as const;
  };
  const [first, ...none] = chronicle.entries(round(1, false), [], 1051);
  assert.deepEqual(none, []);
  assert.deepEqual(
    [first?.kind, first?.text, first?.data?.tookMs],
    ['procedure', 'uplink addresses: unanswered', 51],
  );
  assert.deepEqual(chronicle.entries(round(2, false), [], 1100), []);
  const [other] = chronicle.entries(round(3, true, '02:00:00:00:00:01 has 10.77.2.1'), [], 1200);
  assert.equal(other?.text, 'uplink addresses: answered');
  assert.equal(other?.detail, '02:00:00:00:00:01 has 10.77.2.1');
  const moved = { type: 'log', entry: { service: 'firewall', kind: 'transition', text: 'a -> b' } } as const;
  assert.deepEqual(
    chronicle.entries(round(4, true), [moved], 1300).map(({ text }) => text),
    ['a -> b'],
  );
  assert.equal(chronicle.entries(round(5, true), [], 1400).length, 1, 'in the next place it is news again');
});

test('P67: what a program said goes with its own result, whatever other services run at the time', () => {
  const chronicle = new Chronicle();
  for (const [id, detail] of [
    [1, 'of the first'],
    [2, 'of the second'],
  ] as const) {
    chronicle.started(id, 0);
    chronicle.ended(id, detail, 5);
  }
  const of = (service: string, id: number) => {
    const ended = { type: 'procedure-ended', service, procedure: 'activateService', id } as const;
    return chronicle.entries({ ...ended, verdict: 'confirmed' }, [], 6).map(({ detail }) => detail);
  };
  assert.deepEqual([of('one', 1), of('two', 2)], [['of the first'], ['of the second']]);
});
