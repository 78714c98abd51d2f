/* The command line `walras`. Exit codes: 0 success; 1 a point failed, or a regression or difference was
   found; 2 bad input, or a file that cannot be read or written (a full disk too); 3 no memory, or a fault of
   ours; 130 interrupted. */
#ifndef WAL_ENGINE_CLI_H
#define WAL_ENGINE_CLI_H

#include "engine/device.h"
#include "engine/options.h"

/* `walras list TOPIC`: something else than experiments to name, such as solvers. */
typedef struct {
  const char *name;    /* "solvers" */
  const char *summary; /* one line */
  void (*print)(FILE *out);
} wal_topic;

/* What main() adds to the engine: experiments, further commands, further topics, devices beside the CPU; each
   NULL-terminated. */
typedef struct {
  wal_registry registry;
  const wal_command *const *commands;
  const wal_topic *const *topics;
  const wal_device_offer *const *devices;
} wal_program;

int wal_cli_main(int argc, char **argv, const wal_program *program);

/* The program that wal_cli_main was called with; before that, one without any of these. */
const wal_program *wal_cli_program(void);

#endif
