/* walras train --mechanism: private to experiments/commands. */
#ifndef WAL_EXPERIMENTS_COMMANDS_TRAIN_MECHANISM_H
#define WAL_EXPERIMENTS_COMMANDS_TRAIN_MECHANISM_H

#include "engine/device.h"
#include "engine/options.h"

/* The whole command where --mechanism was given; returns the exit code. */
int wal_train_mechanism(const wal_args *args, const wal_device_choice *device);

#endif
