/* RPF-Net, Figure 4: Table 1 as bars, relative to PF. The same points as rpfnet/table1: mechanisms trained
   there are found here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/registry.h"
#include "experiments/rpfnet/rpfnet.h"

/* "RPF-Net" over the law in brackets: "(18)". */
static void short_label(const wal_frame *rows, int64_t row, char *out, size_t size) {
  const char *law = wal_rpfnet_law_label(rows, row), *number = strchr(law, '(');
  snprintf(out, size, "%s%s%s",
           wal_rpfnet_label(wal_frame_text(rows, row, wal_frame_find(rows, "mechanism"))), number ? " " : "",
           number ? number : "");
}

static wal_panel *begin_panel(wal_figure *figure, const wal_grouping *by, const char *title) {
  wal_panel *panel = wal_figure_panel(figure, title, "", "over PF's");
  for (int k = 0; k < by->count; k++) {
    char label[64];
    short_label(by->result->rows, by->groups[k].row, label, sizeof label);
    wal_panel_category(panel, k, label);
  }
  wal_panel_range(panel, -0.6, by->count - 0.4, 0, NAN);
  return panel;
}

static void draw_figure(wal_drawing *drawing, const wal_grouping *by, const int *groups) {
  const int count = by->count;
  wal_figure *figure = wal_drawing_figure(drawing, "", by->result->config->title, 17.5, 17, 3, 1);
  wal_panel *panel = begin_panel(figure, by, "Nash social welfare");
  wal_rpfnet_welfare_bars(panel, by, groups, count);
  panel = begin_panel(figure, by, "Exploitability");
  wal_rpfnet_bars(panel, by, groups, count, "expl_ratio", "strong search", 1);
  wal_rpfnet_bars(panel, by, groups, count, "expl_weak_ratio", "one-start ascent", 4);
  panel = begin_panel(figure, by, "Efficiency");
  wal_rpfnet_bars(panel, by, groups, count, "efficiency_ratio", "this run", 2);
  wal_panel_legend(panel, NULL);
  wal_figure_note(figure,
                  "In brackets: the law of the training samples. Error bars: one standard error over the "
                  "held-out instances (paired with PF's) or, with several seeds, the smallest and the "
                  "largest. An ascent needs derivatives, which PA and the mixture do not have");
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  static const char *const measures[] = {"nsw_ratio", "nsw_active_ratio", "expl_ratio", "expl_weak_ratio",
                                         "efficiency_ratio"};
  const char *keys[] = {"mechanism", "train.law"};
  const int key_count = wal_frame_find(result->rows, "train.law") >= 0 ? 2 : 1;
  wal_grouping by = {0};
  wal_status status =
      wal_drawing_standard_table(drawing, result, result->config->title, keys, key_count, measures, 5);
  if (status == WAL_OK) status = wal_group_rows(result, keys, key_count, &by);
  int *groups = calloc((size_t)by.count + 1, sizeof *groups);
  if (status == WAL_OK && !groups) status = wal_fail(WAL_E_MEMORY, "no memory for %d groups", by.count);
  for (int k = 0; k < by.count && groups; k++) groups[k] = k;
  if (status == WAL_OK) draw_figure(drawing, &by, groups);
  free(groups);
  wal_grouping_free(&by);
  return status;
}

const wal_experiment wal_rpfnet_fig4 = {
    .id = "rpfnet/fig4",
    .title = "Table 1 as bars: training on truthful, perturbed and adversarial samples",
    .paper = WAL_RPFNET_PAPER ", Figure 4",
    .doc =
        "The points of rpfnet/table1, each measure over PF's on the same held-out instances. Mechanisms that "
        "rpfnet/table1 trained and measured with the same settings are taken from there.",
    .version = 2,
    .devices = true,
    .params = wal_rpfnet_params,
    .param_count = WAL_RPFNET_PARAMS,
    .columns = wal_rpfnet_columns,
    .column_count = WAL_RPFNET_COLUMNS,
    .run_point = wal_rpfnet_run_point,
    .draw = draw,
};
