/* The regression: rows of a result against golden rows, column by column, by stated tolerances. */
#ifndef WAL_ENGINE_GOLDEN_H
#define WAL_ENGINE_GOLDEN_H

#include <stdio.h>

#include "engine/result.h"

/* Writes the rows to compare with later as CSV: every column but timings, peak memory, point numbers and
   messages. Whole or not at all. WAL_E_INPUT: another device than the CPU computed it. */
wal_status wal_golden_write(const wal_result *result, const char *path);

/* Compares. Rows are matched by their key columns. A cell may move by atol + rtol |golden|: the column's own
   tolerances, or those of the config's `regression:` block whose `where` holds (the last one counts). Prints
   one line per column that moved (its worst cell, and the used fraction of its tolerance), then every row
   missing or extra. *regressions: cells beyond their tolerance plus rows missing or extra. WAL_E_INPUT: the
   CSV is no golden file of this experiment. */
wal_status wal_golden_compare(const wal_result *result, const char *path, FILE *out, int *regressions);

#endif
