#include "models/market/contexts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/rng.h"
#include "models/common/vmath.h"

static const char *const law_names[] = {"normal", "uniform", "exponential"};

wal_status wal_context_law_parse(const char *name, wal_context_law *law) {
  for (int k = 0; k < 3; k++)
    if (strcmp(name, law_names[k]) == 0) {
      *law = (wal_context_law)k;
      return WAL_OK;
    }
  return wal_fail(WAL_E_INPUT, "unknown context law '%s'; expected normal, uniform or exponential", name);
}

double wal_context_element(wal_context_law law, uint64_t seed, uint32_t stream, int64_t row, int d, int e) {
  const uint64_t index = (uint64_t)row * (uint64_t)d + (uint64_t)e;
  switch (law) {
    case WAL_CONTEXTS_NORMAL:
      return wal_rng_normal(seed, stream, index);
    case WAL_CONTEXTS_UNIFORM:
      return wal_rng_uniform(seed, stream, index);
    case WAL_CONTEXTS_EXPONENTIAL:
      return wal_rng_exponential(seed, stream, index);
  }
  return NAN;
}

/* Rows [lo, hi) of a context matrix into b[hi-lo, d]. */
static void context_rows(wal_context_law law, uint64_t seed, uint32_t stream, int64_t lo, int64_t hi, int d,
                         double *b) {
  const uint64_t first = (uint64_t)lo * (uint64_t)d;
  const int64_t count = (hi - lo) * d;
  if (law == WAL_CONTEXTS_NORMAL) wal_rng_normals(seed, stream, first, count, b);
  if (law == WAL_CONTEXTS_UNIFORM) wal_rng_uniforms(seed, stream, first, count, b);
  if (law == WAL_CONTEXTS_EXPONENTIAL) wal_rng_exponentials(seed, stream, first, count, b);
}

typedef struct {
  wal_source base;
  wal_context_law law;
  uint64_t seed;
  int m, d;
  double *goods; /* [d, pad(m)] owned: good contexts, transposed, zeros past m */
} context_source;

enum { LANES = 8 };
static int pad(int m) { return (m + LANES - 1) / LANES * LANES; }

/* B_i = ||b_i||_2 of b[rows, d] (section C.2). */
static void budgets(int64_t rows, int d, const double *b, double *budget) {
  for (int64_t i = 0; i < rows; i++) {
    double sum = 0.0;
    for (int e = 0; e < d; e++) sum = fma(b[i * d + e], b[i * d + e], sum);
    budget[i] = sqrt(sum);
  }
}

/* <b_i, g_j> of b[rows, d] into z[rows, m]; the last LANES - 1 doubles past z's end are overwritten too:
   whole vectors are stored, and each row covers what the one before it spilt. */
static void inner_products(int64_t rows, const context_source *s, const double *b, double *z) {
  const int padded = pad(s->m);
  for (int64_t i = 0; i < rows; i++)
    for (int j = 0; j < s->m; j += LANES) {
      double sum[LANES] = {0.0};
      for (int e = 0; e < s->d; e++) {
        const double element = b[i * s->d + e], *good = s->goods + (int64_t)e * padded + j;
        for (int l = 0; l < LANES; l++) sum[l] = fma(element, good[l], sum[l]);
      }
      memcpy(z + i * s->m + j, sum, sizeof sum);
    }
}

/* v_ij = softplus(<b_i, g_j>) of b[rows, d] into v[rows, m] (section C.2), through z[rows * m + LANES]. */
static void values(int64_t rows, const context_source *s, const double *b, double *z, double *v) {
  inner_products(rows, s, b, z);
#pragma omp simd
  for (int64_t k = 0; k < rows * s->m; k++) v[k] = wal_softplus(z[k]);
}

enum { BLOCK = 128 }; /* rows generated at a time: contexts and values stay in the first cache */

static wal_status rows(const wal_source *source, int64_t lo, int64_t hi, double *v, double *budget) {
  const context_source *s = (const context_source *)source;
  const size_t elements = (size_t)BLOCK * (size_t)s->d;
  double *b = malloc((elements + (size_t)BLOCK * (size_t)s->m + LANES) * sizeof *b),
         *z = b ? b + elements : NULL;
  if (!b) return wal_fail(WAL_E_MEMORY, "no memory for %d contexts of %d elements", BLOCK, s->d);
  for (int64_t at = lo; at < hi; at += BLOCK) {
    const int64_t count = hi - at < BLOCK ? hi - at : BLOCK;
    context_rows(s->law, s->seed, WAL_STREAM_BUYERS, at, at + count, s->d, b);
    if (budget) budgets(count, s->d, b, budget + (at - lo));
    if (v) values(count, s, b, z, v + (at - lo) * s->m);
  }
  free(b);
  return WAL_OK;
}

static wal_status contexts(const wal_source *source, int64_t lo, int64_t hi, float *b32) {
  const context_source *s = (const context_source *)source;
  double *b = malloc((size_t)BLOCK * (size_t)s->d * sizeof *b);
  if (!b) return wal_fail(WAL_E_MEMORY, "no memory for %d contexts of %d elements", BLOCK, s->d);
  for (int64_t at = lo; at < hi; at += BLOCK) {
    const int64_t count = hi - at < BLOCK ? hi - at : BLOCK;
    context_rows(s->law, s->seed, WAL_STREAM_BUYERS, at, at + count, s->d, b);
    for (int64_t k = 0; k < count * s->d; k++) b32[(at - lo) * s->d + k] = (float)b[k];
  }
  free(b);
  return WAL_OK;
}

static void destroy(wal_source *source) {
  if (source) free(((context_source *)source)->goods);
  free(source);
}

static const wal_source_ops ops = {"contexts", rows, contexts, destroy};

static wal_status check_sizes(int64_t n, int m, int d, double alpha) {
  if (n < 1) return wal_fail(WAL_E_INPUT, "n is %lld; expected at least 1 (1048576 works)", (long long)n);
  if (m < 1) return wal_fail(WAL_E_INPUT, "m is %d; expected at least 1 (10 works)", m);
  if (d < 1) return wal_fail(WAL_E_INPUT, "d is %d; expected at least 1 (5 works)", d);
  if (!(alpha <= 1.0)) return wal_fail(WAL_E_INPUT, "alpha is %g; expected -inf to 1 (0.5 works)", alpha);
  return WAL_OK;
}

wal_status wal_context_market_create(wal_context_law law, uint64_t seed, int64_t n, int m, int d,
                                     double alpha, wal_context_market *out) {
  *out = (wal_context_market){0};
  const wal_status status = check_sizes(n, m, d, alpha);
  if (status != WAL_OK) return status;
  const size_t count = (size_t)m * (size_t)d;
  context_source *s = calloc(1, sizeof *s);
  if (s) {
    *s = (context_source){.base.ops = &ops, .law = law, .seed = seed, .m = m, .d = d};
    s->goods = calloc((size_t)d * (size_t)pad(m), sizeof *s->goods);
    out->source = &s->base;
  }
  out->supply = malloc((size_t)m * sizeof *out->supply);
  out->goods = malloc(count * sizeof *out->goods);
  if (!s || !s->goods || !out->supply || !out->goods) {
    wal_context_market_destroy(out);
    return wal_fail(WAL_E_MEMORY, "no memory for %d goods of %d elements", m, d);
  }
  for (int j = 0; j < m; j++) {
    out->supply[j] = (double)n;
    for (int e = 0; e < d; e++) {
      const double g = wal_context_element(law, seed, WAL_STREAM_GOODS, j, d, e);
      s->goods[(size_t)e * (size_t)pad(m) + (size_t)j] = g;
      out->goods[(size_t)j * (size_t)d + (size_t)e] = (float)g;
    }
  }
  out->market = (wal_market){.n = n,
                             .m = m,
                             .d = d,
                             .alpha = alpha,
                             .buyers = out->source,
                             .supply = out->supply,
                             .goods = out->goods};
  return WAL_OK;
}

void wal_context_market_destroy(wal_context_market *market) {
  if (!market) return;
  wal_source_destroy(market->source);
  free(market->supply);
  free(market->goods);
  *market = (wal_context_market){0};
}
