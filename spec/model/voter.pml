/*
 * The rules that keep two masters apart under `quorum`: the voter (spec R2, R3, R12, R15, R16), the lease (R4) and
 * the choice of a term (R1, R7), as src/core/voter.ts, lease.ts, voting.ts and asking.ts have them.
 * No process and no network in here: the slices include this file and call its inlines.
 *
 * The includer defines
 *   HOSTS   how many hosts there are, 2 to 5; they are called 0 .. HOSTS-1
 *   L, P    lease and promise, in ticks
 *   VOTERS  the voter set: bit v stands for host v; default: all hosts
 *   VOTERS2 a second voter set while a roster change is unsettled (R21); default: 0, none
 * Either set may also be the name of a variable.
 *
 * Times count down: "left" is how many ticks of the owner's clock are still to go, 0 is over. The code keeps the end
 * itself, so `nowMs < untilMs` is `left > 0` in here, and `untilMs := nowMs + P` is `left := P`.
 * Each BROKEN_... takes one rule away; the slices show what comes of it.
 */
#ifndef VOTERS
#define VOTERS ((1 << HOSTS) - 1)
#endif
#ifndef VOTERS2
#define VOTERS2 0
#endif

/* R1. A term is (number, host), ordered by number, then host; numbers start at 1, so that 0 is no term at all. */
#define NO_TERM 0
#define term(number, host) ((number) * HOSTS + (host))
#define numberOf(t) ((t) / HOSTS)
#define hostOf(t) ((t) % HOSTS)
#define NOBODY HOSTS

/* One promise a voter (Voter in voter.ts). Its holder stays named when it is over, as in the code. */
byte voterTerm[HOSTS];
byte voterHolder[HOSTS] = NOBODY;
byte voterLeft[HOSTS];

/* Per host the rest of the lease that each voter gave it, and the rest that a former master lent it (Right in lease.ts). */
byte leaseLeft[HOSTS * HOSTS];
byte lentLeft[HOSTS];
#define leaseOf(host, v) leaseLeft[(host) * HOSTS + (v)]

/* The highest number that a host tried or heard (ServiceState.highestN). */
byte highestNumber[HOSTS];

/* Results of the inlines below, and their own working cells. A step that used them ends with clearResults(): */
/* what they hold is then no part of the state. */
byte promised, majorityLeft, newTerm;
byte scratchV, scratchW, scratchCount, scratchSize, scratchBest, scratchFirst;

inline clearResults() {
  promised = 0; majorityLeft = 0; newTerm = 0;
  scratchV = 0; scratchW = 0; scratchCount = 0; scratchSize = 0; scratchBest = 0; scratchFirst = 0
}

/* ---- The voter (voter.ts) ---- */

/* R3: after a start nothing is promised for P, to anybody. */
inline abstain(v) {
  voterTerm[v] = NO_TERM; voterHolder[v] = NOBODY;
#ifdef BROKEN_NO_ABSTENTION
  voterLeft[v] = 0
#else
  voterLeft[v] = P
#endif
}

#define bound(v, host) (voterLeft[v] > 0 && voterHolder[v] != (host))

/* R2, for CLAIM and renewals alike: `promised` tells whether v promised t to its host; else it objects. */
inline promise(v, t) {
  if
  :: bound(v, hostOf(t)) || (t) < voterTerm[v] -> promised = false
  :: else -> promised = true; voterTerm[v] = t; voterHolder[v] = hostOf(t); voterLeft[v] = P
  fi
}

/*
 * R15, R16: the holder itself gave exactly this term up, by RELEASED without successor or by WITHDRAW. A word about a
 * later attempt of that host frees nothing: it may have handed this term over meanwhile, and somebody lives on the rest.
 */
#ifdef BROKEN_LATER_WORD_FREES
#define isAbout(v, t) (voterTerm[v] <= (t))
#else
#define isAbout(v, t) (voterTerm[v] == (t))
#endif
inline freed(v, t) {
  if
  :: voterTerm[v] == NO_TERM || voterHolder[v] != hostOf(t) || !isAbout(v, t)
  :: else -> voterHolder[v] = NOBODY; voterLeft[v] = 0
  fi
}

/* R12: the holder of exactly t handed over; the promise binds to the successor for what is left of it. */
inline passedOn(v, t, successor) {
  if
  :: voterTerm[v] == NO_TERM || voterHolder[v] != hostOf(t) || voterTerm[v] != (t)
  :: else -> voterHolder[v] = successor
  fi
}

/* R12: a master that handed over: its own vote is the successor's for a whole promise (gateShut in harmless.ts). */
inline ownVotePassedOn(host, t, successor) {
#ifndef BROKEN_OWN_VOTE_KEPT
  if :: voterLeft[host] < P -> voterLeft[host] = P :: else fi;
#endif
  passedOn(host, t, successor)
}

/* ---- The lease (lease.ts) ---- */

/* R4: voter v answered a request that was sent `age` ticks of the host's clock ago: its lease began then. */
inline answered(host, v, age) {
#ifdef BROKEN_LEASE_FROM_ARRIVAL
  leaseOf(host, v) = L
#else
  if
  :: (age) < L && leaseOf(host, v) < L - (age) -> leaseOf(host, v) = L - (age)
  :: else
  fi
#endif
}

#define inSet(set, v) ((((set) >> (v)) & 1) == 1)

/* The rest of the lease of a majority of one set: as many voters' leases last as long, or longer; `majorityLeft`. */
inline majorityOfSet(host, set) {
  scratchBest = 0; scratchSize = 0; scratchV = 0;
  do
  :: scratchV < HOSTS -> scratchSize = scratchSize + inSet(set, scratchV); scratchV++
  :: else -> break
  od;
  scratchV = 0;
  do
  :: scratchV < HOSTS ->
     scratchCount = 0; scratchW = 0;
     do
     :: scratchW < HOSTS ->
        scratchCount = scratchCount + (inSet(set, scratchW) && leaseOf(host, scratchW) >= leaseOf(host, scratchV));
        scratchW++
     :: else -> break
     od;
     if
     :: inSet(set, scratchV) && scratchCount > scratchSize / 2 && leaseOf(host, scratchV) > scratchBest ->
        scratchBest = leaseOf(host, scratchV)
     :: else
     fi;
     scratchV++
  :: else -> break
  od;
  majorityLeft = scratchBest
}

/* R4, R21: a majority in each voter set; `majorityLeft` is the shorter rest. */
inline majority(host) {
  majorityOfSet(host, VOTERS);
  if
  :: VOTERS2 == 0
  :: else ->
     scratchFirst = majorityLeft;
     majorityOfSet(host, VOTERS2);
     if :: scratchFirst < majorityLeft -> majorityLeft = scratchFirst :: else fi
  fi
}

/* The same as conditions, for guards: whether a majority's leases, or the lent rest, still run. */
#define runs(host, set, v) (inSet(set, v) && leaseOf(host, v) > 0)
#define votes(set, v) inSet(set, v)
#if HOSTS == 2
#define running(host, set) (runs(host, set, 0) + runs(host, set, 1))
#define sizeOf(set) (votes(set, 0) + votes(set, 1))
#elif HOSTS == 3
#define running(host, set) (runs(host, set, 0) + runs(host, set, 1) + runs(host, set, 2))
#define sizeOf(set) (votes(set, 0) + votes(set, 1) + votes(set, 2))
#elif HOSTS == 4
#define running(host, set) (runs(host, set, 0) + runs(host, set, 1) + runs(host, set, 2) + runs(host, set, 3))
#define sizeOf(set) (votes(set, 0) + votes(set, 1) + votes(set, 2) + votes(set, 3))
#else
#define running(host, set) \
  (runs(host, set, 0) + runs(host, set, 1) + runs(host, set, 2) + runs(host, set, 3) + runs(host, set, 4))
#define sizeOf(set) (votes(set, 0) + votes(set, 1) + votes(set, 2) + votes(set, 3) + votes(set, 4))
#endif
#define majorityRuns(host) \
  (running(host, VOTERS) > sizeOf(VOTERS) / 2 && (VOTERS2 == 0 || running(host, VOTERS2) > sizeOf(VOTERS2) / 2))
#define rightRuns(host) (majorityRuns(host) || lentLeft[host] > 0)

/* No right at all (NO_RIGHT). */
inline noRight(host) {
  scratchV = 0;
  do
  :: scratchV < HOSTS -> leaseOf(host, scratchV) = 0; scratchV++
  :: else -> break
  od;
  lentLeft[host] = 0
}

/* ---- Terms (voting.ts, asking.ts) ---- */

/* R1, R7: the number of a host's next claim is above all that it promised, tried or heard; `newTerm`. */
inline nextTerm(host, atLeast) {
  newTerm = highestNumber[host];
  if :: numberOf(voterTerm[host]) > newTerm -> newTerm = numberOf(voterTerm[host]) :: else fi;
  if :: (atLeast) > newTerm -> newTerm = (atLeast) :: else fi;
  newTerm = term(newTerm + 1, host)
}

inline heardNumber(host, number) {
  if :: (number) > highestNumber[host] -> highestNumber[host] = (number) :: else fi
}

/* This host's own vote for its own term, which R2 binds like any other. */
inline voteForOneself(host, t) {
  promise(host, t);
  if :: promised -> answered(host, host, 0) :: else fi
}

/* ---- Time ---- */

#define countDown(x) if :: x > 0 -> x-- :: else fi

/* One tick of a host's clock: its promise as a voter, its leases as a host. */
inline clockTick(host) {
  countDown(voterLeft[host]);
  scratchV = 0;
  do
  :: scratchV < HOSTS -> countDown(leaseOf(host, scratchV)); scratchV++
  :: else -> break
  od;
  countDown(lentLeft[host])
}
