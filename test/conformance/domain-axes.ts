/** The words in which the domain is written: choices, axes, and the terms and classes of events that all its parts use. */
import { ME, term } from './vector.ts';

/** Some fields with one choice of values. */
export type Choice = { readonly [field: string]: number };
/** The choices of one axis. */
export type Axis = readonly Choice[];

export const bits = (...fields: string[]): Axis[] => fields.map((field) => [{ [field]: 0 }, { [field]: 1 }]);
export const all = (field: string, ...values: number[]): Axis => values.map((value) => ({ [field]: value }));

/** Own terms: 4/h1 while claiming or serving. The known master is h0 in 3/h0. */
export const MINE = term(4, ME);
export const KNOWN = term(3, 0);
export const FORMER = term(3, ME);

/** After these a searching host looks whether it may claim. */
export const LOOKS = /^E_(STATUS|CLAIM|RELEASED|WITHDRAW|WORD|DOWN_|T_PROBE|T_CLAIM)/;

/** Places of a host that looks for a master. */
export const SEARCHING = /^(DECIDE_ELECTING|BACKUP_SUSPECTING)$/;
