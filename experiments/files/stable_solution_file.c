#include "experiments/files/stable_solution_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/h5.h"
#include "experiments/files/dataset.h"
#include "experiments/files/reader.h"
#include "experiments/files/texts.h"
#include "models/pricing/rational.h"

void wal_stable_solution_destroy(const wal_pricing_market *market, wal_stable_solution *solution) {
  if (solution->exact_revenue) wal_rationals_destroy(solution->exact_revenue, (size_t)market->sellers + 1);
  wal_pricing_allocation_destroy(&solution->allocation);
  free(solution->revenue);
  free(solution->spent);
  free(solution->sold);
  *solution = (wal_stable_solution){0};
}

static void measure_doubles(const wal_pricing_market *market, wal_stable_solution *s) {
  for (int i = 0; i < market->n; i++)
    for (int j = 0; j < market->m; j++) {
      const size_t pair = (size_t)i * (size_t)market->m + (size_t)j;
      s->spent[i] += market->price[pair] * s->allocation.x[pair];
      s->sold[j] += s->allocation.x[pair];
    }
  s->total = wal_pricing_revenue(market, s->allocation.x, s->revenue);
}

/* Revenue in rationals, and rounded from them. */
static void measure_exact(const wal_pricing_market *market, wal_stable_solution *s) {
  const size_t sellers = (size_t)market->sellers, m = (size_t)market->m;
  mpq_t paid;
  mpq_init(paid);
  for (size_t pair = 0; pair < (size_t)market->n * m; pair++) {
    mpq_t *of_seller = &s->exact_revenue[market->owner[pair % m]];
    mpq_mul(paid, market->exact->price[pair], s->allocation.exact[pair]);
    mpq_add(*of_seller, *of_seller, paid);
  }
  for (size_t k = 0; k < sellers; k++) {
    mpq_add(s->exact_revenue[sellers], s->exact_revenue[sellers], s->exact_revenue[k]);
    s->revenue[k] = mpq_get_d(s->exact_revenue[k]);
  }
  s->total = mpq_get_d(s->exact_revenue[sellers]);
  mpq_clear(paid);
}

wal_status wal_stable_solution_measure(const wal_pricing_market *market, wal_stable_solution *s) {
  const size_t sellers = (size_t)market->sellers;
  s->revenue = calloc(sellers, sizeof *s->revenue);
  s->spent = calloc((size_t)market->n, sizeof *s->spent);
  s->sold = calloc((size_t)market->m, sizeof *s->sold);
  if (s->allocation.exact) s->exact_revenue = wal_rationals(sellers + 1);
  if (!s->revenue || !s->spent || !s->sold || (s->allocation.exact && !s->exact_revenue))
    return wal_fail(WAL_E_MEMORY, "no memory for the revenue of %d sellers", market->sellers);
  measure_doubles(market, s);
  if (s->allocation.exact) measure_exact(market, s);
  return WAL_OK;
}

/* ---- writing ---- */

static wal_status write_attributes(const wal_stable_solution *s, const wal_provenance *texts, hid_t file) {
  const wal_number_attribute numbers[] = {
      {"revenue_total", s->total},
      {"stability_tolerance", s->tol},
      {"unique", s->unique < 0 ? NAN : s->unique},
      {"widest_share_range", s->widest},
      {"cells", s->cells == INT64_MAX ? (double)INFINITY : (double)s->cells},
      {"solve_s", s->seconds}};
  return wal_attributes_write(file, WAL_STABLE_SOLUTION_SCHEMA, numbers, sizeof numbers / sizeof *numbers,
                              texts);
}

static wal_status put(hid_t file, const char *name, int rank, const hsize_t size[3], const char *doc,
                      const double *cells) {
  wal_dataset set = {.name = name, .rank = rank, .unit = "1", .doc = doc, .id = -1};
  memcpy(set.size, size, (size_t)rank * sizeof *size);
  return wal_dataset_put(file, set, cells);
}

/* Rationals as "p/q": a list, or a table where columns > 0. */
static wal_status put_exact(hid_t file, const char *name, int64_t rows, int64_t columns, mpq_t *numbers) {
  const int64_t count = rows * (columns > 0 ? columns : 1);
  char **texts = calloc((size_t)count, sizeof *texts);
  wal_status status = texts ? WAL_OK : wal_fail(WAL_E_MEMORY, "no memory for the texts of %s", name);
  for (int64_t k = 0; k < count && !status; k++)
    if (!(texts[k] = mpq_get_str(NULL, 10, numbers[k])))
      status = wal_fail(WAL_E_MEMORY, "no memory for the texts of %s", name);
  if (!status)
    status = columns > 0 ? wal_texts_write_table(file, name, rows, columns, texts)
                         : wal_texts_write(file, name, rows, texts);
  wal_names_free(texts, count);
  return status;
}

static wal_status write_exact(const wal_pricing_market *market, const wal_stable_solution *s, hid_t file) {
  wal_status status = put_exact(file, "allocation_exact", market->n, market->m, s->allocation.exact);
  if (!status) status = put_exact(file, "revenue_exact", market->sellers, 0, s->exact_revenue);
  return status;
}

static wal_status write_content(const wal_pricing_file *input, const wal_stable_solution *s,
                                const wal_provenance *texts, hid_t file) {
  const wal_pricing_market *market = &input->market;
  const hsize_t n = (hsize_t)market->n, m = (hsize_t)market->m, k = (hsize_t)market->sellers;
  const hsize_t pairs[3] = {n, m}, buyers[3] = {n}, items[3] = {m}, sellers[3] = {k};
  wal_status status = write_attributes(s, texts, file);
  if (!status)
    status =
        put(file, "allocation", 2, pairs, "x_ij: the share of item j that buyer i gets", s->allocation.x);
  if (!status && s->allocation.exact) status = write_exact(market, s, file);
  if (!status) status = put(file, "revenue", 1, sellers, "what the items of seller k earn", s->revenue);
  if (!status) status = put(file, "spent", 1, buyers, "what buyer i pays", s->spent);
  if (!status) status = put(file, "budget", 1, buyers, "budget B_i of buyer i", market->budget);
  if (!status) status = put(file, "sold", 1, items, "the share of item j that is sold", s->sold);
  if (!status) status = wal_texts_write(file, "buyer_names", market->n, input->buyer_names);
  if (!status) status = wal_texts_write(file, "item_names", market->m, input->item_names);
  return status ? status : wal_texts_write(file, "seller_names", market->sellers, input->seller_names);
}

wal_status wal_stable_solution_write(const wal_pricing_file *input, const wal_stable_solution *solution,
                                     const wal_provenance *texts, const char *temporary) {
  hid_t file = -1;
  const wal_status status = wal_h5_create_in_place(temporary, &file);
  return status ? status : wal_dataset_end(file, write_content(input, solution, texts, file));
}
