/* Ours: every mechanism from scarce to ample budgets. */
#include <stdio.h>
#include <string.h>

#include "experiments/registry.h"
#include "experiments/rpfnet/rpfnet.h"

enum { SERIES = 16, SYSTEMS = 4 };

typedef struct {
  double n, m;
} system_size;

/* Sizes in order of appearance; returns how many. */
static int sizes_of(const wal_grouping *by, system_size sizes[SYSTEMS]) {
  int count = 0;
  for (int k = 0; k < by->count; k++) {
    const double n = wal_rpfnet_number(by, k, "n"), m = wal_rpfnet_number(by, k, "m");
    int s = 0;
    while (s < count && !(sizes[s].n == n && sizes[s].m == m)) s++;
    if (s == count && s < SYSTEMS) sizes[count++] = (system_size){n, m};
  }
  return count;
}

/* PA and the mixture share a colour elsewhere, and the uniform rule and the separable member; here they meet.
 */
static int colour_of(const char *mechanism) {
  if (strcmp(mechanism, "mixture") == 0) return 5;
  return strcmp(mechanism, "uniform") == 0 ? 3 : wal_rpfnet_colour(mechanism);
}

/* A line of `column` over the budget for every mechanism of one size. */
static void draw_lines(wal_panel *panel, const wal_grouping *by, system_size size, const char *column) {
  const char *names[SERIES];
  wal_series *lines[SERIES];
  int count = 0;
  char se[64];
  snprintf(se, sizeof se, "%s_se", column);
  for (int k = 0; k < by->count; k++) {
    if (wal_rpfnet_number(by, k, "n") != size.n || wal_rpfnet_number(by, k, "m") != size.m) continue;
    const char *name = wal_rpfnet_word(by, k, "mechanism");
    int s = 0;
    while (s < count && strcmp(names[s], name)) s++;
    if (s == SERIES) continue;
    if (s == count) {
      names[count] = name;
      lines[count++] = wal_panel_series(panel, WAL_LINES, wal_rpfnet_label(name), colour_of(name));
    }
    const wal_stat mean = wal_group_stat(by, k, column);
    const bool bars = wal_frame_find(by->result->rows, se) >= 0;
    if (mean.count > 0)
      wal_rpfnet_add(lines[s], wal_rpfnet_number(by, k, "budget"), mean,
                     bars ? wal_group_stat(by, k, se) : (wal_stat){.mean = NAN});
  }
}

static void draw_size(wal_figure *figure, const wal_grouping *by, system_size size, bool first) {
  static const char *const columns[] = {"nsw_ratio", "nsw_active_ratio", "expl", "efficiency"};
  static const char *const titles[] = {"NSW", "NSW of those who take part", "Exploitability", "Efficiency"};
  static const char *const axes[] = {"over PF's", "over PF's", "mean gain of the best lie",
                                     "share of the budgets"};
  for (int c = 0; c < 4; c++) {
    char title[96];
    snprintf(title, sizeof title, "%s, %g × %g", titles[c], size.n, size.m);
    wal_panel *panel = wal_figure_panel(figure, title, "budget over N", axes[c]);
    draw_lines(panel, by, size, columns[c]);
    wal_panel_range(panel, NAN, NAN, 0, NAN);
    wal_panel_legend(panel, first && c == 2 ? "top right" : NULL);
  }
}

static void draw_figure(wal_drawing *drawing, const wal_grouping *by) {
  system_size sizes[SYSTEMS];
  const int count = sizes_of(by, sizes);
  wal_figure *figure =
      wal_drawing_figure(drawing, "", by->result->config->title, 17.5, 1.5 + 10 * count, 2 * count, 2);
  for (int s = 0; s < count; s++) draw_size(figure, by, sizes[s], s == 0);
  wal_figure_note(figure,
                  "NSW of all agents is 0 where one has no demand. Error bars: one standard error over the "
                  "held-out instances (of the ratio: paired with PF) "
                  "or, with several seeds, the smallest and the largest");
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"n", "m", "mechanism", "budget"};
  static const char *const measures[] = {"nsw",  "nsw_ratio",  "nsw_active", "nsw_active_ratio",
                                         "expl", "expl_ratio", "efficiency"};
  const char *found[4];
  const int key_count = wal_rpfnet_keys(result, keys, 4, found);
  return wal_drawing_groups(result, drawing, found, key_count, measures, 7, draw_figure);
}

const wal_experiment wal_rpfnet_scarcity = {
    .id = "rpfnet/scarcity",
    .title = "From scarce to ample budgets",
    .paper = WAL_RPFNET_PAPER ", section 6 (budgets of N/2)",
    .doc =
        "Welfare, exploitability and efficiency of the mechanisms as the budget of each resource goes from "
        "N/4 to N, where every demand fits and nothing can be gained. The paper has N/2 only.",
    .version = 2,
    .devices = true,
    .params = wal_rpfnet_params,
    .param_count = WAL_RPFNET_PARAMS,
    .columns = wal_rpfnet_columns,
    .column_count = WAL_RPFNET_COLUMNS,
    .run_point = wal_rpfnet_run_point,
    .draw = draw,
};
