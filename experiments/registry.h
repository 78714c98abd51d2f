/* The one table of experiments: a new figure is a new file and one row in registry.c. */
#ifndef WAL_EXPERIMENTS_REGISTRY_H
#define WAL_EXPERIMENTS_REGISTRY_H

#include "engine/experiment.h"

wal_registry wal_experiments(void);

#endif
