/**
 * The closed list of what an entry can be. Numbers stand in the log and never change their meaning; words stand in
 * everything that people and programs read. `weight`: how soon other hosts record that a log has come this far.
 */

/** `heavy`: at once. `light`: with the next batch. `none`: never by itself, or records of records would have no end. */
export type Weight = 'heavy' | 'light' | 'none';

export interface KindSpec {
  readonly number: number;
  readonly weight: Weight;
  /** For journald: 128 bits, as systemd writes them. */
  readonly messageId: string;
}

export const KINDS = {
  opened: { number: 0, weight: 'heavy', messageId: '0b7b037c49094616b0b30c3a20e9bb55' },
  segment: { number: 1, weight: 'none', messageId: '013f2e2393c84c638bcec6d9c01e41a1' },
  transition: { number: 2, weight: 'heavy', messageId: '7c08bbcf767142c3adffd8581553022b' },
  voted: { number: 3, weight: 'heavy', messageId: 'e2cedb4b43e046d7b7ff603e94fb81df' },
  message: { number: 4, weight: 'light', messageId: '6654c64c60b24bbca9c4f8ce274f0e53' },
  procedure: { number: 5, weight: 'light', messageId: '08a5a4a7abe9446d88c754ecfb6bbde6' },
  operator: { number: 6, weight: 'heavy', messageId: '7816ddee5e1446409b07980da8331b70' },
  roster: { number: 7, weight: 'heavy', messageId: '18094c0bc653468f90a1a96bef020fca' },
  alarm: { number: 8, weight: 'light', messageId: '2e742ac9d2004c87a7168968f35b809c' },
  note: { number: 9, weight: 'light', messageId: '0e53aac672d940cfbed160d8ffa7d908' },
  witness: { number: 10, weight: 'none', messageId: 'de81377b41cc4f9cb2971cae48d92ebe' },
  refused: { number: 11, weight: 'light', messageId: '215a084e030e443b86b87478a11175b4' },
  lost: { number: 12, weight: 'heavy', messageId: 'b8af820d0567416999c24f1d2873e259' },
  repaired: { number: 13, weight: 'heavy', messageId: '5d24b1726f504d66bcea764386bda63e' },
  retired: { number: 14, weight: 'light', messageId: 'c6cff454c30043ac9d0574662635c28e' },
  checkpoint: { number: 15, weight: 'none', messageId: 'f3ca3a18e0504df7a21e2be8de629270' },
  closed: { number: 16, weight: 'light', messageId: '1dd27e7689b6411fa77d6c0a0ba8aa2f' },
  configured: { number: 17, weight: 'heavy', messageId: 'fc7c9586dbe24e42a2a3f0d8c836c79b' },
} as const satisfies { readonly [kind: string]: KindSpec };
export type Kind = keyof typeof KINDS;

const BY_NUMBER: ReadonlyMap<number, Kind> = new Map(
  Object.entries(KINDS).map(([kind, { number }]) => [number, kind as Kind]),
);

/** Undefined for a number that is not in the list. */
export function kindOf(number: number): Kind | undefined {
  return BY_NUMBER.get(number);
}

export function isKind(word: string): word is Kind {
  return Object.hasOwn(KINDS, word);
}
