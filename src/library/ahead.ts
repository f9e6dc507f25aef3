/** `portcullis/ahead`: the state machine run ahead from one host's state, as `portcullis explain` does. Pure. */
export {
  type Forecast,
  forecast,
  isOfThisCore,
  type Line,
  type Present,
  present,
  type Reasons,
} from '../ahead/explain.ts';
export { PARTS, type Part, parseWhatIf, type WhatIf, whatIfText } from '../ahead/what-if.ts';
