/* Parallel loops and sums whose result does not depend on the number of threads. */
#ifndef WAL_COMMON_PARALLEL_H
#define WAL_COMMON_PARALLEL_H

#include <stdint.h>

#include "models/common/status.h"

/* Rows in one chunk of every population loop; fixed, so that sums keep their order on any machine. */
enum { WAL_CHUNK = 1024 };

/* Processors that this process may use, at least 1. */
int wal_cores(void);

/* Sets/gets the threads that the loops below use (at least 1; the default is one per processor that the process may use). */
void wal_threads_set(int threads);
int wal_threads(void);

/* Calls task(context, k) for every k in [0, count), in parallel, in no promised order. Failures as below. */
typedef wal_status (*wal_task_fn)(void *context, int64_t k);
wal_status wal_for_tasks(int64_t count, wal_task_fn task, void *context);

/* Calls body(context, lo, hi) for every chunk [lo, hi) of [0, n), in parallel, in no promised order.
   The first failing status is returned (its message kept); chunks already begun are finished. */
typedef wal_status (*wal_chunk_fn)(void *context, int64_t lo, int64_t hi);
wal_status wal_for_chunks(int64_t n, wal_chunk_fn body, void *context);

/* As above; body also adds its chunk's contribution to partial[dim] (zeroed beforehand). The partials are
   summed pairwise over the chunk index in a fixed tree into sum[dim]: bit-identical for any thread count.
   Memory is O(dim * log n + dim * chunks in flight), independent of n. */
typedef wal_status (*wal_sum_fn)(void *context, int64_t lo, int64_t hi, double *partial);
wal_status wal_sum_chunks(int64_t n, int dim, wal_sum_fn body, void *context, double *sum);

#endif
