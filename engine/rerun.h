/* The command line that runs something again, to be copied from a terminal. */
#ifndef WAL_ENGINE_RERUN_H
#define WAL_ENGINE_RERUN_H

#include <stdio.h>

#include "engine/runner.h"

/* Prints the command that continues this run (point NULL), or that runs one point of it alone; indented, one
   line, words quoted for a shell. */
void wal_rerun_print(const wal_config *config, const wal_run_options *options, const wal_point *point,
                     FILE *out);

#endif
