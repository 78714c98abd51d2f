#include "experiments/registry.h"

#include <stddef.h>

static const wal_experiment *const members[] = {
    &wal_marketfcnet_table1,
    NULL,
};

wal_registry wal_experiments(void) { return members; }
