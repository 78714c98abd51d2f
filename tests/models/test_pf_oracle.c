/* Proportional fairness against an independent solver: a log-barrier method with dense Newton steps in
   quadruple precision, whose answer is certified by a bound that needs no multipliers of its own. */
#include "tests/models/pf_fixture.h"
#include "tests/suite.h"

typedef __float128 quad;

/* One instance's open entries, in the order of `entry`. */
typedef struct {
  int n, m, count;
  const double *v, *x, *b, *w, *z; /* [n, m], [n, m], [m], [n], [n, m] */
  int *entry;                      /* [count] i m + j */
  quad *a, *left, *p, *g, *step;   /* [count]; x - a; w v / u - z */
  quad *u, *rest;                  /* [n], [m]; left and rest are followed, not subtracted: nothing cancels */
  quad *h;                         /* [count, count] */
} barrier;

static void *take(size_t count, size_t size) {
  void *room = calloc(count + 1, size);
  ck_assert_ptr_nonnull(room);
  return room;
}

static barrier barrier_create(const test_pf *t, int64_t k) {
  const int n = t->in.n, m = t->in.m;
  const size_t nm = (size_t)(n * m);
  barrier q = {.n = n,
               .m = m,
               .v = t->in.v + k * n * m,
               .x = t->in.x + k * n * m,
               .b = t->in.b + k * m,
               .w = t->in.w + k * n,
               .z = t->z + k * n * m};
  q.entry = take(nm, sizeof *q.entry);
  for (int e = 0; e < n * m; e++)
    if (q.x[e] > 0) q.entry[q.count++] = e;
  q.a = take(5 * nm + (size_t)(n + m), sizeof *q.a);
  q.left = q.a + nm, q.p = q.left + nm, q.g = q.p + nm, q.step = q.g + nm, q.u = q.step + nm,
  q.rest = q.u + n;
  q.h = take(nm * nm, sizeof *q.h);
  for (int j = 0; j < m; j++) q.rest[j] = q.b[j];
  for (int l = 0; l < q.count; l++) {
    const int e = q.entry[l];
    q.a[l] = 0.5 * fmin(q.x[e], q.b[e % m] / n);
    q.left[l] = q.x[e] - q.a[l];
    q.rest[e % m] -= q.a[l];
  }
  return q;
}

static void barrier_destroy(barrier *q) {
  free(q->entry);
  free(q->a);
  free(q->h);
}

/* Utilities and marginal values. */
static void measure(barrier *q) {
  for (int i = 0; i < q->n; i++) q->u[i] = 0;
  for (int l = 0; l < q->count; l++) q->u[q->entry[l] / q->m] += q->v[q->entry[l]] * q->a[l];
  for (int l = 0; l < q->count; l++) {
    const int e = q->entry[l];
    q->p[l] = q->w[e / q->m] / q->u[e / q->m] * q->v[e] - q->z[e];
  }
}

static void move(barrier *q, quad length) {
  for (int l = 0; l < q->count; l++) {
    q->a[l] += length * q->step[l];
    q->left[l] -= length * q->step[l];
    q->rest[q->entry[l] % q->m] -= length * q->step[l];
  }
}

/* Gradient and Hessian of -t (sum w log u - <a, z>) - sum log a - sum log (x - a) - sum log rest. */
static void assemble(barrier *q, quad t) {
  for (int l = 0; l < q->count; l++) {
    const int e = q->entry[l], i = e / q->m, j = e % q->m;
    const quad left = q->left[l];
    q->g[l] = -t * q->p[l] - 1 / q->a[l] + 1 / left + 1 / q->rest[j];
    for (int r = 0; r <= l; r++) {
      const int f = q->entry[r];
      quad h = f % q->m == j ? 1 / (q->rest[j] * q->rest[j]) : 0;
      if (f / q->m == i) h += t * q->w[i] * q->v[e] / q->u[i] * q->v[f] / q->u[i];
      if (r == l) h += 1 / (q->a[l] * q->a[l]) + 1 / (left * left);
      q->h[l * q->count + r] = h;
    }
  }
}

/* step = -H^-1 g by L D L'; returns the squared Newton decrement. */
static quad newton(barrier *q) {
  const int c = q->count;
  quad decrement = 0;
  for (int l = 0; l < c; l++) {
    for (int r = 0; r <= l; r++) {
      quad sum = q->h[l * c + r];
      for (int k = 0; k < r; k++) sum -= q->h[l * c + k] * q->h[r * c + k] * q->h[k * c + k];
      q->h[l * c + r] = r == l ? sum : sum / q->h[r * c + r];
    }
    quad sum = -q->g[l];
    for (int k = 0; k < l; k++) sum -= q->h[l * c + k] * q->step[k];
    q->step[l] = sum;
  }
  for (int l = c - 1; l >= 0; l--) {
    quad sum = q->step[l] / q->h[l * c + l];
    for (int k = l + 1; k < c; k++) sum -= q->h[k * c + l] * q->step[k];
    q->step[l] = sum;
  }
  for (int l = 0; l < c; l++) decrement -= q->g[l] * q->step[l];
  return decrement;
}

/* At most how far sum w log u - <a, z> is below the optimum: it is concave, so that no feasible a' gains more
   than p . (a' - a) <= sum_j lambda_j b_j + sum (p - lambda)^+ x - p . a, for any lambda >= 0. */
static quad gap_bound(const barrier *q, quad t) {
  quad bound = 0;
  for (int j = 0; j < q->m; j++) bound += q->b[j] / (t * q->rest[j]);
  for (int l = 0; l < q->count; l++) {
    const quad excess = q->p[l] - 1 / (t * q->rest[q->entry[l] % q->m]);
    bound += (excess > 0 ? excess * q->x[q->entry[l]] : 0) - q->p[l] * q->a[l];
  }
  return bound;
}

/* Returns the bound of the answer, whose utilities are in u. Steps are damped by the decrement, which keeps
   them inside without a look (self-concordance, t w >= 1); only the last t needs the exact centre. */
static double barrier_solve(barrier *q) {
  const quad last = 1e24;
  quad t = 10;
  for (int i = 0; i < q->n; i++) t = t * q->w[i] < 10 ? 10 / (quad)q->w[i] : t;
  for (int steps = 0; steps < 600; steps++) {
    measure(q);
    assemble(q, t);
    const double decrement = sqrt(fmax((double)newton(q), 0));
    move(q, decrement > 0.25 ? 1 / (1 + (quad)decrement) : 1);
    if (t >= last && decrement < 1e-11) break;
    if (t < last && decrement <= 0.25) t *= 10;
  }
  measure(q);
  return (double)gap_bound(q, t);
}

static const test_pf_law laws[] = {
    {2, 2, 0.5, 0.7, 0, 0, 0},   {2, 2, 0.4, 1, 1, 1, 0},    {3, 4, 0.15, 0.8, 0, 1, 0},
    {4, 3, 0.2, 0.8, 0.5, 0, 0}, {10, 3, 0.5, 0.5, 0, 0, 0}, {10, 3, 0.25, 0.5, 0, 0, 0},
    {1, 4, 0.5, 1, 2, 0, 0},     {6, 1, 0.2, 1, 0, 2, 0},    {3, 3, 0.3, 0.8, 0, 0, 2},
    {3, 3, 0.3, 0.8, 1, 0, 2},   {4, 3, 0.2, 0.8, 0, 4, 0},  {4, 2, 0.2, 1, 1, 3, 0},
};
enum { LAWS = sizeof laws / sizeof *laws };

/* Utilities to 1e-8. The bound gives sum_i w_i (r_i - 1 - log r_i) <= gap for r_i = u_i* / u_i, so the
   barrier's own are right to sqrt(2 gap / w). Agents without a demand are left out. */
START_TEST(utilities_agree) {
  const test_pf_law law = laws[_i];
  const int count = law.n * law.m > 12 ? 4 : 12;
  test_pf t = test_pf_random(law, count, 51);
  test_pf_solve(&t);
  for (int k = 0; k < count; k++) {
    barrier q = barrier_create(&t, k);
    for (int i = 0; i < law.n; i++) {
      bool wants = false;
      for (int l = 0; l < q.count; l++) wants |= q.entry[l] / law.m == i;
      if (!wants) ck_assert_double_eq(t.out.u[k * law.n + i], 0);
    }
    const double gap = q.count > 0 ? barrier_solve(&q) : 0;
    for (int i = 0; i < law.n; i++) {
      const double u = t.out.u[k * law.n + i], within = sqrt(2 * gap / q.w[i]);
      if (u == 0) continue;
      ck_assert_double_lt(within, 1e-9);
      ck_assert_double_eq_tol((double)q.u[i] / u, 1, 1e-10);
    }
    barrier_destroy(&q);
  }
  test_pf_destroy(&t);
}
END_TEST

int main(void) {
  Suite *s = suite_create("pf_oracle");
  TCase *t = tcase_create("against a barrier method");
  tcase_set_timeout(t, 60);
  tcase_add_loop_test(t, utilities_agree, 0, LAWS);
  suite_add_tcase(s, t);
  return run_suite(s);
}
