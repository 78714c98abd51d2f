/* What `walras solve`, `train` and `apply` share: --set, --alpha, the output file, the progress bar. */
#ifndef WAL_EXPERIMENTS_COMMANDS_SHARED_H
#define WAL_EXPERIMENTS_COMMANDS_SHARED_H

#include "engine/command.h"
#include "engine/config.h"
#include "engine/progress.h"
#include "engine/store.h"
#include "experiments/files/solution_file.h"
#include "experiments/marketfcnet/market.h"

/* Some parameters of experiments, with their names, ranges and defaults. */
enum { WAL_SETTINGS_MAX = 96 };
typedef struct {
  wal_param params[WAL_SETTINGS_MAX];
  wal_value values[WAL_SETTINGS_MAX];
  wal_experiment experiment;
  wal_point point;
} wal_settings;

/* The parameter table that settings are taken from. */
typedef struct {
  const wal_param *params; /* [count] */
  int count;
  const char *chooser; /* the parameter that has a flag of its own: "solver" */
} wal_settings_table;
extern const wal_settings_table wal_market_settings;

/* The parameters of the table that `wanted` accepts, the chooser set by `chosen` (may be NULL), every other
   by --set. `settings` points into itself and must stay where it is. */
wal_status wal_settings_read(const wal_args *args, const char *command, const wal_settings_table *table,
                             bool (*wanted)(const wal_param *param), const char *chosen,
                             wal_settings *settings);
/* The solver, its options, the seed. */
bool wal_is_solver_param(const wal_param *param);
/* --device, from here on this process's. */
wal_status wal_device_begin(const wal_args *args, wal_device_choice *out);
/* Does the device have a member of the seam ("dual") of its own? false for "". */
bool wal_device_has(const wal_device *device, const char *seam);
/* The summary's line about a device other than the CPU. */
void wal_print_device(const wal_device_choice *device);
/* What every output file says: the program, the machine, the device and its precision, and the --set flags,
   line by line, as the text "sets". */
wal_status wal_texts_begin(const wal_args *args, const wal_device_choice *device,
                           const wal_settings *settings, wal_provenance *texts);
/* --alpha; NaN when not given. */
wal_status wal_alpha_flag(const wal_args *args, double *alpha);

/* Refuses an -o that is the input `in` (may be NULL) or is named as another format. */
wal_status wal_output_check(const char *in, const char *out);
/* A new file for such an -o; Ctrl-C leaves nothing of it. */
wal_status wal_output_begin(const char *in, const char *out, wal_new_file **file);
/* Is the allocation written: asked for by --allocation, or small? */
bool wal_allocation_wanted(const wal_args *args, const wal_market *market);
/* Writes a solution to the file and commits it, or abandons it. */
wal_status wal_output_write(const wal_solution_content *content, const char *out, wal_new_file *file);

/* Refuses --allocation without -o. */
wal_status wal_allocation_check(const wal_args *args);
/* The exit code: wal_exit_code's, but a solver that did not converge is a failure, not bad input. */
int wal_solving_code(wal_status status);

/* The lines of the summary that say how good a solution is; certified_gap NaN: none. */
void wal_print_measures(const wal_measures *measures, double certified_gap);

/* A user's name (NULL: its number) in `width` columns; a file's control characters, which could move the
   terminal's cursor, as "?". */
void wal_print_name(const char *name, int number, int width);
int wal_name_width(const char *name); /* characters of UTF-8 */

/* A progress bar on the standard error for one piece of work. */
typedef struct {
  wal_progress *progress;
  double shown;   /* wal_now() when it was last drawn */
  char label[64]; /* in front of what the work says */
} wal_bar;
bool wal_bar_open(wal_bar *bar); /* false: no memory */
void wal_bar_close(wal_bar *bar);
/* wal_trace's progress, with the bar as context. */
void wal_bar_show(void *bar, double fraction, const char *what);

#endif
