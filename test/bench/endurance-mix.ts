/** Which fault comes next in a long life: every one as often as the others, on the host that is never killed and on those that are. */
const ALL = ['handover', 'power', 'kill9'] as const;
/** The elder's processes are to live through it all. */
const SPARING = ['handover', 'power'] as const;
export type MixedFault = (typeof ALL)[number];

export class Mix {
  readonly #done = new Map<string, number>();

  /** `isElder`: the master is the host that is never killed. Of those that were done least often to such a one, the first. */
  next(isElder: boolean): MixedFault {
    const count = (fault: MixedFault): number => this.#done.get(`${isElder} ${fault}`) ?? 0;
    const choice: readonly MixedFault[] = isElder ? SPARING : ALL;
    const fault = choice.reduce((least, one) => (count(one) < count(least) ? one : least));
    this.#done.set(`${isElder} ${fault}`, count(fault) + 1);
    return fault;
  }
}
