/** One fault in a copy of src/core. */
export interface CoreMutant {
  readonly name: string;
  /** In src/core. */
  readonly file: string;
  /** Must be there exactly once. */
  readonly find: string;
  readonly replace: string;
  /** Place and event whose vectors are tried first; for faults that show in few. */
  readonly where?: string;
}

/** That text of the file in place of another. */
export const edit = (file: string, name: string, find: string, replace: string): CoreMutant => ({
  name,
  file,
  find,
  replace,
});
