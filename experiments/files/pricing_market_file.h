/* A fixed-pricing market from a user's file (docs/pricecompetition.md), YAML or JSON:

     budget: [2, 4/3]                  # [n]
     value: [[2, 1], [1/3, 1]]         # [n][m]
     price: [[1, 1], [1.5, 1]]         # [n][m]; or one list [m]: the same for every buyer
     rank: [[0, 1], [0, 0]]            # [m][n], 0 the highest priority; left out: natural
     owner: [0, 1]                     # [m] seller of each item; left out: one seller
     buyer_names, item_names, seller_names # optional

   Numbers are rationals, read exactly. Everything is one literal tree; indices count from 0. */
#ifndef WAL_EXPERIMENTS_FILES_PRICING_MARKET_FILE_H
#define WAL_EXPERIMENTS_FILES_PRICING_MARKET_FILE_H

#include "models/pricing/market.h"

typedef struct {
  wal_pricing_market market; /* with rationals */
  const char *format;        /* "YAML", "JSON" */
  bool natural;              /* the file has no ranks */
  char **buyer_names;        /* [n] owned; NULL: none */
  char **item_names;         /* [m] owned; NULL: none */
  char **seller_names;       /* [sellers] owned; NULL: none */
} wal_pricing_file;

/* WAL_E_INPUT: "FILE:LINE:COLUMN: the price of item 2 to buyer 1 is -1; expected ...", with the source line.
 */
wal_status wal_pricing_file_open(const char *path, wal_pricing_file *out);
/* The same from a text; `file` names it in messages. */
wal_status wal_pricing_file_parse(const char *text, size_t length, const char *file, wal_pricing_file *out);
void wal_pricing_file_close(wal_pricing_file *file); /* accepts NULL and zeroed */

#endif
