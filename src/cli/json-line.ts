/** What commands print with `--json`, one document a line; spec/control.md names the keys of each. */

/** New keys may come with any version; a changed meaning comes with another value. */
const SCHEMA = 1;

/** The document as one line, its end included. */
export function jsonLine(data: object): string {
  return `${JSON.stringify({ schema: SCHEMA, ...data })}\n`;
}
