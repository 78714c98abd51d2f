#include "gpu/market/buyers.h"
#include "gpu/market/inspect.h"

template <class T>
static wal_status columns(const wal_market *market, int64_t lo, int64_t hi, T *v, T *budget) {
  const int64_t rows = hi - lo, cells = rows * market->m;
  wal_device_source source;
  wal_device_array<T> room;
  WAL_TRY(source.open(market));
  WAL_TRY(room.allocate(cells + rows, "values of buyers", "a smaller n"));
  WAL_TRY(source.fill(lo, hi, rows, room.data(), room.data() + cells));
  WAL_TRY(wal_download(v, room.data(), cells));
  return wal_download(budget, room.data() + cells, rows);
}

wal_status wal_cuda_columns(const wal_market *market, int64_t lo, int64_t hi, double *v, double *budget) {
  return columns(market, lo, hi, v, budget);
}

wal_status wal_cuda_columns32(const wal_market *market, int64_t lo, int64_t hi, float *v, float *budget) {
  return columns(market, lo, hi, v, budget);
}

wal_status wal_cuda_contexts(const wal_market *market, int64_t lo, int64_t hi, float *b) {
  const int64_t cells = (hi - lo) * market->d;
  wal_device_source source;
  wal_device_array<float> room;
  WAL_TRY(source.open(market));
  WAL_TRY(room.allocate(cells, "contexts of buyers", "a smaller n"));
  WAL_TRY(source.contexts(lo, hi, room.data()));
  return wal_download(b, room.data(), cells);
}
