/** Colours, where somebody sees them: on a terminal that can, unless NO_COLOR says otherwise (no-color.org). */

export interface Style {
  readonly good: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly faint: (text: string) => string;
  readonly strong: (text: string) => string;
}

const same = (text: string): string => text;
export const PLAIN: Style = { good: same, warn: same, bad: same, faint: same, strong: same };

const paint =
  (code: string) =>
  (text: string): string =>
    text === '' ? text : `\u001b[${code}m${text}\u001b[0m`;
export const COLOURED: Style = {
  good: paint('32'),
  warn: paint('33'),
  bad: paint('1;31'),
  faint: paint('2'),
  strong: paint('1'),
};

interface Environment {
  readonly [name: string]: string | undefined;
}

/** Whether it is a terminal that takes orders (to clear a line, to colour), and not one that shows them. */
export function takesOrders(
  stream: { readonly isTTY?: boolean },
  environment: Environment = process.env,
): boolean {
  return stream.isTTY === true && environment.TERM !== 'dumb';
}

/** For what goes to that stream. */
export function styleFor(
  stream: { readonly isTTY?: boolean },
  environment: Environment = process.env,
): Style {
  const { NO_COLOR = '' } = environment;
  return takesOrders(stream, environment) && NO_COLOR === '' ? COLOURED : PLAIN;
}
