/*
 * table: the status table is advice (R22).
 *
 * Covers: three gateways, each with its own table; the master changes its table and spreads it, words are lost or late
 * for any time, the newest by (term, seq) wins; a host claims in the order of the table that it has, or out of turn
 * when it takes those before it for dead, so that two may claim at once in different orders.
 * Leaves out: the table's rows but who comes first, and the time of leases, as in roster.pml.
 *
 * `neverTwoActive` holds whatever the tables say; quorum3.pml says the same, where every host claims at any time. The
 * variants that watch `tablesAgree` and `neverTwoClaim` show that the tables do differ meanwhile and that two hosts do
 * claim at once: order disagrees, and nothing comes of it.
 */
#define HOSTS 3
#define TERMS 2
#define SEQS 2

/* By voter, the holder plus one, 0: nobody; by host, the voters whose leases it has, as bits. */
byte promisedTo[HOSTS];
byte leases[HOSTS];
bool claims[HOSTS];
byte tableTerm[HOSTS], tableSeq[HOSTS];
byte comesFirst[HOSTS];
byte highest;
bool neverTwoActive = true, tablesAgree = true, neverTwoClaim = true;

#define has(h) (leases[h] == 3 || leases[h] == 5 || leases[h] >= 6)
#define promise(v, h) promisedTo[v] = (h) + 1; leases[h] = leases[h] | (1 << (v))
#define ends(v, h) promisedTo[v] = 0; leases[h] = leases[h] & (7 - (1 << (v)))
#define newer(a, b) (tableTerm[a] > tableTerm[b] || (tableTerm[a] == tableTerm[b] && tableSeq[a] > tableSeq[b]))

inline judge() {
  neverTwoActive = (has(0) + has(1) + has(2) <= 1);
  if :: !neverTwoActive -> printf("violated: two hosts have a majority\n") :: else fi;
  assert(neverTwoActive);
#ifdef WATCH_AGREEMENT
  tablesAgree = (comesFirst[0] == comesFirst[1] && comesFirst[1] == comesFirst[2]);
  if :: !tablesAgree -> printf("violated: the tables disagree\n") :: else fi;
  assert(tablesAgree);
#endif
#ifdef WATCH_CLAIMS
  neverTwoClaim = (claims[0] + claims[1] + claims[2] <= 1);
  if :: !neverTwoClaim -> printf("violated: two hosts claim at once\n") :: else fi;
  assert(neverTwoClaim);
#endif
}

proctype host(byte me) {
end:
  do
  /* Its slot, or a later one: those before it seem to be dead. */
  :: d_step { !claims[me] && comesFirst[me] == me && promisedTo[me] == 0 ->
              claims[me] = true; promise(me, me); printf("%c claims in its turn\n", 65 + me); judge() }
  :: d_step { !claims[me] && comesFirst[me] != me && promisedTo[me] == 0 ->
              claims[me] = true; promise(me, me); printf("%c claims after its turn\n", 65 + me); judge() }
  /* The master's table: a new term's first one, or one more. */
  :: atomic { has(me) && (tableTerm[me] < highest || highest < TERMS || tableSeq[me] < SEQS) ->
              if
              :: highest < TERMS -> highest++; tableTerm[me] = highest; tableSeq[me] = 1
              :: tableTerm[me] == highest && tableSeq[me] < SEQS -> tableSeq[me]++
              :: else
              fi;
              if :: comesFirst[me] = 0 :: comesFirst[me] = 1 :: comesFirst[me] = 2 fi;
              printf("%c's table %d.%d begins with %c\n", 65 + me, tableTerm[me], tableSeq[me], 65 + comesFirst[me]); judge() }
  /* It lets go, or lapses: its promises end with it, or later. */
  :: d_step { claims[me] -> claims[me] = false; printf("%c lets go\n", 65 + me) }
  od
}

proctype words(byte from, to) {
end:
  do
  :: d_step { newer(from, to) -> tableTerm[to] = tableTerm[from]; tableSeq[to] = tableSeq[from]; comesFirst[to] = comesFirst[from];
              printf("%c has the table of %c, it begins with %c\n", 65 + to, 65 + from, 65 + comesFirst[to]); judge() }
#ifdef BROKEN_VOTE_BY_TABLE
  /* A voter that obeys its table instead of its promise. */
  :: d_step { claims[from] && comesFirst[to] == from && promisedTo[to] != from + 1 ->
#else
  :: d_step { claims[from] && promisedTo[to] == 0 ->
#endif
              promise(to, from); printf("%c promises to %c\n", 65 + to, 65 + from); judge() }
  :: d_step { promisedTo[to] == from + 1 && !claims[from] -> ends(to, from); printf("%c's promise ends\n", 65 + to) }
  od
}

init {
  atomic {
    run host(0); run host(1); run host(2);
    run words(0, 0); run words(0, 1); run words(0, 2); run words(1, 0); run words(1, 1); run words(1, 2);
    run words(2, 0); run words(2, 1); run words(2, 2)
  }
}
