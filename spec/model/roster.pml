/*
 * roster: votes while the set of voters changes (R21).
 *
 * Covers: versions of the roster, each with one voter more or less than the one before, made while earlier ones are
 * still on their way; hosts that learn of versions late or never, and of the settling of a version late; claims by
 * any two members at any time under the version that they have; promises that survive every change.
 * Leaves out: time. A promise ends only after the lease that hangs on it (quorum3.pml, drift.pml), so both end in one
 * step here. Who may sign a roster, and forks: security, not safety of votes. A roster by force is the admin's risk.
 *
 * The rules:
 *   a host needs a majority in each version from the last one that it knows to be settled up to its newest;
 *   a voter confirms a version once it is bound to nobody who has not shown that version; from then on it promises
 *   nothing to hosts on an older one;
 *   a version is settled when the one before is, and a majority of that one's voters has confirmed a later one; between
 *   versions with the same voters nothing need be confirmed.
 * The daemon has no word for "confirmed": a voter shows a version and from then on promises nothing to hosts on an older
 * one, and what it promised before is over one promise later. Shown, and one promise ago, is confirmed.
 */
#define HOSTS 4
#define VERSIONS 3
#define A_B_AND_C 7

byte voters[VERSIONS + 1];
byte newest = 1;
/* Per host: the newest version that it has, the one that it confirmed as a voter, the last that it knows to be settled. */
byte has[HOSTS];
byte confirmed[HOSTS];
byte settled[HOSTS];
/* Promises: by voter, the holder plus one, 0: nobody. */
byte promisedTo[HOSTS];
/* The two hosts that claim. */
byte first = 0, second;
#define claims(h) ((h) == first || (h) == second)
bool neverTwoActive = true;
byte i, k, j, count, size, ok;

#define clearScratch() i = 0; k = 0; j = 0; count = 0; size = 0; ok = 0
#define isIn(set, v) (((set) >> (v)) & 1)
#ifdef BROKEN_VOTE_PER_KEY
/* A changes its key: for a while it has two, and answers with both. */
#define weight(v) (1 + (v == 0))
#else
#define weight(v) 1
#endif

/* `ok`: h has a majority in each version that counts for it. */
inline right(h) {
  ok = 1;
#ifdef BROKEN_NO_JOINT_MAJORITY
  j = has[h];
#else
  j = settled[h];
#endif
  do
  :: j <= has[h] ->
     count = 0; size = 0; i = 0;
     do
     :: i < HOSTS ->
        size = size + isIn(voters[j], i);
        count = count + (promisedTo[i] == h + 1 -> isIn(voters[j], i) * weight(i) : 0);
        i++
     :: else -> break
     od;
     if :: 2 * count <= size -> ok = 0 :: else fi;
     j++
  :: else -> break
  od
}

/* `ok`: a majority of the voters of version `base` has confirmed version `version`. */
inline majorityConfirmed(base, version) {
  count = 0; size = 0; i = 0;
  do
  :: i < HOSTS ->
     size = size + isIn(voters[base], i);
     count = count + (confirmed[i] >= version -> isIn(voters[base], i) : 0);
     i++
  :: else -> break
  od;
  ok = (2 * count > size)
}

inline judge() {
  right(first); k = ok; right(second);
  neverTwoActive = !(k && ok);
  if :: !neverTwoActive -> printf("violated: two hosts have a majority\n") :: else fi;
  assert(neverTwoActive)
}

#define promises(h, v) \
  d_step { isIn(voters[has[h]], h) && promisedTo[v] == 0 && shows(h, confirmed[v]) -> \
           promisedTo[v] = h + 1; printf("%c promises to %c, which has version %d\n", 65 + v, 65 + h, has[h]); \
           judge(); clearScratch() }

proctype admin() {
  byte host;
end:
  do
  :: newest < VERSIONS ->
     atomic {
#ifdef BROKEN_TWO_AT_ONCE
       if
       :: voters[newest + 1] = 1
       :: voters[newest + 1] = 15
       :: voters[newest + 1] = 9
       fi;
#else
       select(host: 0 .. 3);
       voters[newest + 1] = voters[newest] ^ (1 << host);
       if :: voters[newest + 1] == 0 -> voters[newest + 1] = voters[newest] :: else fi;
#endif
       newest++; host = 0;
       printf("version %d: voters %d%d%d%d (A to D)\n", newest, isIn(voters[newest], 0), isIn(voters[newest], 1), isIn(voters[newest], 2), isIn(voters[newest], 3))
     }
  od
}

#ifdef BROKEN_CONFIRMED_WHILE_BOUND
#define mayConfirm(v) true
#else
#define mayConfirm(v) (promisedTo[v] == 0 || has[promisedTo[v] - 1] > confirmed[v])
#endif
#ifdef BROKEN_OLD_VERSION_ANSWERED
#define shows(h, version) true
#else
#define shows(h, version) (has[h] >= version)
#endif

/* A voter; of a host that does not claim it matters only what it confirmed. */
proctype voter(byte v) {
end:
  do
  :: d_step { confirmed[v] < newest && (!claims(v) || confirmed[v] < has[v]) && mayConfirm(v) ->
              confirmed[v]++; printf("%c confirms version %d\n", 65 + v, confirmed[v]) }
  :: promises(first, v)
  :: promises(second, v)
  /* The promise is over, and the lease that hung on it was before. */
  :: d_step { promisedTo[v] != 0 -> promisedTo[v] = 0; printf("%c's promise ends\n", 65 + v) }
  od
}

proctype claimant(byte h) {
end:
  do
  :: d_step { has[h] < newest -> has[h]++; printf("%c has version %d\n", 65 + h, has[h]); judge(); clearScratch() }
  :: d_step { settled[h] < has[h] ->
              majorityConfirmed(settled[h], settled[h] + 1);
              if
              :: ok || voters[settled[h]] == voters[settled[h] + 1] -> settled[h]++; printf("%c knows that version %d is settled\n", 65 + h, settled[h]); judge()
              :: else
              fi; clearScratch() }
  od
}

init {
  atomic {
    voters[1] = A_B_AND_C;
    do
    :: i < HOSTS -> has[i] = 1; confirmed[i] = 1; settled[i] = 1; i++
    :: else -> break
    od;
    i = 0;
    /* A, B and C differ in nothing but their names: with A claims either B or D. */
    if :: second = 1 :: second = 3 fi;
    printf("%c and %c claim\n", 65 + first, 65 + second);
    run admin();
    run claimant(first); run claimant(second);
    run voter(0); run voter(1); run voter(2); run voter(3)
  }
}
