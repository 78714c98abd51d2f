#include "experiments/files/concave_solution_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/h5.h"
#include "experiments/files/dataset.h"
#include "experiments/files/texts.h"

void wal_concave_solution_destroy(wal_concave_solution *solution) {
  wal_nw_solution_destroy(&solution->nash);
  wal_equilibria_destroy(&solution->equilibria);
  free(solution->range);
  free(solution->best);
  free(solution->spent);
  free(solution->ratio);
  *solution = (wal_concave_solution){0};
}

static wal_status write_attributes(const wal_concave_solution *s, const wal_provenance *texts, hid_t file) {
  const wal_number_attribute numbers[] = {{"log_nash_welfare", s->nash.log_welfare},
                                          {"gap", s->nash.gap},
                                          {"checked_gap", s->checked_gap},
                                          {"gale_distance", s->distance},
                                          {"demand_ratio", s->report.demand_ratio},
                                          {"envy", s->report.envy},
                                          {"unsold", s->report.unsold},
                                          {"iterations", s->nash.iterations},
                                          {"solve_s", s->seconds}};
  return wal_attributes_write(file, WAL_CONCAVE_SOLUTION_SCHEMA, numbers, sizeof numbers / sizeof *numbers,
                              texts);
}

static wal_status put(hid_t file, const char *name, int rank, const hsize_t size[3], const char *doc,
                      const double *cells) {
  wal_dataset set = {.name = name, .rank = rank, .unit = "1", .doc = doc, .id = -1};
  memcpy(set.size, size, (size_t)rank * sizeof *size);
  return wal_dataset_put(file, set, cells);
}

/* One array of all equilibria, `length` numbers of each. */
static wal_status put_all(hid_t file, const wal_equilibria *all, const char *name, int rank,
                          const hsize_t size[3], size_t offset, const char *doc) {
  size_t length = 1;
  for (int k = 1; k < rank; k++) length *= (size_t)size[k];
  double *cells = malloc((size_t)all->count * length * sizeof *cells);
  if (!cells) return wal_fail(WAL_E_MEMORY, "no memory for %d equilibria", all->count);
  for (int k = 0; k < all->count; k++) {
    double *const *numbers = (double *const *)((const char *)&all->list[k] + offset);
    memcpy(cells + (size_t)k * length, *numbers, length * sizeof *cells);
  }
  const wal_status status = put(file, name, rank, size, doc, cells);
  free(cells);
  return status;
}

static wal_status write_equilibria(const wal_concave_solution *s, hsize_t n, hsize_t m, hid_t file) {
  const wal_equilibria *all = &s->equilibria;
  const hsize_t k = (hsize_t)all->count, price[3] = {k, m}, utility[3] = {k, n}, allocation[3] = {k, n, m};
  wal_status status = put_all(file, all, "equilibrium_price", 2, price, offsetof(wal_equilibrium, p),
                              "prices of each competitive equilibrium found");
  if (!status)
    status = put_all(file, all, "equilibrium_utility", 2, utility, offsetof(wal_equilibrium, u),
                     "utilities in it");
  if (!status)
    status = put_all(file, all, "equilibrium_allocation", 3, allocation, offsetof(wal_equilibrium, x),
                     "what agent i gets of good j in it");
  return status
             ? status
             : put(file, "equilibrium_nash_ratio", 1, price, "its Nash welfare over the maximum", s->ratio);
}

static wal_status write_content(const wal_concave_market_file *input, const wal_concave_solution *s,
                                const wal_provenance *texts, hid_t file) {
  const hsize_t n = (hsize_t)input->market.n, m = (hsize_t)input->market.m;
  const hsize_t agents[3] = {n}, goods[3] = {m}, pairs[3] = {n, m}, ranges[3] = {m, 2};
  wal_status status = write_attributes(s, texts, file);
  if (!status) status = put(file, "price", 1, goods, "Gale price q_j of good j", s->nash.q);
  if (!status)
    status = put(file, "price_range", 2, ranges, "lowest and highest Gale price of good j", s->range);
  if (!status) status = put(file, "utility", 1, agents, "utility u_i(y_i) of agent i", s->nash.u);
  if (!status) status = put(file, "allocation", 2, pairs, "y_ij: what agent i gets of good j", s->nash.y);
  if (!status) status = put(file, "budget", 1, agents, "budget b_i of agent i", input->market.budget);
  if (!status) status = put(file, "spent", 1, agents, "what agent i's goods cost at these prices", s->spent);
  if (!status)
    status = put(file, "best_utility", 1, agents, "the most that b_i buys at these prices", s->best);
  if (!status) status = wal_texts_write(file, "good_names", input->market.m, input->good_names);
  if (!status) status = wal_texts_write(file, "agent_names", input->market.n, input->agent_names);
  return status || !s->equilibria.count ? status : write_equilibria(s, n, m, file);
}

wal_status wal_concave_solution_write(const wal_concave_market_file *input,
                                      const wal_concave_solution *solution, const wal_provenance *texts,
                                      const char *temporary) {
  hid_t file = -1;
  const wal_status status = wal_h5_create_in_place(temporary, &file);
  return status ? status : wal_dataset_end(file, write_content(input, solution, texts, file));
}
