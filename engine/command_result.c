/* walras show, plot, diff, verify: what can be done with a result file. */
#include <stdlib.h>
#include <string.h>

#include "engine/command.h"
#include "engine/drawing.h"
#include "engine/store.h"

static const wal_flag results_flag[] = {
    {"results", 0, WAL_FLAG_TEXT, "DIR", "results", "folder where a CONFIG's result is looked for"},
};

/* ---- Show ---- */

static int show(const wal_args *args, wal_registry registry) {
  char *path = NULL;
  wal_status status = wal_result_path(wal_args_at(args, 0), wal_args_text(args, "results"), registry, &path);
  if (!status) status = wal_store_show(path, registry, stdout);
  free(path);
  return wal_exit_code(status);
}

const wal_command wal_command_show = {
    .name = "show",
    .usage = "FILE.h5|CONFIG",
    .min_args = 1,
    .max_args = 1,
    .summary = "print a result, or what is in a solution or a network",
    .examples =
        "  walras show results/marketfcnet/table1.h5\n  walras show configs/marketfcnet/table1.yaml\n",
    .flags = results_flag,
    .flag_count = 1,
    .run = show,
};

/* ---- Plot ---- */

static const wal_flag plot_flags[] = {
    {"results", 0, WAL_FLAG_TEXT, "DIR", "results", "folder where a CONFIG's result is looked for"},
    {"plots", 0, WAL_FLAG_TEXT, "DIR", "plots", "folder of pictures and tables"},
    {"quiet", 'q', WAL_FLAG_SWITCH, NULL, NULL, "print failures only"},
};

static int plot(const wal_args *args, wal_registry registry) {
  FILE *log = wal_args_on(args, "quiet") ? NULL : stdout;
  int code = WAL_EXIT_OK;
  for (int i = 0; i < wal_args_count(args); i++) {
    wal_result *result = NULL;
    int this_code = wal_exit_code(
        wal_result_open(wal_args_at(args, i), wal_args_text(args, "results"), registry, &result));
    if (result)
      this_code = wal_exit_code(wal_draw(result, wal_args_text(args, "plots"), wal_style_path(), log));
    if (this_code > code) code = this_code;
    wal_result_free(result);
  }
  return code;
}

const wal_command wal_command_plot = {
    .name = "plot",
    .usage = "RESULT.h5|CONFIG...",
    .min_args = 1,
    .max_args = -1,
    .summary = "draw the pictures and tables of a result again",
    .examples =
        "  walras plot results/marketfcnet/table1.h5\n"
        "  walras plot configs/marketfcnet/table1.yaml --plots /tmp/pictures\n",
    .flags = plot_flags,
    .flag_count = sizeof plot_flags / sizeof *plot_flags,
    .run = plot,
};

/* ---- Diff ---- */

static int diff(const wal_args *args, wal_registry registry) {
  const char *results = wal_args_text(args, "results");
  char *a = NULL, *b = NULL;
  bool different = false;
  wal_status status = wal_result_path(wal_args_at(args, 0), results, registry, &a);
  if (!status) status = wal_result_path(wal_args_at(args, 1), results, registry, &b);
  if (!status) status = wal_store_diff(a, b, registry, stdout, &different);
  free(a);
  free(b);
  if (status) return wal_exit_code(status);
  return different ? WAL_EXIT_FAILED : WAL_EXIT_OK;
}

const wal_command wal_command_diff = {
    .name = "diff",
    .usage = "A.h5 B.h5",
    .min_args = 2,
    .max_args = 2,
    .summary = "print only what differs in config, provenance and numbers",
    .doc = "Exits with 1 when anything but provenance and timings differs.",
    .examples = "  walras diff old.h5 results/marketfcnet/table1.h5\n",
    .flags = results_flag,
    .flag_count = 1,
    .run = diff,
};

/* ---- Verify ---- */

static int verify(const wal_args *args, wal_registry registry) {
  int code = WAL_EXIT_OK;
  for (int i = 0; i < wal_args_count(args); i++) {
    char *path = NULL;
    wal_status status =
        wal_result_path(wal_args_at(args, i), wal_args_text(args, "results"), registry, &path);
    if (!status) status = wal_store_verify(path, registry, stdout);
    int this_code = wal_exit_code(status);
    if (this_code > code) code = this_code;
    free(path);
  }
  return code;
}

const wal_command wal_command_verify = {
    .name = "verify",
    .usage = "RESULT.h5|CONFIG...",
    .min_args = 1,
    .max_args = -1,
    .summary = "check a result file: schema, checksums, missing values, NaN",
    .examples = "  walras verify results/marketfcnet/table1.h5\n",
    .flags = results_flag,
    .flag_count = 1,
    .run = verify,
};
