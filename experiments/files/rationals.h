/* Rationals in a user's YAML: decimals read exactly (0.1 is 1/10), and "p/q". Private to experiments/files.
 */
#ifndef WAL_EXPERIMENTS_FILES_RATIONALS_H
#define WAL_EXPERIMENTS_FILES_RATIONALS_H

#include <gmp.h>

#include "engine/yaml.h"

/* 0 or more, quoted or not, with a double near it. `what` begins the message: "the budget of buyer 1". */
wal_status wal_rational_read(const wal_yaml *yaml, const wal_node *node, const char *what, mpq_t out);

#endif
