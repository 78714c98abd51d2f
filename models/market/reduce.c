#include "models/market/reduce.h"

#include <stdlib.h>
#include <string.h>

#include "models/common/parallel.h"

/* ---- which goods ---- */

/* wanted[j]: how many buyers of the chunk have a positive value for good j. */
static wal_status count_wanted(void *context, int64_t lo, int64_t hi, double *wanted) {
  const wal_market *market = context;
  const int m = market->m;
  double *v = malloc((size_t)(hi - lo) * (size_t)m * sizeof *v);
  if (!v) return wal_fail(WAL_E_MEMORY, "no memory for %lld buyers of %d goods", (long long)(hi - lo), m);
  const wal_status status = market->buyers->ops->rows(market->buyers, lo, hi, v, NULL);
  for (int64_t i = 0; status == WAL_OK && i < hi - lo; i++)
    for (int j = 0; j < m; j++) wanted[j] += v[i * m + j] > 0.0;
  free(v);
  return status;
}

/* Fills out->good and out->market.m. */
static wal_status find_wanted(const wal_market *market, wal_reduced_market *out) {
  const int m = market->m;
  double *wanted = malloc((size_t)m * sizeof *wanted);
  out->good = malloc((size_t)m * sizeof *out->good);
  wal_status status = wanted && out->good
                          ? wal_sum_chunks(market->n, m, count_wanted, (void *)(uintptr_t)market, wanted)
                          : wal_fail(WAL_E_MEMORY, "no memory for %d goods", m);
  out->market.m = 0;
  for (int j = 0; status == WAL_OK && j < m; j++)
    if (wanted[j] > 0.0 || market->alpha < 0.0) out->good[out->market.m++] = j;
  if (status == WAL_OK && out->market.m == 0)
    status = wal_fail(WAL_E_INPUT, "no buyer values any good; expected at least one positive value");
  free(wanted);
  return status;
}

/* ---- the buyers, fewer goods each ---- */

typedef struct {
  wal_source base;
  const wal_source *buyers; /* borrowed */
  int goods, m;             /* of the whole market, and kept */
  const int *good;          /* [m] borrowed from the reduced market */
} selected_source;

static wal_status selected_rows(const wal_source *source, int64_t lo, int64_t hi, double *v, double *budget) {
  const selected_source *s = (const selected_source *)source;
  const size_t goods = (size_t)s->goods, m = (size_t)s->m, rows = (size_t)(hi - lo);
  if (!v) return s->buyers->ops->rows(s->buyers, lo, hi, NULL, budget);
  double *whole = malloc(rows * goods * sizeof *whole);
  if (!whole) return wal_fail(WAL_E_MEMORY, "no memory for %zu buyers of %d goods", rows, s->goods);
  const wal_status status = s->buyers->ops->rows(s->buyers, lo, hi, whole, budget);
  for (size_t i = 0; status == WAL_OK && i < rows; i++)
    for (size_t k = 0; k < m; k++) v[i * m + k] = whole[i * goods + (size_t)s->good[k]];
  free(whole);
  return status;
}

static wal_status selected_contexts(const wal_source *source, int64_t lo, int64_t hi, float *b) {
  const selected_source *s = (const selected_source *)source;
  return s->buyers->ops->contexts(s->buyers, lo, hi, b);
}

static void free_source(wal_source *source) { free(source); }

static const wal_source_ops selected_ops = {"selected", selected_rows, NULL, free_source, NULL, NULL},
                            selected_ops_with_contexts = {"selected",  selected_rows, selected_contexts,
                                                          free_source, NULL,          NULL};

/* ---- the reduced market ---- */

static wal_status select_goods(const wal_market *market, wal_reduced_market *out) {
  const size_t m = (size_t)out->market.m, d = (size_t)market->d;
  selected_source *source = malloc(sizeof *source);
  if (source) out->source = &source->base;
  out->supply = malloc(m * sizeof *out->supply);
  if (market->goods) out->contexts = malloc(m * d * sizeof *out->contexts);
  if (!source || !out->supply || (market->goods && !out->contexts))
    return wal_fail(WAL_E_MEMORY, "no memory for a market of %zu goods", m);
  *source = (selected_source){
      .base.ops = market->buyers->ops->contexts ? &selected_ops_with_contexts : &selected_ops,
      .buyers = market->buyers,
      .goods = market->m,
      .m = out->market.m,
      .good = out->good};
  for (size_t k = 0; k < m; k++) {
    out->supply[k] = market->supply[out->good[k]];
    if (market->goods)
      memcpy(out->contexts + k * d, market->goods + (size_t)out->good[k] * d, d * sizeof *out->contexts);
  }
  out->market.buyers = out->source;
  out->market.supply = out->supply;
  out->market.goods = out->contexts;
  return WAL_OK;
}

wal_status wal_reduced_market_create(const wal_market *market, wal_reduced_market *out) {
  *out = (wal_reduced_market){.market = *market, .goods = market->m};
  wal_status status = find_wanted(market, out);
  if (status == WAL_OK && out->market.m < market->m) status = select_goods(market, out);
  if (status != WAL_OK) wal_reduced_market_destroy(out);
  return status;
}

void wal_reduced_market_destroy(wal_reduced_market *reduced) {
  if (!reduced) return;
  wal_source_destroy(reduced->source);
  free(reduced->good);
  free(reduced->supply);
  free(reduced->contexts);
  *reduced = (wal_reduced_market){0};
}

/* ---- and back ---- */

typedef struct {
  wal_allocation base;
  const wal_reduced_market *reduced; /* borrowed */
  wal_allocation *wanted;            /* owned: rows of the wanted goods */
} restored_allocation;

static wal_status restored_fill(const wal_allocation *allocation, int64_t lo, int64_t hi, double *x) {
  const restored_allocation *a = (const restored_allocation *)allocation;
  const size_t m = (size_t)a->reduced->market.m, goods = (size_t)a->reduced->goods, rows = (size_t)(hi - lo);
  double *wanted = malloc(rows * m * sizeof *wanted);
  if (!wanted) return wal_fail(WAL_E_MEMORY, "no memory for %zu buyers of %zu goods", rows, m);
  const wal_status status = a->wanted->ops->fill(a->wanted, lo, hi, wanted);
  memset(x, 0, rows * goods * sizeof *x);
  for (size_t i = 0; status == WAL_OK && i < rows; i++)
    for (size_t k = 0; k < m; k++) x[i * goods + (size_t)a->reduced->good[k]] = wanted[i * m + k];
  free(wanted);
  return status;
}

static void restored_destroy(wal_allocation *allocation) {
  wal_allocation_destroy(((restored_allocation *)allocation)->wanted);
  free(allocation);
}

static const wal_allocation_ops restored_ops = {"restored", restored_fill, restored_destroy};

wal_status wal_reduced_market_restore(const wal_reduced_market *reduced, wal_solution *solution) {
  if (reduced->market.m == reduced->goods) return WAL_OK;
  double *price = calloc((size_t)reduced->goods, sizeof *price);
  restored_allocation *a = malloc(sizeof *a);
  if (!price || !a) {
    free(price);
    free(a);
    return wal_fail(WAL_E_MEMORY, "no memory for %d goods", reduced->goods);
  }
  for (int k = 0; k < reduced->market.m; k++) price[reduced->good[k]] = solution->price[k];
  free(solution->price);
  solution->price = price;
  *a = (restored_allocation){.base.ops = &restored_ops, .reduced = reduced, .wanted = solution->allocation};
  solution->allocation = &a->base;
  return WAL_OK;
}
