/*
 * Runs host.pml's `host_step` for each record on standard input and writes what comes of it: the model's half of the
 * conformance test (conformance.md). No search: one deterministic step after the other.
 * A record is one byte for each field of HOST_FIELDS, GUARD_FIELDS and EVENT_FIELDS, in this order. An answer is one
 * for each field of HOST_FIELDS, then `said` (2 bytes, low first), `done` (3 bytes) and the rows that were taken (6).
 * With MUTANTS=n the included model holds n variants of itself, chosen by `mut`; each is run until its answer differs
 * from the model's own, and at the end the number of the first such record is written for each (4 bytes; all ones: never).
 */
#define HOSTS 4
byte mut, nrows, me;
byte rows[6];
#define FIRED(t)  rows[nrows] = t; nrows++
#ifndef MUTANTS
#define MUTANTS 0
#endif
#include "host.pml"

#define HOST_FIELDS(X) X(place) X(term) X(known) X(rival) X(highest) X(rel) X(fresh) X(heardP) X(rivalFresh) X(heard) \
  X(rested) X(held) X(down) X(sound) X(suspect) X(downSince) X(sign) X(unanswered) X(attempt) X(plannedBy) X(granted) \
  X(due) X(masterLives) X(letGo) X(pend) X(answ) X(prep) X(windowOver) X(stage) X(copies) X(gate) X(forced) X(trialTo) X(cause) \
  X(only) X(handTo) X(uplinkBad) X(standby) X(stopping)
#define GUARD_FIELDS(X) X(right) X(maj) X(grown) X(bound) X(promised) X(renewed) X(slot) X(trustHeld) X(sinceP) X(claimP) X(two) \
  X(limitOver) X(began) X(risen) X(fallen) X(evidence) X(match) X(lent) X(blamed) X(disputed) X(counts) X(pausing) X(better) \
  X(alone) X(early) X(stalled) X(candidate)
#define EVENT_FIELDS(X) X(available) X(ev) X(from) X(mt) X(succ) X(me)
#define ONE(f)        + 1
#define LOAD_HOST(f)  now.H[in[sizeof in - 1]].f = in[k++];
#define LOAD_GUARD(f) now.g.f = in[k++];
#define LOAD_EVENT(f) now.f = in[k++];
#define GIVE_HOST(f)  out[k++] = now.H[now.me].f;

c_decl {
  static unsigned char in[0 HOST_FIELDS(ONE) GUARD_FIELDS(ONE) EVENT_FIELDS(ONE)];
  static unsigned char out[0 HOST_FIELDS(ONE) + 11], own[sizeof out];
  static unsigned caught[MUTANTS + 1], record, variant;
}
byte more;

init {
  d_step {
    c_code { memset(caught, 255, sizeof caught); variant = MUTANTS; };
    do
    :: c_code {
         /* the next variant that was not caught yet, else the next record */
         do variant++; while (variant <= MUTANTS && caught[variant] != ~0u);
         now.more = 1;
         if (variant > MUTANTS) {
           variant = 0;
           record++;
           now.more = fread(in, sizeof in, 1, stdin) == 1;
         }
         int k = 0;
         HOST_FIELDS(LOAD_HOST) GUARD_FIELDS(LOAD_GUARD) EVENT_FIELDS(LOAD_EVENT)
         now.mut = variant;
         now.nrows = 0;
         memset(now.rows, 0, sizeof now.rows);
       };
       if
       :: more == 0 -> break
       :: else
       fi;
       host_step(me);
       c_code {
         int k = 0;
         HOST_FIELDS(GIVE_HOST)
         out[k++] = now.said; out[k++] = now.said >> 8;
         out[k++] = now.done; out[k++] = now.done >> 8; out[k++] = now.done >> 16;
         memcpy(out + k, now.rows, 6);
         if (variant == 0) { memcpy(own, out, sizeof out); fwrite(out, sizeof out, 1, stdout); }
         else if (memcmp(own, out, sizeof out) != 0) caught[variant] = record - 1;
       }
    od;
    c_code { if (MUTANTS > 0) fwrite(caught + 1, sizeof caught[0], MUTANTS, stdout); fflush(stdout); _exit(0); }
  }
}
