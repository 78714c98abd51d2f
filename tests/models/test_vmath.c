/* vmath against the C library's long double functions (64-bit significands: 2^-11 ulp of a double). */
#include <check.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "models/common/rng.h"
#include "models/common/vmath.h"
#include "tests/suite.h"

enum { N = 400000 };

/* |got - want| in units of want's last place as a double (subnormals included). */
static double ulps(double got, long double want) {
  int e;
  frexpl(want, &e);
  const int place = e - 53 < -1074 ? -1074 : e - 53;
  return (double)(fabsl((long double)got - want) / ldexpl(1.0L, place));
}

static double uniform(uint64_t k, double lo, double hi) {
  return lo + (hi - lo) * wal_rng_uniform(17, WAL_STREAM_TEST, k);
}

static double worst_exp(double lo, double hi) {
  double worst = 0;
  for (uint64_t k = 0; k < N; k++) {
    const double x = uniform(k, lo, hi);
    worst = fmax(worst, ulps(wal_exp(x), expl(x)));
  }
  return worst;
}

START_TEST(exp_within_its_bound) {
  ck_assert_double_lt(worst_exp(-1e-3, 1e-3), 1.2);
  ck_assert_double_lt(worst_exp(-1, 1), 1.2);
  ck_assert_double_lt(worst_exp(-40, 40), 1.2);
  ck_assert_double_lt(worst_exp(-708, 709.7), 1.2);
  ck_assert_double_lt(worst_exp(-746, -707), 1.2); /* subnormal results */
}
END_TEST

/* The halves that softplus is made of, on their own domains. */
START_TEST(one_sided_functions_within_their_bounds) {
  double worst_exp_down = 0, worst_log1p = 0;
  for (uint64_t k = 0; k < N; k++) {
    const double x = uniform(k, -746, 0), y = uniform(k, -2, 0), t = uniform(k, 0, 1), tiny = exp2(x);
    worst_exp_down =
        fmax(worst_exp_down, fmax(ulps(wal_exp_down(x), expl(x)), ulps(wal_exp_down(y), expl(y))));
    worst_log1p =
        fmax(worst_log1p, fmax(ulps(wal_log1p_unit(t), log1pl(t)), ulps(wal_log1p_unit(tiny), log1pl(tiny))));
  }
  ck_assert_double_lt(worst_exp_down, 1.2);
  ck_assert_double_lt(worst_log1p, 1.5);
  ck_assert(wal_exp_down(0.0) == 1.0 && wal_exp_down(-INFINITY) == 0.0 &&
            wal_exp_down(-745.1) == DBL_TRUE_MIN);
  ck_assert(wal_log1p_unit(0.0) == 0.0 && wal_log1p_unit(DBL_TRUE_MIN) == DBL_TRUE_MIN);
  ck_assert(isnan(wal_exp_down(NAN)) && isnan(wal_log1p_unit(NAN)));
}
END_TEST

START_TEST(exp_edges) {
  ck_assert(wal_exp(0.0) == 1.0 && wal_exp(-0.0) == 1.0);
  ck_assert(wal_exp(INFINITY) == INFINITY && wal_exp(1e300) == INFINITY && wal_exp(709.79) == INFINITY);
  ck_assert(wal_exp(-INFINITY) == 0.0 && wal_exp(-1e300) == 0.0 && wal_exp(-746.0) == 0.0);
  ck_assert(isfinite(wal_exp(709.78)) && wal_exp(-745.1) == DBL_TRUE_MIN);
  ck_assert(isnan(wal_exp(NAN)));
}
END_TEST

/* x = 2^y over y in [lo, hi]: every binade alike. */
static double worst_log(double lo, double hi) {
  double worst = 0;
  for (uint64_t k = 0; k < N; k++) {
    const double x = exp2(uniform(k, lo, hi));
    worst = fmax(worst, ulps(wal_log(x), logl(x)));
  }
  return worst;
}

START_TEST(log_within_one_ulp) {
  ck_assert_double_lt(worst_log(-1074, 1023.99), 1.0);
  ck_assert_double_lt(worst_log(-2, 2), 1.0);
  ck_assert_double_lt(worst_log(-1e-3, 1e-3), 1.0);
  ck_assert_double_lt(worst_log(-1e-12, 1e-12), 1.0);
  ck_assert_double_lt(worst_log(-1074, -1020), 1.0); /* subnormal arguments */
}
END_TEST

START_TEST(log_edges) {
  ck_assert(wal_log(1.0) == 0.0);
  ck_assert(wal_log(0.0) == -INFINITY && wal_log(-0.0) == -INFINITY);
  ck_assert(wal_log(INFINITY) == INFINITY);
  ck_assert(isnan(wal_log(-1.0)) && isnan(wal_log(-INFINITY)) && isnan(wal_log(NAN)));
  ck_assert_double_lt(ulps(wal_log(DBL_TRUE_MIN), logl(DBL_TRUE_MIN)), 1.0);
  ck_assert_double_lt(ulps(wal_log(DBL_MAX), logl(DBL_MAX)), 1.0);
}
END_TEST

START_TEST(log1p_within_one_and_a_half_ulp) {
  double worst = 0;
  for (uint64_t k = 0; k < N; k++) {
    const double magnitude = exp2(uniform(2 * k, -80, 100)), x = magnitude;
    worst = fmax(worst, ulps(wal_log1p(x), log1pl(x)));
    const double y = -exp2(uniform(2 * k + 1, -80, 0));
    if (y > -1.0) worst = fmax(worst, ulps(wal_log1p(y), log1pl(y)));
    const double z = uniform(k, -0.75, 2);
    worst = fmax(worst, ulps(wal_log1p(z), log1pl(z)));
  }
  ck_assert_double_lt(worst, 1.5);
}
END_TEST

START_TEST(log1p_edges) {
  ck_assert(wal_log1p(0.0) == 0.0 && wal_log1p(1e-300) == 1e-300 && wal_log1p(DBL_TRUE_MIN) == DBL_TRUE_MIN);
  ck_assert(wal_log1p(-1.0) == -INFINITY && wal_log1p(INFINITY) == INFINITY);
  ck_assert(isnan(wal_log1p(-1.5)) && isnan(wal_log1p(NAN)));
  ck_assert_double_lt(ulps(wal_log1p(DBL_MAX), log1pl(DBL_MAX)), 1.0);
}
END_TEST

START_TEST(softplus_within_two_ulp) {
  const double range[] = {1e-6, 1, 30, 700, 5000};
  double worst = 0;
  for (int r = 0; r < 5; r++)
    for (uint64_t k = 0; k < N; k++) {
      const double z = uniform(k, -fmin(range[r], 744), range[r]);
      const long double want = z > 0 ? z + log1pl(expl(-(long double)z)) : log1pl(expl(z));
      worst = fmax(worst, ulps(wal_softplus(z), want));
    }
  ck_assert_double_lt(worst, 2.0);
}
END_TEST

START_TEST(softplus_edges) {
  ck_assert_double_eq_tol(wal_softplus(0.0), log(2), 1e-16);
  ck_assert(wal_softplus(INFINITY) == INFINITY && wal_softplus(-INFINITY) == 0.0);
  ck_assert(wal_softplus(1e300) == 1e300 && wal_softplus(-700.0) > 0.0);
  ck_assert(isnan(wal_softplus(NAN)));
}
END_TEST

/* The truth: the quarter turn is taken off exactly, then long double functions on at most an eighth of a
 * turn. */
static void true_sincos(double u, long double *s, long double *c) {
  const long double turn = rintl(4.0L * u),
                    angle = 2 * 3.14159265358979323846264338327950288L * (u - turn / 4);
  const long double a = sinl(angle), b = cosl(angle);
  const int quadrant = (int)(((long long)turn % 4 + 4) % 4);
  *s = quadrant == 0 ? a : quadrant == 1 ? b : quadrant == 2 ? -a : -b;
  *c = quadrant == 0 ? b : quadrant == 1 ? -a : quadrant == 2 ? -b : a;
}

START_TEST(sincos_within_one_and_a_half_ulp) {
  double worst = 0;
  for (uint64_t k = 0; k < N; k++) {
    const double u = k % 4 == 0   ? uniform(k, -3, 3)
                     : k % 4 == 1 ? exp2(uniform(k, -60, 0))
                     : k % 4 == 2 ? 0.25 * (double)(k % 5) + exp2(uniform(k, -50, -4))
                                  : uniform(k, 0, 1);
    double s, c;
    long double want_s, want_c;
    wal_sincos2pi(u, &s, &c);
    true_sincos(u, &want_s, &want_c);
    worst = fmax(worst, fmax(ulps(s, want_s), ulps(c, want_c)));
  }
  ck_assert_double_lt(worst, 1.5);
}
END_TEST

START_TEST(sincos_edges) {
  for (int q = -8; q <= 8; q++) {
    double s, c;
    wal_sincos2pi(0.25 * q, &s, &c);
    const int turn = (q + 8) % 4;
    ck_assert(s == (turn == 1) - (turn == 3) && c == (turn == 0) - (turn == 2));
  }
  double s, c;
  wal_sincos2pi(NAN, &s, &c);
  ck_assert(isnan(s) && isnan(c));
  wal_sincos2pi(INFINITY, &s, &c);
  ck_assert(isnan(s) && isnan(c));
}
END_TEST

static double ulpsf(float got, double want) {
  int e;
  frexp(want, &e);
  return fabs((double)got - want) / ldexp(1.0, e - 24 < -149 ? -149 : e - 24);
}

START_TEST(float_functions_within_their_bounds) {
  double worst_e = 0, worst_l = 0, worst_s = 0, worst_d = 0;
  for (uint64_t k = 0; k < N; k++) {
    const float x = (float)uniform(k, -104, 88.7), y = (float)exp2(uniform(k, -126, 127.9));
    const float near = (float)uniform(k, 0.5, 2), z = (float)uniform(k, -80, 40), small = z / 20;
    float slope;
    worst_e = fmax(worst_e, fmax(ulpsf(wal_expf(x), exp(x)), ulpsf(wal_expf(small), exp(small))));
    worst_l = fmax(worst_l, fmax(ulpsf(wal_logf(y), log(y)), ulpsf(wal_logf(near), log(near))));
    worst_s = fmax(worst_s, ulpsf(wal_softplusf(z, &slope), wal_softplus(z)));
    worst_d = fmax(worst_d, ulpsf(slope, 1 / (1 + exp(-(double)z))));
    worst_s = fmax(worst_s, ulpsf(wal_softplusf(small, &slope), wal_softplus(small)));
    worst_d = fmax(worst_d, ulpsf(slope, 1 / (1 + exp(-(double)small))));
  }
  ck_assert_double_lt(worst_e, 1.5);
  ck_assert_double_lt(worst_l, 2.0);
  ck_assert_double_lt(worst_s, 3.0);
  ck_assert_double_lt(worst_d, 3.0);
}
END_TEST

START_TEST(float_edges) {
  float slope;
  ck_assert(wal_expf(0.0f) == 1.0f && wal_expf(INFINITY) == INFINITY && wal_expf(-INFINITY) == 0.0f);
  ck_assert(isnan(wal_expf(NAN)) && isnan(wal_logf(NAN)) && isnan(wal_logf(-1.0f)));
  ck_assert(wal_logf(1.0f) == 0.0f && wal_logf(0.0f) == -INFINITY && wal_logf(INFINITY) == INFINITY);
  ck_assert(isnan(wal_softplusf(NAN, &slope)) && isnan(slope));
  ck_assert(wal_softplusf(INFINITY, &slope) == INFINITY && slope == 1.0f);
  ck_assert(wal_softplusf(-INFINITY, &slope) == 0.0f && slope == 0.0f);
}
END_TEST

/* A vectorised loop returns the bits of scalar calls. */
START_TEST(loops_have_the_bits_of_scalars) {
  enum { LENGTH = 1003 };
  static double x[LENGTH], e[LENGTH], l[LENGTH], p[LENGTH], s[LENGTH], c[LENGTH];
  for (uint64_t k = 0; k < LENGTH; k++) x[k] = uniform(k, -40, 40);
  x[0] = NAN, x[1] = INFINITY, x[2] = -INFINITY, x[3] = 0, x[4] = -745.1, x[5] = DBL_TRUE_MIN;
#pragma omp simd
  for (int k = 0; k < LENGTH; k++) {
    e[k] = wal_exp(x[k]);
    l[k] = wal_log(x[k]);
    p[k] = wal_softplus(x[k]);
    wal_sincos2pi(x[k], &s[k], &c[k]);
  }
  for (int k = 0; k < LENGTH; k++) {
    volatile double y = x[k];
    double sine, cosine;
    wal_sincos2pi(y, &sine, &cosine);
    const double want[] = {wal_exp(y), wal_log(y), wal_softplus(y), sine, cosine};
    const double got[] = {e[k], l[k], p[k], s[k], c[k]};
    for (int f = 0; f < 5; f++) ck_assert(got[f] == want[f] || (isnan(got[f]) && isnan(want[f])));
  }
}
END_TEST

/* The parts of the float32 generator and of values; in units of 2^-24 of the result, or of 1 for sines. */
START_TEST(float32_parts_within_their_bounds) {
  double down = 0, softplus = 0, logarithm = 0, circle = 0;
  for (uint64_t k = 0; k < N; k++) {
    const float x = (float)uniform(k, -87, 0), z = (float)uniform(k, -80, 80), y = (float)uniform(k, -1, 1);
    const float near = k % 2 ? (float)exp2(uniform(k, -60, -1)) : (float)uniform(k, 1e-9, 0.5);
    float sine, cosine;
    wal_sincos_halff(y, &sine, &cosine);
    circle = fmax(circle, fabs(sine - sin(M_PI / 2 * y)));
    circle = fmax(circle, fabs(cosine - cos(M_PI / 2 * y)));
    down = fmax(down, fabs(wal_exp_downf(x) / exp(x) - 1) / (1 + fabs(x) / 8));
    const double want = log1p(exp(-fabs((double)z))) + fmax(z, 0);
    softplus = fmax(softplus, fabs(wal_softplus_valuef(z) / want - 1) / (1 + fmax(-z, 0) / 8));
    logarithm = fmax(logarithm, fabs(wal_minus_log_unitf(near, 0) / -log(near) - 1));
    logarithm = fmax(logarithm, fabs(wal_minus_log_unitf(near, 1) / -log1p(-(double)near) - 1));
  }
  ck_assert_double_lt(down, 3 * 0x1p-24);
  ck_assert_double_lt(softplus, 4 * 0x1p-24);
  ck_assert_double_lt(logarithm, 4 * 0x1p-24);
  ck_assert_double_lt(circle, 3 * 0x1p-24);
  ck_assert(wal_exp_downf(0.0f) == 1.0f && wal_exp_downf(-1e30f) == wal_exp_downf(-87.0f));
  ck_assert(wal_exp_downf(-87.0f) >= FLT_MIN && wal_softplus_valuef(-1e30f) >= FLT_MIN);
  ck_assert(wal_softplus_valuef(1e30f) == 1e30f && isnan(wal_softplus_valuef(NAN)));
  ck_assert(wal_minus_log_unitf(0.5f, 0) == wal_minus_log_unitf(0.5f, 1));
}
END_TEST

int main(void) {
  Suite *s = suite_create("vmath");
  TCase *t = tcase_create("functions");
  tcase_set_timeout(t, 60);
  tcase_add_test(t, exp_within_its_bound);
  tcase_add_test(t, one_sided_functions_within_their_bounds);
  tcase_add_test(t, exp_edges);
  tcase_add_test(t, log_within_one_ulp);
  tcase_add_test(t, log_edges);
  tcase_add_test(t, log1p_within_one_and_a_half_ulp);
  tcase_add_test(t, log1p_edges);
  tcase_add_test(t, softplus_within_two_ulp);
  tcase_add_test(t, softplus_edges);
  tcase_add_test(t, sincos_within_one_and_a_half_ulp);
  tcase_add_test(t, sincos_edges);
  tcase_add_test(t, float_functions_within_their_bounds);
  tcase_add_test(t, float_edges);
  tcase_add_test(t, loops_have_the_bits_of_scalars);
  tcase_add_test(t, float32_parts_within_their_bounds);
  suite_add_tcase(s, t);
  return run_suite(s);
}
