/* RPF-Net, Figure 3: welfare, exploitability and efficiency of every mechanism, relative to PF. */
#include <stdio.h>

#include "experiments/registry.h"
#include "experiments/rpfnet/rpfnet.h"

enum { SYSTEMS_MAX = 6, BARS_MAX = 24 };

/* The groups of one size and budget. */
typedef struct {
  double n, m, budget;
  int count;
  int groups[BARS_MAX];
} bar_system;

/* In order of appearance; returns how many. */
static int split_systems(const wal_grouping *by, bar_system systems[SYSTEMS_MAX]) {
  int count = 0;
  for (int k = 0; k < by->count; k++) {
    const double n = wal_rpfnet_number(by, k, "n"), m = wal_rpfnet_number(by, k, "m"),
                 budget = wal_rpfnet_number(by, k, "budget");
    int s = 0;
    while (s < count && !(systems[s].n == n && systems[s].m == m && systems[s].budget == budget)) s++;
    if (s == SYSTEMS_MAX) continue;
    if (s == count) systems[count++] = (bar_system){.n = n, .m = m, .budget = budget};
    if (systems[s].count < BARS_MAX) systems[s].groups[systems[s].count++] = k;
  }
  return count;
}

static wal_panel *system_panel(wal_figure *figure, const wal_grouping *by, const bar_system *s,
                               const char *title, const char *axis) {
  char text[128];
  snprintf(text, sizeof text, "%s, %g × %g, budget %g N", title, s->n, s->m, s->budget);
  wal_panel *panel = wal_figure_panel(figure, text, "", axis);
  for (int k = 0; k < s->count; k++) {
    wal_rpfnet_group_label(by, s->groups[k], text, sizeof text);
    wal_panel_category(panel, k, text);
  }
  wal_panel_range(panel, -0.6, s->count - 0.4, 0, NAN);
  wal_panel_legend(panel, NULL);
  return panel;
}

static void draw_figure(wal_drawing *drawing, const wal_grouping *by) {
  bar_system systems[SYSTEMS_MAX];
  const int count = split_systems(by, systems);
  wal_figure *figure =
      wal_drawing_figure(drawing, "", by->result->config->title, 17.5, 1.5 + 5.4 * count, count, 3);
  for (int s = 0; s < count; s++) {
    const bar_system *sys = &systems[s];
    wal_panel *panel = system_panel(figure, by, sys, "NSW", "over PF's");
    wal_rpfnet_welfare_bars(panel, by, sys->groups, sys->count);
    if (s == 0) wal_panel_legend(panel, "top right");
    panel = system_panel(figure, by, sys, "Exploitability", "over PF's");
    wal_rpfnet_bars(panel, by, sys->groups, sys->count, "expl_ratio", "strong search", 1);
    wal_rpfnet_bars(panel, by, sys->groups, sys->count, "expl_weak_ratio", "one-start ascent", 4);
    if (s == 0) wal_panel_legend(panel, "top right");
    panel = system_panel(figure, by, sys, "Efficiency", "over PF's");
    wal_rpfnet_bars(panel, by, sys->groups, sys->count, "efficiency_ratio", "this run", 2);
  }
  wal_figure_note(
      figure,
      "NSW of all agents is 0 where one has no demand. Active: trained for that of the agents that "
      "take part. Error bars: one standard error over the held-out instances (paired with PF's) or, with "
      "several seeds, the smallest and the largest");
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const measures[] = {
      "nsw",        "nsw_ratio",       "nsw_active", "nsw_active_ratio", "expl",
      "expl_ratio", "expl_weak_ratio", "efficiency", "efficiency_ratio"};
  static const char *const keys[] = {"n", "m", "mechanism", "budget", "train.objective"};
  const char *found[5];
  const int key_count = wal_rpfnet_keys(result, keys, 5, found);
  return wal_drawing_groups(result, drawing, found, key_count, measures, 9, draw_figure);
}

const wal_experiment wal_rpfnet_fig3 = {
    .id = "rpfnet/fig3",
    .title = "Welfare, exploitability and efficiency relative to PF",
    .paper = WAL_RPFNET_PAPER ", Figure 3",
    .doc =
        "Every mechanism on the same held-out instances of law (17): Nash social welfare (an agent without "
        "utility makes it 0), exploitability by a strong search and by the paper's one-start ascent, and the "
        "share of the budgets that is allocated, each over PF's. Besides the paper's 2 x 2 and 10 x 3 at "
        "budget N/2, 10 x 3 at N/4: at N/2 only 6% of its draws have a contested resource.",
    .version = 2,
    .devices = true,
    .params = wal_rpfnet_params,
    .param_count = WAL_RPFNET_PARAMS,
    .columns = wal_rpfnet_columns,
    .column_count = WAL_RPFNET_COLUMNS,
    .run_point = wal_rpfnet_run_point,
    .draw = draw,
};
