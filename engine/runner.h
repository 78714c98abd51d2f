/* Plans and runs the points of a config: cache, processes, progress, logs, result file, pictures. */
#ifndef WAL_ENGINE_RUNNER_H
#define WAL_ENGINE_RUNNER_H

#include "engine/device.h"
#include "engine/result.h"

typedef struct {
  const char *results;      /* folder: NAME.h5, cache/NAME/HASH.h5, logs/NAME/HASH.log */
  const char *plots;        /* folder */
  const char *style;        /* plots/style.gp */
  int jobs;                 /* points at a time, >= 1; each gets cores/jobs threads unless threads > 0 */
  int threads;              /* per point; 0: cores/jobs */
  wal_device_choice device; /* of experiments that run on devices */
  bool keep_going;          /* else stop at the first failure */
  bool force;               /* ignore the cache, and what other runs kept */
  const char *session;      /* wal_blob_session: the configs of one command find what each of them keeps */
  bool dry_run;             /* print the plan only */
  bool no_plots;
  bool quiet;
} wal_run_options;

/* Runs every point that is not cached, writes results/NAME.h5 (also when some points failed) and draws.
   *failed counts the points that failed. WAL_E_INTERRUPTED: stopped by a signal, finished points kept. Takes
   ownership of config. */
wal_status wal_run(wal_config *config, const wal_run_options *options, int *failed);

#endif
