#include "experiments/files/solution_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/h5.h"
#include "experiments/files/dataset.h"
#include "experiments/files/texts.h"
#include "models/common/parallel.h"

/* ---- scaling ---- */

/* sum[0] = sum_i B_i, sum[1 + j] = sum_i x_ij. */
static wal_status add_totals(void *context, int64_t lo, int64_t hi, double *sum) {
  const wal_cleared *c = context;
  const int m = c->market->m;
  const int64_t rows = hi - lo;
  double *x = malloc((size_t)rows * ((size_t)m + 1) * sizeof *x), *budget = x ? x + rows * m : NULL;
  if (!x) return wal_fail(WAL_E_MEMORY, "no memory for %lld buyers of %d goods", (long long)rows, m);
  wal_status status = c->allocation->ops->fill(c->allocation, lo, hi, x);
  if (status == WAL_OK) status = c->market->buyers->ops->rows(c->market->buyers, lo, hi, NULL, budget);
  for (int64_t i = 0; status == WAL_OK && i < rows; i++) {
    sum[0] += budget[i];
    for (int j = 0; j < m; j++) sum[1 + j] += x[i * m + j];
  }
  free(x);
  return status;
}

/* Goods that nobody gets (price 0, see reduce.h) keep their zeros. */
static void set_scales(const wal_solution *solution, const double *total, wal_cleared *c) {
  const wal_market *market = c->market;
  double worth = 0.0;
  for (int j = 0; j < market->m; j++) worth += market->supply[j] * solution->price[j];
  for (int j = 0; j < market->m; j++) {
    c->scale[j] = total[1 + j] > 0.0 ? market->supply[j] / total[1 + j] : 1.0;
    c->price[j] = (market->quasilinear ? 1.0 : total[0] / worth) * solution->price[j];
  }
}

wal_status wal_cleared_create(const wal_market *market, const wal_solution *solution, wal_cleared *out) {
  const size_t m = (size_t)market->m;
  *out = (wal_cleared){.market = market,
                       .allocation = solution->allocation,
                       .price = malloc(m * sizeof *out->price),
                       .scale = malloc(m * sizeof *out->scale)};
  double *total = malloc((m + 1) * sizeof *total);
  wal_status status = total && out->price && out->scale
                          ? wal_sum_chunks(market->n, market->m + 1, add_totals, out, total)
                          : wal_fail(WAL_E_MEMORY, "no memory for %zu prices", m);
  if (status == WAL_OK) set_scales(solution, total, out);
  free(total);
  if (status != WAL_OK) wal_cleared_destroy(out);
  return status;
}

void wal_cleared_destroy(wal_cleared *cleared) {
  if (!cleared) return;
  free(cleared->price);
  free(cleared->scale);
  *cleared = (wal_cleared){0};
}

/* ---- rows ---- */

/* Buyers [from, from + rows): a block of the file. */
typedef struct {
  const wal_cleared *cleared;
  int64_t from;
  double *x;         /* [rows, m] */
  double *log_u, *u; /* [rows] */
} block;

/* u_i of x~_i; quasilinear: with the money left, max(0, B_i - <v_i, x~_i>) (welfare.h). */
static double log_utility(const wal_market *market, const double *v, const double *x, double budget) {
  const double log_u = wal_ces_log_utility(market->alpha, market->m, v, x);
  return market->quasilinear ? fmax(log_u, log(budget)) : log_u;
}

static wal_status fill_chunk(void *context, int64_t lo, int64_t hi) {
  const block *b = context;
  const wal_market *market = b->cleared->market;
  const wal_allocation *allocation = b->cleared->allocation;
  const int m = market->m;
  const int64_t rows = hi - lo, first = b->from + lo;
  double *x = b->x + lo * m, *v = malloc((size_t)rows * ((size_t)m + 1) * sizeof *v),
         *budget = v ? v + rows * m : NULL;
  if (!v) return wal_fail(WAL_E_MEMORY, "no memory for %lld buyers of %d goods", (long long)rows, m);
  wal_status status = allocation->ops->fill(allocation, first, first + rows, x);
  if (status == WAL_OK) status = market->buyers->ops->rows(market->buyers, first, first + rows, v, budget);
  for (int64_t i = 0; status == WAL_OK && i < rows; i++) {
    for (int j = 0; j < m; j++) x[i * m + j] *= b->cleared->scale[j];
    b->log_u[lo + i] = log_utility(market, v + i * m, x + i * m, budget[i]);
    b->u[lo + i] = exp(b->log_u[lo + i]);
  }
  free(v);
  return status;
}

/* ---- the file ---- */

static wal_dataset vector(const char *name, int64_t count, const char *unit, const char *doc) {
  return (wal_dataset){name, 1, {(hsize_t)count}, unit, doc, -1, false};
}

typedef struct {
  wal_dataset utility, log_utility, allocation; /* allocation -1: left out */
} row_datasets;

static wal_status create_rows(const wal_solution_content *content, hid_t file, row_datasets *out) {
  const wal_market *market = content->cleared->market;
  const hsize_t n = (hsize_t)market->n, m = (hsize_t)market->m;
  out->utility = vector("utility", market->n, "1", "utility u_i(x_i) of buyer i");
  out->log_utility =
      vector("log_utility", market->n, "nats", "log of it, finite where it leaves the doubles");
  out->allocation = (wal_dataset){
      "allocation", 2,    {n, m}, "1", "x_ij: what buyer i gets of good j; columns sum to the supply",
      -1,           false};
  wal_status status = wal_dataset_create(file, &out->utility);
  if (!status) status = wal_dataset_create(file, &out->log_utility);
  return status || !content->with_allocation ? status : wal_dataset_create(file, &out->allocation);
}

static wal_status write_block(const row_datasets *out, block *b, int64_t rows) {
  wal_status status = wal_for_chunks(rows, fill_chunk, b);
  if (!status) status = wal_dataset_write(&out->utility, b->from, rows, b->u);
  if (!status) status = wal_dataset_write(&out->log_utility, b->from, rows, b->log_u);
  if (!status && out->allocation.id >= 0) status = wal_dataset_write(&out->allocation, b->from, rows, b->x);
  return status;
}

static wal_status write_all_rows(const wal_solution_content *content, const row_datasets *out) {
  enum { CELLS = 1 << 22 }; /* of a block, at least one chunk */
  const int64_t n = content->cleared->market->n, m = content->cleared->market->m;
  const int64_t chunks = CELLS / (WAL_CHUNK * m), most = WAL_CHUNK * (chunks > 0 ? chunks : 1);
  const int64_t step = n < most ? n : most;
  double *room = malloc((size_t)step * ((size_t)m + 2) * sizeof *room);
  if (!room) return wal_fail(WAL_E_MEMORY, "no memory for %lld rows", (long long)step);
  block b = {.cleared = content->cleared, .x = room, .log_u = room + step * m, .u = room + step * (m + 1)};
  wal_status status = WAL_OK;
  for (b.from = 0; b.from < n && !status; b.from += step) {
    if (content->trace && content->trace->progress)
      content->trace->progress(content->trace->context, (double)b.from / (double)n, "writing");
    status = write_block(out, &b, n - b.from < step ? n - b.from : step);
  }
  free(room);
  return status;
}

static wal_status write_attributes(const wal_solution_content *content, hid_t file) {
  const wal_measures *measures = content->measures;
  const wal_number_attribute numbers[] = {
      {"alpha", content->cleared->market->alpha},
      {"log_nash_welfare", measures->lnw},
      {"log_fixed_price_welfare", measures->lfw},
      {"nash_gap", measures->nash_gap},
      {"voa", measures->voa},
      {"vop", measures->vop},
      {"certified_gap", content->solution->certified_gap}, /* of a network none */
      {"solve_s", content->seconds}};
  wal_status status = wal_attributes_write(file, WAL_SOLUTION_SCHEMA, numbers,
                                           sizeof numbers / sizeof *numbers, content->texts);
  if (!status)
    status = wal_h5_set_numbers(file, "iterations", H5T_STD_I64LE, H5T_NATIVE_INT64, 1,
                                &content->solution->iterations);
  return status;
}

static wal_status write_content(const wal_solution_content *content, hid_t file) {
  const wal_market *market = content->cleared->market;
  row_datasets rows = {{.id = -1}, {.id = -1}, {.id = -1}};
  wal_status status = write_attributes(content, file);
  if (!status)
    status = wal_dataset_put(file, vector("price", market->m, "1", "price p_j of good j"),
                             content->cleared->price);
  if (!status)
    status = wal_dataset_put(file, vector("supply", market->m, "1", "supply Y_j of good j"), market->supply);
  if (!status) status = wal_texts_write(file, "good_names", market->m, content->input->good_names);
  if (!status) status = wal_texts_write(file, "buyer_names", market->n, content->input->buyer_names);
  if (!status) status = create_rows(content, file, &rows);
  if (!status) status = write_all_rows(content, &rows);
  if (status) return status; /* the file closes its datasets */
  status = wal_dataset_close(&rows.utility);
  if (!status) status = wal_dataset_close(&rows.log_utility);
  if (!status) status = wal_dataset_close(&rows.allocation);
  return status;
}

wal_status wal_solution_write(const wal_solution_content *content, const char *temporary) {
  hid_t file = -1;
  wal_status status = wal_h5_create_in_place(temporary, &file);
  if (status) return status;
  return wal_dataset_end(file, write_content(content, file));
}
