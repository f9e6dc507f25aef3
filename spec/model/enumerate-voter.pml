/*
 * Runs one inline of voter.pml for each record on standard input and writes what comes of it: the votes' half of the
 * conformance test (conformance.md). A record: what to do, the voter (term, holder, left), the term asked for, the
 * successor, the age of the answered request, the three leases, and the two voter sets, a byte each. An answer: the
 * voter, whether it promised, the leases, the rest of the majority's, and whether a majority runs.
 */
#define HOSTS 3
#define L 3
#define P 4
byte set1, set2;
#define VOTERS set1
#define VOTERS2 set2
#include "voter.pml"

c_decl { static unsigned char in[12]; }
byte act, asked, heir, age, more, runsNow;
#define V 0                          /* the voter, and the host whose leases are counted */

init {
  d_step {
    do
    :: c_code {
         now.more = fread(in, sizeof in, 1, stdin) == 1;
         now.act = in[0];
         now.voterTerm[V] = in[1]; now.voterHolder[V] = in[2]; now.voterLeft[V] = in[3];
         now.asked = in[4]; now.heir = in[5]; now.age = in[6];
         now.leaseLeft[0] = in[7]; now.leaseLeft[1] = in[8]; now.leaseLeft[2] = in[9];
         now.set1 = in[10]; now.set2 = in[11];
         now.promised = 0; now.majorityLeft = 0;
       };
       if
       :: more == 0 -> break
       :: else
       fi;
       if
       :: act == 0 -> promise(V, asked)
       :: act == 1 -> freed(V, asked)
       :: act == 2 -> passedOn(V, asked, heir)
       :: act == 3 -> ownVotePassedOn(V, asked, heir)
       :: act == 4 -> promised = bound(V, heir)
       :: act == 5 -> answered(V, heir, age)
       :: act == 6 -> majority(V)
       :: act == 7 -> abstain(V)
       fi;
       runsNow = (act == 6 && majorityRuns(V));
       c_code {
         unsigned char out[9] = {
           now.voterTerm[V], now.voterHolder[V], now.voterLeft[V], now.promised,
           now.leaseLeft[0], now.leaseLeft[1], now.leaseLeft[2], now.majorityLeft, now.runsNow
         };
         fwrite(out, sizeof out, 1, stdout);
       }
    od;
    c_code { fflush(stdout); _exit(0); }
  }
}
