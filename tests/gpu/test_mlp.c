/* The network on a device: the seam's conformance suite, and the CPU beside it. */
#include <check.h>

#include "gpu/cuda.h"
#include "tests/gpu/gpu_suite.h"
#include "tests/models/mlp_conformance.h"

int main(void) {
  Suite *suite = suite_create("gpu mlp");
  mlp_conformance(wal_device_cuda.mlp, suite);
  return gpu_suite_run(suite);
}
