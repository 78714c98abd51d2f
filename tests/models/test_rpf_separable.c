/* The separable member of RPF-Net against its definition computed by other means, at outputs where it is
   known (the uniform rule, PF), and differentiated. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/rng.h"
#include "models/mechanism/attack.h"
#include "models/mechanism/pf.h"
#include "tests/models/mechanism_fixture.h"
#include "tests/suite.h"

enum { OUTPUTS = 3 };
enum { SHUT = -200, OPEN = 200 }; /* outputs that let nothing pass, and everything */

/* For small batches. */
static wal_mechanism *make(int n, int m) {
  wal_mechanism_options options = wal_mechanism_defaults();
  wal_mechanism *f = NULL;
  options.max_batch = 16;
  ck_ok(wal_mechanism_create("rpf_separable", n, m, &options, &f));
  return f;
}

/* Its network gives y = (offset, gate, fairness) whatever it reads. */
static wal_mechanism *constant(int n, int m, float offset, float gate, float fairness) {
  wal_mechanism *f = make(n, m);
  const int64_t count = f->net->ops->parameter_count(f->net);
  float *p = calloc((size_t)count, sizeof *p);
  p[count - 3] = offset;
  p[count - 2] = gate;
  p[count - 1] = fairness;
  ck_ok(f->net->ops->set(f->net, 0, p));
  free(p);
  return f;
}

static double uniform(uint64_t seed, int64_t at) {
  return wal_rng_uniform(seed, WAL_STREAM_TEST, (uint64_t)at);
}

/* ---- The definition, by bisection and in units of the resources ---- */

/* a_i = min(x_i, max(0, w_i theta - o_i)) of resource j of one instance; o, a [N, M]; o NULL: 0. */
static void share_level(const wal_instances *in, const double *w, const double *o, int j, double *a) {
  double lo = -1e6, hi = 1e6, asked = 0;
  for (int t = 0; t < 300; t++) {
    const double theta = t ? 0.5 * (lo + hi) : 1e6;
    double sum = 0;
    for (int i = 0; i < in->n; i++) {
      const int e = i * in->m + j;
      const double open = w[i] > 0 && in->v[e] > 0 ? in->x[e] : 0, at = o ? o[e] : 0;
      a[e] = fmax(0, fmin(open, w[i] * theta - at));
      if (t == 0) asked += a[e] = open;
      sum += a[e];
    }
    if (t == 0 && asked <= in->b[j]) return;
    *(sum < in->b[j] ? &lo : &hi) = theta;
  }
}

/* What agent i has beside resource j of the allocation a [N, M], in units c_j, at most 4. */
static double worth(const wal_instances *in, const double *w, const double *a, int i, int j) {
  const double *v = in->v + i * in->m;
  double sum = 0;
  for (int l = 0; l < in->m; l++)
    if (l != j && in->b[l] > 0) sum += v[l] * a[i * in->m + l];
  const bool wanted = w[i] > 0 && v[j] > 0 && in->x[i * in->m + j] > 0 && in->b[j] > 0;
  return wanted ? fmin(4, sum / v[j] / (2 * in->b[j] / in->n)) : 0;
}

/* The allocation of one instance at the outputs y into a [N, M]; fair [N, M]: what PF gives. Returns whether
   something elsewhere is cut off at 4. */
static bool definition(const wal_instances *in, const double *w, const double *fair, const float *y,
                       double *a) {
  enum { MOST = 64 };
  double even[MOST], o[MOST];
  bool cut = false;
  const double beta = 1 / (1 + exp(-y[2]));
  for (int j = 0; j < in->m; j++) share_level(in, w, NULL, j, even);
  for (int e = 0; e < in->n * in->m; e++) {
    const int i = e / in->m, j = e % in->m;
    const double u = worth(in, w, even, i, j), p = worth(in, w, fair, i, j);
    cut |= u == 4 || p == 4;
    o[e] = 2 * in->b[j] / in->n * (4 * tanh(y[0] / 4) + 2 / (1 + exp(-y[1])) * ((1 - beta) * u + beta * p));
  }
  for (int j = 0; j < in->m; j++) share_level(in, w, o, j, a);
  return cut;
}

/* Weights, agents without a weight or a demand or a value, budgets of 0. */
static void make_awkward(wal_owned_instances *in, double *w) {
  const int n = in->in.n, m = in->in.m;
  for (int64_t r = 0; r < in->in.count * n; r++) {
    const double what = uniform(31, r);
    w[r] = what < 0.1 ? 0 : 0.5 + 2 * uniform(32, r);
    for (int j = 0; j < m; j++) {
      if (what > 0.9) in->x[r * m + j] = 0;
      if (uniform(33, r * m + j) < 0.05) in->v[r * m + j] = 0;
    }
  }
  for (int64_t e = 0; e < in->in.count * m; e++)
    if (uniform(34, e) < 0.1) in->b[e] = 0;
  in->in.w = w;
}

START_TEST(it_is_what_its_definition_says) {
  static const int shapes[][2] = {{1, 1}, {1, 3}, {3, 1}, {2, 2}, {4, 3}, {10, 3}};
  static const float outputs[][OUTPUTS] = {{0, 0, 0}, {0, 1.5f, -1}, {2, -1, 1}, {0, SHUT, 0}, {0, 0, OPEN}};
  enum { K = 60, MOST = K * 30 };
  const int n = shapes[_i][0], m = shapes[_i][1], nm = n * m;
  static double w[MOST], a[MOST], fair[MOST], expected[MOST];
  wal_owned_instances in = draw_instances(K, n, m, 0.2, 40);
  const wal_pf_options options = wal_pf_defaults();
  make_awkward(&in, w);
  ck_ok(wal_pf_solve(&in.in, NULL, &options, &(wal_pf_solution){.a = fair}));
  for (int y = 0; y < 5; y++) {
    wal_mechanism *f = constant(n, m, outputs[y][0], outputs[y][1], outputs[y][2]);
    ck_ok(wal_mechanism_allocate(f, &in.in, a));
    for (int k = 0; k < K; k++) {
      const wal_instances one = wal_instances_part(&in.in, k, 1);
      definition(&one, w + k * n, fair + k * nm, outputs[y], expected + k * nm);
    }
    for (int e = 0; e < K * nm; e++)
      ck_assert_msg(fabs(a[e] - expected[e]) <= 1e-9, "%d x %d, outputs %d, entry %d: %.12g, expected %.12g",
                    n, m, y, e, a[e], expected[e]);
    wal_mechanism_destroy(f);
  }
  wal_instances_destroy(&in);
}
END_TEST

/* ---- Outputs at which it is known ---- */

/* Equal shares up to the demands, by bisection on the share. */
static void uniform_rule(int n, int m, const double *x, double b, double *a) {
  double asked = 0, lo = 0, hi = b;
  for (int i = 0; i < n; i++) asked += x[i * m];
  for (int t = 0; t < 200; t++) {
    const double share = 0.5 * (lo + hi);
    double sum = 0;
    for (int i = 0; i < n; i++) sum += fmin(x[i * m], share);
    *(sum < b ? &lo : &hi) = share;
  }
  for (int i = 0; i < n; i++) a[i * m] = asked <= b ? x[i * m] : fmin(x[i * m], lo);
}

START_TEST(without_offsets_it_is_the_uniform_rule) {
  enum { K = 100, N = 5, M = 3, NM = N * M };
  wal_owned_instances in = draw_instances(K, N, M, 0.15, 3);
  wal_mechanism *f = constant(N, M, 0, SHUT, 1);
  static double a[K * NM], expected[K * NM];
  ck_ok(wal_mechanism_allocate(f, &in.in, a));
  int contested = 0;
  for (int k = 0; k < K; k++)
    for (int j = 0; j < M; j++) {
      uniform_rule(N, M, in.x + k * NM + j, in.b[k * M + j], expected + k * NM + j);
      for (int e = k * NM + j; e < (k + 1) * NM; e += M) contested += a[e] < in.x[e];
    }
  for (int e = 0; e < K * NM; e++) ck_assert_double_eq_tol(a[e], expected[e], 1e-12);
  ck_assert_int_ge(contested, K);
  wal_instances_destroy(&in);
  wal_mechanism_destroy(f);
}
END_TEST

/* Sprumont (1991): no lie about a peak gains; that of values is not read. */
START_TEST(no_lie_beats_the_uniform_rule) {
  static const int shapes[][2] = {{2, 2}, {4, 3}};
  enum { K = 12 };
  const int n = shapes[_i][0], m = shapes[_i][1];
  wal_owned_instances in = draw_instances(K, n, m, 0.3, 5);
  wal_mechanism *f = constant(n, m, 0, SHUT, 0), *open = constant(n, m, 0, 0, 0);
  wal_attack_options options = wal_attack_defaults("strong");
  options.candidates = 60;
  options.refine = 3;
  double gain[K * 4], sum = 0;
  ck_ok(wal_attack(f, &in.in, &options, &(wal_attack_result){.gain = gain}));
  for (int r = 0; r < K * n; r++) ck_assert_double_le(gain[r], 1e-12);
  ck_ok(wal_attack(open, &in.in, &options, &(wal_attack_result){.gain = gain}));
  for (int r = 0; r < K * n; r++) sum += gain[r]; /* the search can find something */
  ck_assert_double_gt(sum / (K * n), 1e-3);
  wal_instances_destroy(&in);
  wal_mechanism_destroy(f);
  wal_mechanism_destroy(open);
}
END_TEST

/* Nobody is given more or less utility than by PF, where nobody has over 4 units elsewhere. */
START_TEST(it_can_be_pf) {
  static const int shapes[][2] = {{2, 2}, {4, 3}, {10, 3}};
  enum { K = 100, MOST = K * 30 };
  const int n = shapes[_i][0], m = shapes[_i][1], nm = n * m;
  static double w[MOST], a[MOST], fair[MOST], room[MOST], u[MOST], expected[MOST];
  wal_owned_instances in = draw_instances(K, n, m, 0.25, 8);
  for (int r = 0; r < K * n; r++) w[r] = 0.5 + 0.25 * (r % 7);
  in.in.w = w;
  wal_mechanism *f = constant(n, m, 0, 0, OPEN);
  const wal_pf_options options = wal_pf_defaults();
  ck_ok(wal_mechanism_allocate(f, &in.in, a));
  ck_ok(wal_pf_solve(&in.in, NULL, &options, &(wal_pf_solution){.a = fair}));
  wal_utilities(&in.in, a, u);
  wal_utilities(&in.in, fair, expected);
  int whole = 0;
  for (int k = 0; k < K; k++) {
    const wal_instances one = wal_instances_part(&in.in, k, 1);
    const float y[OUTPUTS] = {0, 0, OPEN};
    if (definition(&one, w + k * n, fair + k * nm, y, room)) continue;
    whole++;
    for (int r = k * n; r < (k + 1) * n; r++) ck_assert_double_eq_tol(u[r], expected[r], 1e-8);
  }
  ck_assert_int_ge(whole, K / 4);
  wal_instances_destroy(&in);
  wal_mechanism_destroy(f);
}
END_TEST

/* Only the first resource is contested; weights; nobody has more than 4 units elsewhere. Whatever the two are
   mixed by, it is PF. */
START_TEST(one_contested_resource_is_shared_as_by_pf) {
  enum { K = 200, N = 4, M = 3, NM = N * M };
  wal_owned_instances in = draw_instances(K, N, M, 0.5, 8);
  static double w[K * N], a[K * NM], expected[K * NM];
  for (int r = 0; r < K * N; r++) w[r] = 0.5 + 0.25 * (r % 7);
  in.in.w = w;
  for (int k = 0; k < K; k++) {
    in.b[k * M] = 0.4;
    in.b[k * M + 1] = in.b[k * M + 2] = N;
    for (int i = 0; i < N; i++) { /* elsewhere at most 3 (0.1 + 0.1) = 0.6, a unit is 0.2 */
      double *x = in.x + k * NM + i * M, *v = in.v + k * NM + i * M;
      x[1] *= 0.1, x[2] *= 0.1;
      v[0] = 0.4 + 0.6 * v[0];
    }
  }
  wal_mechanism *f = constant(N, M, 0, 0, 0.7f);
  const wal_pf_options options = wal_pf_defaults();
  ck_ok(wal_mechanism_allocate(f, &in.in, a));
  ck_ok(wal_pf_solve(&in.in, NULL, &options, &(wal_pf_solution){.a = expected}));
  for (int e = 0; e < K * NM; e++) ck_assert_double_eq_tol(a[e], expected[e], 1e-9);
  wal_instances_destroy(&in);
  wal_mechanism_destroy(f);
}
END_TEST

/* Whoever has the least elsewhere is served first: offsets shift the level and nothing else. */
START_TEST(the_same_offset_for_all_changes_nothing) {
  enum { K = 50, N = 3, M = 2, NM = N * M };
  wal_owned_instances in = draw_instances(K, N, M, 0.2, 9);
  wal_mechanism *f = constant(N, M, 0, 1, -1), *g = constant(N, M, 1.5f, 1, -1);
  double a[K * NM], b[K * NM];
  ck_ok(wal_mechanism_allocate(f, &in.in, a));
  ck_ok(wal_mechanism_allocate(g, &in.in, b));
  for (int e = 0; e < K * NM; e++) ck_assert_double_eq_tol(a[e], b[e], 1e-12);
  wal_instances_destroy(&in);
  wal_mechanism_destroy(f);
  wal_mechanism_destroy(g);
}
END_TEST

/* ---- What the network sees ---- */

static double silu(double x) { return x / (1 + exp(-x)); }

/* The gate is 3 silu(silu(input)), `back` from the last input, and nothing else is read. */
static wal_mechanism *reader(int n, int m, int back) {
  wal_mechanism *f = make(n, m);
  const int width = n * m > 4 ? 32 : 64;
  const int64_t count = f->net->ops->parameter_count(f->net);
  const int64_t last = OUTPUTS * (width + 1), hidden = width * (width + 1);
  const int64_t inputs = (count - last - hidden) / width - 1;
  float *p = calloc((size_t)count, sizeof *p);
  p[inputs - 1 - back] = 1;                     /* to unit 0 of the first layer */
  p[width * (inputs + 1)] = 1;                  /* of the second */
  p[width * (inputs + 1) + hidden + width] = 3; /* to the gate */
  ck_ok(f->net->ops->set(f->net, 0, p));
  free(p);
  return f;
}

/* Of 5 agents k mod 4 demand nothing. */
START_TEST(it_sees_who_takes_part) {
  enum { K = 40, N = 5, M = 2, NM = N * M };
  wal_owned_instances in = draw_instances(K, N, M, 0.1, 10);
  double a[NM], b[NM];
  int differ = 0;
  for (int k = 0; k < K; k++) {
    const int idle = k % 4;
    for (int e = 0; e < NM; e++) in.x[k * NM + e] = e / M < idle ? 0 : 0.1 + 0.9 * uniform(41, k * NM + e);
    const wal_instances one = wal_instances_part(&in.in, k, 1);
    for (int back = 0; back < 2; back++) {
      const double input = back ? idle * 2.0 / N : idle == 0;
      wal_mechanism *f = reader(N, M, back), *g = constant(N, M, 0, (float)(3 * silu(silu(input))), 0);
      wal_mechanism *blind = constant(N, M, 0, 0, 0);
      ck_ok(wal_mechanism_allocate(f, &one, a));
      ck_ok(wal_mechanism_allocate(g, &one, b));
      for (int e = 0; e < NM; e++) ck_assert_double_eq_tol(a[e], b[e], 1e-6);
      ck_ok(wal_mechanism_allocate(blind, &one, b));
      for (int e = 0; e < NM; e++) differ += fabs(a[e] - b[e]) > 1e-3;
      wal_mechanism_destroy(f), wal_mechanism_destroy(g), wal_mechanism_destroy(blind);
    }
  }
  ck_assert_int_gt(differ, K);
  wal_instances_destroy(&in);
}
END_TEST

/* ---- Derivatives ---- */

static wal_mechanism *far_from_zero(int n, int m) {
  wal_mechanism *f = make(n, m);
  const int64_t count = f->net->ops->parameter_count(f->net);
  float *p = calloc((size_t)count, sizeof *p);
  ck_ok(f->net->ops->get(f->net, 0, p));
  for (int64_t e = 0; e < count; e++) p[e] *= 2;
  ck_ok(f->net->ops->set(f->net, 0, p));
  free(p);
  return f;
}

static double projected(const wal_mechanism *f, const wal_instances *in, const double *da) {
  double a[64], sum = 0;
  ck_ok(wal_mechanism_allocate(f, in, a));
  for (int e = 0; e < in->n * in->m; e++) sum += da[e] * a[e];
  return sum;
}

typedef struct {
  int cases, smooth, wrong, moving;
  double worst;
} tally;

/* At kinks, where a bound or 4 units are just met or value ratios meet, the sides differ: nothing is said. */
static void compare(tally *t, double slope, const double y[3], double h, double tol) {
  const double left = (y[1] - y[0]) / h, right = (y[2] - y[1]) / h, middle = 0.5 * (left + right);
  t->cases++;
  if (fabs(left - right) > 0.02 * (fabs(middle) + 1)) return;
  const double error = fabs(slope - middle) / (fabs(middle) + 1);
  t->smooth++;
  t->wrong += error > tol;
  t->moving += fabs(middle) > 0.02;
  t->worst = fmax(t->worst, error);
}

/* All numbers of the reports of K instances, one at a time. */
static tally differentiate(wal_mechanism *f, wal_owned_instances *in, double h, double tol) {
  const int n = f->n, m = f->m, nm = n * m;
  double da[64], dv[64], dx[64];
  tally t = {0};
  for (int64_t k = 0; k < in->in.count; k++) {
    const wal_instances one = wal_instances_part(&in->in, k, 1);
    wal_rng_normals(50 + (uint64_t)k, WAL_STREAM_TEST, 0, nm, da);
    ck_ok(f->kind->vjp(f, &one, da, dv, dx));
    for (int e = 0; e < 2 * nm; e++) {
      double *number = (e < nm ? in->v : in->x) + k * nm + e % nm, y[3];
      const double at = *number;
      if (!(in->x[k * nm + e % nm] > 0) || at < 2 * h) continue; /* a jump: who wants it changes */
      for (int s = 0; s < 3; s++) *number = at + (s - 1) * h, y[s] = projected(f, &one, da);
      *number = at;
      compare(&t, e < nm ? dv[e] : dx[e - nm], y, h, tol);
    }
  }
  return t;
}

static void assert_right(const char *what, const tally *t) {
  ck_assert_msg(t->wrong == 0, "%s: %d of %d are wrong, worst %g", what, t->wrong, t->smooth, t->worst);
  ck_assert_msg(10 * t->smooth >= 9 * t->cases, "%s: %d of %d smooth", what, t->smooth, t->cases);
  ck_assert_msg(4 * t->moving >= t->cases, "%s: %d of %d move", what, t->moving, t->cases);
}

/* With constant outputs everything is in doubles, and differences are exact to 6 digits. */
START_TEST(offsets_are_differentiated_in_reports) {
  static const float outputs[][OUTPUTS] = {{0, 0, OPEN}, {0, 0.5f, -0.5f}, {0, 1, SHUT}};
  enum { K = 20, N = 4, M = 3 };
  wal_owned_instances in = draw_instances(K, N, M, 0.2, 11);
  static double w[K * N];
  for (int r = 0; r < K * N; r++) w[r] = 0.5 + uniform(51, r);
  in.in.w = w;
  wal_mechanism *f = constant(N, M, outputs[_i][0], outputs[_i][1], outputs[_i][2]);
  const tally t = differentiate(f, &in, 1e-6, 1e-5);
  assert_right("constant outputs", &t);
  wal_instances_destroy(&in);
  wal_mechanism_destroy(f);
}
END_TEST

/* Through the network's inputs too, in floats. */
START_TEST(inputs_are_differentiated_in_reports) {
  static const int shapes[][2] = {{2, 2}, {4, 3}};
  enum { K = 16 };
  wal_mechanism *f = far_from_zero(shapes[_i][0], shapes[_i][1]);
  wal_owned_instances in = draw_instances(K, f->n, f->m, 0.2, 12);
  const tally t = differentiate(f, &in, 1e-3, 2e-2);
  assert_right("a network", &t);
  wal_instances_destroy(&in);
  wal_mechanism_destroy(f);
}
END_TEST

/* The three outputs' biases, which move every entry's output. */
START_TEST(outputs_are_differentiated) {
  enum { K = 30, N = 4, M = 3, NM = N * M };
  wal_owned_instances in = draw_instances(K, N, M, 0.2, 13);
  wal_mechanism *f = far_from_zero(N, M);
  const wal_mlp_ops *net = f->net->ops;
  const int64_t count = net->parameter_count(f->net);
  float *p = calloc((size_t)count, sizeof *p), *g = calloc((size_t)count, sizeof *g);
  tally t = {0};
  ck_ok(net->get(f->net, 0, p));
  for (int k = 0; k < K; k++) {
    const wal_instances one = wal_instances_part(&in.in, k, 1);
    double da[NM];
    wal_rng_normals(70 + (uint64_t)k, WAL_STREAM_TEST, 0, NM, da);
    ck_ok(f->kind->vjp(f, &one, da, NULL, NULL));
    ck_ok(net->get(f->net, 1, g));
    for (int64_t e = count - OUTPUTS + 1; e < count; e++) { /* a common offset changes nothing */
      const float at = p[e], h = 0x1p-8f;
      double y[3];
      for (int s = 0; s < 3; s++) {
        p[e] = at + (float)(s - 1) * h;
        ck_ok(net->set(f->net, 0, p));
        y[s] = projected(f, &one, da);
      }
      p[e] = at;
      ck_ok(net->set(f->net, 0, p));
      compare(&t, g[e], y, h, 1e-3);
    }
    ck_assert_double_eq_tol(g[count - OUTPUTS], 0, 0.2);
  }
  assert_right("gate and fairness", &t);
  free(p), free(g);
  wal_instances_destroy(&in);
  wal_mechanism_destroy(f);
}
END_TEST

enum { AGENTS = 4, RESOURCES = 3 };

/* Agents turned by 1, resources by 2. */
static int turned(int e) {
  return (e / RESOURCES + 1) % AGENTS * RESOURCES + (e % RESOURCES + 2) % RESOURCES;
}

/* Values and demands of 1 or 2: PF has many allocations, and the one that is looked at must not go by the
   order of agents or resources. */
START_TEST(ties_permute_too) {
  enum { K = 60, NM = AGENTS * RESOURCES };
  wal_owned_instances in = draw_instances(K, AGENTS, RESOURCES, 0.5, 15),
                      other = draw_instances(K, AGENTS, RESOURCES, 0.5, 15);
  static double a[K * NM], b[K * NM];
  static bool unique[K];
  int ties = 0;
  for (int e = 0; e < K * NM; e++) {
    const int to = e / NM * NM + turned(e % NM);
    other.v[to] = in.v[e] = 1 + (uniform(61, e) < 0.5);
    other.x[to] = in.x[e] = 1 + (uniform(62, e) < 0.5);
  }
  wal_mechanism *f = far_from_zero(AGENTS, RESOURCES);
  ck_ok(wal_mechanism_allocate(f, &in.in, a));
  ck_ok(wal_mechanism_allocate(f, &other.in, b));
  for (int e = 0; e < K * NM; e++) ck_assert_double_eq_tol(b[e / NM * NM + turned(e % NM)], a[e], 1e-5);
  const wal_pf_options options = wal_pf_defaults();
  ck_ok(wal_pf_solve(&in.in, NULL, &options, &(wal_pf_solution){.a = a}));
  ck_ok(wal_pf_unique(&in.in, NULL, a, unique));
  for (int k = 0; k < K; k++) ties += !unique[k];
  ck_assert_int_ge(ties, K / 2);
  wal_instances_destroy(&in), wal_instances_destroy(&other);
  wal_mechanism_destroy(f);
}
END_TEST

/* The unit of the weights is free. */
START_TEST(scaling_the_weights_changes_nothing) {
  enum { K = 50, N = 4, M = 3, NM = N * M };
  wal_owned_instances in = draw_instances(K, N, M, 0.2, 14);
  static double w[K * N], a[K * NM], b[K * NM];
  wal_mechanism *f = far_from_zero(N, M);
  in.in.w = w;
  for (int run = 0; run < 2; run++) {
    for (int r = 0; r < K * N; r++) w[r] = (run ? 1e6 : 1) * (0.5 + uniform(52, r));
    ck_ok(wal_mechanism_allocate(f, &in.in, run ? b : a));
  }
  for (int e = 0; e < K * NM; e++) ck_assert_double_eq_tol(a[e], b[e], 1e-5);
  wal_instances_destroy(&in);
  wal_mechanism_destroy(f);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("rpf_separable");
  TCase *tests = tcase_create("rpf_separable");
  tcase_set_timeout(tests, 120);
  tcase_add_loop_test(tests, it_is_what_its_definition_says, 0, 6);
  tcase_add_test(tests, without_offsets_it_is_the_uniform_rule);
  tcase_add_loop_test(tests, no_lie_beats_the_uniform_rule, 0, 2);
  tcase_add_loop_test(tests, it_can_be_pf, 0, 3);
  tcase_add_test(tests, one_contested_resource_is_shared_as_by_pf);
  tcase_add_test(tests, the_same_offset_for_all_changes_nothing);
  tcase_add_test(tests, it_sees_who_takes_part);
  tcase_add_loop_test(tests, offsets_are_differentiated_in_reports, 0, 3);
  tcase_add_loop_test(tests, inputs_are_differentiated_in_reports, 0, 2);
  tcase_add_test(tests, outputs_are_differentiated);
  tcase_add_test(tests, ties_permute_too);
  tcase_add_test(tests, scaling_the_weights_changes_nothing);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
