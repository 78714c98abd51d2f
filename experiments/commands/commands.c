#include "experiments/commands/commands.h"

#include <stddef.h>

const wal_command *const wal_commands[] = {&wal_command_solve,
                                           &wal_command_train,
                                           &wal_command_apply,
                                           &wal_command_allocate,
                                           &wal_command_stable,
                                           &wal_command_import,
                                           NULL};

const wal_topic *const wal_topics[] = {&wal_topic_solvers, &wal_topic_mechanisms, &wal_topic_devices, NULL};
