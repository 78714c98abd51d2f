/* The network's speed as a share of the multiply-add peak that this program measures itself.
   usage: bench_mlp [rows] [width] [rounds]; depth 5, 10 inputs, 1 output, ReLU, 1 and 2 threads.
   Each round times the peak and the step one after the other; the medians over the rounds are printed. */
#include "models/nn/mlp.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/clock.h"
#include "models/common/parallel.h"
#include "models/common/rng.h"
#include "models/nn/simd.h"

enum { INPUTS = 10, DEPTH = 5, MAX_ROUNDS = 1000, CHAINS = 16 };

static int by_value(const void *a, const void *b) {
  return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

static double median(int count, double *values) {
  qsort(values, (size_t)count, sizeof *values, by_value);
  return values[count / 2];
}

/* Independent chains of multiply-adds in registers; returns a value that depends on all of them. */
static float multiply_add(int64_t repeats) {
  wal_vec sum[CHAINS];
  for (int i = 0; i < CHAINS; i++) sum[i] = wal_vec_set((float)i);
  const wal_vec a = wal_vec_set(0.999f), b = wal_vec_set(1e-3f);
  for (int64_t k = 0; k < repeats; k++) {
#pragma GCC unroll 16
    for (int i = 0; i < CHAINS; i++) sum[i] = wal_vec_fma(sum[i], a, b);
  }
  float total = 0;
  for (int i = 0; i < CHAINS; i++) total += sum[i][0];
  return total;
}

enum { PEAK_REPEATS = 1000000, MAX_THREADS = 256 };

static void *peak_thread(void *total) {
  *(float *)total = multiply_add(PEAK_REPEATS);
  return NULL;
}

/* GFLOP/s of all threads together. */
static double measure_peak(int threads) {
  float total[MAX_THREADS] = {0};
  pthread_t thread[MAX_THREADS];
  int begun = 1;
  const double start = bench_seconds();
  while (begun < threads && begun < MAX_THREADS &&
         pthread_create(&thread[begun], NULL, peak_thread, &total[begun]) == 0)
    begun++;
  peak_thread(&total[0]);
  for (int i = 1; i < begun; i++) pthread_join(thread[i], NULL);
  const double elapsed = bench_seconds() - start;
  if (total[0] == 12345) puts(""); /* keeps the chains */
  return 2e-9 * begun * (double)PEAK_REPEATS * CHAINS * WAL_LANES / elapsed;
}

/* Largest error of the network's output on the first rows against a naive pass in double. */
static double forward_error(const wal_mlp *net, int width, const float *x, const float *y) {
  float *p = malloc((size_t)net->ops->parameter_count(net) * sizeof *p);
  double *a = malloc((size_t)(width > INPUTS ? width : INPUTS) * sizeof *a);
  double *z = malloc((size_t)width * sizeof *z), worst = 0;
  net->ops->get(net, 0, p);
  for (int r = 0; r < 8; r++) {
    const float *w = p;
    for (int i = 0; i < INPUTS; i++) a[i] = x[r * INPUTS + i];
    for (int l = 0; l < DEPTH; l++) {
      const int in = l ? width : INPUTS, out = l == DEPTH - 1 ? 1 : width;
      for (int o = 0; o < out; o++) {
        z[o] = w[out * in + o];
        for (int i = 0; i < in; i++) z[o] += (double)w[o * in + i] * a[i];
        if (l < DEPTH - 1) z[o] = fmax(z[o], 0);
      }
      memcpy(a, z, (size_t)out * sizeof *a);
      w += out * in + out;
    }
    worst = fmax(worst, fabs(a[0] - y[r]));
  }
  free(p), free(a), free(z);
  return worst;
}

typedef struct {
  double forward, backward, adam; /* seconds */
} times;

static times time_step(wal_mlp *net, int64_t rows, const float *x, float *y, const float *dy) {
  const double t0 = bench_seconds();
  net->ops->forward(net, rows, x, y);
  const double t1 = bench_seconds();
  net->ops->backward(net, x, dy, NULL);
  const double t2 = bench_seconds();
  net->ops->step(net, 1e-5f);
  return (times){t1 - t0, t2 - t1, bench_seconds() - t2};
}

/* One line: the median rates and shares of peak over the rounds. */
static void report(int threads, int rounds, wal_mlp *net, int64_t rows, int width, const float *x, float *y,
                   const float *dy) {
  static double peak[MAX_ROUNDS], f[MAX_ROUNDS], b[MAX_ROUNDS], adam[MAX_ROUNDS], whole[MAX_ROUNDS];
  static double share[MAX_ROUNDS];
  const double macs = (double)rows * ((double)INPUTS * width + (DEPTH - 2.0) * width * width + width);
  const double forward = 2e-9 * macs, backward = 4e-9 * macs - 2e-9 * (double)rows * INPUTS * width;
  wal_threads_set(threads);
  for (int i = 0; i < 3; i++) time_step(net, rows, x, y, dy);
  for (int i = 0; i < rounds; i++) {
    peak[i] = measure_peak(threads);
    const times t = time_step(net, rows, x, y, dy);
    const double step = t.forward + t.backward + t.adam;
    f[i] = forward / t.forward / peak[i];
    b[i] = backward / t.backward / peak[i];
    adam[i] = 1e3 * t.adam;
    whole[i] = 1e3 * step;
    share[i] = (forward + backward) / step / peak[i];
  }
  const double gflops = median(rounds, peak), ms = median(rounds, whole);
  printf(
      "%d thread%s  peak %6.1f GFLOP/s   forward %5.1f%%   backward %5.1f%%   Adam %.2f ms   "
      "step %.2f ms, %.1f GFLOP/s, %.1f%% of peak\n",
      threads, threads > 1 ? "s" : " ", gflops, 100 * median(rounds, f), 100 * median(rounds, b),
      median(rounds, adam), ms, 1e3 * (forward + backward) / ms, 100 * median(rounds, share));
}

int main(int argc, char **argv) {
  const int64_t rows = argc > 1 ? atoll(argv[1]) : 2560;
  const int width = argc > 2 ? atoi(argv[2]) : 256;
  const int rounds = argc > 3 ? atoi(argv[3]) : 31;
  if (rows < 8 || width < 1 || rounds < 1 || rounds > MAX_ROUNDS) {
    fprintf(stderr, "usage: bench_mlp [rows >= 8] [width] [rounds <= %d]\n", MAX_ROUNDS);
    return 2;
  }
  wal_mlp *net = NULL;
  const wal_mlp_config config = {
      .inputs = INPUTS, .outputs = 1, .width = width, .depth = DEPTH, .max_rows = rows, .seed = 1};
  float *x = malloc((size_t)rows * INPUTS * sizeof *x), *y = malloc((size_t)rows * sizeof *y);
  float *dy = malloc((size_t)rows * sizeof *dy);
  if (!x || !y || !dy || wal_mlp_cpu.create(&config, &net)) {
    fprintf(stderr, "%s\n", wal_error());
    return 1;
  }
  for (int64_t i = 0; i < rows * INPUTS; i++) x[i] = (float)wal_rng_normal(1, WAL_STREAM_TEST, (uint64_t)i);
  for (int64_t i = 0; i < rows; i++) dy[i] = 1.0f / (float)rows;
  net->ops->forward(net, rows, x, y);
  printf("network 10-%dx4-1, %lld rows, %d lanes, medians of %d rounds\n", width, (long long)rows, WAL_LANES,
         rounds);
  printf("largest error of 8 outputs against a naive pass in double: %.1e\n",
         forward_error(net, width, x, y));
  for (int threads = 1; threads <= 2; threads++) report(threads, rounds, net, rows, width, x, y, dy);
  net->ops->destroy(net);
  free(x), free(y), free(dy);
  return 0;
}
