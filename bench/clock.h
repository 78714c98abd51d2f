/* Clocks and memory of the programs in bench/. */
#ifndef WAL_BENCH_CLOCK_H
#define WAL_BENCH_CLOCK_H

#include <sys/resource.h>
#include <time.h>

static inline double bench_clock(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* On the wall, and of this process's threads together (less disturbed by neighbours). */
static inline double bench_seconds(void) { return bench_clock(CLOCK_MONOTONIC); }
static inline double bench_cpu_seconds(void) { return bench_clock(CLOCK_PROCESS_CPUTIME_ID); }

/* Largest resident memory so far. */
static inline double bench_peak_mb(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)usage.ru_maxrss / 1024.0; /* kB on Linux */
}

#endif
