/* Keys, numbers and names of a YAML tree that holds a user's data. Private to experiments/files. */
#ifndef WAL_EXPERIMENTS_FILES_NODES_H
#define WAL_EXPERIMENTS_FILES_NODES_H

#include "engine/yaml.h"

typedef enum {
  WAL_ANY_SIGN,    /* finite */
  WAL_NOT_BELOW_0, /* finite, 0 or more */
  WAL_ABOVE_0,     /* finite, more than 0 */
  WAL_OR_NO_LIMIT  /* 0 or more; null and .inf: INFINITY */
} wal_number_kind;

/* An unquoted number. `what` begins the message: "the weight". */
wal_status wal_nodes_number(const wal_yaml *yaml, const wal_node *node, const char *what,
                            wal_number_kind kind, double *out);
/* An integer from low to high. */
wal_status wal_nodes_integer(const wal_yaml *yaml, const wal_node *node, const char *what, int low, int high,
                             int *out);
/* A list of `count` things (-1: any number but 0); `of` says of what. */
wal_status wal_nodes_list(const wal_yaml *yaml, const wal_node *node, const char *what, int count,
                          const char *of);
/* Only these keys, each in a map; `expected` ends the message. */
wal_status wal_nodes_check_keys(const wal_yaml *yaml, const wal_node *map, const char *const known[],
                                int count, const char *expected);

/* A copy of a name. */
wal_status wal_nodes_name(const wal_yaml *yaml, const wal_node *node, char **out);
/* `count` different names of things ("good", in the list good_names); wal_names_free. */
wal_status wal_nodes_names(const wal_yaml *yaml, const wal_node *list, const char *thing, int count,
                           char ***out);

#endif
