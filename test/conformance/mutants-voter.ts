/** Faults in voter.pml; a run of Spin for each. */
export const VOTER_MUTANTS: readonly {
  readonly name: string;
  readonly find: string;
  readonly replace: string;
}[] = [
  { name: 'R2 a promise binds nobody', find: ':: bound(v, hostOf(t)) || (t)', replace: ':: (t)' },
  {
    name: 'R2 a lower term is promised',
    find: ' || (t) < voterTerm[v] -> promised',
    replace: ' -> promised',
  },
  {
    name: 'R15 a word about a later term frees',
    find: 'voterTerm[v] == (t)',
    replace: 'voterTerm[v] <= (t)',
  },
  { name: 'R12 any promise is passed on', find: '|| voterTerm[v] != (t)', replace: '' },
  {
    name: 'R12 the own vote is short',
    find: 'if :: voterLeft[host] < P -> voterLeft[host] = P :: else fi;',
    replace: '',
  },
  {
    name: 'R3 no abstention',
    find: '#else\n  voterLeft[v] = P\n#endif',
    replace: '#else\n  voterLeft[v] = 0\n#endif',
  },
  {
    name: 'R4 the lease runs from the answer',
    find: 'leaseOf(host, v) = L - (age)',
    replace: 'leaseOf(host, v) = L',
  },
  {
    name: 'R4 half is a majority',
    find: 'scratchCount > scratchSize / 2',
    replace: 'scratchCount >= scratchSize / 2',
  },
  {
    name: 'R21 the second voter set is forgotten',
    find: 'if :: scratchFirst < majorityLeft ->',
    replace: 'if :: true ->',
  },
];
