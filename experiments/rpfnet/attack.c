/* Ours: how much exploitability a search finds for its effort. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/pool.h"
#include "experiments/registry.h"
#include "experiments/rpfnet/rpfnet.h"

static const wal_param params[] = {
    WAL_RPFNET_SHARED_PARAMS,
    {"attack.low", WAL_REAL, "0.1", 1e-6, 0.99, NULL, "1", "least value and demand that a report may have",
     NULL, WAL_PARAM_KEY},
};

static const wal_column columns[] = {
    {.name = "effort",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "allocations computed for an agent that the truth leaves something to gain"},
    {.name = "expl",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "mean over instances and agents of what the best misreport found gains",
     .rtol = 1e-6},
    {.name = "expl_se", .type = WAL_REAL, .unit = "1", .doc = "standard error of the mean", .rtol = 1e-5},
    {.name = "helped",
     .type = WAL_REAL,
     .unit = "1",
     .doc = "share of the agents to whom a lie gains more than 1e-6",
     .rtol = 1e-3},
    {.name = "attack_s",
     .type = WAL_REAL,
     .unit = "s",
     .doc = "wall time of the search",
     .flags = WAL_COLUMN_TIMING},
};

/* ---- a point ---- */

typedef struct {
  wal_owned_instances in;
  double *gain, *expl; /* [K, N], [K] */
  int64_t computed, searched;
} search;

static wal_status run_search(const wal_point *point, wal_mechanism *f, wal_sink *sink, search *q) {
  enum { PARTS = 20 };
  const wal_law law = wal_rpfnet_law(point);
  const int64_t count = wal_point_int(point, "held_out"), step = (count + PARTS - 1) / PARTS;
  wal_attack_options attack = wal_rpfnet_attack_options(point);
  attack.low = wal_point_real(point, "attack.low");
  q->gain = malloc((size_t)(count * (law.n + 1)) * sizeof *q->gain);
  if (!q->gain) return wal_fail(WAL_E_MEMORY, "no memory for the gains of %" PRId64 " instances", count);
  q->expl = q->gain + count * law.n;
  wal_status status = wal_instances_create(count, law.n, law.m, false, &q->in);
  if (status == WAL_OK) status = wal_law_draw(&law, 0, &q->in);
  for (int64_t first = 0; status == WAL_OK && first < count; first += step) {
    const wal_instances part =
        wal_instances_part(&q->in.in, first, step < count - first ? step : count - first);
    int64_t computed = 0, searched = 0;
    wal_sink_progress(sink, (double)first / (double)count, attack.method);
    status =
        wal_attack(f, &part, &attack,
                   &(wal_attack_result){
                       .gain = q->gain + first * law.n, .evaluations = &computed, .searched = &searched});
    q->computed += computed;
    q->searched += searched;
  }
  if (status == WAL_OK) wal_exploitability(&q->in.in, q->gain, q->expl);
  return status;
}

static void send_row(wal_sink *sink, const search *q, double seconds) {
  const int64_t count = q->in.in.count, agents = count * q->in.in.n;
  const wal_rpfnet_mean expl = wal_rpfnet_mean_of(q->expl, count);
  int64_t helped = 0;
  for (int64_t r = 0; r < agents; r++) helped += q->gain[r] > 1e-6;
  wal_sink_row(sink);
  if (q->searched > 0) /* what is not the truth's own allocation */
    wal_sink_real(sink, "effort", (double)(q->computed - count) / (double)q->searched);
  wal_sink_real(sink, "expl", expl.mean);
  if (count > 1) wal_sink_real(sink, "expl_se", expl.se);
  wal_sink_real(sink, "helped", (double)helped / (double)agents);
  wal_sink_real(sink, "attack_s", seconds);
}

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  wal_mechanism *f = NULL;
  search q = {0};
  wal_status status = wal_rpfnet_mechanism(point, sink, &f, NULL);
  const double begun = wal_now();
  if (status == WAL_OK) status = run_search(point, f, sink, &q);
  if (status == WAL_OK) send_row(sink, &q, wal_now() - begun);
  free(q.gain);
  wal_instances_destroy(&q.in);
  wal_mechanism_destroy(f);
  return status;
}

/* ---- the picture ---- */

enum { MECHANISMS = 6, METHODS = 4 };
static const struct {
  const char *name, *label;
  int colour;
} methods[METHODS] = {{"ascent", "ascent, 1, 2, ... starts", 1},
                      {"candidates", "candidates", 0},
                      {"strong", "candidates, then local", 2},
                      {"grid", "exhaustive grid", 6}};

static double standard_low(void) { return 0.1; }

static bool is(const wal_grouping *by, int group, const char *name, const char *value) {
  return strcmp(wal_rpfnet_word(by, group, name), value) == 0;
}

/* Mechanisms in order of appearance; returns how many. */
static int mechanisms_of(const wal_grouping *by, const char *names[MECHANISMS]) {
  int count = 0;
  for (int k = 0; k < by->count; k++) {
    const char *name = wal_rpfnet_word(by, k, "mechanism");
    int at = 0;
    while (at < count && strcmp(names[at], name)) at++;
    if (at == count && count < MECHANISMS) names[count++] = name;
  }
  return count;
}

/* The most that any search of the standard range found. */
static double most(const wal_grouping *by, const char *mechanism) {
  double best = 0;
  for (int k = 0; k < by->count; k++)
    if (is(by, k, "mechanism", mechanism) && wal_rpfnet_number(by, k, "attack.low") == standard_low())
      best = fmax(best, wal_group_stat(by, k, "expl").mean);
  return best;
}

static void draw_effort(wal_figure *figure, const wal_grouping *by, const char *mechanism, bool legend) {
  const double best = most(by, mechanism);
  char title[96];
  snprintf(title, sizeof title, "%s: the most found is %.2e", wal_rpfnet_label(mechanism), best);
  wal_panel *panel = wal_figure_panel(figure, title, "reports tried per agent", "share of the most found");
  for (int h = 0; h < METHODS; h++) {
    wal_series *line = NULL;
    for (int k = 0; k < by->count; k++) {
      if (!is(by, k, "mechanism", mechanism) || !is(by, k, "attack.method", methods[h].name)) continue;
      if (wal_rpfnet_number(by, k, "attack.low") != standard_low()) continue;
      const wal_stat effort = wal_group_stat(by, k, "effort"), expl = wal_group_stat(by, k, "expl");
      if (!line) line = wal_panel_series(panel, WAL_LINES, methods[h].label, methods[h].colour);
      if (effort.count > 0 && best > 0)
        wal_series_point(line, effort.mean, expl.mean / best, expl.count > 1 ? expl.min / best : NAN,
                         expl.count > 1 ? expl.max / best : NAN);
    }
  }
  wal_panel_log(panel, true, false);
  wal_panel_range(panel, NAN, NAN, 0, 1.08);
  wal_panel_legend(panel, legend ? "bottom right" : NULL);
}

/* What the strong search with most effort found for a mechanism and a range of reports; NaN: not asked. */
static double strongest(const wal_grouping *by, const char *mechanism, double low) {
  double effort = 0, found = NAN;
  for (int k = 0; k < by->count; k++) {
    if (!is(by, k, "mechanism", mechanism) || !is(by, k, "attack.method", "strong")) continue;
    const double own = wal_group_stat(by, k, "effort").mean;
    if (wal_rpfnet_number(by, k, "attack.low") != low || !(own > effort)) continue;
    effort = own;
    found = wal_group_stat(by, k, "expl").mean;
  }
  return found;
}

/* The least range above `low` that some point has; infinity: none. */
static double next_low(const wal_grouping *by, double low) {
  double next = INFINITY;
  for (int k = 0; k < by->count; k++) {
    const double own = wal_rpfnet_number(by, k, "attack.low");
    if (own > low) next = fmin(next, own);
  }
  return next;
}

/* The strong search where reports may be lower than any true value. */
static void draw_range(wal_figure *figure, const wal_grouping *by, const char *const names[], int count) {
  wal_panel *panel =
      wal_figure_panel(figure, "Reports from below 0.1", "least value reported", "over that from 0.1");
  for (int c = 0; c < count; c++) {
    const double standard = strongest(by, names[c], standard_low());
    if (!(standard > 0)) continue;
    wal_series *line =
        wal_panel_series(panel, WAL_LINES, wal_rpfnet_label(names[c]), wal_rpfnet_colour(names[c]));
    for (double low = next_low(by, 0); low < INFINITY; low = next_low(by, low)) {
      const double found = strongest(by, names[c], low);
      if (!isnan(found)) wal_series_point(line, low, found / standard, NAN, NAN);
    }
  }
  wal_panel_log(panel, true, false);
  wal_panel_legend(panel, "top right");
}

static void draw_figure(wal_drawing *drawing, const wal_grouping *by) {
  const char *names[MECHANISMS];
  const int count = mechanisms_of(by, names), panels = count + 1, across = panels > 3 ? 2 : panels;
  const int down = (panels + across - 1) / across;
  wal_figure *figure =
      wal_drawing_figure(drawing, "", by->result->config->title, 17.5, 1.5 + 6.5 * down, down, across);
  for (int c = 0; c < count; c++) draw_effort(figure, by, names[c], c == 0);
  draw_range(figure, by, names, count);
  wal_figure_note(
      figure,
      "Reports tried: of agents that the truth leaves something to gain, an ascent's gradients not "
      "counted. The one-start ascent, leftmost of its line, is the paper's");
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"mechanism", "attack.method", "attack.starts", "attack.candidates",
                                     "attack.low"};
  static const char *const measures[] = {"effort", "expl", "helped", "attack_s"};
  const char *found[5];
  const int key_count = wal_rpfnet_keys(result, keys, 5, found);
  return wal_drawing_groups(result, drawing, found, key_count, measures, 4, draw_figure);
}

const wal_experiment wal_rpfnet_attack = {
    .id = "rpfnet/attack",
    .title = "Exploitability found against search effort",
    .paper = WAL_RPFNET_PAPER ", section 4 (ascent by subgradients)",
    .doc =
        "What searches for a misreport find for the reports they try: the paper's subgradient ascent from "
        "the "
        "truth, the same from more starts, a list of reports built for the purpose, the list with a local "
        "search after it, and an exhaustive grid. Exploitability is a maximum: whatever a search misses "
        "looks like truthfulness. Last panel: reports below the least true value, 0.1.",
    .version = 1,
    .devices = true,
    .params = params,
    .param_count = sizeof params / sizeof *params,
    .columns = columns,
    .column_count = sizeof columns / sizeof *columns,
    .run_point = run_point,
    .draw = draw,
};
