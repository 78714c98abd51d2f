/* walras solve for markets with concave utilities beyond CES: maximum Nash welfare. Private to
   experiments/commands. */
#ifndef WAL_EXPERIMENTS_COMMANDS_SOLVE_CONCAVE_H
#define WAL_EXPERIMENTS_COMMANDS_SOLVE_CONCAVE_H

#include "engine/command.h"

/* The whole command, with the flags of walras solve; returns the exit code. */
int wal_solve_concave(const wal_args *args);

#endif
