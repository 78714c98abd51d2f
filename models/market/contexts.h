/* Contextual markets (marketfcnet, sections 3 and C.2): buyers b_i and goods g_j in R^d, elements i.i.d.;
   budget B_i = ||b_i||_2, value v_ij = softplus(<b_i, g_j>), supply Y_j = n. */
#ifndef WAL_MARKET_CONTEXTS_H
#define WAL_MARKET_CONTEXTS_H

#include "models/common/philox.h"
#include "models/market/market.h"

typedef enum {
  WAL_CONTEXTS_NORMAL = WAL_VARIATE_NORMAL,
  WAL_CONTEXTS_UNIFORM = WAL_VARIATE_UNIFORM,
  WAL_CONTEXTS_EXPONENTIAL = WAL_VARIATE_EXPONENTIAL
} wal_context_law;

/* "normal" N(0,1), "uniform" U[0,1], "exponential" Exp(1); WAL_E_INPUT names the three otherwise. */
wal_status wal_context_law_parse(const char *name, wal_context_law *law);

/* Generated contexts also come in float32 from the same random words (wal_source_columns32): elements differ
   from the double ones by at most 2^-20 max(1, |b|), budgets by a few 2^-22, values by 2^-20 (1 + |log v|),
   relatively (largest of a million buyers: 2^-21.5 and 2^-20.3); values below 1.6e-38 are 1.6e-38. */

/* Draws element e of row r of a context matrix: counter index r*d+e of `stream`. Bit-identical anywhere. */
double wal_context_element(wal_context_law law, uint64_t seed, uint32_t stream, int64_t row, int d, int e);

/* A generated market that owns its source, goods and supplies. */
typedef struct {
  wal_market market;
  wal_source *source; /* owned */
  double *supply;     /* [m] owned, all n */
  float *goods;       /* [m, d] owned, float32 roundings of the contexts that the values use */
} wal_context_market;

/* n >= 1, m >= 1, d >= 1, alpha in [-inf, 1]. Values are computed in double from the context elements. */
wal_status wal_context_market_create(wal_context_law law, uint64_t seed, int64_t n, int m, int d,
                                     double alpha, wal_context_market *out);
/* Other buyers, of any number, law and seed, before the goods of `like`: its m, d, alpha and good contexts.
 */
wal_status wal_context_market_like(const wal_context_market *like, wal_context_law law, uint64_t seed,
                                   int64_t n, wal_context_market *out);
/* The same before goods whose float32 contexts goods[m, d] are given (copied): what a network knows of them.
 */
wal_status wal_context_market_before(const float *goods, int m, int d, double alpha, wal_context_law law,
                                     uint64_t seed, int64_t n, wal_context_market *out);
void wal_context_market_destroy(wal_context_market *market);

/* What a source of such a market draws its buyers from, so that another processor can draw the same ones
   (context_math.h): row r of stream WAL_STREAM_BUYERS. */
typedef struct {
  wal_variate law;
  uint64_t seed;
  int m, d;
  const double *goods; /* [m, d] borrowed: good contexts that the values use */
} wal_context_draws;

/* False for every other source: its contexts are given, or it has none. */
bool wal_source_draws(const wal_source *source, wal_context_draws *out);

/* Contexts that are given instead of drawn, a user's file say: rows [lo, hi) into b[hi-lo, d], from any
   thread. */
typedef wal_status (*wal_context_rows)(const void *given, int64_t lo, int64_t hi, double *b);

/* Buyers with such contexts; values and budgets as above, the same bits for the same contexts. goods[m, d] is
   copied, `given` borrowed. */
wal_status wal_source_given_contexts(int m, int d, const double *goods, wal_context_rows read,
                                     const void *given, wal_source **out);

#endif
