/* Appendix A as one table: what the paper states of each example beside what solvers, oracles and checks
   compute. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/nashwelfare/appendix.h"
#include "experiments/registry.h"
#include "models/nashwelfare/equilibria.h"

static const wal_param params[] = {
    {"quantity", WAL_TEXT, "a1.p1_1", 0, 0, NULL, "1",
     "example and what of it is computed; an ending _1, _2, ... is the number of an equilibrium", NULL,
     WAL_PARAM_KEY},
};

static const wal_column columns[] = {
    {"value", WAL_REAL, "1", "the quantity as computed; statements: 1 holds, 0 does not", 0, 1e-5, 1e-5},
};

/* ---- how a quantity is computed ---- */

typedef struct quantity quantity;
typedef struct {
  const quantity *what;
  wal_example_size size;
  wal_nw_market market;
  wal_nw_solution best; /* of the measures that need it */
  double *p, *x;        /* [m], [n, m]: equilibrium `what->which` in closed form, owned as one */
} study;

struct quantity {
  const char *name, *label;
  wal_status (*measure)(study *s, double *value);
  int which, i, j;     /* equilibrium, agent, good: from 1; of A.3 the prices */
  const char *erratum; /* of docs/errata.md, where print and computation differ; NULL: they agree */
  double eps;          /* 0: the example's own */
  bool printed;        /* the market as printed */
};

/* The equilibrium that the search finds nearest to the stated one; index into *found, -1: none. */
static wal_status search(study *s, wal_equilibria *found, int *nearest) {
  double least = INFINITY;
  *nearest = -1;
  const wal_status status = wal_equilibria_find(&s->market, NULL, found);
  for (int k = 0; status == WAL_OK && k < found->count; k++) {
    double distance = 0;
    for (int j = 0; j < s->market.m; j++) distance += fabs(found->list[k].p[j] - s->p[j]);
    if (distance < least) least = distance, *nearest = k;
  }
  return status;
}

static wal_status found_price(study *s, double *value) {
  wal_equilibria found = {0};
  int k;
  const wal_status status = search(s, &found, &k);
  *value = k >= 0 ? found.list[k].p[s->what->j - 1] : NAN;
  wal_equilibria_destroy(&found);
  return status;
}

static wal_status found_share(study *s, double *value) {
  wal_equilibria found = {0};
  int k;
  const wal_status status = search(s, &found, &k);
  *value = k >= 0 ? found.list[k].x[(s->what->i - 1) * s->market.m + s->what->j - 1] : NAN;
  wal_equilibria_destroy(&found);
  return status;
}

/* Sum of the prices over sum of the budgets. */
static wal_status found_sum(study *s, double *value) {
  wal_equilibria found = {0};
  int k;
  double prices = 0, budgets = 0;
  const wal_status status = search(s, &found, &k);
  for (int j = 0; k >= 0 && j < s->market.m; j++) prices += found.list[k].p[j];
  for (int i = 0; i < s->market.n; i++) budgets += s->market.budget[i];
  *value = k >= 0 ? prices / budgets : NAN;
  wal_equilibria_destroy(&found);
  return status;
}

static wal_status found_count(study *s, double *value) {
  wal_equilibria found = {0};
  const wal_status status = wal_equilibria_find(&s->market, NULL, &found);
  *value = found.count;
  wal_equilibria_destroy(&found);
  return status;
}

static wal_status holds(study *s, double *value) {
  wal_ce_report report;
  const wal_status status = wal_ce_check(&s->market, s->x, s->p, &report);
  *value = status == WAL_OK && wal_ce_holds(&report, 1e-7);
  return status;
}

static wal_status thrifty(study *s, double *value) {
  wal_ce_report report;
  const wal_status status = wal_ce_check(&s->market, s->x, s->p, &report);
  *value = status == WAL_OK && wal_ce_thrifty(&report, 1e-7);
  return status;
}

/* What the agent's budget buys at the stated prices. */
static wal_status best_utility(study *s, double *value) {
  wal_demand_set demand;
  const int i = s->what->i - 1;
  const wal_status status = wal_demand(s->market.utility[i], s->p, s->market.budget[i], &demand);
  *value = demand.utility;
  return status;
}

static double welfare_of(const study *s, const double *x) {
  double sum = 0, budgets = 0;
  for (int i = 0; i < s->market.n; i++) {
    sum += s->market.budget[i] * log(wal_utility_value(s->market.utility[i], x + i * s->market.m));
    budgets += s->market.budget[i];
  }
  return exp(sum / budgets);
}

static wal_status stated_welfare(study *s, double *value) {
  *value = welfare_of(s, s->x);
  return WAL_OK;
}

static wal_status maximise(study *s) { return wal_appendix_maximise(&s->market, &s->best); }

static wal_status nash_welfare(study *s, double *value) {
  const wal_status status = maximise(s);
  *value = exp(s->best.log_welfare);
  return status;
}

/* Of the stated equilibrium to the maximum. */
static wal_status welfare_ratio(study *s, double *value) {
  const wal_status status = maximise(s);
  *value = welfare_of(s, s->x) / exp(s->best.log_welfare);
  return status;
}

static wal_status welfare_difference(study *s, double *value) {
  const wal_status status = maximise(s);
  *value = exp(s->best.log_welfare) - welfare_of(s, s->x);
  return status;
}

static wal_status nash_utility(study *s, double *value) {
  const wal_status status = maximise(s);
  if (status == WAL_OK) *value = s->best.u[s->what->i - 1];
  return status;
}

static wal_status nash_share(study *s, double *value) {
  const wal_status status = maximise(s);
  if (status == WAL_OK) *value = s->best.y[(s->what->i - 1) * s->market.m + s->what->j - 1];
  return status;
}

static wal_status gale_price(study *s, double *value) {
  const wal_status status = maximise(s);
  if (status == WAL_OK) *value = s->best.q[s->what->j - 1];
  return status;
}

/* The agent's best utility at Gale prices over what maximum Nash welfare gives it. */
static wal_status gale_ratio(study *s, double *value) {
  wal_demand_set demand;
  const int i = s->what->i - 1;
  wal_status status = maximise(s);
  if (status == WAL_OK) status = wal_demand(s->market.utility[i], s->best.q, s->market.budget[i], &demand);
  if (status == WAL_OK) *value = demand.utility / s->best.u[i];
  return status;
}

static wal_status satiable(study *s, double *value) {
  *value = isfinite(s->market.utility[s->what->i - 1]->satiation);
  return WAL_OK;
}

/* ---- what only one example has ---- */

static wal_status a3_utility(study *s, double *value) {
  double q[2];
  wal_demand_set set;
  wal_example_a3_prices(s->what->which, q);
  const wal_status status = wal_demand_gale(s->market.utility[0], q, 1, &set);
  *value = set.utility;
  return status;
}

/* Most less least of good 1 over the Gale demand: 0 for a single point. */
static wal_status a3_spread(study *s, double *value) {
  const double up[] = {1, 0}, down[] = {-1, 0};
  double q[2], least[2], most[2];
  bool found = false;
  wal_demand_set set;
  const wal_utility *u = s->market.utility[0];
  wal_example_a3_prices(s->what->which, q);
  wal_status status = wal_demand_gale(u, q, 1, &set);
  if (status == WAL_OK) status = wal_demand_pick(u, q, &set, up, NULL, NULL, least, &found);
  if (status == WAL_OK && found) status = wal_demand_pick(u, q, &set, down, NULL, NULL, most, &found);
  if (status == WAL_OK && found) *value = most[0] - least[0];
  return status;
}

static wal_status a3_rises(study *s, double *value) {
  double q[2], higher[2];
  wal_example_a3_prices(WAL_A3_LOWER, q);
  wal_example_a3_prices(s->what->which, higher);
  *value = q[0] < higher[0] && q[1] < higher[1];
  return WAL_OK;
}

static wal_status a8_bound(study *s, double *value) {
  *value = wal_example_k(s->size.n) <= 1 / sqrt(s->size.n);
  return WAL_OK;
}

/* The first inequality of its footnote, at k = n^(-1/2). */
static wal_status a8_footnote(study *s, double *value) {
  const double n = s->size.n, k = 1 / sqrt(n);
  *value = (n + 1) * k / (1 + k - k / n - k * k / n) >= n * k;
  return WAL_OK;
}

/* Is there a Gale demand of the last agent at the stated prices within its stated bundle? */
static wal_status a10_within(study *s, double *value) {
  const int i = s->market.n - 1, m = s->market.m;
  const wal_utility *u = s->market.utility[i];
  double *y = malloc((size_t)m * sizeof *y);
  if (!y) return wal_fail(WAL_E_MEMORY, "no memory for %d goods", m);
  bool found = false;
  wal_demand_set set;
  wal_status status = wal_demand_gale(u, s->p, s->market.budget[i], &set);
  if (status == WAL_OK) status = wal_demand_pick(u, s->p, &set, NULL, NULL, s->x + i * m, y, &found);
  free(y);
  *value = found;
  return status;
}

/* ---- the quantities ---- */

static const quantity quantities[] = {
    {"a1.p1_1", "p_1 of equilibrium 1, by search", found_price, 1, 0, 1, NULL, 0, false},
    {"a1.p2_1", "p_2 of equilibrium 1, by search", found_price, 1, 0, 2, NULL, 0, false},
    {"a1.x11_1", "x_11 of equilibrium 1, by search", found_share, 1, 1, 1, NULL, 0, false},
    {"a1.x12_1", "x_12 of equilibrium 1, by search", found_share, 1, 1, 2, NULL, 0, false},
    {"a1.x21_1", "x_21 of equilibrium 1, by search", found_share, 1, 2, 1, NULL, 0, false},
    {"a1.x22_1", "x_22 of equilibrium 1, by search", found_share, 1, 2, 2, NULL, 0, false},
    {"a1.p1_2", "p_1 of equilibrium 2, by search", found_price, 2, 0, 1, NULL, 0, false},
    {"a1.p2_2", "p_2 of equilibrium 2, by search", found_price, 2, 0, 2, NULL, 0, false},
    {"a1.x11_2", "x_11 of equilibrium 2, by search", found_share, 2, 1, 1, NULL, 0, false},
    {"a1.x12_2", "x_12 of equilibrium 2, by search", found_share, 2, 1, 2, NULL, 0, false},
    {"a1.x21_2", "x_21 of equilibrium 2, by search", found_share, 2, 2, 1, NULL, 0, false},
    {"a1.x22_2", "x_22 of equilibrium 2, by search", found_share, 2, 2, 2, NULL, 0, false},
    {"a1.holds_1", "stated equilibrium 1 passes the check", holds, 1, 0, 0, NULL, 0, false},
    {"a1.holds_2", "stated equilibrium 2 passes the check", holds, 2, 0, 0, NULL, 0, false},
    {"a1.p1_3", "p_1 of equilibrium 3, by search", found_price, 3, 0, 1, NULL, 0, false},
    {"a1.p2_3", "p_2 of equilibrium 3, by search", found_price, 3, 0, 2, NULL, 0, false},
    {"a1.count", "thrifty equilibria found", found_count, 1, 0, 0, NULL, 0, false},
    {"a1.ratio_2", "NW(equilibrium 2) / NW*", welfare_ratio, 2, 0, 0, NULL, 0, false},
    {"a1.satiable", "agent 2 can be satiated", satiable, 1, 2, 0, "G9", 0, false},
    {"a1.sum_2", "prices of equilibrium 2 over budgets", found_sum, 2, 0, 0, "G10", 0, false},

    {"a2.p1_1", "p_1 of equilibrium 1, by search", found_price, 1, 0, 1, NULL, 0, false},
    {"a2.p2_1", "p_2 of equilibrium 1, by search", found_price, 1, 0, 2, NULL, 0, false},
    {"a2.p3_1", "p_3 of equilibrium 1, by search", found_price, 1, 0, 3, NULL, 0, false},
    {"a2.p1_2", "p_1 of equilibrium 2, by search", found_price, 2, 0, 1, NULL, 0, false},
    {"a2.p2_2", "p_2 of equilibrium 2, by search", found_price, 2, 0, 2, NULL, 0, false},
    {"a2.p3_2", "p_3 of equilibrium 2, by search", found_price, 2, 0, 3, NULL, 0, false},
    {"a2.x23_2", "x_23 of equilibrium 2, by search", found_share, 2, 2, 3, NULL, 0, false},
    {"a2.x33_2", "x_33 of equilibrium 2, by search", found_share, 2, 3, 3, NULL, 0, false},
    {"a2.holds_1", "stated equilibrium 1 passes the check", holds, 1, 0, 0, NULL, 0, false},
    {"a2.holds_2", "stated equilibrium 2 passes the check", holds, 2, 0, 0, NULL, 0, false},
    {"a2.ratio_2", "NW(equilibrium 2) / NW*", welfare_ratio, 2, 0, 0, NULL, 0, false},

    {"a3.u_q", "u of the Gale demand at q", a3_utility, WAL_A3_LOWER, 0, 0, NULL, 0, false},
    {"a3.u_corrected", "u of the Gale demand at q', corrected", a3_utility, WAL_A3_HIGHER, 0, 0, NULL, 0,
     false},
    {"a3.u_printed", "u of the Gale demand at q', as printed", a3_utility, WAL_A3_PRINTED, 0, 0, "G1", 0,
     false},
    {"a3.rises_corrected", "q < q', corrected", a3_rises, WAL_A3_HIGHER, 0, 0, NULL, 0, false},
    {"a3.rises_printed", "q < q', as printed", a3_rises, WAL_A3_PRINTED, 0, 0, "G1", 0, false},
    {"a3.spread_q", "extent of good 1 in the Gale demand at q", a3_spread, WAL_A3_LOWER, 0, 0, "G1", 0,
     false},

    {"a4.holds", "stated equilibrium passes the check", holds, 1, 0, 0, NULL, 0, false},
    {"a4.u1", "u_1 at the equilibrium", best_utility, 1, 1, 0, NULL, 0, false},
    {"a4.welfare_1", "NW(CE), eps = 0.1", stated_welfare, 1, 0, 0, NULL, 0, false},
    {"a4.welfare", "NW*, eps = 0.1", nash_welfare, 1, 0, 0, NULL, 0, false},
    {"a4.limit", "NW(CE) / NW*, eps = 1e-9", welfare_ratio, 1, 0, 0, NULL, 1e-9, false},
    {"a4.difference", "NW* - NW(CE), eps = 1e-9", welfare_difference, 1, 0, 0, "G5", 1e-9, false},

    {"a5.holds_1", "equilibrium 1 passes the check, n = 5", holds, 1, 0, 0, NULL, 0, false},
    {"a5.holds_2", "equilibrium 2 passes the check, n = 5", holds, 2, 0, 0, NULL, 0, false},
    {"a5.un_1", "u_n at equilibrium 1", best_utility, 1, 5, 0, NULL, 0, false},
    {"a5.un_2", "u_n at equilibrium 2", best_utility, 2, 5, 0, NULL, 0, false},

    {"a6.x2", "x_2 at maximum NW, beta corrected, alpha = 10", nash_share, 0, 2, 1, NULL, 0, false},
    {"a6.u2", "u_2 at maximum NW, beta corrected", nash_utility, 0, 2, 0, NULL, 0, false},
    {"a6.q", "Gale price, beta corrected", gale_price, 0, 0, 1, NULL, 0, false},
    {"a6.ratio", "best u_2 at q / u_2, beta corrected", gale_ratio, 0, 2, 0, "G2", 0, false},
    {"a6.x2_printed", "x_2 at maximum NW, beta as printed", nash_share, 0, 2, 1, "G2", 0, true},
    {"a6.u2_printed", "u_2 at maximum NW, beta as printed", nash_utility, 0, 2, 0, "G2", 0, true},
    {"a6.ratio_printed", "best u_2 at q / u_2, beta as printed", gale_ratio, 0, 2, 0, "G2", 0, true},

    {"a7.p1", "p_1 by search, n = 3", found_price, 1, 0, 1, NULL, 0, false},
    {"a7.p4", "p_(n+1) by search", found_price, 1, 0, 4, NULL, 0, false},
    {"a7.x11", "x_11 by search", found_share, 1, 1, 1, NULL, 0, false},
    {"a7.x14", "x_(1,n+1) by search", found_share, 1, 1, 4, NULL, 0, false},
    {"a7.x44", "u_(n+1) by search", found_share, 1, 4, 4, NULL, 0, false},
    {"a7.holds", "stated equilibrium passes the check", holds, 1, 0, 0, NULL, 0, false},
    {"a7.count", "equilibria found", found_count, 1, 0, 0, NULL, 0, false},
    {"a7.nash", "u_(n+1) at maximum NW, eps = 0.5", nash_utility, 0, 4, 0, NULL, 0, false},
    {"a7.nash_large", "u_(n+1) at maximum NW, eps = 0.6", nash_utility, 0, 4, 0, "G4", 0.6, false},

    {"a8.holds", "stated equilibrium passes the check, n = 4", holds, 1, 0, 0, NULL, 0, false},
    {"a8.thrifty", "it is thrifty", thrifty, 1, 0, 0, NULL, 0, false},
    {"a8.u_a", "u of A at the equilibrium", best_utility, 1, 1, 0, NULL, 0, false},
    {"a8.u_b", "u of B at the equilibrium", best_utility, 1, 2, 0, NULL, 0, false},
    {"a8.u_c", "u of C at the equilibrium", best_utility, 1, 18, 0, NULL, 0, false},
    {"a8.nash_a", "u of A at maximum NW", nash_utility, 0, 1, 0, NULL, 0, false},
    {"a8.bound", "k <= n^(-1/2)", a8_bound, 0, 0, 0, NULL, 0, false},
    {"a8.footnote", "the footnote's first inequality", a8_footnote, 0, 0, 0, "G7", 0, false},

    {"a9.holds", "stated equilibrium passes the check, n = 6", holds, 1, 0, 0, NULL, 0, false},
    {"a9.u1", "u_1 at the equilibrium", best_utility, 1, 1, 0, NULL, 0, false},
    {"a9.nash", "u_1 at maximum NW", nash_utility, 0, 1, 0, NULL, 0, false},
    {"a9.u1_printed", "u_1 at the equilibrium, v_11 = 0", best_utility, 1, 1, 0, "G3", 0, true},
    {"a9.nash_printed", "u_1 at maximum NW, v_11 = 0", nash_utility, 0, 1, 0, "G3", 0, true},

    {"a10.holds", "stated equilibrium passes the check, n = 3, eps = 0.1", holds, 1, 0, 0, NULL, 0, false},
    {"a10.thrifty", "it is thrifty", thrifty, 1, 0, 0, NULL, 0, false},
    {"a10.u1", "u_1 at the equilibrium", best_utility, 1, 1, 0, NULL, 0, false},
    {"a10.nash", "u_1 at maximum NW", nash_utility, 0, 1, 0, NULL, 0, false},
    {"a10.share", "x_41 at maximum NW", nash_share, 0, 4, 1, NULL, 0, false},
    {"a10.sigma", "property Sigma: agent n + 1's stated bundle has a Gale demand within", a10_within, 1, 0, 0,
     NULL, 0, false},
};
enum { QUANTITIES = sizeof quantities / sizeof *quantities };

static const quantity *quantity_find(const char *name) {
  for (int k = 0; k < QUANTITIES; k++)
    if (strcmp(quantities[k].name, name) == 0) return &quantities[k];
  return NULL;
}

const char *wal_examples_erratum(const char *name) {
  const quantity *q = quantity_find(name);
  return q ? q->erratum : NULL;
}

bool wal_examples_agree(double stated, double computed) {
  return fabs(stated - computed) <= 1e-5 * fmax(1, fabs(stated));
}

static int example_of(const quantity *q) { return atoi(q->name + 1); }

/* ---- a point ---- */

static wal_status study_begin(const quantity *q, study *s) {
  const int number = example_of(q);
  s->what = q;
  s->size = wal_example_defaults(number);
  s->size.printed = q->printed;
  if (q->eps > 0) s->size.eps = q->eps;
  const wal_status status = wal_example(number, &s->size, &s->market);
  if (status != WAL_OK || wal_example_equilibria(number) < q->which || q->which == 0) return status;
  const size_t n = (size_t)s->market.n, m = (size_t)s->market.m;
  s->p = calloc(m + n * m, sizeof *s->p);
  if (!s->p) return wal_fail(WAL_E_MEMORY, "no memory for an equilibrium of %d agents", s->market.n);
  s->x = s->p + m;
  return wal_example_equilibrium(number, &s->size, q->which - 1, s->p, s->x);
}

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  const char *name = wal_point_text(point, "quantity");
  const quantity *q = quantity_find(name);
  if (!q) return wal_fail(WAL_E_INPUT, "there is no quantity \"%s\"; a1.p1_1 works", name);
  study s = {0};
  double value = NAN;
  wal_status status = study_begin(q, &s);
  if (status == WAL_OK) status = q->measure(&s, &value);
  if (status == WAL_OK) {
    wal_sink_row(sink);
    wal_sink_real(sink, "value", value);
  }
  free(s.p);
  wal_nw_solution_destroy(&s.best);
  wal_nw_market_destroy(&s.market);
  return status;
}

/* ---- the table ---- */

static void add_status(wal_table *table, const quantity *q, double stated, double computed) {
  char text[64];
  if (isnan(stated))
    snprintf(text, sizeof text, "not stated");
  else if (wal_examples_agree(stated, computed))
    snprintf(text, sizeof text, "agrees");
  else if (q->erratum)
    snprintf(text, sizeof text, "erratum %s", q->erratum);
  else
    snprintf(text, sizeof text, "DIFFERS");
  wal_table_text(table, text);
}

static void add_row(wal_table *table, const wal_grouping *by, int g) {
  const wal_frame *rows = by->result->rows;
  const int64_t row = by->groups[g].row;
  const quantity *q = quantity_find(wal_frame_text(rows, row, wal_frame_find(rows, "quantity")));
  if (!q) return;
  const double stated = wal_result_published(by->result, row, "value"),
               value = wal_appendix_mean(by, g, "value");
  char example[16];
  snprintf(example, sizeof example, "A.%d", example_of(q));
  wal_table_row(table);
  wal_table_text(table, example);
  wal_table_text(table, q->label);
  wal_table_real(table, stated, NAN, 1);
  wal_table_real(table, value, NAN, 1);
  wal_table_real(table, value - stated, NAN, 1);
  add_status(table, q, stated, value);
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"quantity"};
  wal_grouping by = {0};
  const wal_status status = wal_group_rows(result, keys, 1, &by);
  wal_table *table = wal_drawing_table(drawing, "", result->config->title);
  wal_table_column(table, NULL, "example", NULL);
  wal_table_column(table, NULL, "quantity", NULL);
  wal_table_column(table, NULL, "stated", "%.7g");
  wal_table_column(table, NULL, "computed", "%.7g");
  wal_table_column(table, NULL, "difference", "%.1e");
  wal_table_column(table, NULL, "status", NULL);
  for (int g = 0; status == WAL_OK && g < by.count; g++) add_row(table, &by, g);
  wal_table_note(table, "Statements: 1 holds, 0 does not. Errata: docs/errata.md.");
  wal_grouping_free(&by);
  return status;
}

const wal_experiment wal_nashwelfare_examples = {
    .id = "nashwelfare/examples",
    .title = "Appendix A: stated and computed",
    .paper = WAL_NASHWELFARE_PAPER ", Appendix A",
    .doc =
        "Every number that the examples A.1 to A.10 state, beside what is computed without it: equilibria by "
        "search, checked by linear programs; utilities by the demand oracle; maximum Nash welfare by the "
        "Eisenberg-Gale solver. Where they differ the paper's print is in error, and docs/errata.md says "
        "how.",
    .version = 1,
    .params = params,
    .param_count = sizeof params / sizeof *params,
    .columns = columns,
    .column_count = sizeof columns / sizeof *columns,
    .run_point = run_point,
    .draw = draw,
};
