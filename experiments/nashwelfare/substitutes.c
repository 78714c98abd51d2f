/* Theorems 1.4 and 1.5 by search for counterexamples, and section 8's quadratic. */
#include "models/nashwelfare/substitutes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/drawing.h"
#include "experiments/nashwelfare/nashwelfare.h"
#include "experiments/registry.h"
#include "models/common/parallel.h"
#include "models/common/rng.h"
#include "models/nashwelfare/demand_quadratic.h"
#include "models/nashwelfare/families.h"

/* What counts as a counterexample: programs are solved to 1e-9. */
static const double tolerance = 1e-6;

static const wal_param params[] = {
    {"property", WAL_TEXT, "prices", 0, 0, "prices|budget|sigma|submodular|path", "1",
     "of Definition 2.14: (i), (ii), (Sigma); submodularity; or the quadratic along a price", NULL,
     WAL_PARAM_KEY},
    {"family", WAL_TEXT, "splc", 0, 0,
     "linear|bounded_linear|splc|leontief_free|network|plc|leontief|quadratic", "1", "law of the utilities",
     "property=prices|budget|sigma|submodular", WAL_PARAM_KEY},
    {"m", WAL_INT, "3", 1, 64, NULL, "goods", "number of goods (the quadratic has 3)",
     "property=prices|budget|sigma|submodular", 0},
    {"instances", WAL_INT, "1000", 1, 1e9, NULL, "1", "utilities drawn, each tried once",
     "property=prices|budget|sigma|submodular", 0},
    {"seed", WAL_INT, "1", 0, 1e15, NULL, "1", "key of the random numbers",
     "property=prices|budget|sigma|submodular", WAL_PARAM_KEY},
    {"steps", WAL_INT, "30", 1, 1000, NULL, "1", "steps of the price, of 0.01 each", "property=path", 0},
};

static const wal_column columns[] = {
    {"proved", WAL_INT, "1", "1: a theorem of the paper", WAL_COLUMN_OPTIONAL, 0, 0},
    {"tried", WAL_INT, "1", "instances that the property speaks of", WAL_COLUMN_OPTIONAL, 0.01, 0},
    {"counterexamples", WAL_INT, "1", "of these, with an excess above 1e-6", WAL_COLUMN_OPTIONAL, 0.02, 0},
    {"worst", WAL_REAL, "1", "largest excess over the largest amount (submodular: over u(x) + u(y))",
     WAL_COLUMN_OPTIONAL, 1e-3, 1e-7},
    {"lowered", WAL_REAL, "1", "by how much q_2 was lowered", WAL_COLUMN_OPTIONAL, 1e-12, 0},
    {"q2", WAL_REAL, "1", "price of good 2", WAL_COLUMN_OPTIONAL, 1e-9, 0},
    {"y1", WAL_REAL, "1", "Gale demand of good 1", WAL_COLUMN_OPTIONAL, 1e-9, 1e-12},
    {"y2", WAL_REAL, "1", "Gale demand of good 2", WAL_COLUMN_OPTIONAL, 1e-9, 1e-12},
    {"y3", WAL_REAL, "1", "Gale demand of good 3", WAL_COLUMN_OPTIONAL, 1e-9, 1e-12},
};

/* ---- section 8's quadratic ---- */

enum { GOODS = 3 };
static const double quadratic_c[GOODS] = {4, 4, 4};
static const double quadratic_q[GOODS * GOODS] = {1, 0.6, 0.6, 0.6, 1, 0, 0.6, 0, 1};

/* The prices at which (.5, .5, .5) is the Gale demand for b = 1: gradient over utility. */
static void start_prices(double *q) {
  double worth = 0;
  for (int j = 0; j < GOODS; j++) {
    q[j] = quadratic_c[j];
    for (int k = 0; k < GOODS; k++) q[j] -= 0.5 * quadratic_q[j * GOODS + k];
    worth += 0.25 * (quadratic_c[j] + q[j]);
  }
  for (int j = 0; j < GOODS; j++) q[j] /= worth;
}

static wal_status run_path(const wal_point *point, wal_sink *sink) {
  double q[GOODS], y[GOODS];
  start_prices(q);
  const double start = q[1];
  wal_status status = WAL_OK;
  for (int64_t k = 0; status == WAL_OK && k <= wal_point_int(point, "steps"); k++) {
    q[1] = start - 0.01 * (double)k;
    if (!(q[1] >= 0)) break;
    status = wal_demand_gale_quadratic(GOODS, quadratic_c, quadratic_q, q, 1, y);
    wal_sink_row(sink);
    wal_sink_real(sink, "lowered", 0.01 * (double)k);
    wal_sink_real(sink, "q2", q[1]);
    wal_sink_real(sink, "y1", y[0]);
    wal_sink_real(sink, "y2", y[1]);
    wal_sink_real(sink, "y3", y[2]);
  }
  return status;
}

/* ---- the search ---- */

typedef struct {
  const char *name;
  bool separable, network; /* Theorems 1.4 and 1.5 */
} family_row;
static const family_row families[] = {
    {"linear", true, true},         {"bounded_linear", true, true}, {"splc", true, true},
    {"leontief_free", false, true}, {"network", false, true},       {"plc", false, false},
    {"leontief", false, false},     {"quadratic", false, false},
};
enum { FAMILIES = sizeof families / sizeof *families, PROPERTIES = 4 };
static const char *const properties[PROPERTIES] = {"prices", "budget", "sigma", "submodular"};
static const char *const property_labels[PROPERTIES] = {"(i) prices", "(ii) budget", "(Σ)", "submodular"};

static int index_of(const char *name, const char *const names[], int count) {
  for (int k = 0; k < count; k++)
    if (strcmp(name, names[k]) == 0) return k;
  return -1;
}

static const family_row *find_family(const char *name) {
  for (int k = 0; k < FAMILIES; k++)
    if (strcmp(name, families[k].name) == 0) return &families[k];
  return NULL;
}

static bool is_proved(const family_row *family, int property) {
  return property == WAL_SUBSTITUTES_SIGMA ? family->separable : family->network;
}

typedef struct {
  const family_row *family;
  wal_substitutes_property property;
  uint64_t seed;
  int m;
  wal_substitutes_trial *trials; /* [instances] */
} search;

static wal_status draw_leontief(uint64_t seed, int64_t k, int m, wal_utility **out) {
  double *a = malloc((size_t)m * sizeof *a);
  if (!a) return wal_fail(WAL_E_MEMORY, "no memory for %d goods", m);
  wal_rng_uniforms(seed, WAL_STREAM_INSTANCES, (uint64_t)(k * m), m, a);
  const wal_status status = wal_utility_leontief(m, a, out);
  free(a);
  return status;
}

static wal_status try_one(void *context, int64_t k) {
  const search *s = context;
  wal_nw_market market = {0};
  wal_utility *own = NULL;
  wal_substitutes_agent agent = {0};
  wal_status status;
  if (strcmp(s->family->name, "quadratic") == 0) {
    agent = (wal_substitutes_agent){.c = quadratic_c, .q = quadratic_q};
    status = wal_utility_quadratic(GOODS, quadratic_c, quadratic_q, &own);
  } else if (strcmp(s->family->name, "leontief") == 0) {
    status = draw_leontief(s->seed, k, s->m, &own);
  } else {
    status = wal_family_find(s->family->name)->draw(s->seed, k, 1, s->m, &market);
  }
  if (status == WAL_OK) {
    agent.u = own ? own : market.utility[0];
    const bool says_nothing = s->property == WAL_SUBSTITUTES_SIGMA && agent.u->satiation == INFINITY;
    if (!says_nothing) status = wal_substitutes_try(&agent, s->property, s->seed, k, &s->trials[k]);
  }
  wal_utility_destroy(own);
  wal_nw_market_destroy(&market);
  return status == WAL_OK ? WAL_OK : wal_fail_in(status, "instance %lld: ", (long long)k);
}

/* The row; a counterexample to a theorem fails the point. */
static wal_status send_row(wal_sink *sink, const search *s, int64_t instances) {
  int64_t tried = 0, found = 0, worst = 0;
  for (int64_t k = 0; k < instances; k++) {
    tried += s->trials[k].tried;
    found += s->trials[k].excess > tolerance;
    if (s->trials[k].excess > s->trials[worst].excess) worst = k;
  }
  const bool proved = is_proved(s->family, s->property);
  wal_sink_row(sink);
  wal_sink_int(sink, "proved", proved);
  wal_sink_int(sink, "tried", tried);
  wal_sink_int(sink, "counterexamples", found);
  if (tried > 0) wal_sink_real(sink, "worst", s->trials[worst].excess);
  if (!proved || found == 0) return WAL_OK;
  return wal_fail(WAL_E_DIVERGED,
                  "instance %lld has an excess of %g: a counterexample to a theorem, or our mistake",
                  (long long)worst, s->trials[worst].excess);
}

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  const int property = index_of(wal_point_text(point, "property"), properties, PROPERTIES);
  if (property < 0) return run_path(point, sink);
  const int64_t instances = wal_point_int(point, "instances");
  search s = {.family = find_family(wal_point_text(point, "family")),
              .property = (wal_substitutes_property)property,
              .seed = (uint64_t)wal_point_int(point, "seed"),
              .m = (int)wal_point_int(point, "m"),
              .trials = calloc((size_t)instances, sizeof *s.trials)};
  if (!s.trials) return wal_fail(WAL_E_MEMORY, "no memory for %lld instances", (long long)instances);
  wal_status status = wal_for_tasks(instances, try_one, &s);
  if (status == WAL_OK) status = send_row(sink, &s, instances);
  free(s.trials);
  return status;
}

/* ---- the pictures and the table ---- */

static const char *word(const wal_grouping *by, int group, const char *column) {
  return wal_frame_text(by->result->rows, by->groups[group].row, wal_frame_find(by->result->rows, column));
}

/* The group of a family and a property; -1: none. */
static int find_group(const wal_grouping *by, const char *family, const char *property) {
  for (int k = 0; k < by->count; k++)
    if (!strcmp(word(by, k, "family"), family) && !strcmp(word(by, k, "property"), property)) return k;
  return -1;
}

static void draw_panel(wal_figure *figure, const wal_grouping *by, bool share) {
  wal_panel *panel = wal_figure_panel(figure, share ? "How often" : "By how much", "",
                                      share ? "share with a counterexample" : "largest excess");
  for (int f = 0; f < FAMILIES; f++) wal_panel_category(panel, f, wal_nashwelfare_label(families[f].name));
  for (int p = 0; p < PROPERTIES; p++) {
    wal_series *series = wal_panel_series(panel, share ? WAL_BARS : WAL_POINTS, property_labels[p], p);
    for (int f = 0; f < FAMILIES; f++) {
      const int k = find_group(by, families[f].name, properties[p]);
      if (k < 0) continue;
      const wal_stat tried = wal_group_stat(by, k, "tried"), found = wal_group_stat(by, k, "counterexamples");
      const wal_stat worst = wal_group_stat(by, k, "worst");
      if (worst.count == 0) continue;
      if (share)
        wal_series_point(series, f, found.mean / tried.mean, NAN, NAN);
      else
        wal_series_point(series, f + 0.12 * (p - 1.5), fmax(worst.max, 1e-17), NAN, NAN);
    }
  }
  if (!share) {
    wal_panel_log(panel, false, true);
    wal_series_point(wal_panel_series(panel, WAL_RULE, "counts from here", 7), 0, tolerance, NAN, NAN);
  }
  wal_panel_range(panel, -0.6, FAMILIES - 0.4, share ? 0 : 1e-18, share ? 1 : 1e5);
  wal_panel_legend(panel, share ? "top left" : NULL);
}

static void draw_path(wal_drawing *drawing, const wal_result *result) {
  wal_figure *figure =
      wal_drawing_figure(drawing, "quadratic", "Submodular, not Gale-substitutes", 8.5, 7, 1, 1);
  wal_panel *panel = wal_figure_panel(figure, "", "price of good 2", "Gale demand y_j");
  const wal_frame *rows = result->rows;
  const int q2 = wal_frame_find(rows, "q2");
  for (int j = 0; j < GOODS; j++) {
    char column[8], label[32];
    snprintf(column, sizeof column, "y%d", j + 1);
    snprintf(label, sizeof label, "good %d", j + 1);
    wal_series *line = wal_panel_series(panel, WAL_LINES, label, j);
    for (int64_t row = 0; row < wal_frame_rows(rows); row++)
      if (!wal_frame_missing(rows, row, q2))
        wal_series_point(line, wal_frame_real(rows, row, q2),
                         wal_frame_real(rows, row, wal_frame_find(rows, column)), NAN, NAN);
  }
  wal_panel_legend(panel, "top right");
  wal_figure_note(figure,
                  "u = ⟨c, y⟩ − ½ y'Qy of section 8, b = 1. The prices of goods 1 and 3 stay. As good 2 gets "
                  "cheaper it takes the place of good 1, and the demand for good 3 rises: no "
                  "Gale-substitutes");
}

static void draw_table(wal_drawing *drawing, const wal_grouping *by) {
  wal_table *table = wal_drawing_table(drawing, "", by->result->config->title);
  wal_table_column(table, NULL, "utilities", NULL);
  for (int p = 0; p < PROPERTIES; p++) {
    wal_table_column(table, property_labels[p], "verdict", NULL);
    wal_table_column(table, property_labels[p], "tried", "%.0f");
    wal_table_column(table, property_labels[p], "fail", "%.0f");
    wal_table_column(table, property_labels[p], "worst", "%.1e");
  }
  for (int f = 0; f < FAMILIES; f++) {
    wal_table_row(table);
    wal_table_text(table, wal_nashwelfare_label(families[f].name));
    for (int p = 0; p < PROPERTIES; p++) {
      const int k = find_group(by, families[f].name, properties[p]);
      const wal_stat none = {.mean = NAN, .max = NAN};
      const wal_stat tried = k < 0 ? none : wal_group_stat(by, k, "tried");
      const wal_stat found = k < 0 ? none : wal_group_stat(by, k, "counterexamples");
      const wal_stat worst = k < 0 ? none : wal_group_stat(by, k, "worst");
      const bool proved = is_proved(&families[f], p);
      wal_table_text(table, !(tried.mean > 0) ? "--"
                            : found.mean > 0  ? (proved ? "VIOLATED" : "fails")
                            : proved          ? "holds, proved"
                                              : "no failure");
      wal_table_real(table, tried.mean * tried.count, NAN, 1);
      wal_table_real(table, found.mean * found.count, NAN, 1);
      wal_table_real(table, worst.max, NAN, 1);
    }
  }
  wal_table_note(table,
                 "Worst: the largest amount of a good that the best y' has too much, over the largest y_j. "
                 "(Sigma) speaks of satiable utilities only");
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"property", "family"};
  wal_grouping by;
  const wal_status status = wal_group_rows(result, keys, 2, &by);
  if (status != WAL_OK) return status;
  draw_table(drawing, &by);
  wal_figure *figure = wal_drawing_figure(drawing, "", result->config->title, 17.5, 13, 2, 1);
  draw_panel(figure, &by, true);
  draw_panel(figure, &by, false);
  wal_figure_note(figure,
                  "Theorem 1.4: nothing fails for separable utilities, the first three. Theorem 1.5: of "
                  "Leontief-free and "
                  "network utilities (i) and (ii) hold, and they are submodular. "
                  "Excess: of a good, over the largest amount demanded; of submodularity, over u(x) + u(y). "
                  "An excess of 0 is drawn at 1e-17; above the dashed line, 1e-6, it counts");
  draw_path(drawing, result);
  wal_grouping_free(&by);
  return WAL_OK;
}

const wal_experiment wal_nashwelfare_substitutes = {
    .id = "nashwelfare/substitutes",
    .title = "Gale-substitutes by search for counterexamples",
    .paper = WAL_NASHWELFARE_PAPER ", Theorems 1.4 and 1.5, section 8",
    .doc =
        "Random utilities, prices and budgets; y in the Gale demand that no other is below; after prices or "
        "the "
        "budget fell, a linear program finds the y' in the new Gale demand that exceeds y least. Separable "
        "utilities have properties (i), (ii) and (Sigma) of Definition 2.14 (Theorem 1.4), networks (i) and "
        "(ii) (Theorem 1.5), and both are submodular: a counterexample fails the point. Piecewise-linear "
        "concave and Leontief utilities show what failure looks like, as does section 8's quadratic, which "
        "is "
        "submodular.",
    .version = 1,
    .params = params,
    .param_count = sizeof params / sizeof *params,
    .columns = columns,
    .column_count = sizeof columns / sizeof *columns,
    .run_point = run_point,
    .draw = draw,
};
