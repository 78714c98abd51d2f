/* The ground that the kernels stand on: what the library says of its device. */
#include <check.h>
#include <string.h>

#include "tests/gpu/gpu_suite.h"

START_TEST(probe_describes_device) {
  char text[256];
  ck_assert_int_eq(wal_cuda_probe(text, sizeof text), WAL_OK);
  ck_assert_msg(strstr(text, "CUDA"), "%s", text);
}
END_TEST

START_TEST(device_has_a_name) { ck_assert_str_eq(wal_device_cuda.name, "cuda"); }
END_TEST

int main(void) {
  Suite *suite = suite_create("gpu base");
  TCase *tests = tcase_create("device");
  tcase_set_timeout(tests, 120); /* a driver may take its time with the first process that asks */
  tcase_add_test(tests, probe_describes_device);
  tcase_add_test(tests, device_has_a_name);
  suite_add_tcase(suite, tests);
  return gpu_suite_run(suite);
}
