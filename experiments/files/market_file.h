/* A market from a user's file (docs/own-markets.md): HDF5 or CSV, told apart by their first bytes.

   HDF5: `values` [n, m], or `buyers` [n, d] and `goods` [m, d] with values softplus(<b, g>) and budgets
   ||b||_2; `budgets` [n] (default 1 each), `supply` [m] (default 1 each), `buyer_names` [n], `good_names`
   [m], attribute `alpha`. CSV: a header with the goods' names, a row per buyer, optional columns `buyer` (the
   first) and `budget`, an optional row `supply`.

   What fits is read into memory, more is streamed: the same bits, and memory independent of n. */
#ifndef WAL_EXPERIMENTS_FILES_MARKET_FILE_H
#define WAL_EXPERIMENTS_FILES_MARKET_FILE_H

#include "models/market/market.h"

typedef struct {
  double alpha; /* NaN: the file's */
  bool quasilinear;
  int64_t memory; /* bytes of numbers that may stay in memory; 0: 1 GiB */
} wal_market_file_options;

typedef struct {
  wal_market market;
  const char *format; /* "HDF5", "CSV" */
  bool streamed;      /* rows come from the file at every pass */
  bool has_budgets, has_supply;
  char **buyer_names;           /* [n] owned; NULL: none, or more than a million */
  char **good_names;            /* [m] owned; NULL: none */
  struct wal_market_rows *rows; /* owned: what market.buyers reads */
  double *supply;               /* [m] owned */
  float *contexts;              /* [m, d] owned; NULL: the file gives values */
} wal_market_file;

/* Opens, reads and checks a market: every number of the file is looked at once. WAL_E_INPUT names the file,
   the dataset and index or the line and column, what was found, and what was expected; alpha given nowhere is
   one too. A buyer who values nothing is refused, goods that nobody values are not
   (models/market/reduce.h). */
wal_status wal_market_file_open(const char *path, const wal_market_file_options *options,
                                wal_market_file *out);
void wal_market_file_close(wal_market_file *file); /* accepts NULL and zeroed */

#endif
