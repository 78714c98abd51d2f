#include <Random123/philox.h>
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "models/common/rng.h"
#include "tests/suite.h"

/* Random123's published known answers for philox4x32-10: counter, key, output. */
static const struct {
  uint32_t counter[4], key[2], out[4];
} known[] = {
    {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     {0xffffffff, 0xffffffff},
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

START_TEST(philox_known_answers) {
  uint32_t out[4];
  wal_philox(known[_i].counter, known[_i].key, out);
  for (int k = 0; k < 4; k++) ck_assert_uint_eq(out[k], known[_i].out[k]);
}
END_TEST

/* Random123's own code, at counters and keys of all sizes. */
START_TEST(philox_is_random123s) {
  uint32_t x[6] = {1, 2, 3, 4, 5, 6}, out[4];
  for (int k = 0; k < 10000; k++) {
    const philox4x32_ctr_t c = {{x[0], x[1], x[2], x[3]}};
    const philox4x32_key_t key = {{x[4], x[5]}};
    const philox4x32_ctr_t want = philox4x32(c, key);
    wal_philox(x, x + 4, out);
    for (int i = 0; i < 4; i++) ck_assert_uint_eq(out[i], want.v[i]);
    for (int i = 0; i < 6; i++) x[i] = x[i] * 1664525u + 1013904223u + out[i % 4]; /* any sequence will do */
  }
}
END_TEST

START_TEST(block_packs_index_stream_and_seed) {
  const uint32_t counter[4] = {0x89abcdef, 0x01234567, WAL_STREAM_TEST, 0}, key[2] = {0x76543210, 0xfedcba98};
  uint32_t want[4], got[4];
  wal_philox(counter, key, want);
  wal_rng_block(0xfedcba9876543210u, WAL_STREAM_TEST, 0x0123456789abcdefu, got);
  for (int k = 0; k < 4; k++) ck_assert_uint_eq(got[k], want[k]);
}
END_TEST

/* Uniforms 2k, 2k+1 are the two 64-bit halves of block k: top 52 bits, plus a half. */
START_TEST(uniforms_are_the_blocks_top_bits) {
  for (uint64_t index = 0; index < 1000; index++) {
    uint32_t out[4];
    wal_rng_block(7, WAL_STREAM_TEST, index / 2, out);
    const int half = index % 2 ? 2 : 0;
    const uint64_t word = out[half] | (uint64_t)out[half + 1] << 32;
    ck_assert(wal_rng_uniform(7, WAL_STREAM_TEST, index) == ldexp((double)(word >> 12) + 0.5, -52));
  }
}
END_TEST

START_TEST(normals_are_box_muller_of_the_uniforms) {
  for (uint64_t k = 0; k < 1000; k++) {
    const double u = wal_rng_uniform(3, WAL_STREAM_TEST, 2 * k),
                 v = wal_rng_uniform(3, WAL_STREAM_TEST, 2 * k + 1);
    const double r = sqrt(-2.0 * log(u));
    ck_assert_double_eq_tol(wal_rng_normal(3, WAL_STREAM_TEST, 2 * k), r * cos(2 * M_PI * v),
                            2e-15 * (1 + r));
    ck_assert_double_eq_tol(wal_rng_normal(3, WAL_STREAM_TEST, 2 * k + 1), r * sin(2 * M_PI * v),
                            4e-15 * (1 + r));
    ck_assert_double_eq_tol(wal_rng_exponential(3, WAL_STREAM_TEST, 2 * k), -log(u), 1e-15 * (1 - log(u)));
  }
}
END_TEST

typedef double (*one_fn)(uint64_t, uint32_t, uint64_t);
typedef void (*many_fn)(uint64_t, uint32_t, uint64_t, int64_t, double *);
typedef void (*pairs32_fn)(uint64_t, uint32_t, uint64_t, uint64_t, int64_t, float *, float *);
static const struct {
  one_fn one;
  many_fn many;
  pairs32_fn pairs32;
} laws[] = {{wal_rng_uniform, wal_rng_uniforms, wal_rng_uniform_pairs32},
            {wal_rng_normal, wal_rng_normals, wal_rng_normal_pairs32},
            {wal_rng_exponential, wal_rng_exponentials, wal_rng_exponential_pairs32}};

START_TEST(ranges_have_the_bits_of_elements) {
  double out[101];
  for (int64_t count = 0; count <= 100; count++)
    for (uint64_t first = 0; first < 3; first++) {
      const uint64_t base = first + (uint64_t)count * 0x100000001u; /* also past 2^32 */
      out[count] = -77.0;
      laws[_i].many(11, WAL_STREAM_TEST, base, count, out);
      for (int64_t k = 0; k < count; k++)
        ck_assert(out[k] == laws[_i].one(11, WAL_STREAM_TEST, base + (uint64_t)k));
      ck_assert(out[count] == -77.0); /* nothing written past the end */
    }
}
END_TEST

/* Mean and variance within 5 standard errors; seeds, streams and neighbours do not repeat each other. */
START_TEST(moments_and_independence) {
  enum { N = 1 << 18 };
  const double mean[] = {0.5, 0.0, 1.0}, var[] = {1.0 / 12, 1.0, 1.0}, kurt[] = {1.8, 3.0, 9.0};
  double *x = malloc(N * sizeof *x), *y = malloc(N * sizeof *y), *z = malloc(N * sizeof *z);
  laws[_i].many(1, WAL_STREAM_TEST, 0, N, x);
  laws[_i].many(2, WAL_STREAM_TEST, 0, N, y);
  laws[_i].many(1, WAL_STREAM_START, 0, N, z);
  double m1 = 0, m2 = 0, seed = 0, stream = 0, next = 0;
  for (int k = 0; k < N; k++) {
    const double d = x[k] - mean[_i];
    m1 += d;
    m2 += d * d;
    seed += d * (y[k] - mean[_i]);
    stream += d * (z[k] - mean[_i]);
    next += d * (x[(k + 1) % N] - mean[_i]);
  }
  const double root = sqrt((double)N), v = var[_i];
  ck_assert_double_le(fabs(m1 / N), 5 * sqrt(v) / root);
  ck_assert_double_le(fabs(m2 / N - v), 5 * v * sqrt(kurt[_i] - 1) / root);
  ck_assert_double_le(fabs(seed / N), 5 * v / root);
  ck_assert_double_le(fabs(stream / N), 5 * v / root);
  ck_assert_double_le(fabs(next / N), 5 * v / root);
  free(x), free(y), free(z);
}
END_TEST

/* The same elements in float32, block by block and with a stride: to the rounding that rng.h states, in the
   tails too (a hundred thousand pairs reach uniforms of 1e-5), and far out. */
START_TEST(float32_pairs_are_the_elements) {
  enum { N = 1000, ROUNDS = 100 };
  static float even[N], odd[N];
  static double x[2 * N];
  const double scale = _i == 2 ? 0 : 1;
  double worst = 0;
  for (uint64_t k = 0; k < ROUNDS; k++) {
    const uint64_t first = k * N + (k % 2 ? (uint64_t)0xffffffff : 0);
    laws[_i].many(9, WAL_STREAM_TEST, 2 * first, 2 * N, x);
    laws[_i].pairs32(9, WAL_STREAM_TEST, first, 1, N, even, odd);
    for (int i = 0; i < N; i++) {
      worst = fmax(worst, fabs(even[i] - x[2 * i]) / fmax(scale, fabs(x[2 * i])));
      worst = fmax(worst, fabs(odd[i] - x[2 * i + 1]) / fmax(scale, fabs(x[2 * i + 1])));
    }
  }
  ck_assert_double_le(worst, 0x1p-20);
  const float a = even[15], b = odd[15];
  laws[_i].pairs32(9, WAL_STREAM_TEST, (ROUNDS - 1) * N + (uint64_t)0xffffffff, 5, 4, even, odd);
  ck_assert(even[3] == a && odd[3] == b);
}
END_TEST

START_TEST(below_is_uniform_and_in_range) {
  enum { BOUND = 7, N = 70000 };
  int seen[BOUND] = {0};
  for (uint64_t k = 0; k < N; k++) {
    const uint64_t r = wal_rng_below(5, WAL_STREAM_TEST, k, BOUND);
    ck_assert_uint_lt(r, BOUND);
    seen[r]++;
    ck_assert_uint_eq(wal_rng_below(5, WAL_STREAM_TEST, k, 1), 0);
    ck_assert_uint_lt(wal_rng_below(5, WAL_STREAM_TEST, k, UINT64_MAX), UINT64_MAX);
  }
  double chi2 = 0;
  for (int r = 0; r < BOUND; r++) chi2 += pow(seen[r] - N / BOUND, 2) / (N / BOUND);
  ck_assert_double_lt(chi2, 33); /* 6 degrees of freedom: passed by chance with probability 1 - 1e-5 */
}
END_TEST

int main(void) {
  Suite *s = suite_create("rng");
  TCase *t = tcase_create("philox");
  tcase_add_loop_test(t, philox_known_answers, 0, 3);
  tcase_add_test(t, philox_is_random123s);
  tcase_add_test(t, block_packs_index_stream_and_seed);
  tcase_add_test(t, uniforms_are_the_blocks_top_bits);
  tcase_add_test(t, normals_are_box_muller_of_the_uniforms);
  tcase_add_loop_test(t, ranges_have_the_bits_of_elements, 0, 3);
  tcase_add_loop_test(t, moments_and_independence, 0, 3);
  tcase_add_loop_test(t, float32_pairs_are_the_elements, 0, 3);
  tcase_add_test(t, below_is_uniform_and_in_range);
  suite_add_tcase(s, t);
  return run_suite(s);
}
