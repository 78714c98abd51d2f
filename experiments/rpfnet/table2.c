/* RPF-Net, Table 2: what training and inference cost, over ExS-Net's. */
#include <math.h>
#include <stdio.h>

#include "experiments/registry.h"
#include "experiments/rpfnet/cost.h"
#include "experiments/rpfnet/params.h"

static const wal_param params[] = {WAL_RPFNET_INSTANCE_PARAMS, WAL_RPFNET_COST_PARAMS};

#define CLOCK WAL_COLUMN_TIMING, 0, 0
#define CLOCK_IF WAL_COLUMN_TIMING | WAL_COLUMN_OPTIONAL, 0, 0
static const wal_column columns[] = {
    {"parameters", WAL_INT, "1", "numbers in the network", 0, 0, 0},
    {"allocate_us", WAL_REAL, "us", "inference, one thread, an instance", CLOCK},
    {"allocate_ratio", WAL_REAL, "1", "over ExS-Net's in the same process", CLOCK},
    {"polished_us", WAL_REAL, "us", "inference to a strict KKT residual, one thread, an instance", CLOCK},
    {"all_us", WAL_REAL, "us", "inference on all threads, wall time, an instance", CLOCK},
    {"gradient_us", WAL_REAL, "us", "gradient and Adam, one thread, an instance", CLOCK_IF},
    {"gradient_ratio", WAL_REAL, "1", "over ExS-Net's in the same process", CLOCK_IF},
    {"step_us", WAL_REAL, "us", "step of Algorithm 1, one thread, an instance of the batch", CLOCK_IF},
    {"step_ratio", WAL_REAL, "1", "over ExS-Net's in the same process; 0: nothing to train", CLOCK},
};

static void send_if(wal_sink *sink, const char *column, double value) {
  if (!isnan(value)) wal_sink_real(sink, column, value);
}

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  const char *const kinds[] = {wal_point_text(point, "mechanism"), "exs"};
  wal_rpfnet_cost cost[2];
  int64_t parameters = 0;
  wal_status status = wal_rpfnet_parameters(kinds[0], (int)wal_point_int(point, "n"),
                                            (int)wal_point_int(point, "m"), &parameters);
  if (status == WAL_OK) status = wal_rpfnet_costs(point, 2, kinds, true, cost);
  if (status != WAL_OK) return status;
  wal_sink_row(sink);
  wal_sink_int(sink, "parameters", parameters);
  wal_sink_real(sink, "allocate_us", cost[0].allocate);
  wal_sink_real(sink, "allocate_ratio", cost[0].allocate / cost[1].allocate);
  wal_sink_real(sink, "polished_us", cost[0].polished);
  wal_sink_real(sink, "all_us", cost[0].all);
  send_if(sink, "gradient_us", cost[0].gradient);
  send_if(sink, "gradient_ratio", cost[0].gradient / cost[1].gradient);
  send_if(sink, "step_us", cost[0].step);
  wal_sink_real(sink, "step_ratio", parameters ? cost[0].step / cost[1].step : 0);
  return WAL_OK;
}

/* ---- drawing ---- */

enum { BUDGETS_MAX = 4, KINDS_MAX = 16 };

/* The budgets, in order of appearance; returns how many. */
static int budgets_of(const wal_grouping *by, double budgets[BUDGETS_MAX]) {
  int count = 0;
  for (int k = 0; k < by->count; k++) {
    const double budget = wal_point_real(wal_result_point(by->result, by->groups[k].row), "budget");
    int b = 0;
    while (b < count && budgets[b] != budget) b++;
    if (b == count && count < BUDGETS_MAX) budgets[count++] = budget;
  }
  return count;
}

/* Groups of a budget. */
static int groups_of(const wal_grouping *by, double budget, int groups[KINDS_MAX]) {
  int count = 0;
  for (int k = 0; k < by->count && count < KINDS_MAX; k++)
    if (wal_point_real(wal_result_point(by->result, by->groups[k].row), "budget") == budget)
      groups[count++] = k;
  return count;
}

static void draw_panel(wal_figure *figure, const wal_grouping *by, const int *groups, int count,
                       const char *title, const char *column, int colour, bool legend) {
  wal_panel *panel = wal_figure_panel(figure, title, "", "over ExS-Net's");
  const wal_frame *rows = by->result->rows;
  const int mechanism = wal_frame_find(rows, "mechanism");
  for (int k = 0; k < count; k++)
    wal_panel_category(panel, k,
                       wal_rpfnet_label(wal_frame_text(rows, by->groups[groups[k]].row, mechanism)));
  wal_rpfnet_bars(panel, by, groups, count, column, "this run", colour);
  wal_panel_range(panel, -0.6, count - 0.4, 0.1, 1000);
  wal_panel_log(panel, false, true);
  wal_panel_legend(panel, legend ? "top left" : NULL);
}

static void draw_figure(wal_drawing *drawing, const wal_grouping *by) {
  double budgets[BUDGETS_MAX];
  const int count = budgets_of(by, budgets);
  wal_figure *figure =
      wal_drawing_figure(drawing, "", by->result->config->title, 17.5, 1.5 + 5.5 * count, count, 2);
  for (int b = 0; b < count; b++) {
    int groups[KINDS_MAX], learned[KINDS_MAX], trained = 0;
    const int here = groups_of(by, budgets[b], groups);
    char title[96];
    for (int k = 0; k < here; k++)
      if (wal_group_stat(by, groups[k], "step_us").count > 0) learned[trained++] = groups[k];
    snprintf(title, sizeof title, "Inference, budget %g N", budgets[b]);
    draw_panel(figure, by, groups, here, title, "allocate_ratio", 0, b == 0);
    snprintf(title, sizeof title, "Step of training, budget %g N", budgets[b]);
    draw_panel(figure, by, learned, trained, title, "step_ratio", 2, false);
  }
  wal_figure_note(figure,
                  "Processor time on one thread, the least of many turns beside ExS-Net in the same process. "
                  "A step of training searches misreports of every agent whom one could help");
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const measures[] = {"allocate_ratio", "step_ratio", "gradient_ratio", "allocate_us",
                                         "polished_us",    "all_us",     "gradient_us",    "step_us"};
  const char *keys[4] = {"mechanism", "n", "m", "budget"};
  const int key_count = wal_frame_find(result->rows, "budget") >= 0 ? 4 : 3;
  return wal_drawing_groups(result, drawing, keys, key_count, measures, 8, draw_figure);
}

const wal_experiment wal_rpfnet_table2 = {
    .id = "rpfnet/table2",
    .title = "Cost of training and inference over ExS-Net's",
    .paper = WAL_RPFNET_PAPER ", Table 2",
    .doc =
        "Ten agents, three resources, instances of law (17): what each mechanism takes to allocate, what a "
        "learned one takes for a gradient and for a step of Algorithm 1, in microseconds per instance and in "
        "units of ExS-Net's, which every point measures in turns with its own. The paper's ratios, 40 to "
        "380, "
        "are those of a general solver, one instance at a time.",
    .version = 1,
    .devices = true,
    .params = params,
    .param_count = sizeof params / sizeof *params,
    .columns = columns,
    .column_count = sizeof columns / sizeof *columns,
    .run_point = run_point,
    .draw = draw,
};
