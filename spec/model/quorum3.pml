/*
 * quorum3: votes and leases of one service under `quorum`, three hosts.
 *
 * Covers: claims and renewals of two or three gateways (GATEWAYS; the rest are witnesses); words that are lost, late
 * by any time, doubled and overtaken; refused terms and the next number in place (R7); giving up by WITHDRAW or
 * RELEASED (R15, R16); with HANDOVER the planned handover and its lent lease (R12); processes that die and start
 * with nothing remembered, any number of times (R3), their kernel gate still open; frozen hosts.
 * Leaves out: clocks that differ (drift.pml), the time of a kernel call (pause.pml), changing voters (roster.pml),
 * why a host claims or gives up (it may do so whenever the rules of this file let it), term numbers above NUMBERS.
 *
 * The network keeps every word: it may arrive at any time, as often as it likes, or never. That is loss, delay,
 * doubling and reordering in one. A frozen host is one that takes no step. A claimant opens its gate as soon as it
 * has the right: what it does before that in Handover only makes it later.
 */
#define HOSTS 3
#ifndef GATEWAYS
#define GATEWAYS 3
#endif
#ifndef L
#define L 2
#endif
#ifndef P
#define P L
#endif
#ifndef NUMBERS
#define NUMBERS 2
#endif
#include "voter.pml"

mtype = { idle, holds, ready, shutting };
mtype phase[HOSTS] = idle;
/* The own term while not idle. */
byte ownTerm[HOSTS];
/* The kernel gate shuts by itself when this is over (R6): the service is active while it is open. */
byte gateLeft[HOSTS];
#define active(h) (gateLeft[h] > 0)

/* ---- Words under way ---- */

#ifdef LATE_REQUESTS
/*
 * Requests (CLAIM, STATUS), by host and number: the lease that an answer to the youngest would still give, 0: none.
 * Older ones would do the same with less. One that can give no lease any more, or is of a former attempt or run, whose
 * answers nobody knows, may arrive for ever: `triedEver`, the highest number of which there was one.
 */
byte requests[HOSTS * (NUMBERS + 1)];
#define requestsOf(h, number) requests[(h) * (NUMBERS + 1) + (number)]
byte triedEver[HOSTS];
#endif
/* Answers (GRANT, ACK) of v to h: the lease that the youngest still gives. */
byte answers[HOSTS * HOSTS];
#define answersOf(h, v) answers[(h) * HOSTS + (v)]
/*
 * "I gave this term up": WITHDRAW, or RELEASED without successor. Of the present run: bit n stands for number n. Of a
 * former run, by voter: whether such a word would free its present promise; it is believed until the voter hears the
 * new run, for one session replaces another.
 */
byte ended[HOSTS];
bool endedBefore[HOSTS];
#ifdef HANDOVER
/* RELEASED with successor: its number, the successor, the rest of the lease, whether it names the successor's present READY. */
byte handedNumber[HOSTS];
byte handedTo[HOSTS];
byte handedRest[HOSTS];
bool handedAnswers[HOSTS];
/* Said by a former run; by receiver, as bits: does not believe it any more. */
bool handedBefore[HOSTS];
byte handedRefused[HOSTS];
/* The successor: whom it got ready for, and how long ago it first said READY (L: or longer). */
byte readyFor[HOSTS];
byte readyAge[HOSTS];
/* The master that heard READY: to whom it hands over, until when its right would have run, whose READY it is. */
byte handingTo[HOSTS] = NOBODY;
byte handingLeft[HOSTS];
bool handingAnswers[HOSTS];
/* R12: a host that handed over does not claim for P; its own vote may be out of its hands, or its own. */
byte noClaimLeft[HOSTS];
#define mayClaimAgain(h) (noClaimLeft[h] == 0)
#else
#define mayClaimAgain(h) true
#endif

#ifdef LIVE
bool calm;
#endif
/* Each step is one move of one host, one word or the clock. */
byte i, n;
#define step(guard, doing) d_step { guard -> doing; i = 0; n = 0; tidy(); clearResults() }
/* Such a move, while there are still faults. */
#ifdef LIVE
#define move(guard, doing) step(!calm && (guard), doing)
#else
#define move(guard, doing) step(guard, doing)
#endif

/* What can have no effect any more is forgotten, so that states that do the same are the same. */
inline tidyHost(h) {
  if :: highestNumber[h] <= numberOf(voterTerm[h]) -> highestNumber[h] = 0 :: else fi;
  if
  :: voterLeft[h] == 0 && (phase[h] == idle || voterTerm[h] != ownTerm[h]) -> voterHolder[h] = NOBODY
  :: else
  fi
}
inline tidyVoter(v) {
  if :: voterHolder[v] == NOBODY || voterLeft[v] == 0 -> endedBefore[v] = false :: else fi
}
inline tidy() {
  tidyVoter(0); tidyVoter(1); tidyVoter(2);
  tidyHost(0); tidyHost(1); tidyHost(2)
}

/* ---- The properties ---- */

bool neverTwoActive = true, givenUpIsShut = true;
#if GATEWAYS == 2
#define activeHosts (active(0) + active(1))
#else
#define activeHosts (active(0) + active(1) + active(2))
#endif

/* Whoever says that its term is over has no service active. */
inline mustBeShut(h) {
#ifndef ONLY_TWO_ACTIVE
  givenUpIsShut = !active(h);
  if :: !givenUpIsShut -> printf("violated: a host that gave up its lease has its service active\n") :: else fi;
  assert(givenUpIsShut)
#else
  skip
#endif
}

/* Opens the gate for as long as the right lasts; it is never shortened by this (extend in service.ts). */
inline openGate(h) {
  majority(h);
  if :: lentLeft[h] > majorityLeft -> majorityLeft = lentLeft[h] :: else fi;
  if
  :: majorityLeft > gateLeft[h] ->
     if :: gateLeft[h] == 0 -> printf("%c opens its gate in term %d/%c\n", 65 + h, numberOf(ownTerm[h]), 65 + h) :: else fi;
     gateLeft[h] = majorityLeft;
     neverTwoActive = (activeHosts <= 1);
     if :: !neverTwoActive -> printf("violated: two hosts are active\n") :: else fi;
     assert(neverTwoActive)
  :: else
  fi
}

/* Answers to what was asked until now are unknown from now on. */
inline forgetRequests(h) {
  i = 0;
  do :: i < HOSTS -> answersOf(h, i) = 0; i++ :: else -> break od;
#ifdef LATE_REQUESTS
  i = 1;
  do :: i <= NUMBERS -> requestsOf(h, i) = 0; i++ :: else -> break od;
#endif
  i = 0
}

#ifdef HANDOVER
/* The successor's READY is no longer its present one. */
inline noLongerReady(h) {
  i = 0;
  do
  :: i < HOSTS ->
     if :: handedTo[i] == h -> handedAnswers[i] = false :: else fi;
     if :: handingTo[i] == h -> handingAnswers[i] = false :: else fi;
     i++
  :: else -> break
  od;
  readyFor[h] = 0; readyAge[h] = 0
}
#else
#define noLongerReady(h) skip
#endif

inline forgetEnded(h) {
#ifndef BROKEN_NO_SESSIONS
  ended[h] = 0;
#endif
  skip
}

/* ---- A gateway ---- */

/* CLAIM: the own vote must be free (R10), the number a new one (R1). */
inline claim(h) {
  nextTerm(h, 0);
  if
  :: numberOf(newTerm) <= NUMBERS ->
     ownTerm[h] = newTerm; highestNumber[h] = numberOf(newTerm);
     phase[h] = holds;
     printf("%c claims term %d/%c\n", 65 + h, numberOf(newTerm), 65 + h);
     ask(h)
  :: else
  fi
}

/* One round of CLAIM or STATUS, the own vote with it (asking.ts). */
inline ask(h) {
#ifdef LATE_REQUESTS
  requestsOf(h, numberOf(ownTerm[h])) = L;
  if :: numberOf(ownTerm[h]) > triedEver[h] -> triedEver[h] = numberOf(ownTerm[h]) :: else fi;
#endif
  voteForOneself(h, ownTerm[h])
}

/* R7: some voter promised a higher term: the next number, in place. The own vote objects like any other, once it is free. */
#ifdef BROKEN_OWN_VOTE_SILENT
#define objects(v, h) ((v) != h && voterTerm[v] > ownTerm[h])
#else
#define objects(v, h) (((v) != h || !bound(h, h)) && voterTerm[v] > ownTerm[h])
#endif
inline reclaim(h) {
  n = 0; i = 0;
  do
  :: i < HOSTS ->
     if :: objects(i, h) && numberOf(voterTerm[i]) > n -> n = numberOf(voterTerm[i]) :: else fi;
     i++
  :: else -> break
  od;
  nextTerm(h, n);
  if
  :: n > 0 && numberOf(newTerm) <= NUMBERS ->
     ownTerm[h] = newTerm; highestNumber[h] = numberOf(newTerm);
     printf("%c goes on in term %d/%c\n", 65 + h, numberOf(newTerm), 65 + h);
     ask(h)
  :: else
  fi
}

/* Roll-back or release: the right is over at once, the gate is ordered shut. */
inline giveUp(h) {
  phase[h] = shutting;
  noRight(h); forgetRequests(h);
#ifdef BROKEN_WORD_BEFORE_SHUT
  sayWhatEnded(h)
#endif
}

inline sayWhatEnded(h) {
  printf("%c says that its term %d/%c is over\n", 65 + h, numberOf(ownTerm[h]), 65 + h);
  mustBeShut(h);
  freed(h, ownTerm[h]);
  ended[h] = ended[h] | (1 << numberOf(ownTerm[h]))
}

/* The gate is read back shut: only now the others are told. */
inline gateShut(h) {
  gateLeft[h] = 0;
#ifdef HANDOVER
  if
  :: handingTo[h] != NOBODY -> handOver(h)
  :: else ->
#endif
#ifndef BROKEN_WORD_BEFORE_SHUT
     sayWhatEnded(h);
#endif
#ifdef HANDOVER
  fi;
#endif
  phase[h] = idle; ownTerm[h] = 0
}

#ifdef HANDOVER
/* R12. B is ready: its uplink is up, its service prepared behind the shut gate. */
inline getReady(host, former) {
  phase[host] = ready; readyFor[host] = former; readyAge[host] = 0;
#ifdef BROKEN_NUMBER_TRIED_TWICE
  newTerm = term(numberOf(ownTerm[former]) + 1, host);
#else
  nextTerm(host, numberOf(ownTerm[former]));
#endif
  ownTerm[host] = newTerm;
  heardNumber(host, numberOf(newTerm));
  printf("%c is ready to follow %c in term %d/%c\n", 65 + host, 65 + former, numberOf(newTerm), 65 + host)
}

/* A hears READY: it notes what its right would have been, and shuts its gate. */
inline heardReady(h, successor) {
  majority(h);
  handingTo[h] = successor; handingLeft[h] = majorityLeft;
  if :: lentLeft[h] > majorityLeft -> handingLeft[h] = lentLeft[h] :: else fi;
  handingAnswers[h] = (phase[successor] == ready && readyFor[successor] == h);
  phase[h] = shutting;
  noRight(h); forgetRequests(h)
}

/* A's gate is read back shut: its own vote is B's, and RELEASED(term, B, READY's id, rest) goes out. */
inline handOver(h) {
  mustBeShut(h);
  ownVotePassedOn(h, ownTerm[h], handingTo[h]);
  handedNumber[h] = numberOf(ownTerm[h]); handedTo[h] = handingTo[h]; handedBefore[h] = false; handedRefused[h] = 0;
  handedRest[h] = handingLeft[h]; handedAnswers[h] = handingAnswers[h];
#ifndef BROKEN_CLAIMS_AT_ONCE
  noClaimLeft[h] = P;
#endif
  printf("%c hands its term %d/%c over to %c, %d ticks of its lease left\n", 65 + h, handedNumber[h], 65 + h, 65 + handedTo[h], handedRest[h]);
  handingTo[h] = NOBODY; handingLeft[h] = 0; handingAnswers[h] = false
}
#endif

proctype gateway(byte h) {
  do
  :: move(phase[h] == idle && !bound(h, h) && mayClaimAgain(h), claim(h))
  :: move(phase[h] == holds, ask(h))
  :: move(phase[h] == holds, reclaim(h))
  :: move(phase[h] == holds, giveUp(h))
  :: move(phase[h] == shutting, gateShut(h))
  :: move(phase[h] == idle && active(h), gateLeft[h] = 0) /* what a former run left open */
#ifdef HANDOVER
  :: move(phase[h] == ready, noLongerReady(h); phase[h] = shutting) /* withdraws */
#endif
  od
}

#ifdef HANDOVER
#ifdef BROKEN_NUMBER_TRIED_TWICE
#define numberIsLeft(successor, h) (numberOf(ownTerm[h]) < NUMBERS)
#else
#define numberIsLeft(successor, h) \
  (numberOf(ownTerm[h]) < NUMBERS && numberOf(voterTerm[successor]) < NUMBERS && highestNumber[successor] < NUMBERS)
#endif
proctype planned(byte h, successor) {
  do
  :: move(phase[h] == holds && phase[successor] == idle && numberIsLeft(successor, h), getReady(successor, h))
  :: move(phase[h] == holds && rightRuns(h) && phase[successor] == ready && readyFor[successor] == h, heardReady(h, successor))
  od
}
#endif

/* ---- The network: words of h at v ---- */

/* v has a session with h's present run: the words of former ones are refused from now on. */
inline newRunHeard(sender, receiver) {
#ifdef HANDOVER
#ifndef BROKEN_NO_SESSIONS
  if :: handedBefore[sender] -> handedRefused[sender] = handedRefused[sender] | (1 << receiver) :: else fi;
#endif
#endif
  skip
}

/* A request: v promises or objects; the answer is worth what the request was. */
#ifdef LATE_REQUESTS
#define arrives(number) \
  :: move(requestsOf(h, number) > 0 && mayPromise(v, term(number, h)), \
          promise(v, term(number, h)); endedBefore[v] = false; \
          printf("%c promises term %d/%c\n", 65 + v, number, 65 + h); \
          heardNumber(v, number); newRunHeard(h, v); \
          answersOf(h, v) = requestsOf(h, number)) \
  :: move(requestsOf(h, number) == 0 && number <= triedEver[h] && mayPromise(v, term(number, h)), \
          promise(v, term(number, h)); endedBefore[v] = false; \
          printf("%c promises term %d/%c to a late request\n", 65 + v, number, 65 + h); \
          heardNumber(v, number))
#else
#define arrivesAtOnce \
  :: move(phase[h] == holds && mayPromise(v, ownTerm[h]), \
          promise(v, ownTerm[h]); endedBefore[v] = false; \
          printf("%c promises term %d/%c\n", 65 + v, numberOf(ownTerm[h]), 65 + h); \
          heardNumber(v, numberOf(ownTerm[h])); newRunHeard(h, v); \
          answersOf(h, v) = L)
#endif
#define mayPromise(v, t) (!bound(v, hostOf(t)) && (t) >= voterTerm[v])
#define answerArrives \
  :: move(answersOf(h, v) > 0, \
          printf("%c hears the promise of %c, which gives it a lease of %d\n", 65 + h, 65 + v, answersOf(h, v)); \
          answered(h, v, L - answersOf(h, v)); answersOf(h, v) = 0; openGate(h))
#define termEnds(number) \
  :: move(voterHolder[v] == h && voterLeft[v] > 0 && ((ended[h] >> (number)) & 1) == 1 && \
          isAbout(v, term(number, h)), \
          printf("%c frees its promise, for %d/%c is over\n", 65 + v, number, 65 + h); \
          freed(v, term(number, h)); newRunHeard(h, v))
#define termOfFormerRunEnds \
  :: move(voterHolder[v] == h && endedBefore[v], \
          printf("%c frees its promise to a former run of %c, for that run ended it\n", 65 + v, 65 + h); \
          freed(v, voterTerm[v]))

proctype network(byte h, v) {
  do
#ifdef LATE_REQUESTS
  arrives(1) arrives(2)
#if NUMBERS >= 3
  arrives(3)
#endif
#else
  arrivesAtOnce
#endif
  answerArrives
  termEnds(1) termEnds(2) termOfFormerRunEnds
#if NUMBERS >= 3
  termEnds(3)
#endif
#ifdef HANDOVER
  :: move(handedNumber[h] > 0 && voterHolder[v] == h && voterTerm[v] == term(handedNumber[h], h) &&
              ((handedRefused[h] >> v) & 1) == 0, printf("%c passes its promise on to %c\n", 65 + v, 65 + handedTo[h]);
              passedOn(v, term(handedNumber[h], h), handedTo[h]); endedBefore[v] = false)
#ifdef BROKEN_OLD_RELEASED_BELIEVED
#define answersReady true
#else
#define answersReady handedAnswers[h]
#endif
#ifdef BROKEN_REST_FROM_RECEIPT
#define restFrom(age) handedRest[h]
#else
#define restFrom(age) (handedRest[h] > (age) -> handedRest[h] - (age) : 0)
#endif
  :: move(phase[v] == ready && readyFor[v] == h && handedNumber[h] > 0 && handedTo[h] == v && answersReady, printf("%c hears that %c let go: %d ticks are lent\n", 65 + v, 65 + h, restFrom(readyAge[v]));
              lentLeft[v] = restFrom(readyAge[v]);
              noLongerReady(v); phase[v] = holds; openGate(v))
#endif
  od
}

/* ---- Faults and time ---- */

#ifdef BROKEN_LATER_WORD_FREES
#define wasEnded(v, h) ((ended[h] >> numberOf(voterTerm[v])) > 0)
#else
#define wasEnded(v, h) (((ended[h] >> numberOf(voterTerm[v])) & 1) == 1 && hostOf(voterTerm[v]) == (h))
#endif

/* The process dies and starts again with nothing remembered; what the kernel has stays. */
proctype crash(byte h) {
  do
  :: move(true, printf("%c starts anew\n", 65 + h);
     abstain(h); highestNumber[h] = 0; noRight(h); forgetRequests(h);
#ifdef HANDOVER
     noLongerReady(h); handingTo[h] = NOBODY; handingLeft[h] = 0; handingAnswers[h] = false; noClaimLeft[h] = 0;
     handedBefore[h] = true;
#endif
     phase[h] = idle; ownTerm[h] = 0;
     /* Others may still believe the former run; it believes only present ones. */
     endedBefore[h] = false;
     i = 0;
     do
     :: i < HOSTS ->
        if
        :: i != h ->
           if
           :: voterHolder[i] == h && wasEnded(i, h) -> endedBefore[i] = true
           :: else
           fi;
           newRunHeard(i, h)
        :: else
        fi;
        i++
     :: else -> break
     od;
     forgetEnded(h))
  od
}

inline tick() {
  i = 0;
  do
  :: i < HOSTS ->
     clockTick(i);
     n = 0;
     do :: n < HOSTS -> countDown(answersOf(i, n)); n++ :: else -> break od;
#ifdef LATE_REQUESTS
     n = 1;
     do :: n <= NUMBERS -> countDown(requestsOf(i, n)); n++ :: else -> break od;
#endif
#ifdef HANDOVER
     if :: phase[i] == ready && readyAge[i] < L -> readyAge[i]++ :: else fi;
     countDown(handingLeft[i]); countDown(noClaimLeft[i]);
#endif
#ifndef BROKEN_NO_KERNEL_LEASE
     countDown(gateLeft[i]);
#endif
     i++
  :: else -> break
  od;
  printf("tick\n")
}

proctype clock() {
  do
  :: move(true, tick())
  od
}

#ifdef LIVE
#include "calm.pml"
#endif

init {
  atomic {
    abstain(0); abstain(1); abstain(2);
    run gateway(0); run gateway(1);
    run network(0, 1); run network(0, 2); run network(1, 0); run network(1, 2);
#ifndef NO_CRASH
    run crash(0); run crash(1); run crash(2);
#endif
#if GATEWAYS == 3
    run gateway(2); run network(2, 0); run network(2, 1);
#endif
#ifdef HANDOVER
    run planned(0, 1); run planned(1, 0);
#if GATEWAYS == 3
    run planned(0, 2); run planned(2, 0); run planned(1, 2); run planned(2, 1);
#endif
#endif
#ifdef LIVE
    run faultsEnd();
#endif
    run clock()
  }
}
