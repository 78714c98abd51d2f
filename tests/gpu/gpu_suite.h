/* How a program of tests/gpu ends: it runs on the GPU that its library drives (a real one, or the emulation),
   or is skipped with the reason where there is none. */
#ifndef WAL_TESTS_GPU_SUITE_H
#define WAL_TESTS_GPU_SUITE_H

#include <stdio.h>

#include "gpu/cuda.h"
#include "tests/suite.h"

enum { SKIPPED = 77 }; /* what CTest is told to read as "not run" */

/* For main(): its exit status. Tests call the CUDA members; the device of the process is not changed. */
static inline int gpu_suite_run(Suite *suite) {
  char text[256];
  if (wal_cuda_probe(text, sizeof text) != WAL_OK) {
    printf("not run: %s\n", wal_error());
    return SKIPPED;
  }
  printf("on %s\n", text);
  fflush(stdout);
  return run_suite(suite);
}

#endif
