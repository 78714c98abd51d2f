/* A fixed-pricing market (Definition 1): buyers with budgets and linear values, items with one unit each, a
   price for every buyer and item, a priority (a total preorder over buyers) for every item, and its owner. */
#ifndef WAL_PRICING_MARKET_H
#define WAL_PRICING_MARKET_H

#include <gmp.h>
#include <stdbool.h>

#include "models/common/status.h"

/* The same numbers as rationals: what exact algorithms read. */
typedef struct {
  mpq_t *budget; /* [n] owned, as the next */
  mpq_t *value;  /* [n, m] */
  mpq_t *price;  /* [n, m] */
} wal_pricing_exact;

typedef struct {
  int n, m;                 /* buyers, items */
  int sellers;              /* more than the largest owner */
  double *budget;           /* [n] >= 0, owned, as the next */
  double *value;            /* [n, m] v_ij >= 0 */
  double *price;            /* [n, m] p_ij >= 0 */
  int *rank;                /* [m, n] rank_j(i): 0 the highest priority, equal numbers a tie */
  int *owner;               /* [m] seller of the item */
  wal_pricing_exact *exact; /* NULL: none; owned */
} wal_pricing_market;

/* n x m of zeros, one seller. */
wal_status wal_pricing_market_create(int n, int m, wal_pricing_market *out);
void wal_pricing_market_destroy(wal_pricing_market *market); /* accepts NULL and zeroed */
/* Makes the rationals, each exactly its double. Who sets them to others then rounds: doubles from rationals.
 */
wal_status wal_pricing_lift(wal_pricing_market *market);
void wal_pricing_round(wal_pricing_market *market);

/* Natural priorities (Definition 1): by price, high to low, equal prices a tie; from the rationals where
   there are some. */
wal_status wal_pricing_natural(wal_pricing_market *market);
/* Fully non-personalised (section 4): who values an item pays one price for it and has one priority. */
bool wal_pricing_is_uniform(const wal_pricing_market *market);
/* Signs, NaN, ranks, owners; every item valued by some buyer. The message names the index and a value that
   works. */
wal_status wal_pricing_market_check(const wal_pricing_market *market);

/* Buyer i's preference between items j and k, both of value > 0: negative: j first (less price per value), 0:
   equal. By cross-multiplication; price 0 is best. From the rationals where there are some. */
int wal_pricing_prefers(const wal_pricing_market *market, int i, int j, int k);
/* The items that buyer i values, best first, equal ones by index, into wanted[m]; returns how many. */
int wal_pricing_wanted(const wal_pricing_market *market, int i, int *wanted);

/* Allocations x[n, m] of doubles, and of rationals. */
typedef struct {
  int n, m;
  double *x;    /* [n, m] owned */
  mpq_t *exact; /* [n, m] owned; NULL: none */
} wal_pricing_allocation;
wal_status wal_pricing_allocation_create(int n, int m, bool exact, wal_pricing_allocation *out); /* zeros */
void wal_pricing_allocation_destroy(wal_pricing_allocation *allocation); /* accepts NULL and zeroed */
void wal_pricing_allocation_round(wal_pricing_allocation *allocation);   /* doubles from the rationals */

/* Revenue sum_{i, j in J_k} p_ij x_ij of every seller into revenue[sellers] (NULL: not wanted); returns the
   total. */
double wal_pricing_revenue(const wal_pricing_market *market, const double *x, double *revenue);
/* The total exactly, x[n, m]. */
void wal_pricing_revenue_exact(const wal_pricing_market *market, mpq_t *x, mpq_t out);

#endif
