/* The commands of `walras` (one table row each in cli.c) and what they share. */
#ifndef WAL_ENGINE_COMMAND_H
#define WAL_ENGINE_COMMAND_H

#include "engine/cli.h"
#include "engine/options.h"
#include "engine/result.h"

enum {
  WAL_EXIT_OK = 0,
  WAL_EXIT_FAILED = 1,
  WAL_EXIT_INPUT = 2,
  WAL_EXIT_MACHINE = 3,
  WAL_EXIT_INTERRUPTED = 130
};

extern const wal_command wal_command_run, wal_command_report, wal_command_list, wal_command_explain,
    wal_command_schema, wal_command_show, wal_command_plot, wal_command_diff, wal_command_verify,
    wal_command_compare, wal_command_golden;

/* Prints "walras: MESSAGE" to stderr (nothing where interrupted) and returns the exit code of a status. */
int wal_exit_code(wal_status status);

/* --device, the same in every command that computes: one row of its table of flags. */
#define WAL_DEVICE_FLAG \
  { "device", 'd', WAL_FLAG_TEXT, "NAME", "auto", "cpu, cuda, or auto: a GPU where one can be used" }
/* What it chose among the program's devices; wal_device_choose's errors. */
wal_status wal_device_flag(const wal_args *args, wal_device_choice *out);

/* The result file that a word means, malloc'd: that of a config (.yaml, .yml) in `results`, else itself. */
wal_status wal_result_path(const char *word, const char *results, wal_registry registry, char **path);
/* The same, read. */
wal_status wal_result_open(const char *word, const char *results, wal_registry registry, wal_result **out);
/* The experiment of an id; WAL_E_INPUT with "did you mean". */
wal_status wal_experiment_named(wal_registry registry, const char *id, const wal_experiment **out);
/* plots/style.gp of this folder, or of the source tree that walras was built from. */
const char *wal_style_path(void);

#endif
