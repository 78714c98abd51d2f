/* The table of stated and computed numbers, for its test. */
#ifndef WAL_EXPERIMENTS_PRICECOMPETITION_TABLES_H
#define WAL_EXPERIMENTS_PRICECOMPETITION_TABLES_H

#include <stdbool.h>

#include "experiments/pricecompetition/pricecompetition.h"

/* Is the stated number of a quantity the computed one, or, where it is stated as a bound, below it? */
bool wal_tables_agree(const char *quantity, double stated, double computed);
/* The erratum of docs/errata.md by which a quantity differs from the print; NULL: none. */
const char *wal_tables_erratum(const char *quantity);

#endif
