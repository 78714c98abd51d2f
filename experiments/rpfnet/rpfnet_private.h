/* Between rpfnet.c and rpfnet_measure.c. */
#ifndef WAL_EXPERIMENTS_RPFNET_RPFNET_PRIVATE_H
#define WAL_EXPERIMENTS_RPFNET_RPFNET_PRIVATE_H

#include "experiments/rpfnet/rpfnet.h"

/* The key of samples: the mechanism's, the instances', the attacks'. malloc'd; NULL: no memory. */
char *wal_rpfnet_samples_key(const char *mechanism, bool polish, const wal_law *law, int64_t count,
                             const wal_attack_options *attack, const wal_attack_options *weak);

#endif
