/* The buyers of a market on the device, good by good: buyer lo + t's value for good j lies at v[j * stride +
   t], its budget at budget[t], so that neighbouring threads read neighbouring buyers.

   Contextual markets (models/market/contexts.h) are drawn on the device, from the source that the CPU draws
   from: the same bits, in double and in float32. Every other source is read on the host, in parallel, and
   uploaded. */
#ifndef WAL_GPU_MARKET_BUYERS_H
#define WAL_GPU_MARKET_BUYERS_H

#include "gpu/base/array.h"

extern "C" {
#include "models/market/contexts.h"
#include "models/market/dual.h"
}

/* Makes any buyers' numbers on the device. Keeps nothing but the goods' contexts and room for a piece of the
 * work. */
class wal_device_source {
 public:
  /* Borrows the market. */
  wal_status open(const wal_market *market);

  /* Values v[m, stride] and budgets [hi - lo] of buyers [lo, hi), device pointers, either may be NULL; the
     numbers of wal_source_columns and, in float32, wal_source_columns32. Queued on the session's stream. */
  wal_status fill(int64_t lo, int64_t hi, int64_t stride, double *v, double *budget);
  wal_status fill(int64_t lo, int64_t hi, int64_t stride, float *v, float *budget);

  /* Contexts b[hi - lo, d] of buyers [lo, hi), row by row, as ops->contexts gives them to networks: double
     ones rounded to float32. WAL_E_UNSUPPORTED where the source has none. */
  wal_status contexts(int64_t lo, int64_t hi, float *b);

  /* Whether kernels may draw buyers themselves (models/market/context_math.h): then draws() says from what,
     and goods() and goods32() are the goods' contexts [m, d] on the device. */
  bool drawn() const { return drawn_; }
  const wal_context_draws &draws() const { return draws_; }
  const double *goods() const { return goods_.data(); }
  const float *goods32() const { return goods32_.data(); }

 private:
  template <class T>
  wal_status fill_any(int64_t lo, int64_t hi, int64_t stride, T *v, T *budget);
  template <class T>
  wal_status draw(int64_t lo, int64_t hi, int64_t stride, const T *goods, T *v, T *budget);
  template <class T>
  wal_status upload(int64_t lo, int64_t hi, int64_t stride, T *v, T *budget);
  wal_status draw_contexts(int64_t lo, int64_t hi, float *b);

  const wal_market *market_ = nullptr;
  bool drawn_ = false;
  wal_context_draws draws_{};
  wal_device_array<double> goods_;        /* [m, d] */
  wal_device_array<float> goods32_;       /* [m, d] */
  wal_device_array<unsigned char> piece_; /* [d, buyers of a piece] contexts */
};

/* Buyers [lo, hi), as above; device pointers that stay valid until the next call of chunk(). */
template <class T>
struct wal_buyer_chunk {
  int64_t lo, hi, stride;
  const T *v;      /* [m, stride] values, or the weights that were asked for */
  const T *budget; /* [hi - lo] */
};

/* A population chunk by chunk: kept on the device when it fits into the bytes given, made again in every pass
   when not. T: double or float.

     for (int64_t lo = 0; lo < n; lo = c.hi) {
       WAL_TRY(buyers.chunk(lo, n, unit, &c));
       ...
     }  */
template <class T>
class wal_device_buyers {
 public:
  /* weight: v, log v or 1/v is what chunks hold. bytes: device memory that the population may take. */
  wal_status open(const wal_market *market, wal_weight weight, size_t bytes);

  /* The chunk that begins at buyer lo and ends at `hi` at most; its length is a multiple of `unit` unless it
     ends there. All of [lo, hi) when the population is kept. */
  wal_status chunk(int64_t lo, int64_t hi, int64_t unit, wal_buyer_chunk<T> *out);

  void stream(); /* keep nothing between passes from now on, and less at a time */
  bool kept() const { return whole_; }
  wal_device_source &source() { return source_; }

 private:
  wal_status make(int64_t lo, int64_t hi, int64_t at);

  const wal_market *market_ = nullptr;
  wal_weight weight_ = WAL_WEIGHT_VALUE;
  wal_device_source source_;
  wal_device_array<T> room_; /* [m + 1, capacity_] */
  int64_t capacity_ = 0;     /* buyers */
  int64_t made_ = 0;         /* buyers [0, made_) are there, where the whole population is kept */
  bool whole_ = false;
};

extern "C" {
/* For tests: chunks, and populations that are kept, have this many buyers at most from now on; 0: no limit.
 */
void wal_chunk_limit(int64_t buyers);
}
/* The buyers of which `bytes` hold `each`, within the limit above; at least 1. */
int64_t wal_chunk_buyers(size_t bytes, size_t each);
/* Of `rows` buyers of `each` bytes, those that are read on the host and uploaded together: 64 MiB, but enough
   for a thread's work; within the limit above. */
int64_t wal_uploaded_at_once(int64_t rows, size_t each);

#endif
