/* The one table of experiments: a new figure is a new file, a line here and a row in registry.c. */
#ifndef WAL_EXPERIMENTS_REGISTRY_H
#define WAL_EXPERIMENTS_REGISTRY_H

#include "engine/experiment.h"

extern const wal_experiment wal_marketfcnet_table1;

wal_registry wal_experiments(void);

#endif
