/* The reduction of Theorems 4 and 6 (Appendix D.2): a formula whose variables appear at most three times each
   becomes a market, of which the most stable revenue is 37 per variable and 1 per clause satisfied. */
#ifndef WAL_PRICING_GADGET_H
#define WAL_PRICING_GADGET_H

#include <stdint.h>

#include "models/pricing/market.h"

/* Clauses of one to three literals: +v or -v of variable v = 1, 2, ...; 0: no literal. An assignment is a
   mask: bit v - 1 says that variable v is true. */
typedef struct {
  int variables, clauses;
  int (*clause)[3]; /* [clauses] owned */
} wal_formula;

enum { WAL_FORMULA_VARIABLES = 20 }; /* at most: assignments are tried one by one */

/* Formula k of so many variables: clauses of 1 to 3 different variables, at most three appearances of each;
   fewer clauses than asked for where all appearances are used. */
wal_status wal_formula_draw(uint64_t seed, int64_t k, int variables, int clauses, wal_formula *out);
void wal_formula_destroy(wal_formula *formula); /* accepts NULL and zeroed */
int wal_formula_satisfied(const wal_formula *formula, uint64_t assignment);
int wal_formula_most(const wal_formula *formula); /* MAXSAT, by trying all */

/* Table 3 for each variable: buyers 3v (choice), 3v + 1 and 3v + 2 (literals +, -), after these one a clause;
   items 10v + WAL_GADGET_... */
enum {
  WAL_GADGET_CHOICE = 0, /* + and - */
  WAL_GADGET_CLAUSE = 2, /* three of +, three of - */
  WAL_GADGET_BUFFER = 8, /* + and - */
  WAL_GADGET_ITEMS = 10, /* of a variable */
  WAL_GADGET_BUYERS = 3, /* of a variable */
};

/* All false: Theorem 6, natural priorities at personalised prices. */
typedef struct {
  bool uniform;   /* Theorem 4: one price an item, choice and literal buyers first */
  bool strict;    /* literal buyers prefer their choice item to clause-literal items; else no preference */
  bool implement; /* uniform: priorities of choice items that implement `assignment` */
  uint64_t assignment;
} wal_gadget_options;

int wal_gadget_base(const wal_gadget_options *options); /* revenue of a variable: 37, uniform 36 */
/* WAL_E_INPUT: a variable that appears more than three times. */
wal_status wal_gadget_market(const wal_formula *formula, const wal_gadget_options *options, bool exact,
                             wal_pricing_market *out);
/* The stable allocation of an assignment into out->x, and out->exact where there is one (its market's size):
   its revenue is the base and 1 for each satisfied clause. */
void wal_gadget_allocation(const wal_formula *formula, const wal_gadget_options *options, uint64_t assignment,
                           wal_pricing_allocation *out);
/* The assignment of a stable allocation x[n, m]: true are the literals on whose choice item more than 6 is
   spent by the literal buyer. */
uint64_t wal_gadget_assignment(const wal_formula *formula, const double *x);

#endif
