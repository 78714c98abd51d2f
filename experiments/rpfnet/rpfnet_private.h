/* Between rpfnet.c and rpfnet_measure.c. */
#ifndef WAL_EXPERIMENTS_RPFNET_RPFNET_PRIVATE_H
#define WAL_EXPERIMENTS_RPFNET_RPFNET_PRIVATE_H

#include "experiments/rpfnet/rpfnet.h"

/* wal_rpfnet_mechanism with or without the polish of PF. */
wal_status wal_rpfnet_mechanism_to(const wal_point *point, bool polish, wal_sink *sink, wal_mechanism **out,
                                   double *train_s);

/* The key of samples: the mechanism's, the instances', the attacks'. malloc'd; NULL: no memory. */
char *wal_rpfnet_samples_key(const char *mechanism, bool polish, const wal_law *law, int64_t count,
                             const wal_attack_options *attack, const wal_attack_options *weak);

#endif
