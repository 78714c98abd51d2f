/* The agents of concave_market_file.h. Private to experiments/files. */
#ifndef WAL_EXPERIMENTS_FILES_CONCAVE_READER_H
#define WAL_EXPERIMENTS_FILES_CONCAVE_READER_H

#include "engine/yaml.h"
#include "models/nashwelfare/utility.h"

/* One agent: {type: TYPE, name: NAME, what its type asks for}; over m goods. */
wal_status wal_concave_read_agent(const wal_yaml *yaml, const wal_node *agent, int i, int m,
                                  wal_utility **out);

#endif
