/* Allocations on the device, good by good as the buyers are: x[j * stride + t] is what buyer lo + t gets of
   good j.

   Demand at given prices and constants are made there. An allocation that lives on the device (EG's, a
   network's) says how with wal_device_fill_register; every other one is filled on the host, in parallel, and
   uploaded. */
#ifndef WAL_GPU_MARKET_ALLOCATIONS_H
#define WAL_GPU_MARKET_ALLOCATIONS_H

#include "gpu/market/buyers.h"

/* Amounts of buyers [lo, hi) into x[m, stride], a device pointer; queued on the session's stream. */
typedef wal_status (*wal_device_fill_fn)(const wal_allocation *allocation, int64_t lo, int64_t hi,
                                         int64_t stride, double *x);

/* From now on allocations with these ops are filled so. Again for the same ops: replaces it. */
wal_status wal_device_fill_register(const wal_allocation_ops *ops, wal_device_fill_fn fill);

class wal_device_allocation {
 public:
  /* Borrows both. */
  wal_status open(const wal_market *market, const wal_allocation *allocation);

  /* Amounts of the chunk's buyers, whose values (not logarithms) and budgets it holds, into x[m, stride]. */
  wal_status fill(const wal_buyer_chunk<double> &buyers, int64_t stride, double *x);

 private:
  wal_status open_demand(const wal_demand_parts &parts);
  wal_status upload(int64_t lo, int64_t hi, int64_t stride, double *x);

  typedef enum { REGISTERED, DEMAND, CONSTANT, UPLOADED } way;
  const wal_market *market_ = nullptr;
  const wal_allocation *allocation_ = nullptr;
  way way_ = UPLOADED;
  wal_device_fill_fn registered_ = nullptr;
  double alpha_ = 0.0, power_ = 0.0; /* of a demand; the power is NaN where alpha says what it is */
  wal_device_array<double> factors_; /* [3, m] prices, their logarithms, scale; a constant: [m] */
  wal_device_array<double> rows_;    /* [rows, m] what was uploaded */
};

#endif
