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

/* o of entry e at the outputs y, given what the uniform rule and PF give [N, M]. */
static double offset_of(const wal_instances *in, const double *w, const double *even, const double *fair,
                        const float *y, int e) {
  const int i = e / in->m, j = e % in->m;
  const double beta = 1 / (1 + exp(-y[2]));
  const double mix = (1 - beta) * worth(in, w, even, i, j) + beta * worth(in, w, fair, i, j);
  return 2 * in->b[j] / in->n * (4 * tanh(y[0] / 4) + 2 / (1 + exp(-y[1])) * mix);
}

enum { MOST_ENTRIES = 64 };

/* The allocation of one instance at the outputs y into a [N, M]; fair [N, M]: what PF gives. Returns whether
   something elsewhere is cut off at 4. */
static bool definition(const wal_instances *in, const double *w, const double *fair, const float *y,
                       double *a) {
  double even[MOST_ENTRIES], o[MOST_ENTRIES];
  bool cut = false;
  for (int j = 0; j < in->m; j++) share_level(in, w, NULL, j, even);
  for (int e = 0; e < in->n * in->m; e++) {
    const int i = e / in->m, j = e % in->m;
    cut |= worth(in, w, even, i, j) == 4 || worth(in, w, fair, i, j) == 4;
    o[e] = offset_of(in, w, even, fair, y, e);
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

enum { OWN = 10, INPUTS = 2 * OWN + 5 };

static bool wanted(const wal_instances *in, const double *w, int e) {
  return w[e / in->m] > 0 && in->v[e] > 0 && in->x[e] > 0 && in->b[e % in->m] > 0;
}

/* What the row of entry e says of it; given: what the uniform rule and PF give. */
static void see_own(const wal_instances *in, const double *w, const double *const given[2], int e,
                    double *own) {
  const int m = in->m, i = e / m;
  double elsewhere = 0;
  for (int o = 0; o < OWN; o++) own[o] = 0;
  if (!wanted(in, w, e)) return;
  for (int at = i * m; at < (i + 1) * m; at++) {
    const double unit = 2 * in->b[at % m] / in->n;
    if (!wanted(in, w, at)) continue;
    for (int r = 0; r < 2; r++) own[3 * r + (at != e)] += given[r][at] / unit;
    own[6 + (at != e)] += fmin(in->x[at], in->b[at % m]) / unit;
    if (at != e) elsewhere += in->v[at] * given[0][at];
  }
  for (int r = 0; r < 2; r++) own[3 * r + 2] = worth(in, w, given[r], i, e % m);
  if (!(elsewhere > 0)) return;
  const double ratio = log(elsewhere / own[1] / (in->v[e] * 2 * in->b[e % m] / in->n));
  own[8] = fmin(3, fmax(-3, ratio));
  own[9] = 1;
}

/* All of it; 0 where nothing is wanted. */
static void see(const wal_instances *in, const double *w, const double *const given[2], int e, double *row) {
  const int n = in->n, m = in->m;
  int others = 0, idle = 0;
  double asked = 0, other[OWN];
  for (int o = 0; o < INPUTS; o++) row[o] = 0;
  if (!wanted(in, w, e)) return;
  for (int at = e % m; at < n * m; at += m) {
    if (!wanted(in, w, at)) continue;
    asked += fmin(in->x[at], in->b[e % m]);
    if (at == e) continue;
    see_own(in, w, given, at, other);
    others++;
    for (int o = 0; o < OWN; o++) row[OWN + o] += other[o];
  }
  for (int o = OWN; o < 2 * OWN; o++) row[o] /= others ? others : 1;
  see_own(in, w, given, e, row);
  for (int i = 0; i < n; i++) idle += !wal_instance_takes_part(in, 0, i);
  row[20] = 2.0 * others / n;
  row[21] = asked / in->b[e % m] - 1;
  row[22] = fmin(1, fmax(-1, 10 * row[21]));
  row[23] = 2.0 * idle / n;
  row[24] = idle == 0;
}

static double silu(double x) { return x / (1 + exp(-x)); }

/* Where what is read differs between agents it becomes the offset, with the gate shut, else the gate. */
static int told_by(int input) { return input < 2 * OWN ? 0 : 1; }

/* 3 silu(silu(input)) is one output, and nothing else is read. */
static wal_mechanism *reader(int n, int m, int input) {
  wal_mechanism *f = make(n, m);
  const int width = n * m > 4 ? 32 : 64, output = told_by(input);
  const int64_t count = f->net->ops->parameter_count(f->net), first = width * (INPUTS + 1);
  float *p = calloc((size_t)count, sizeof *p);
  ck_assert_int_eq(count, first + width * (width + 1) + OUTPUTS * (width + 1));
  p[input] = 1; /* to unit 0 of the first layer */
  p[first] = 1; /* of the second */
  p[first + width * (width + 1) + width * output] = 3;
  if (output == 0) p[count - 2] = SHUT;
  ck_ok(f->net->ops->set(f->net, 0, p));
  free(p);
  return f;
}

/* One instance at one input; returns how many entries the input moves by much. */
static int compare_seen(const wal_instances *in, const double *w, const double *fair, int input,
                        const double *a) {
  double even[MOST_ENTRIES], o[MOST_ENTRIES], expected[MOST_ENTRIES], blind[MOST_ENTRIES], row[INPUTS];
  const double *const given[2] = {even, fair};
  int moved = 0;
  for (int j = 0; j < in->m; j++) share_level(in, w, NULL, j, even);
  for (int still = 1; still >= 0; still--) {
    for (int e = 0; e < in->n * in->m; e++) {
      float y[OUTPUTS] = {0, told_by(input) == 0 ? SHUT : 0, 0};
      see(in, w, given, e, row);
      if (!still) y[told_by(input)] = (float)(3 * silu(silu(row[input])));
      o[e] = offset_of(in, w, even, fair, y, e);
    }
    for (int j = 0; j < in->m; j++) share_level(in, w, o, j, still ? blind : expected);
  }
  for (int e = 0; e < in->n * in->m; e++) {
    ck_assert_msg(fabs(a[e] - expected[e]) <= 2e-6, "input %d, entry %d: %.9g, expected %.9g", input, e, a[e],
                  expected[e]);
    moved += fabs(expected[e] - blind[e]) > 1e-3;
  }
  return moved;
}

/* All inputs, one at a time; resources that are scarce, nearly enough, enough. */
START_TEST(it_sees_what_it_says) {
  enum { K = 80, N = 5, M = 3, NM = N * M };
  static double w[K * N], a[K * NM], fair[K * NM];
  wal_owned_instances in = draw_instances(K, N, M, 0.15, 10);
  const wal_pf_options options = wal_pf_defaults();
  make_awkward(&in, w);
  for (int e = 0; e < K * NM; e++) in.v[e] *= e % 4 ? 1 : 30;
  for (int e = 0; e < K * M; e++) in.b[e] *= e % 3 ? 1 : 1 + 2 * uniform(35, e);
  ck_ok(wal_pf_solve(&in.in, NULL, &options, &(wal_pf_solution){.a = fair}));
  for (int input = 0; input < INPUTS; input++) {
    int moved = 0;
    wal_mechanism *f = reader(N, M, input);
    ck_ok(wal_mechanism_allocate(f, &in.in, a));
    for (int k = 0; k < K; k++) {
      const wal_instances one = wal_instances_part(&in.in, k, 1);
      moved += compare_seen(&one, w + k * N, fair + k * NM, input, a + k * NM);
    }
    ck_assert_msg(moved >= 10, "input %d moves %d", input, moved);
    wal_mechanism_destroy(f);
  }
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
  t->wrong += !(error <= tol);
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
      ck_assert(isfinite(dv[e % nm]) && isfinite(dx[e % nm]));
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

/* With constant outputs everything is in doubles, and differences are exact to 6 digits. Some values and
   budgets are 0. */
START_TEST(offsets_are_differentiated_in_reports) {
  static const float outputs[][OUTPUTS] = {{0, 0, OPEN}, {0, 0.5f, -0.5f}, {0, 1, SHUT}};
  enum { K = 20, N = 4, M = 3 };
  wal_owned_instances in = draw_instances(K, N, M, 0.2, 11);
  static double w[K * N];
  for (int r = 0; r < K * N; r++) w[r] = 0.5 + uniform(51, r);
  for (int e = 0; e < K * N * M; e += 11) in.v[e] = 0;
  for (int e = 0; e < K * M; e += 13) in.b[e] = 0;
  in.in.w = w;
  wal_mechanism *f = constant(N, M, outputs[_i][0], outputs[_i][1], outputs[_i][2]);
  const tally t = differentiate(f, &in, 1e-6, 1e-5);
  assert_right("constant outputs", &t);
  wal_instances_destroy(&in);
  wal_mechanism_destroy(f);
}
END_TEST

static void spread_values(wal_owned_instances *in) {
  for (int64_t e = 0; e < in->in.count * in->in.n * in->in.m; e += 5) in->v[e] *= 40;
}

/* Through the network's inputs too, in floats; the last time with values so far apart that their ratios are
   cut off. */
START_TEST(inputs_are_differentiated_in_reports) {
  static const int shapes[][2] = {{2, 2}, {4, 3}, {4, 3}};
  enum { K = 16 };
  wal_mechanism *f = far_from_zero(shapes[_i][0], shapes[_i][1]);
  wal_owned_instances in = draw_instances(K, f->n, f->m, 0.2, 12);
  if (_i == 2) spread_values(&in);
  const tally t = differentiate(f, &in, 1e-3, 2e-2);
  assert_right("a network", &t);
  wal_instances_destroy(&in);
  wal_mechanism_destroy(f);
}
END_TEST

/* In every second instance agents who are nearly alike ask for 8% more than there is. */
static void make_nearly_enough(wal_owned_instances *in) {
  const int64_t n = in->in.n, m = in->in.m;
  for (int64_t k = 0; k < in->in.count; k += 2)
    for (int64_t j = 0; j < m; j++) {
      double asked = 0;
      for (int64_t e = k * n * m + j; e < (k + 1) * n * m; e += m) {
        in->v[e] = 0.9 + 0.1 * in->v[e];
        asked += in->x[e] = 0.9 + 0.1 * in->x[e];
      }
      in->b[k * m + j] = asked / 1.08;
    }
}

START_TEST(every_input_is_differentiated) {
  enum { K = 24, N = 4, M = 2 };
  wal_owned_instances in = draw_instances(K, N, M, 0.25, 16);
  make_nearly_enough(&in);
  for (int input = 0; input < INPUTS; input++) {
    wal_mechanism *f = reader(N, M, input);
    const tally t = differentiate(f, &in, 1e-3, 2e-2);
    ck_assert_msg(t.wrong == 0, "input %d: %d of %d are wrong, worst %g", input, t.wrong, t.smooth, t.worst);
    ck_assert_msg(10 * t.smooth >= 9 * t.cases && t.moving >= 10, "input %d: %d of %d smooth, %d move", input,
                  t.smooth, t.cases, t.moving);
    wal_mechanism_destroy(f);
  }
  wal_instances_destroy(&in);
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
  tcase_add_test(tests, it_sees_what_it_says);
  tcase_add_loop_test(tests, offsets_are_differentiated_in_reports, 0, 3);
  tcase_add_loop_test(tests, inputs_are_differentiated_in_reports, 0, 3);
  tcase_add_test(tests, every_input_is_differentiated);
  tcase_add_test(tests, outputs_are_differentiated);
  tcase_add_test(tests, ties_permute_too);
  tcase_add_test(tests, scaling_the_weights_changes_nothing);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
