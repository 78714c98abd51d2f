/* The box at the start of a run. */
#ifndef WAL_ENGINE_BANNER_H
#define WAL_ENGINE_BANNER_H

#include <stdio.h>

#include "engine/plan.h"

/* Experiment, profile, points, seeds, device, precision, threads, jobs, CPU, then every parameter that
   counts: constants, then sweeps with their values. */
void wal_banner_print(const wal_config *config, const wal_plan *plan, const wal_provenance *machine, int jobs,
                      int threads, FILE *out);

#endif
