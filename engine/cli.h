/* The command line `walras`. Exit codes: 0 success; 1 a point failed, or a regression or difference was
   found; 2 bad input, or a file that cannot be read or written (a full disk too); 3 no memory, or a fault of ours; 130
   interrupted. */
#ifndef WAL_ENGINE_CLI_H
#define WAL_ENGINE_CLI_H

#include "engine/experiment.h"

int wal_cli_main(int argc, char **argv, wal_registry registry);

#endif
