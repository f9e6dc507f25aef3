/**
 * This project's programs as processes of their own: from the build when the test itself runs from the build, as all do
 * in CI, else from their source by tsx, which costs each process a second and a half of a processor.
 */
import { fileURLToPath } from 'node:url';

const compiled = import.meta.url.endsWith('.js');
const HOME = new URL('../', import.meta.url);

/** The arguments for Node that let a program import what is beside this file. */
export const LOADER: readonly string[] = compiled ? [] : ['--import', 'tsx'];

/** The project's directory, whichever of the two this runs from. */
export const PROJECT = fileURLToPath(new URL(compiled ? '../../' : '../', import.meta.url));

/** The file of a module that is named by its source from the project's directory: `src/cli/main.ts`. */
export function moduleFile(source: string): string {
  return fileURLToPath(new URL(compiled ? source.replace(/\.ts$/, '.js') : source, HOME));
}

/** The arguments for Node that run this module as a program. */
export function programArgs(source: string): string[] {
  return [...LOADER, moduleFile(source)];
}
