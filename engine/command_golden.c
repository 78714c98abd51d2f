/* walras golden, compare: the regression against stored rows. */
#include <stdlib.h>
#include <string.h>

#include "engine/command.h"
#include "engine/config_list.h"
#include "engine/golden.h"
#include "engine/util.h"

/* What is done with one result and its golden file; adds to the exit code. */
typedef int (*golden_action)(const wal_result *result, const char *path);

static bool is_csv(const char *path) {
  size_t length = strlen(path);
  return length > 4 && strcmp(path + length - 4, ".csv") == 0;
}

/* `golden` itself when it ends in .csv, else GOLDEN/NAME.csv. */
static char *golden_path(const wal_result *result, const char *golden) {
  return is_csv(golden) ? strdup(golden) : wal_path_join(golden, result->config->name, ".csv");
}

static int act_on_one(const char *word, const char *golden, const char *results, wal_registry registry,
                      golden_action action) {
  wal_result *result = NULL;
  wal_status status = wal_result_open(word, results, registry, &result);
  char *path = status ? NULL : golden_path(result, golden);
  if (!status && !path) status = wal_fail(WAL_E_MEMORY, "no memory for the path of %s", golden);
  int code = status ? wal_exit_code(status) : action(result, path);
  free(path);
  wal_result_free(result);
  return code;
}

/* Acts on a result, a config's result, or those of every config below a folder; the worst exit code. */
static int act_on_all(const wal_args *args, const char *golden, wal_registry registry, golden_action action) {
  wal_config_list words = {0};
  wal_status status = wal_config_list_add(&words, wal_args_at(args, 0), wal_args_text(args, "profile"));
  if (!status && words.count > 1 && is_csv(golden))
    status =
        wal_fail(WAL_E_INPUT, "%s is one file, and there are %d results; a folder such as tests/golden works",
                 golden, words.count);
  int code = wal_exit_code(status);
  for (int i = 0; i < words.count && !status; i++) {
    int this_code = act_on_one(words.paths[i], golden, wal_args_text(args, "results"), registry, action);
    if (this_code > code) code = this_code;
  }
  wal_config_list_free(&words);
  return code;
}

#define SHARED_FLAGS                                                                                    \
  {"results", 0, WAL_FLAG_TEXT, "DIR", "results", "folder where a CONFIG's result is looked for"}, {    \
    "profile", 'p', WAL_FLAG_TEXT, "NAME", NULL, "of a folder of configs, those that have this profile" \
  }

/* ---- Golden ---- */

static int write_golden(const wal_result *result, const char *path) {
  wal_status status = wal_golden_write(result, path);
  if (!status) printf("%s\n", path);
  return wal_exit_code(status);
}

static const wal_flag golden_flags[] = {
    {"output", 'o', WAL_FLAG_TEXT, "CSV|FOLDER", NULL,
     "the golden file to write, or a folder for PAPER/FIG.csv"},
    SHARED_FLAGS,
};

static int golden(const wal_args *args, wal_registry registry) {
  const char *path = wal_args_text(args, "output");
  if (!path)
    return wal_exit_code(
        wal_fail(WAL_E_INPUT, "walras golden needs -o CSV, e.g. -o tests/golden/marketfcnet/table1.csv"));
  return act_on_all(args, path, registry, write_golden);
}

const wal_command wal_command_golden = {
    .name = "golden",
    .usage = "RESULT.h5|CONFIG|FOLDER",
    .min_args = 1,
    .max_args = 1,
    .summary = "write a result's rows as the CSV that later runs are compared with",
    .doc = "Timings, peak memory and messages are left out. `make golden` does this for every config.",
    .examples =
        "  walras golden results/marketfcnet/table1.h5 -o tests/golden/marketfcnet/table1.csv\n"
        "  walras golden configs --profile ci -o tests/golden\n",
    .flags = golden_flags,
    .flag_count = sizeof golden_flags / sizeof *golden_flags,
    .run = golden,
};

/* ---- Compare ---- */

static int compare_golden(const wal_result *result, const char *path) {
  int regressions = 0;
  wal_status status = wal_golden_compare(result, path, stdout, &regressions);
  if (status) return wal_exit_code(status);
  return regressions ? WAL_EXIT_FAILED : WAL_EXIT_OK;
}

static const wal_flag compare_flags[] = {SHARED_FLAGS};

static int compare(const wal_args *args, wal_registry registry) {
  return act_on_all(args, wal_args_at(args, 1), registry, compare_golden);
}

const wal_command wal_command_compare = {
    .name = "compare",
    .usage = "RESULT.h5|CONFIG|FOLDER GOLDEN.csv|FOLDER",
    .min_args = 2,
    .max_args = 2,
    .summary = "compare a result with golden rows, by each column's tolerance",
    .doc =
        "Prints every column that moved with its worst cell and the used part of its tolerance, and rows "
        "missing or\n"
        "extra. Tolerances come from the experiment's columns and the config's `regression:` block; timings "
        "are\n"
        "never compared. Exits with 1 when a cell left its tolerance or a row is missing or extra.",
    .examples =
        "  walras compare results/marketfcnet/table1.h5 tests/golden/marketfcnet/table1.csv\n"
        "  walras compare configs tests/golden --profile ci\n",
    .flags = compare_flags,
    .flag_count = sizeof compare_flags / sizeof *compare_flags,
    .run = compare,
};
