#include <stdlib.h>

#include "gpu/base/launch.h"
#include "gpu/market/buyers.h"
#include "gpu/market/inspect.h"
#include "models/market/context_math.h"
#include "models/market/dual_math.h"

extern "C" {
#include "models/common/parallel.h"
#include "models/common/rng.h"
}

enum { THREADS = 256 };
static const int64_t PIECE = int64_t(1)
                             << 18; /* buyers made at a time: their contexts stay in the second cache */

/* ---- drawing ---- */

__device__ static void elements(wal_variate law, uint64_t seed, uint64_t block, double *a, double *b) {
  wal_variate_elements(law, seed, WAL_STREAM_BUYERS, block, a, b);
}
__device__ static void elements(wal_variate law, uint64_t seed, uint64_t block, float *a, float *b) {
  wal_variate_elements32(law, seed, WAL_STREAM_BUYERS, block, a, b);
}

/* Contexts of buyers [lo, lo + rows), drawn as T, to b[t * per_row + e * per_element]: a thread for each
   block of the generator, which has two elements. rows d < 2^30. */
template <class T, class S>
__global__ void wal_draw_contexts(wal_variate law, uint64_t seed, int64_t lo, int rows, int d,
                                  int64_t per_row, int64_t per_element, S *b) {
  const uint64_t first = static_cast<uint64_t>(lo) * static_cast<uint64_t>(d);
  const uint64_t block = first / 2 + static_cast<uint64_t>(wal_thread());
  const int count = rows * d,
            at = static_cast<int>(static_cast<int64_t>(2 * block - first)); /* -1, 0, 1, 2, ... */
  if (at >= count) return;
  T x[2];
  elements(law, seed, block, &x[0], &x[1]);
  for (int k = 0; k < 2; k++) {
    const int cell = at + k, t = cell / d, e = cell - t * d;
    if (cell >= 0 && cell < count) b[t * per_row + e * per_element] = static_cast<S>(x[k]);
  }
}

__device__ static double budget_of(int d, int64_t stride, const double *b) {
  return wal_context_budget(d, stride, b);
}
__device__ static float budget_of(int d, int64_t stride, const float *b) {
  return wal_context_budget32(d, stride, b);
}
__device__ static double value_of(int d, int64_t stride, const double *b, const double *g) {
  return wal_context_value(d, stride, b, g);
}
__device__ static float value_of(int d, int64_t stride, const float *b, const float *g) {
  return wal_context_value32(d, stride, b, g);
}

/* v[m, stride] and budget[rows] of contexts b[d, rows]; a thread for each buyer. */
template <class T>
__global__ void wal_context_columns(int rows, int m, int d, const T *b, const T *goods /* [m, d] */,
                                    int64_t stride, T *v, T *budget) {
  const int64_t t = wal_thread();
  if (t >= rows) return;
  if (budget) budget[t] = budget_of(d, rows, b + t);
  for (int j = 0; v && j < m; j++)
    v[j * stride + t] = value_of(d, rows, b + t, goods + static_cast<int64_t>(j) * d);
}

static dim3 blocks_of(int64_t lo, int64_t rows, int d) {
  const int64_t first = lo * d / 2, end = ((lo + rows) * d + 1) / 2;
  return wal_grid(end - first, THREADS);
}

/* Buyers in a piece. */
static int64_t piece_of(int64_t lo, int64_t hi, int d) {
  const int64_t fits = (int64_t(1) << 29) / d, most = fits < 1 ? 1 : fits < PIECE ? fits : PIECE;
  return hi - lo < most ? hi - lo : most;
}

template <class T>
wal_status wal_device_source::draw(int64_t lo, int64_t hi, int64_t stride, const T *goods, T *v, T *budget) {
  const int d = draws_.d;
  const wal_session *session;
  WAL_TRY(wal_session_get(&session));
  WAL_TRY(piece_.at_least(piece_of(lo, hi, d) * d * static_cast<int64_t>(sizeof(T)), "contexts of buyers",
                          "a smaller d"));
  T *b = reinterpret_cast<T *>(piece_.data());
  for (int64_t at = lo, rows; at < hi; at += rows) {
    rows = piece_of(at, hi, d);
    WAL_CUDA_TRY(wal_launch(wal_draw_contexts<T, T>, blocks_of(at, rows, d), THREADS, 0, session->stream,
                            draws_.law, draws_.seed, at, static_cast<int>(rows), d, int64_t(1), rows, b));
    WAL_CUDA_TRY(wal_launch(wal_context_columns<T>, wal_grid(rows, THREADS), THREADS, 0, session->stream,
                            static_cast<int>(rows), draws_.m, d, b, goods, stride,
                            v ? v + (at - lo) : nullptr, budget ? budget + (at - lo) : nullptr));
  }
  return WAL_OK;
}

wal_status wal_device_source::draw_contexts(int64_t lo, int64_t hi, float *b) {
  const int d = draws_.d;
  const wal_session *session;
  WAL_TRY(wal_session_get(&session));
  for (int64_t at = lo, rows; at < hi; at += rows) {
    rows = piece_of(at, hi, d);
    WAL_CUDA_TRY(wal_launch(wal_draw_contexts<double, float>, blocks_of(at, rows, d), THREADS, 0,
                            session->stream, draws_.law, draws_.seed, at, static_cast<int>(rows), d,
                            static_cast<int64_t>(d), int64_t(1), b + (at - lo) * d));
  }
  return WAL_OK;
}

/* ---- reading on the host ---- */

namespace {

/* Columns of buyers [first, ...) into v[m, stride] and budget. */
template <class T>
struct reading {
  const wal_market *market;
  int64_t first, stride;
  T *v, *budget;
};

wal_status columns(const wal_market *s, int64_t lo, int64_t hi, int64_t stride, double *v, double *budget) {
  return wal_source_columns(s->buyers, s->m, lo, hi, stride, v, budget);
}
wal_status columns(const wal_market *s, int64_t lo, int64_t hi, int64_t stride, float *v, float *budget) {
  return wal_source_columns32(s->buyers, s->m, lo, hi, stride, v, budget);
}

template <class T>
wal_status read_chunk(void *context, int64_t lo, int64_t hi) {
  const reading<T> *r = static_cast<const reading<T> *>(context);
  return columns(r->market, r->first + lo, r->first + hi, r->stride, r->v + lo, r->budget + lo);
}

struct reading_contexts {
  const wal_market *market;
  int64_t first;
  float *b; /* [rows, d] */
};

wal_status read_contexts(void *context, int64_t lo, int64_t hi) {
  const reading_contexts *r = static_cast<const reading_contexts *>(context);
  const wal_source *buyers = r->market->buyers;
  return buyers->ops->contexts(buyers, r->first + lo, r->first + hi, r->b + lo * r->market->d);
}

}  // namespace

template <class T>
wal_status wal_device_source::upload(int64_t lo, int64_t hi, int64_t stride, T *v, T *budget) {
  const int m = market_->m;
  const size_t each = (static_cast<size_t>(m) + 1) * sizeof(T);
  const int64_t most = wal_uploaded_at_once(hi - lo, each);
  T *room = static_cast<T *>(malloc(static_cast<size_t>(most) * each));
  if (!room)
    return wal_fail(WAL_E_MEMORY, "no memory for %lld buyers of %d goods", static_cast<long long>(most), m);
  wal_status status = WAL_OK;
  for (int64_t at = lo, rows; status == WAL_OK && at < hi; at += rows) {
    rows = wal_uploaded_at_once(hi - at, each);
    reading<T> work = {market_, at, rows, room, room + m * rows};
    status = wal_for_chunks(rows, read_chunk<T>, &work);
    for (int j = 0; status == WAL_OK && v && j < m; j++)
      status = wal_upload(v + j * stride + (at - lo), room + j * rows, rows);
    if (status == WAL_OK && budget) status = wal_upload(budget + (at - lo), room + m * rows, rows);
  }
  free(room);
  return status;
}

wal_status wal_device_source::contexts(int64_t lo, int64_t hi, float *b) {
  if (drawn_) return draw_contexts(lo, hi, b);
  if (!market_->buyers->ops->contexts || market_->d < 1)
    return wal_fail(WAL_E_UNSUPPORTED, "buyers without contexts; expected a contextual market");
  const size_t each = static_cast<size_t>(market_->d) * sizeof(float);
  const int64_t most = wal_uploaded_at_once(hi - lo, each);
  float *room = static_cast<float *>(malloc(static_cast<size_t>(most) * each));
  if (!room) return wal_fail(WAL_E_MEMORY, "no memory for %lld contexts", static_cast<long long>(most));
  wal_status status = WAL_OK;
  for (int64_t at = lo, rows; status == WAL_OK && at < hi; at += rows) {
    rows = wal_uploaded_at_once(hi - at, each);
    reading_contexts work = {market_, at, room};
    status = wal_for_chunks(rows, read_contexts, &work);
    if (status == WAL_OK) status = wal_upload(b + (at - lo) * market_->d, room, rows * market_->d);
  }
  free(room);
  return status;
}

/* ---- the source ---- */

wal_status wal_device_source::open(const wal_market *market) {
  market_ = market;
  drawn_ = wal_source_draws(market->buyers, &draws_);
  if (!drawn_) return WAL_OK;
  const int64_t count = static_cast<int64_t>(draws_.m) * draws_.d;
  WAL_TRY(goods_.allocate(count, "contexts of goods", "a smaller m"));
  WAL_TRY(goods32_.allocate(count, "contexts of goods", "a smaller m"));
  float *rounded = static_cast<float *>(malloc(static_cast<size_t>(count) * sizeof *rounded));
  if (!rounded) return wal_fail(WAL_E_MEMORY, "no memory for %d goods of %d elements", draws_.m, draws_.d);
  for (int64_t k = 0; k < count; k++) rounded[k] = static_cast<float>(draws_.goods[k]);
  wal_status status = wal_upload(goods_.data(), draws_.goods, count);
  if (status == WAL_OK) status = wal_upload(goods32_.data(), rounded, count);
  free(rounded);
  return status;
}

wal_status wal_device_source::fill(int64_t lo, int64_t hi, int64_t stride, double *v, double *budget) {
  return drawn_ ? draw(lo, hi, stride, goods_.data(), v, budget) : upload(lo, hi, stride, v, budget);
}

wal_status wal_device_source::fill(int64_t lo, int64_t hi, int64_t stride, float *v, float *budget) {
  return drawn_ ? draw(lo, hi, stride, goods32_.data(), v, budget) : upload(lo, hi, stride, v, budget);
}

/* ---- populations ---- */

static int64_t chunk_limit; /* 0: none */

void wal_chunk_limit(int64_t buyers) { chunk_limit = buyers; }

int64_t wal_chunk_buyers(size_t bytes, size_t each) {
  int64_t fits = static_cast<int64_t>(bytes / each);
  if (chunk_limit > 0 && fits > chunk_limit) fits = chunk_limit;
  return fits < 1 ? 1 : fits;
}

int64_t wal_uploaded_at_once(int64_t rows, size_t each) {
  const int64_t fits = wal_chunk_buyers(size_t(64) << 20, each), chunk = WAL_CHUNK;
  const int64_t most = fits < chunk && chunk_limit == 0 ? chunk : fits;
  return rows < most ? rows : most;
}

__device__ static double transformed(wal_weight weight, double v) { return wal_dual_weight(weight, v); }
__device__ static float transformed(wal_weight weight, float v) { return wal_dual_weight32(weight, v); }

/* v[m, stride] of `rows` buyers into weights, in place; the goods along blockIdx.y. */
template <class T>
__global__ void wal_weigh(wal_weight weight, int64_t rows, int64_t stride, T *v) {
  T *column = v + static_cast<int64_t>(blockIdx.y) * stride;
  for (int64_t t = wal_thread(); t < rows; t += wal_threads_all()) column[t] = transformed(weight, column[t]);
}

template <class T>
wal_status wal_device_buyers<T>::open(const wal_market *market, wal_weight weight, size_t bytes) {
  market_ = market, weight_ = weight, made_ = 0;
  WAL_TRY(source_.open(market));
  capacity_ = wal_chunk_buyers(bytes, (static_cast<size_t>(market->m) + 1) * sizeof(T));
  whole_ = capacity_ >= market->n;
  if (whole_) capacity_ = market->n;
  return room_.allocate(capacity_ * (market->m + 1), "values of the buyers", "a smaller n or m");
}

template <class T>
void wal_device_buyers<T>::stream() {
  const int64_t most = wal_chunk_buyers(size_t(1) << 20, 1);
  whole_ = false;
  capacity_ = capacity_ < most ? capacity_ : most;
}

/* Buyers [lo, hi) to place `at` of the room. */
template <class T>
wal_status wal_device_buyers<T>::make(int64_t lo, int64_t hi, int64_t at) {
  const int m = market_->m;
  T *v = room_.data() + at;
  const wal_session *session;
  WAL_TRY(wal_session_get(&session));
  WAL_TRY(source_.fill(lo, hi, capacity_, v, v + m * capacity_));
  if (weight_ == WAL_WEIGHT_VALUE) return WAL_OK;
  const dim3 grid(wal_grid(hi - lo, 4 * THREADS).x, static_cast<unsigned>(m));
  WAL_CUDA_TRY(wal_launch(wal_weigh<T>, grid, THREADS, 0, session->stream, weight_, hi - lo, capacity_, v));
  return WAL_OK;
}

template <class T>
wal_status wal_device_buyers<T>::chunk(int64_t lo, int64_t hi, int64_t unit, wal_buyer_chunk<T> *out) {
  const int m = market_->m;
  if (capacity_ < unit && capacity_ < hi - lo) { /* a chunk has one unit at least */
    capacity_ = unit;
    WAL_TRY(room_.allocate(capacity_ * (m + 1), "values of some buyers", "a smaller m"));
  }
  int64_t at = 0;
  if (whole_) {
    if (made_ < hi) WAL_TRY(make(made_, hi, made_));
    made_ = hi > made_ ? hi : made_;
    at = lo;
  } else {
    if (hi - lo > capacity_) hi = lo + capacity_ / unit * unit;
    made_ = 0;
    WAL_TRY(make(lo, hi, 0));
  }
  *out = {lo, hi, capacity_, room_.data() + at, room_.data() + m * capacity_ + at};
  return WAL_OK;
}

template class wal_device_buyers<double>;
template class wal_device_buyers<float>;
