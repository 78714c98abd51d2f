/* What the programs of gpu/bench share: times by device events, what the card's memory and arithmetic give,
   and a table of measurements beside their limits. A program is

     int main(int argc, char **argv) {
       bench_open(argc, argv, "EG, n = 2^20, m = 10");
       const double seconds = bench_time([&] { return wal_descent_run(&s, 100); }) / 100;
       bench_row("step", "2^20 x 10", seconds, bench_floor(bytes, fmas, 0));
       return bench_close();
     }

   `--smoke` asks for small sizes and one round: whether the program works, without a word about speed.
   Without a device the program says why and exits with 77. A wrong result (bench_check) makes the exit status
   1, being slow does not. */
#ifndef WAL_GPU_BENCH_H
#define WAL_GPU_BENCH_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "gpu/base/array.h"
#include "gpu/base/launch.h"
#include "gpu/cuda.h"

static struct {
  const wal_session *gpu;
  bool smoke;
  int wrong;                            /* results that were not right */
  double bandwidth;                     /* bytes per second of a copy, reads and writes counted */
  double float_fmas, double_fmas;       /* fused multiply-adds per second */
  wal_device_array<unsigned char> rest; /* what the L2 flush writes */
} bench;

/* Ends the program with a failed call's message. */
#define BENCH_TRY(call)                                \
  do {                                                 \
    if ((call) != WAL_OK) {                            \
      fprintf(stderr, "%s: %s\n", #call, wal_error()); \
      exit(EXIT_FAILURE);                              \
    }                                                  \
  } while (0)

/* Notes a wrong result; `what` says which. */
static inline void bench_check(bool right, const char *what) {
  if (!right) printf("\nWRONG: %s\n\n", what), bench.wrong++;
}

/* ---- time ---- */

struct bench_events {
  cudaEvent_t start, stop;
};

static inline wal_status bench_events_create(bench_events *e) {
  WAL_CUDA_TRY(cudaEventCreate(&e->start));
  WAL_CUDA_TRY(cudaEventCreate(&e->stop));
  return WAL_OK;
}

static inline wal_status bench_events_destroy(bench_events *e) {
  WAL_CUDA_TRY(cudaEventDestroy(e->start));
  WAL_CUDA_TRY(cudaEventDestroy(e->stop));
  return WAL_OK;
}

static inline double bench_median(std::vector<double> &x) {
  const size_t middle = x.size() / 2;
  std::nth_element(x.begin(), x.begin() + static_cast<int64_t>(middle), x.end());
  return x[middle];
}

/* Overwrites more than the L2 cache holds. Queued. */
static inline wal_status bench_flush(void) {
  WAL_CUDA_TRY(
      cudaMemsetAsync(bench.rest.data(), 1, static_cast<size_t>(bench.rest.count()), bench.gpu->stream));
  return WAL_OK;
}

template <class F>
wal_status bench_round(const bench_events &e, bool flush, F &work, double *seconds) {
  float ms = 0.0f;
  if (flush) WAL_TRY(bench_flush());
  WAL_CUDA_TRY(cudaEventRecord(e.start, bench.gpu->stream));
  WAL_TRY(work());
  WAL_CUDA_TRY(cudaEventRecord(e.stop, bench.gpu->stream));
  WAL_TRY(wal_session_wait());
  WAL_CUDA_TRY(cudaEventElapsedTime(&ms, e.start, e.stop));
  *seconds = 1e-3 * static_cast<double>(ms);
  return WAL_OK;
}

/* Seconds of the device from before to after work(), which queues on the session's stream and returns a
   wal_status: the median of `rounds` after one that is not counted, each with a cold L2 unless flush is
   false. */
template <class F>
double bench_time(F work, int rounds = 21, bool flush = true) {
  bench_events e;
  std::vector<double> times(static_cast<size_t>(bench.smoke ? 1 : rounds));
  double warm = 0.0;
  BENCH_TRY(bench_events_create(&e));
  BENCH_TRY(bench_round(e, flush, work, &warm));
  for (double &t : times) BENCH_TRY(bench_round(e, flush, work, &t));
  BENCH_TRY(bench_events_destroy(&e));
  return bench_median(times);
}

/* Seconds on the wall of work() until the device has done it, for what waits or computes on the host in
 * between. */
template <class F>
double bench_wall(F work, int rounds = 5) {
  std::vector<double> times(static_cast<size_t>(bench.smoke ? 1 : rounds));
  BENCH_TRY(work());
  for (double &t : times) {
    BENCH_TRY(wal_session_wait());
    const auto start = std::chrono::steady_clock::now();
    BENCH_TRY(work());
    BENCH_TRY(wal_session_wait());
    t = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  return bench_median(times);
}

/* ---- what the card gives ---- */

__global__ static void bench_copy(int64_t count, const float4 *from, float4 *to) {
  for (int64_t i = wal_thread(); i < count; i += wal_threads_all()) to[i] = from[i];
}

/* Bytes per second of a copy too large for any cache. */
static inline double bench_measure_bandwidth(void) {
  const int64_t count = (bench.smoke ? (int64_t)1 << 12 : (int64_t)1 << 29) / (int64_t)sizeof(float4);
  wal_device_array<float4> from, to;
  BENCH_TRY(from.allocate(count, "the copied array", "other programs on the card"));
  BENCH_TRY(to.allocate(count, "the copy", "other programs on the card"));
  const auto copy = [&]() -> wal_status {
    WAL_CUDA_TRY(
        cudaMemsetAsync(from.data(), 1, static_cast<size_t>(count) * sizeof(float4), bench.gpu->stream));
    return WAL_OK;
  };
  BENCH_TRY(copy());
  const dim3 grid = wal_grid(count, 4 * 256); /* four independent loads per thread */
  const double seconds = bench_time([&]() -> wal_status {
    WAL_CUDA_TRY(wal_launch(bench_copy, grid, 256, 0, bench.gpu->stream, count, from.data(), to.data()));
    return WAL_OK;
  });
  unsigned last = 0;
  BENCH_TRY(wal_download_bytes(&last, to.data() + count - 1, sizeof last));
  bench_check(last == 0x01010101u, "the copy that measures bandwidth");
  return 2.0 * (double)count * sizeof(float4) / seconds;
}

static const int BENCH_CHAINS = 8;

/* rounds x BENCH_CHAINS independent multiply-adds per thread; each chain goes to its fixed point b / (1 - a).
 */
template <class T>
__global__ void bench_multiply_add(int rounds, T a, T b, T *out) {
  T x[BENCH_CHAINS], sum = 0;
  for (int c = 0; c < BENCH_CHAINS; c++) x[c] = static_cast<T>(c + static_cast<int>(threadIdx.x));
  for (int r = 0; r < rounds; r++)
    for (int c = 0; c < BENCH_CHAINS; c++) x[c] = fma(x[c], a, b);
  for (int c = 0; c < BENCH_CHAINS; c++) sum += x[c];
  out[wal_thread()] = sum;
}

template <class T>
double bench_measure_fmas(void) {
  const int rounds = bench.smoke ? 128 : 1 << 14,
            blocks = bench.smoke ? 2 : 8 * bench.gpu->prop.multiProcessorCount;
  const int64_t threads = (int64_t)blocks * 256;
  wal_device_array<T> out;
  BENCH_TRY(out.allocate(threads, "the sums", "other programs on the card"));
  const double seconds = bench_time([&]() -> wal_status {
    WAL_CUDA_TRY(wal_launch(bench_multiply_add<T>, dim3((unsigned)blocks), 256, 0, bench.gpu->stream, rounds,
                            (T)0.5, (T)1, out.data()));
    return WAL_OK;
  });
  T last = 0;
  BENCH_TRY(wal_download(&last, out.data() + threads - 1, 1));
  bench_check(last > (T)(2 * BENCH_CHAINS) * (T)0.999 && last < (T)(2 * BENCH_CHAINS) * (T)1.001,
              "the loop that measures multiply-adds");
  return (double)threads * rounds * BENCH_CHAINS / seconds;
}

/* ---- the table ---- */

static inline void bench_measure_card(void) {
  bench.bandwidth = bench_measure_bandwidth();
  bench.float_fmas = bench_measure_fmas<float>();
  bench.double_fmas = bench_measure_fmas<double>();
  printf("copy %.4g GB/s (reads and writes), float FMA %.4g T/s, double FMA %.4g T/s%s\n",
         1e-9 * bench.bandwidth, 1e-12 * bench.float_fmas, 1e-12 * bench.double_fmas,
         bench.smoke ? " (smoke: these mean nothing)" : "");
}

/* Seconds below which the card cannot do this, by what it was measured to give: bytes read and written,
 * multiply-adds. */
static inline double bench_floor(double bytes, double float_fmas, double double_fmas) {
  return std::max(bytes / bench.bandwidth, float_fmas / bench.float_fmas + double_fmas / bench.double_fmas);
}

/* "1.25 ms". */
static inline const char *bench_seconds_text(double seconds, char text[24]) {
  if (!(seconds >= 0.0)) return "";
  const char *unit = seconds < 1e-3 ? "us" : seconds < 1.0 ? "ms" : "s";
  snprintf(text, 24, "%.4g %s", seconds * (seconds < 1e-3 ? 1e6 : seconds < 1.0 ? 1e3 : 1.0), unit);
  return text;
}

/* One measurement: its time, the time that limits it (NAN: none is known) and time / limit, where 1 is the
 * best. */
static inline void bench_row(const char *name, const char *size, double seconds, double limit) {
  char time[24], least[24], ratio[24] = "";
  if (limit > 0.0) snprintf(ratio, sizeof ratio, "%.2f", seconds / limit);
  printf("| %s | %s | %s | %s | %s |\n", name, size, bench_seconds_text(seconds, time),
         bench_seconds_text(limit, least), ratio);
  fflush(stdout);
}

/* A new table; what follows are its rows. */
static inline void bench_table(const char *title) {
  printf("\n%s\n\n| name | size | time | limit | time / limit |\n|---|---|---|---|---|\n", title);
}

/* The program's start: device, driver, versions; what the card gives; the first table's head. */
static inline void bench_open(int argc, char **argv, const char *title) {
  bench.smoke = argc > 1 && strcmp(argv[1], "--smoke") == 0;
  if (argc > 1 && !bench.smoke) {
    fprintf(stderr, "%s: unknown argument \"%s\"; there is one, --smoke: small sizes, one round\n", argv[0],
            argv[1]);
    exit(2);
  }
  char device[256];
  if (wal_cuda_probe(device, sizeof device) != WAL_OK || wal_session_get(&bench.gpu) != WAL_OK) {
    printf("skipped: %s\n", wal_error());
    exit(77);
  }
  printf("%s\n", device);
  const int64_t cache = bench.gpu->prop.l2CacheSize;
  BENCH_TRY(bench.rest.allocate(bench.smoke ? 256 : std::max(4 * cache, (int64_t)1 << 28), "the L2 flush",
                                "other programs on the card"));
  bench_measure_card();
  bench_table(title);
}

/* The program's exit status. */
static inline int bench_close(void) {
  BENCH_TRY(bench.rest.allocate(0, "", "")); /* before the driver leaves */
  printf("\n");
  return bench.wrong ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
