/* Ours: partial allocation under lies about values, about demands and about both. */
#include <stdio.h>
#include <string.h>

#include "experiments/registry.h"
#include "experiments/rpfnet/rpfnet.h"

enum { SYSTEMS = 12 };

/* Groups of one mechanism and kind of lie, one for each system; returns how many. */
static int pick(const wal_grouping *by, const char *mechanism, const char *lie, int groups[SYSTEMS]) {
  int count = 0;
  for (int k = 0; k < by->count && count < SYSTEMS; k++)
    if (!strcmp(wal_rpfnet_word(by, k, "mechanism"), mechanism) &&
        !strcmp(wal_rpfnet_word(by, k, "attack.lie"), lie))
      groups[count++] = k;
  return count;
}

static wal_panel *begin_panel(wal_figure *figure, const wal_grouping *by, const int *groups, int count,
                              const char *title, const char *axis) {
  wal_panel *panel = wal_figure_panel(figure, title, "N × M, budget over N", axis);
  for (int k = 0; k < count; k++) {
    char label[64];
    snprintf(label, sizeof label, "%g × %g, %g", wal_rpfnet_number(by, groups[k], "n"),
             wal_rpfnet_number(by, groups[k], "m"), wal_rpfnet_number(by, groups[k], "budget"));
    wal_panel_category(panel, k, label);
  }
  wal_panel_range(panel, -0.6, count - 0.4, 0, NAN);
  return panel;
}

static void draw_figure(wal_drawing *drawing, const wal_grouping *by) {
  int values[SYSTEMS], demands[SYSTEMS], both[SYSTEMS], pf[SYSTEMS];
  const int of_values = pick(by, "pa", "values", values), of_demands = pick(by, "pa", "demands", demands),
            of_both = pick(by, "pa", "both", both), of_pf = pick(by, "pf", "both", pf);
  wal_figure *figure = wal_drawing_figure(drawing, "", by->result->config->title, 17.5, 7.5, 1, 2);
  wal_panel *panel = begin_panel(figure, by, both, of_both, "What a lie gains", "exploitability");
  wal_rpfnet_bars(panel, by, values, of_values, "expl", "PA, values", 2);
  wal_rpfnet_bars(panel, by, demands, of_demands, "expl", "PA, demands", 5);
  wal_rpfnet_bars(panel, by, both, of_both, "expl", "PA, both", 0);
  wal_rpfnet_bars(panel, by, pf, of_pf, "expl", "PF, both", 7);
  wal_panel_legend(panel, "top left");
  panel = begin_panel(figure, by, both, of_both, "What PA costs", "PA's over PF's");
  wal_rpfnet_bars(panel, by, both, of_both, "nsw_ratio", "NSW", 1);
  wal_rpfnet_bars(panel, by, both, of_both, "nsw_active_ratio", "NSW of those who take part", 3);
  wal_rpfnet_bars(panel, by, both, of_both, "efficiency_ratio", "efficiency", 4);
  wal_panel_legend(panel, "top right");
  wal_figure_note(
      figure,
      "Exploitability: mean gain of an agent's best misreport found. Lies about values alone gain "
      "nothing beyond the solver's tolerance. Error bars: one standard error over the held-out "
      "instances or, with several seeds, the smallest and the largest");
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const keys[] = {"mechanism", "n", "m", "budget", "attack.lie"};
  static const char *const measures[] = {
      "expl", "nsw", "nsw_ratio", "nsw_active", "nsw_active_ratio", "efficiency", "efficiency_ratio"};
  const char *found[5];
  const int key_count = wal_rpfnet_keys(result, keys, 5, found);
  return wal_drawing_groups(result, drawing, found, key_count, measures, 7, draw_figure);
}

const wal_experiment wal_rpfnet_pa_demand = {
    .id = "rpfnet/pa-demand",
    .title = "Partial allocation when demands can be misreported",
    .paper = WAL_RPFNET_PAPER ", Appendix A",
    .doc =
        "What an agent gains under the PA mechanism by a lie about its values, about its demands and about "
        "both. Truthfulness of PA is a theorem for utilities that are homogeneous, which a cap on the "
        "demand is not: values alone gain nothing, demands do. Beside it PA's welfare and efficiency over "
        "PF's.",
    .version = 2,
    .devices = true,
    .params = wal_rpfnet_params,
    .param_count = WAL_RPFNET_PARAMS,
    .columns = wal_rpfnet_columns,
    .column_count = WAL_RPFNET_COLUMNS,
    .run_point = wal_rpfnet_run_point,
    .draw = draw,
};
