#include "models/market/contexts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/rng.h"
#include "models/common/vmath.h"
#include "models/market/columns32.h"

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
  return wal_variate_element((wal_variate)law, seed, stream, (uint64_t)row * (uint64_t)d + (uint64_t)e);
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
  wal_context_rows read; /* contexts that are given; NULL: drawn from law and seed */
  const void *given;     /* borrowed: what read() reads */
  wal_context_law law;
  uint64_t seed;
  int m, d;
  double *goods; /* [m, d] owned: good contexts */
} context_source;

/* Contexts of buyers [lo, hi) into b[hi-lo, d]. */
static wal_status buyer_contexts(const context_source *s, int64_t lo, int64_t hi, double *b) {
  if (s->read) return s->read(s->given, lo, hi, b);
  context_rows(s->law, s->seed, WAL_STREAM_BUYERS, lo, hi, s->d, b);
  return WAL_OK;
}

/* Buyers generated at a time: their contexts and values stay in the first cache. They lie element by element
   and good by good, [d, BLOCK] and [m, stride], so that loops over buyers are vectors. */
enum { BLOCK = 128, LANES = 8 };

/* B_i = ||b_i||_2 (section C.2) of b[d, BLOCK]. */
static void budgets(int count, int d, const double *b, double *budget) {
  double sum[BLOCK] = {0.0};
  for (int e = 0; e < d; e++)
    for (int t = 0; t < count; t++) sum[t] = fma(b[e * BLOCK + t], b[e * BLOCK + t], sum[t]);
  for (int t = 0; t < count; t++) budget[t] = sqrt(sum[t]);
}

/* <b_i, g> of b[d, BLOCK] and one good[d] into z[BLOCK], in whole vectors. */
static void inner_products(int count, int d, const double *b, const double *good, double *z) {
  for (int t = 0; t < count; t += LANES) {
    double sum[LANES] = {0.0};
    for (int e = 0; e < d; e++)
      for (int l = 0; l < LANES; l++) sum[l] = fma(b[e * BLOCK + t + l], good[e], sum[l]);
    memcpy(z + t, sum, sizeof sum);
  }
}

/* v_ij = softplus(<b_i, g_j>) (section C.2) of b[d, BLOCK]. */
static void values(int count, const context_source *s, const double *b, int64_t stride, double *v) {
  double z[BLOCK];
  for (int j = 0; j < s->m; j++) {
    inner_products(count, s->d, b, s->goods + (int64_t)j * s->d, z);
#pragma omp simd
    for (int t = 0; t < count; t++) v[j * stride + t] = wal_softplus(z[t]);
  }
}

/* At most BLOCK buyers, through row[BLOCK, d] and b[d, BLOCK]. */
static wal_status block_columns(const context_source *s, int64_t lo, int count, double *room, int64_t stride,
                                double *v, double *budget) {
  double *row = room, *b = room + (size_t)BLOCK * (size_t)s->d;
  const wal_status status = buyer_contexts(s, lo, lo + count, row);
  if (status != WAL_OK) return status;
  for (int e = 0; e < s->d; e++)
    for (int t = 0; t < count; t++) b[e * BLOCK + t] = row[t * s->d + e];
  if (budget) budgets(count, s->d, b, budget);
  if (v) values(count, s, b, stride, v);
  return WAL_OK;
}

static wal_status columns(const wal_source *source, int64_t lo, int64_t hi, int64_t stride, double *v,
                          double *budget) {
  const context_source *s = (const context_source *)source;
  double *room = calloc(2 * (size_t)BLOCK * (size_t)s->d, sizeof *room);
  if (!room) return wal_fail(WAL_E_MEMORY, "no memory for %d contexts of %d elements", BLOCK, s->d);
  wal_status status = WAL_OK;
  for (int64_t at = 0; status == WAL_OK && at < hi - lo; at += BLOCK)
    status = block_columns(s, lo + at, (int)(hi - lo - at < BLOCK ? hi - lo - at : BLOCK), room, stride,
                           v ? v + at : NULL, budget ? budget + at : NULL);
  free(room);
  return status;
}

static wal_status rows(const wal_source *source, int64_t lo, int64_t hi, double *v, double *budget) {
  const context_source *s = (const context_source *)source;
  const size_t m = (size_t)s->m, elements = 2 * (size_t)BLOCK * (size_t)s->d;
  double *room = calloc(elements + BLOCK * m, sizeof *room), *column = room ? room + elements : NULL;
  if (!room) return wal_fail(WAL_E_MEMORY, "no memory for %d contexts of %d elements", BLOCK, s->d);
  wal_status status = WAL_OK;
  for (int64_t at = 0; status == WAL_OK && at < hi - lo; at += BLOCK) {
    const int count = (int)(hi - lo - at < BLOCK ? hi - lo - at : BLOCK);
    status = block_columns(s, lo + at, count, room, BLOCK, v ? column : NULL, budget ? budget + at : NULL);
    for (int t = 0; status == WAL_OK && v && t < count; t++)
      for (size_t j = 0; j < m; j++) v[((size_t)at + (size_t)t) * m + j] = column[j * BLOCK + (size_t)t];
  }
  free(room);
  return status;
}

/* ---- float32 ---- */

/* Rows [lo, lo + BLOCK32) into b[d, BLOCK32], lo even. A group is the fewest rows that fill whole blocks of
   the generator, one or two: element by element they come in its order, with no transposition. */
enum { BLOCK32 = 256 };
static void context_columns32(const context_source *s, int64_t lo, float *x /* [group d, BLOCK32/group] */,
                              float *b) {
  void (*const draw[])(uint64_t, uint32_t, uint64_t, uint64_t, int64_t, float *, float *) = {
      [WAL_CONTEXTS_NORMAL] = wal_rng_normal_pairs32,
      [WAL_CONTEXTS_UNIFORM] = wal_rng_uniform_pairs32,
      [WAL_CONTEXTS_EXPONENTIAL] = wal_rng_exponential_pairs32};
  const int d = s->d, group = d % 2 ? 2 : 1, pairs = group * d / 2, count = BLOCK32 / group;
  const uint64_t first = (uint64_t)(lo / group) * (uint64_t)pairs;
  float *to = group == 1 ? b : x;
  for (int k = 0; k < pairs; k++)
    draw[s->law](s->seed, WAL_STREAM_BUYERS, first + (uint64_t)k, (uint64_t)pairs, count,
                 to + (2 * k) * count, to + (2 * k + 1) * count);
  for (int e = 0; group == 2 && e < d; e++) {
    const float *even = x + e * count, *odd = x + (d + e) * count;
    for (int i = 0; i < BLOCK32 / 2; i++) {
      b[e * BLOCK32 + 2 * i] = even[i];
      b[e * BLOCK32 + 2 * i + 1] = odd[i];
    }
  }
}

static void budgets32(int count, int d, const float *b, float *budget) {
  float norm[BLOCK32];
  wal_columns32_dot(BLOCK32, d, BLOCK32, b, NULL, norm);
  for (int t = 0; t < BLOCK32; t++) norm[t] = sqrtf(norm[t]);
  memcpy(budget, norm, (size_t)count * sizeof *norm);
}

/* Not inlined: what it keeps in registers over its buyers would be kept over the goods, and spilled. */
static __attribute__((noinline)) void values32(int count, int d, const float *b, const float *good,
                                               float *v) {
  float z[BLOCK32], e[BLOCK32], room[BLOCK32], *to = count == BLOCK32 ? v : room;
  wal_columns32_dot(BLOCK32, d, BLOCK32, b, good, z);
#pragma omp simd
  for (int t = 0; t < BLOCK32; t++) e[t] = wal_exp_downf(-fabsf(z[t]));
#pragma omp simd
  for (int t = 0; t < BLOCK32; t++) to[t] = wal_softplus_fromf(z[t], e[t]);
  if (to == room) memcpy(v, room, (size_t)count * sizeof *v);
}

static wal_status columns32(const wal_source *source, int64_t lo, int64_t hi, int64_t stride, float *v,
                            float *budget) {
  const context_source *s = (const context_source *)source;
  const size_t d = (size_t)s->d, goods = (size_t)s->m * d;
  const size_t size = ((2 * d + 1) * BLOCK32 + goods) * sizeof(float);
  float usual[(2 * 8 + 1) * BLOCK32] __attribute__((aligned(64)));
  float *room = size <= sizeof usual ? usual : malloc(size);
  float *b = room + d * BLOCK32, *good = b + (d + 1) * BLOCK32;
  if (!room) return wal_fail(WAL_E_MEMORY, "no memory for %d contexts of %d elements", BLOCK32, s->d);
  for (size_t k = 0; k < goods; k++) good[k] = (float)s->goods[k];
  for (int64_t at = lo; at < hi;) {
    const int skip = (int)(at % 2), count = (int)(hi - at < BLOCK32 - skip ? hi - at : BLOCK32 - skip);
    context_columns32(s, at - skip, room, b);
    if (budget) budgets32(count, s->d, b + skip, budget + (at - lo));
    for (int j = 0; v && j < s->m; j++)
      values32(count, s->d, b + skip, good + (size_t)j * d, v + j * stride + (at - lo));
    at += count;
  }
  if (room != usual) free(room);
  return WAL_OK;
}

static wal_status contexts(const wal_source *source, int64_t lo, int64_t hi, float *b32) {
  const context_source *s = (const context_source *)source;
  double *b = malloc((size_t)BLOCK * (size_t)s->d * sizeof *b);
  if (!b) return wal_fail(WAL_E_MEMORY, "no memory for %d contexts of %d elements", BLOCK, s->d);
  wal_status status = WAL_OK;
  for (int64_t at = lo; status == WAL_OK && at < hi; at += BLOCK) {
    const int64_t count = hi - at < BLOCK ? hi - at : BLOCK;
    status = buyer_contexts(s, at, at + count, b);
    for (int64_t k = 0; status == WAL_OK && k < count * s->d; k++) b32[(at - lo) * s->d + k] = (float)b[k];
  }
  free(b);
  return status;
}

static void destroy(wal_source *source) {
  if (source) free(((context_source *)source)->goods);
  free(source);
}

static const wal_source_ops ops = {"contexts", rows, contexts, destroy, columns, columns32};
static const wal_source_ops given_ops = {"given contexts", rows, contexts, destroy, columns, NULL};

bool wal_source_draws(const wal_source *source, wal_context_draws *out) {
  if (source->ops != &ops) return false;
  const context_source *s = (const context_source *)source;
  *out = (wal_context_draws){
      .law = (wal_variate)s->law, .seed = s->seed, .m = s->m, .d = s->d, .goods = s->goods};
  return true;
}

wal_status wal_source_given_contexts(int m, int d, const double *goods, wal_context_rows read,
                                     const void *given, wal_source **out) {
  const size_t size = (size_t)m * (size_t)d * sizeof *goods;
  *out = NULL;
  context_source *s = calloc(1, sizeof *s);
  double *copy = s ? malloc(size) : NULL;
  if (!copy) {
    free(s);
    return wal_fail(WAL_E_MEMORY, "no memory for %d goods of %d elements", m, d);
  }
  memcpy(copy, goods, size);
  *s = (context_source){.base.ops = &given_ops, .read = read, .given = given, .m = m, .d = d, .goods = copy};
  *out = &s->base;
  return WAL_OK;
}

static wal_status check_sizes(int64_t n, int m, int d, double alpha) {
  if (n < 1) return wal_fail(WAL_E_INPUT, "n is %lld; expected at least 1 (1048576 works)", (long long)n);
  if (m < 1) return wal_fail(WAL_E_INPUT, "m is %d; expected at least 1 (10 works)", m);
  if (d < 1) return wal_fail(WAL_E_INPUT, "d is %d; expected at least 1 (5 works)", d);
  if (!(alpha <= 1.0)) return wal_fail(WAL_E_INPUT, "alpha is %g; expected -inf to 1 (0.5 works)", alpha);
  return WAL_OK;
}

/* goods[m, d]: the good contexts; NULL: drawn by the same law and seed. */
static wal_status create(wal_context_law law, uint64_t seed, int64_t n, int m, int d, double alpha,
                         const double *goods, wal_context_market *out) {
  *out = (wal_context_market){0};
  const wal_status status = check_sizes(n, m, d, alpha);
  if (status != WAL_OK) return status;
  const size_t count = (size_t)m * (size_t)d;
  context_source *s = calloc(1, sizeof *s);
  if (s) {
    *s = (context_source){.base.ops = &ops, .law = law, .seed = seed, .m = m, .d = d};
    s->goods = malloc(count * sizeof *s->goods);
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
      const size_t at = (size_t)j * (size_t)d + (size_t)e;
      s->goods[at] = goods ? goods[at] : wal_context_element(law, seed, WAL_STREAM_GOODS, j, d, e);
      out->goods[at] = (float)s->goods[at];
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

wal_status wal_context_market_create(wal_context_law law, uint64_t seed, int64_t n, int m, int d,
                                     double alpha, wal_context_market *out) {
  return create(law, seed, n, m, d, alpha, NULL, out);
}

wal_status wal_context_market_like(const wal_context_market *like, wal_context_law law, uint64_t seed,
                                   int64_t n, wal_context_market *out) {
  const wal_market *market = &like->market;
  return create(law, seed, n, market->m, market->d, market->alpha,
                ((const context_source *)like->source)->goods, out);
}

wal_status wal_context_market_before(const float *goods, int m, int d, double alpha, wal_context_law law,
                                     uint64_t seed, int64_t n, wal_context_market *out) {
  const size_t count = (size_t)m * (size_t)d;
  double *copy = malloc(count * sizeof *copy);
  *out = (wal_context_market){0};
  if (!copy) return wal_fail(WAL_E_MEMORY, "no memory for %d goods of %d elements", m, d);
  for (size_t k = 0; k < count; k++) copy[k] = goods[k];
  const wal_status status = create(law, seed, n, m, d, alpha, copy, out);
  free(copy);
  return status;
}

void wal_context_market_destroy(wal_context_market *market) {
  if (!market) return;
  wal_source_destroy(market->source);
  free(market->supply);
  free(market->goods);
  *market = (wal_context_market){0};
}
