/* Total variation distances of laws, against their definition. */
#include <math.h>
#include <string.h>

#include "models/mechanism/law_distance.h"
#include "tests/suite.h"

static wal_law law_of(int n, int m, double low, double high, double demanded) {
  wal_law law = wal_law_default(n, m, 3);
  law.low = low, law.high = high, law.demanded = demanded;
  return law;
}

static double distance_of(const wal_law *a, const wal_law *b) {
  double d;
  ck_assert_msg(wal_law_distance(a, b, &d) == WAL_OK, "%s", wal_error());
  return d;
}

/* Density of one entry's value, and of its demand: an atom at 0 (x = 0), else uniform. */
static double value_density(const wal_law *law, double v) {
  return v >= law->low && v <= law->high ? 1 / (law->high - law->low) : 0;
}

static double demand_density(const wal_law *law, double x) {
  return x > 0 ? law->demanded * value_density(law, x) : 1 - law->demanded;
}

/* One agent, one resource: half the integral of |f - g| by the midpoint rule. */
START_TEST(one_entry_by_quadrature) {
  enum { STEPS = 900 };
  const double lows[] = {0.1, 0.19, 0.55}, demands[] = {0.5, 0.2, 1};
  const wal_law wide = law_of(1, 1, 0.1, 1, 0.5);
  for (int k = 0; k < 9; k++) {
    const wal_law narrow = law_of(1, 1, lows[k / 3], 1, demands[k % 3]);
    const double h = 0.9 / STEPS;
    double sum = 0;
    for (int i = 0; i < STEPS; i++)
      for (int j = -1; j < STEPS; j++) { /* j = -1: no demand */
        const double v = 0.1 + (i + 0.5) * h, x = j < 0 ? 0 : 0.1 + (j + 0.5) * h;
        const double f = value_density(&narrow, v) * demand_density(&narrow, x),
                     g = value_density(&wide, v) * demand_density(&wide, x);
        sum += 0.5 * fabs(f - g) * h * (j < 0 ? 1 : h);
      }
    ck_assert_double_eq_tol(distance_of(&narrow, &wide), sum, 1e-9);
    ck_assert_double_eq_tol(distance_of(&wide, &narrow), sum, 1e-9);
  }
}
END_TEST

/* 2 x 2: E_F (1 - f'/f)_+ over instances that law_draw itself draws. */
START_TEST(instances_by_sampling) {
  enum { COUNT = 40000 };
  static const double lows[] = {0.1, 0.12, 0.3}, demands[] = {0.7, 0.5, 0.35};
  const wal_law home = law_of(2, 2, 0.1, 1, 0.5), away = law_of(2, 2, lows[_i], 1, demands[_i]);
  wal_owned_instances drawn;
  ck_assert_int_eq(wal_instances_create(COUNT, 2, 2, false, &drawn), WAL_OK);
  ck_assert_int_eq(wal_law_draw(&home, 0, &drawn), WAL_OK);
  double mean = 0, square = 0;
  for (int k = 0; k < COUNT; k++) {
    double ratio = 1;
    for (int e = 4 * k; e < 4 * k + 4; e++)
      ratio *= value_density(&away, drawn.v[e]) / value_density(&home, drawn.v[e]) *
               demand_density(&away, drawn.x[e]) / demand_density(&home, drawn.x[e]);
    const double left = fmax(1 - ratio, 0);
    mean += left / COUNT, square += left * left / COUNT;
  }
  wal_instances_destroy(&drawn);
  const double se = sqrt((square - mean * mean) / COUNT);
  ck_assert_double_eq_tol(distance_of(&home, &away), mean, 4 * se + 1e-12);
}
END_TEST

START_TEST(ends) {
  const wal_law home = law_of(2, 2, 0.1, 1, 0.5);
  ck_assert_double_eq_tol(distance_of(&home, &home), 0, 1e-12);
  const wal_law all = law_of(2, 2, 0.1, 1, 1); /* all four demanded: probability 1/16 under home */
  ck_assert_double_eq_tol(distance_of(&home, &all), 1 - 1.0 / 16, 1e-12);
  const wal_law far = law_of(10, 3, 0.9, 1, 0.5);
  ck_assert_double_eq_tol(
      distance_of(&far, &(wal_law){.n = 10, .m = 3, .low = 0.1, .high = 1, .demanded = 0.5}), 1, 1e-9);
}
END_TEST

START_TEST(refuses) {
  double d;
  const wal_law home = law_of(2, 2, 0.1, 1, 0.5);
  wal_law other = law_of(2, 2, 0.05, 0.9, 0.5);
  ck_assert_int_eq(wal_law_distance(&home, &other, &d), WAL_E_UNSUPPORTED);
  other = law_of(2, 3, 0.1, 1, 0.5);
  ck_assert_int_eq(wal_law_distance(&home, &other, &d), WAL_E_UNSUPPORTED);
  other = home;
  other.kind = WAL_LAW_PERTURBED;
  ck_assert_int_eq(wal_law_distance(&home, &other, &d), WAL_E_UNSUPPORTED);
  ck_assert_ptr_nonnull(strstr(wal_error(), "closed form"));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("models/law_distance");
  TCase *all = tcase_create("all");
  tcase_set_timeout(all, 60);
  tcase_add_test(all, one_entry_by_quadrature);
  tcase_add_loop_test(all, instances_by_sampling, 0, 3);
  tcase_add_test(all, ends);
  tcase_add_test(all, refuses);
  suite_add_tcase(suite, all);
  return run_suite(suite);
}
