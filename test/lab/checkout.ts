/**
 * What of the pages' lines for a checkout is typed as it stands, what in a short form, and what is left to the test that does the
 * same: a line that stands in neither list is typed as it stands.
 */

/** The line of the page, and what is typed instead: the same program on the same way, with less of it. */
export const SHORT: { readonly [line: string]: string } = {
  'npm run -s lab -- cascade --hosts 7 --json': 'npm run -s lab -- cascade --hosts 3 --json',
  'npm run -s bench -- scale --svg scale.svg':
    "npm run -s bench -- scale --svg scale.svg --policies available --hosts 2 --services '' --deaths 1 --seconds 1 --warm 0",
  'npm run -s sim -- --seeds 1..200': 'npm run -s sim -- --seeds 1..2',
  'npm run -s explore': 'npm run -s explore -- --plan 1',
  'npm run -s model -- --all': 'npm run -s model -- --all --list',
  'npm run -s model -- roster --traces': 'npm run -s model -- roster --list',
};

/** Which test does the same for longer than a test of pages may take, and what the same is. */
export const ELSEWHERE: { readonly [line: string]: readonly [where: string, what: string] } = {
  'npm test': ['.ci/run', 'it is what runs this test'],
  'npm ci --ignore-scripts': ['.ci/setup', 'it would take away what this test runs with'],
  'npm run build': ['.ci/setup', 'likewise'],
  'npm run package': ['test/package/package.test.ts', 'the same script, in two other places'],
  'npm run -s model': ['test/model/model.test.ts', 'the same searches'],
  'npm run -s model -- quorum3.three': ['test/model/model.test.ts', 'one of these searches'],
  'npm run -s lab -- power kill9 split --runs 5': ['test/lab/lab.test.ts', 'the same scenarios, once'],
  'npm run -s lab -- offsets freeze kill': ['test/lab/offsets.test.ts', 'the same blows at fewer instants'],
  'npm run -s lab -- offsets --offsets 3': ['test/lab/offsets.test.ts', 'the same blows'],
  'npm run -s lab -- beside': ['test/lab/beside.test.ts', 'the same peer before the same judges'],
  'npm run -s lab -- spread': ['test/lab/spread.test.ts', 'the same run'],
  'npm run -s lab -- kill-actuator hang-network --apart': [
    'test/lab/lab-processes.test.ts',
    'the same scenarios, one of them in two units',
  ],
  'npm run -s lab -- power stop handover --hosts 2 --conntrackd': [
    'test/lab/conntrackd.test.ts',
    'the first of these, with a real conntrackd',
  ],
  'npm run -s lab -- power --strict': [
    'test/lab/conntrackd.test.ts',
    'the same run, which ends as the page says',
  ],
  'npm run -s bench -- takeover --intervals 200ms --json': [
    'test/lab/living.test.ts',
    'the same program, one fault',
  ],
  'npm run -s bench -- endurance --minutes 60': [
    'test/lab/living.test.ts',
    'the same clusters; its verdict has a test of its own, and a minute is the least that it takes',
  ],
  'npm run -s vm -- power crash kill9 --strategy module': ['test/vm/vm.test.ts', 'the first of these'],
  'npm run -s vm -- table': ['test/vm/vm.test.ts', 'one of these takeovers, with its parts'],
};
