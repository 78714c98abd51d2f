/* A Fisher market with concave utilities from a user's file (docs/own-markets.md), YAML or JSON:

     goods: 2                                   # one unit of each
     good_names: [bread, wine]                  # optional
     budget: [1, 2]                             # optional, 1 each
     agents:
       - {type: linear, values: [3, 1], name: Ada}
       - {type: splc, segments: [[[2, 0.5], [1, null]], [[1, null]]]}

   Everything is one literal tree; indices count from 0. */
#ifndef WAL_EXPERIMENTS_FILES_CONCAVE_MARKET_FILE_H
#define WAL_EXPERIMENTS_FILES_CONCAVE_MARKET_FILE_H

#include <stddef.h>

#include "models/nashwelfare/utility.h"

typedef struct {
  wal_nw_market market;
  const char *format; /* "YAML", "JSON" */
  bool has_budgets;
  char **agent_names; /* [n] owned; NULL: none. An agent without a name has its number */
  char **good_names;  /* [m] owned; NULL: none */
} wal_concave_market_file;

/* Does a file look like one, by its content: not HDF5, and the first line that is no comment begins a mapping
   ("goods:", "{")? A file of another beginning is one by its name, .yaml, .yml or .json. */
bool wal_concave_market_looks_so(const char *path);

/* WAL_E_INPUT: "FILE:LINE:COLUMN: agent 1 (Ada), good 2, segment 0: the slope is -1; expected ...", with the
   source line. */
wal_status wal_concave_market_open(const char *path, wal_concave_market_file *out);
/* The same from a text; `file` names it in messages. */
wal_status wal_concave_market_parse(const char *text, size_t length, const char *file,
                                    wal_concave_market_file *out);
void wal_concave_market_close(wal_concave_market_file *file); /* accepts NULL and zeroed */

#endif
