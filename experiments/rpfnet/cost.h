/* What a mechanism costs: processor time to allocate, for a gradient and for a step of training. */
#ifndef WAL_EXPERIMENTS_RPFNET_COST_H
#define WAL_EXPERIMENTS_RPFNET_COST_H

#include "experiments/rpfnet/rpfnet.h"

/* Parameters of table2 and scale behind those of the instances. */
#define WAL_RPFNET_COST_PARAMS                                                                                \
  {"cost.instances", WAL_INT, "2048", 1, 1e8, NULL, "instances", "allocated together", NULL, 0},              \
      {"cost.seconds", WAL_REAL, "0.3", 0, 1e6, NULL, "s", "of processor time for each measure, at least",    \
       NULL,           0},                                                                                    \
      {"cost.batch", WAL_INT, "64", 1, 1e6, NULL, "instances", "of a step of training", WAL_LEARNED_ONLY, 0}, \
  {                                                                                                           \
    "cost.candidates", WAL_INT, "24", 1, 1e6, NULL, "1", "reports tried per agent in a step of training",     \
        WAL_LEARNED_ONLY, 0                                                                                   \
  }

/* Microseconds per instance, the least of many turns; NaN: not for this kind. */
typedef struct {
  double allocate; /* one thread, processor time; PF to its tolerance of 1e-9, no polish */
  double polished; /* the same to a strict KKT residual */
  double all;      /* on every thread of the point, wall time */
  double gradient; /* one thread: a gradient in the network's parameters and Adam */
  double step;     /* one thread: a step of Algorithm 1, the search for misreports included */
} wal_rpfnet_cost;

/* Measures `count` mechanisms, untrained, on the same instances of law (17), in turns, so that a busy machine
   is as bad for each; steps: also steps of training. out [count]. */
wal_status wal_rpfnet_costs(const wal_point *point, int count, const char *const kinds[], bool steps,
                            wal_rpfnet_cost *out);

/* Parameters of the network; 0: none. */
wal_status wal_rpfnet_parameters(const char *kind, int n, int m, int64_t *out);

#endif
