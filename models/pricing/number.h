/* One source for doubles and rationals: who includes this has defined WAL_EXACT as 0 or 1, and writes
   num_add(sum, a, b) as with GMP, results first. A number is an array of one in both. Doubles have one
   operation that rationals do not need: num_tidy(a, unit) makes 0 what rounding left of it. */
#ifndef WAL_PRICING_NUMBER_H
#define WAL_PRICING_NUMBER_H

#include <stdlib.h>

#include "models/pricing/market.h"
#include "models/pricing/rational.h"

#if WAL_EXACT

typedef mpq_t number;
#define num_init mpq_init
#define num_clear mpq_clear
#define num_set mpq_set
#define num_integer(a, k) mpq_set_si(a, k, 1)
#define num_add mpq_add
#define num_sub mpq_sub
#define num_mul mpq_mul
#define num_div mpq_div
#define num_cmp mpq_cmp
#define num_sgn mpq_sgn
#define num_tidy(a, unit) ((void)(a), (void)(unit))
#define num_array wal_rationals
#define num_array_destroy wal_rationals_destroy
#define NUM_MARKET(market, field) ((market)->exact->field)
#define NUM_ALLOCATION(allocation) ((allocation)->exact)

/* Bits of the longer of numerator and denominator. */
static inline int num_bits(mpq_t a) {
  const size_t up = mpz_sizeinbase(mpq_numref(a), 2), down = mpz_sizeinbase(mpq_denref(a), 2);
  return (int)(up > down ? up : down);
}

#else

typedef double number[1];
static inline void num_init(double *a) { *a = 0; }
static inline void num_clear(double *a) { (void)a; }
static inline void num_set(double *r, const double *a) { *r = *a; }
static inline void num_integer(double *r, int k) { *r = k; }
static inline void num_add(double *r, const double *a, const double *b) { *r = *a + *b; }
static inline void num_sub(double *r, const double *a, const double *b) { *r = *a - *b; }
static inline void num_mul(double *r, const double *a, const double *b) { *r = *a * *b; }
static inline void num_div(double *r, const double *a, const double *b) { *r = *a / *b; }
static inline int num_cmp(const double *a, const double *b) { return (*a > *b) - (*a < *b); }
static inline int num_sgn(const double *a) { return (*a > 0) - (*a < 0); }
static inline void num_tidy(double *a, const double *unit) {
  if (*a <= 1e-13 * *unit) *a = 0;
}
static inline number *num_array(size_t count) { return calloc(count ? count : 1, sizeof(number)); }
static inline void num_array_destroy(number *array, size_t count) {
  (void)count;
  free(array);
}
static inline int num_bits(const double *a) {
  (void)a;
  return 0;
}
#define NUM_MARKET(market, field) ((number *)(market)->field)
#define NUM_ALLOCATION(allocation) ((number *)(allocation)->x)

#endif

#endif
