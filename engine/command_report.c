/* walras report: the table that closes `make repro`. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/command.h"
#include "engine/config_list.h"
#include "engine/drawing.h"
#include "engine/progress.h"
#include "engine/store.h"
#include "engine/util.h"

/* ---- Counting ---- */

typedef struct {
  int points, failed;
  double seconds; /* summed over points */
} totals;

/* A point may have several rows; its first one counts. */
static totals count_points(const wal_result *result) {
  totals sum = {.points = result->config->point_count};
  const wal_frame *rows = result->rows;
  int point = wal_frame_find(rows, "point"), status = wal_frame_find(rows, "status"),
      seconds = wal_frame_find(rows, "seconds");
  int64_t last = -1;
  for (int64_t r = 0; r < wal_frame_rows(rows) && point >= 0; r++) {
    int64_t this_point = wal_frame_get(rows, r, point).i;
    if (this_point == last) continue;
    last = this_point;
    if (status >= 0 && strcmp(wal_frame_text(rows, r, status), "failed") == 0) sum.failed++;
    double took = seconds >= 0 ? wal_frame_real(rows, r, seconds) : NAN;
    if (!isnan(took)) sum.seconds += took;
  }
  return sum;
}

/* ---- Ours against the paper ---- */

/* Key columns whose rows are averaged together: all but the seed and the number of the point. */
static int group_keys(const wal_frame *rows, const char **keys) {
  int count = 0;
  for (int c = 0; c < wal_frame_columns(rows); c++) {
    const wal_column *column = wal_frame_column(rows, c);
    static const char *const apart[] = {"seed", "point", "status"};
    bool key = (column->flags & WAL_COLUMN_KEY) != 0;
    for (size_t i = 0; i < sizeof apart / sizeof *apart; i++)
      key = key && strcmp(column->name, apart[i]) != 0;
    if (key) keys[count++] = column->name;
  }
  return count;
}

/* The ratio ours/paper farthest from 1 over the groups; NaN: nothing published. *group: where. */
static double worst_ratio(const wal_grouping *grouping, const char *column, int *group) {
  double worst = NAN;
  for (int g = 0; g < grouping->count; g++) {
    double paper = wal_result_published(grouping->result, grouping->groups[g].row, column);
    double ours = wal_group_stat(grouping, g, column).mean;
    if (!(paper > 0) || !(ours > 0)) continue;
    double ratio = ours / paper;
    if (!isnan(worst) && fabs(log(ratio)) <= fabs(log(worst))) continue;
    worst = ratio;
    *group = g;
  }
  return worst;
}

/* The swept keys of a group's row but the seed: "solver=eg". */
static void add_keys(const wal_result *result, int64_t row, wal_text *out) {
  const wal_config *config = result->config;
  for (int p = 0; p < config->experiment->param_count; p++) {
    const char *name = config->experiment->params[p].name;
    int c = wal_frame_find(result->rows, name);
    if (!config->swept[p] || c < 0 || strcmp(name, "seed") == 0 || wal_frame_missing(result->rows, row, c))
      continue;
    char value[WAL_TEXT_MAX];
    wal_value cell = wal_frame_get(result->rows, row, c);
    wal_value_format(&cell, value, sizeof value);
    wal_text_add(out, "%s%s=%s", out->length > 0 ? " " : "", name, value);
  }
}

/* Where ours is not at the paper's setting: "n = 4096, paper 1048576". */
static void add_setting(const wal_result *result, int64_t row, const char *column, wal_text *out) {
  const wal_published *entry = wal_result_entry(result, row, column);
  const wal_point *point = wal_result_point(result, row);
  for (int s = 0; entry && s < entry->setting.count; s++) {
    int param = entry->setting.param[s];
    const wal_value *paper = &entry->setting.value[s], *ours = &point->values[param];
    if (!wal_point_counts(point, param) || wal_value_equal(ours, paper)) continue;
    char our_text[WAL_TEXT_MAX + 32], paper_text[WAL_TEXT_MAX + 32];
    wal_value_format(ours, our_text, sizeof our_text);
    wal_value_format(paper, paper_text, sizeof paper_text);
    wal_text_add(out, "%s%s = %s, paper %s", out->length > 0 ? "; " : "",
                 point->experiment->params[param].name, our_text, paper_text);
  }
}

static void print_ratio(const wal_result *result, int64_t row, const char *column, double ratio) {
  wal_text where = {0};
  add_keys(result, row, &where);
  add_setting(result, row, column, &where);
  printf("    %-12s ours / paper at its farthest: %.3g", column, ratio);
  if (where.data && !where.failed) printf("  (%s)", where.data);
  printf("\n");
  wal_text_free(&where);
}

static wal_status print_ratios(const wal_result *result) {
  const char **keys = calloc((size_t)wal_frame_columns(result->rows) + 1, sizeof *keys);
  if (!keys) return wal_fail(WAL_E_MEMORY, "no memory for the report");
  wal_grouping grouping;
  wal_status status = wal_group_rows(result, keys, group_keys(result->rows, keys), &grouping);
  const wal_experiment *experiment = result->config->experiment;
  for (int c = 0; c < experiment->column_count && !status; c++) {
    const char *column = experiment->columns[c].name;
    if (experiment->columns[c].type != WAL_REAL && experiment->columns[c].type != WAL_INT) continue;
    int group = 0;
    double ratio = worst_ratio(&grouping, column, &group);
    if (isnan(ratio)) continue;
    print_ratio(result, grouping.groups[group].row, column, ratio);
  }
  wal_grouping_free(&grouping);
  free(keys);
  return status;
}

/* ---- One result ---- */

/* What was drawn, a line for the figure and for each of its parts -a, -b...: "PLOTS/NAME.{png,svg,pdf}". */
static void print_pictures(const char *plots, const char *name) {
  static const char *const suffixes[] = {"png", "svg", "pdf", "gp", "md", "csv", "tex"};
  static const char *const parts[] = {"", "-a", "-b", "-c", "-d", "-e", "-f"};
  for (size_t p = 0; p < sizeof parts / sizeof *parts; p++) {
    bool any = false;
    for (size_t s = 0; s < sizeof suffixes / sizeof *suffixes; s++) {
      char path[1024];
      snprintf(path, sizeof path, "%s/%s%s.%s", plots, name, parts[p], suffixes[s]);
      if (access(path, F_OK) != 0) continue;
      if (any)
        printf(",%s", suffixes[s]);
      else
        printf("    %s/%s%s.{%s", plots, name, parts[p], suffixes[s]);
      any = true;
    }
    if (any) printf("}\n");
  }
}

/* Returns the failed points of this result, through *status what kept it from being read. */
static int report_one(const char *path, const char *plots, wal_registry registry, wal_status *status) {
  wal_result *result = NULL;
  *status = wal_store_read(path, registry, &result);
  if (*status) return 0;
  totals sum = count_points(result);
  char took[32];
  wal_format_seconds(sum.seconds, took, sizeof took);
  printf("%-28s %-8s %6d %6d  %10s  %s\n", result->config->name, result->config->profile, sum.points,
         sum.failed, took, path);
  print_pictures(plots, result->config->name);
  *status = print_ratios(result);
  wal_result_free(result);
  return sum.failed;
}

/* ---- The command ---- */

static const wal_flag flags[] = {
    {"results", 0, WAL_FLAG_TEXT, "DIR", "results", "folder of result files"},
    {"plots", 0, WAL_FLAG_TEXT, "DIR", "plots", "folder of pictures and tables"},
    {"profile", 'p', WAL_FLAG_TEXT, "NAME", NULL, "of a folder of configs, those that have this profile"},
};

static int report(const wal_args *args, wal_registry registry) {
  wal_config_list configs = {0};
  wal_status status = WAL_OK;
  int code = WAL_EXIT_OK, failed = 0;
  for (int i = 0; i < wal_args_count(args) && !status; i++)
    status = wal_config_list_add(&configs, wal_args_at(args, i), wal_args_text(args, "profile"));
  if (wal_args_count(args) == 0)
    status = wal_config_list_add(&configs, "configs", wal_args_text(args, "profile"));
  if (status) code = wal_exit_code(status);
  printf("%-28s %-8s %6s %6s  %10s  %s\n", "figure", "profile", "points", "failed", "time", "result");
  for (int i = 0; i < configs.count; i++) {
    char *path = NULL;
    status = wal_result_path(configs.paths[i], wal_args_text(args, "results"), registry, &path);
    if (!status) failed += report_one(path, wal_args_text(args, "plots"), registry, &status);
    if (status) printf("%-28s not there: %s\n", configs.paths[i], wal_error());
    if (status || failed) code = code > WAL_EXIT_FAILED ? code : WAL_EXIT_FAILED;
    free(path);
  }
  wal_config_list_free(&configs);
  return code;
}

const wal_command wal_command_report = {
    .name = "report",
    .usage = "[CONFIG|RESULT.h5...]",
    .min_args = 0,
    .max_args = -1,
    .summary = "a table over results: points, failures, time, files, ratios to the published numbers",
    .doc =
        "Without arguments: every config below configs/. `ours / paper at its farthest` is, over the "
        "settings of a\n"
        "figure, the ratio of our mean to the published number that is farthest from 1; where ours is at "
        "another\n"
        "setting than the paper's, it says so. Exits with 1 when a point failed or a result is missing.",
    .examples = "  walras report\n  walras report configs/marketfcnet --profile ci\n",
    .flags = flags,
    .flag_count = sizeof flags / sizeof *flags,
    .run = report,
};
