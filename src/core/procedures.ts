/**
 * The names of the twelve customizable procedures (slide "Customizable Procedures") and what a test may answer.
 */
export const TEST_PROCEDURES = [
  'checkUplink',
  'checkDownlink',
  'checkServiceLocal',
  'checkServiceRemote',
] as const;
export const SWITCH_PROCEDURES = [
  'activateUplink',
  'deactivateUplink',
  'activateService',
  'deactivateService',
] as const;
export const ANNOUNCE_PROCEDURES = [
  'announceTakeoverUplink',
  'announceTakeoverDownlink',
  'announceReleaseUplink',
  'announceReleaseDownlink',
] as const;

export type TestProcedure = (typeof TEST_PROCEDURES)[number];
export type SwitchProcedure = (typeof SWITCH_PROCEDURES)[number];
export type AnnounceProcedure = (typeof ANNOUNCE_PROCEDURES)[number];
export type Procedure = TestProcedure | SwitchProcedure | AnnounceProcedure;

export const PROCEDURES: readonly Procedure[] = [
  ...TEST_PROCEDURES,
  ...SWITCH_PROCEDURES,
  ...ANNOUNCE_PROCEDURES,
];

/**
 * What a procedure's end tells. Tests: `confirmed` only on positive evidence; `refuted` only on positive evidence of
 * the contrary (no carrier, device gone); `lost`: something that lately answered no longer does; all else is
 * `unknown`, as are timeouts and crashes. Switches and announcements: `confirmed` when the read-back shows what was
 * ordered, else `unknown`. An external program's exit status 0 is `confirmed`, any other end is `unknown`.
 */
export type Verdict = 'confirmed' | 'unknown' | 'lost' | 'refuted';
