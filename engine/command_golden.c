/* walras golden, compare: the regression against stored rows. */
#include <stdlib.h>

#include "engine/command.h"
#include "engine/golden.h"

static const wal_flag golden_flags[] = {
    {"output", 'o', WAL_FLAG_TEXT, "CSV", NULL, "the golden file to write"},
    {"results", 0, WAL_FLAG_TEXT, "DIR", "results", "folder where a CONFIG's result is looked for"},
};

static int golden(const wal_args *args, wal_registry registry) {
  const char *path = wal_args_text(args, "output");
  if (!path)
    return wal_exit_reading(wal_fail(WAL_E_INPUT, "walras golden needs -o CSV, e.g. -o tests/golden/marketfcnet/table1.csv"));
  wal_result *result = NULL;
  wal_status status = wal_result_open(wal_args_at(args, 0), wal_args_text(args, "results"), registry, &result);
  if (status) return wal_exit_reading(status);
  status = wal_golden_write(result, path);
  if (!status) printf("%s\n", path);
  wal_result_free(result);
  return wal_exit_writing(status);
}

const wal_command wal_command_golden = {
    .name = "golden",
    .usage = "RESULT.h5|CONFIG",
    .min_args = 1,
    .max_args = 1,
    .summary = "write a result's rows as the CSV that later runs are compared with",
    .doc = "Timings, peak memory and messages are left out. `make golden` does this for every config.",
    .examples = "  walras golden results/marketfcnet/table1.h5 -o tests/golden/marketfcnet/table1.csv\n",
    .flags = golden_flags,
    .flag_count = sizeof golden_flags / sizeof *golden_flags,
    .run = golden,
};

static const wal_flag compare_flags[] = {
    {"results", 0, WAL_FLAG_TEXT, "DIR", "results", "folder where a CONFIG's result is looked for"},
};

static int compare(const wal_args *args, wal_registry registry) {
  wal_result *result = NULL;
  int regressions = 0;
  wal_status status = wal_result_open(wal_args_at(args, 0), wal_args_text(args, "results"), registry, &result);
  if (!status) status = wal_golden_compare(result, wal_args_at(args, 1), stdout, &regressions);
  wal_result_free(result);
  if (status) return wal_exit_reading(status);
  return regressions ? WAL_EXIT_FAILED : WAL_EXIT_OK;
}

const wal_command wal_command_compare = {
    .name = "compare",
    .usage = "RESULT.h5|CONFIG GOLDEN.csv",
    .min_args = 2,
    .max_args = 2,
    .summary = "compare a result with golden rows, by each column's tolerance",
    .doc = "Prints every column that moved with its worst cell and the used part of its tolerance, and rows missing or\n"
           "extra. Tolerances come from the experiment's columns and the config's `regression:` block; timings are\n"
           "never compared. Exits with 1 when a cell left its tolerance or a row is missing or extra.",
    .examples = "  walras compare results/marketfcnet/table1.h5 tests/golden/marketfcnet/table1.csv\n",
    .flags = compare_flags,
    .flag_count = 1,
    .run = compare,
};
