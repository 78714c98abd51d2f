/* What the compiler must not do: GCC 12.2 with -march=native on AVX-512 machines copied constant arrays that
   begin with equal numbers and end in zeros as if they were equal throughout, unless moves are at most 128
   bits (CMakeLists.txt). */
#include <string.h>

#include "tests/suite.h"

__attribute__((noinline)) static void copy_three_ones(double *out) {
  const double a[4] = {1, 1, 1, 0};
  memcpy(out, a, sizeof a);
}

__attribute__((noinline)) static void copy_two_twos(double *out) {
  const double a[8] = {2, 2, 0, 0};
  memcpy(out, a, sizeof a);
}

START_TEST(constant_arrays_are_copied_as_they_are) {
  double out[8];
  copy_three_ones(out);
  for (int k = 0; k < 4; k++) ck_assert_double_eq(out[k], k < 3 ? 1 : 0);
  copy_two_twos(out);
  for (int k = 0; k < 8; k++) ck_assert_double_eq(out[k], k < 2 ? 2 : 0);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("compiler");
  TCase *tests = tcase_create("compiler");
  tcase_add_test(tests, constant_arrays_are_copied_as_they_are);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
