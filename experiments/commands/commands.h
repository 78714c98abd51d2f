/* The commands and topics of `walras` that know markets: a new one is a new file, a line here and a row in
   commands.c. */
#ifndef WAL_EXPERIMENTS_COMMANDS_COMMANDS_H
#define WAL_EXPERIMENTS_COMMANDS_COMMANDS_H

#include "engine/cli.h"

extern const wal_command *const wal_commands[]; /* NULL-terminated */
extern const wal_topic *const wal_topics[];     /* NULL-terminated */

extern const wal_command wal_command_solve, wal_command_train, wal_command_apply, wal_command_import,
    wal_command_allocate, wal_command_stable;
extern const wal_topic wal_topic_solvers, wal_topic_mechanisms, wal_topic_devices;

#endif
