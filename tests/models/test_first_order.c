/* tatonnement, pr, eg_scaled: first-order methods, against the exact solver, the equilibrium conditions
   recomputed from the answer, textbook implementations and the theorems that their files cite. */
#include <string.h>

#include "models/common/parallel.h"
#include "models/market/contexts.h"
#include "models/market/solver.h"
#include "models/market/welfare.h"
#include "tests/models/market_fixture.h"
#include "tests/suite.h"

enum { N = 40, M = 5 };
static const double alphas[] = {1, 0.9, 0.5, 0.25, 0, -0.25, -1, -4};
enum { ALPHAS = sizeof alphas / sizeof *alphas };

static wal_solver_options options_to(double tol) {
  wal_solver_options o;
  wal_solver_defaults(&o);
  o.tatonnement.tol = o.pr.tol = o.eg_scaled.tol = tol;
  return o;
}

static wal_solution solve(const char *name, const wal_market *market, const wal_solver_options *options,
                          const wal_trace *trace) {
  wal_solution s;
  ck_assert_msg(wal_solver_find(name)->solve(market, options, trace, &s) == WAL_OK, "%s: %s", name,
                wal_error());
  return s;
}

/* Shares at p, from the values, without logs; alpha < 1. */
static void shares_at(const test_market *t, int64_t i, const double *p, long double *share /* [M] */) {
  const double alpha = t->market.alpha, *v = t->values + i * M;
  long double total = 0;
  for (int j = 0; j < M; j++)
    total += share[j] = alpha == 0 ? v[j] : powl(v[j] / (long double)p[j], alpha / (1 - (long double)alpha));
  for (int j = 0; j < M; j++) share[j] /= total;
}

static void spending(const test_market *t, const double *p, long double *spent /* [M] */) {
  memset(spent, 0, M * sizeof *spent);
  for (int64_t i = 0; i < t->market.n; i++) {
    long double share[M];
    shares_at(t, i, p, share);
    for (int j = 0; j < M; j++) spent[j] += t->budget[i] * share[j];
  }
}

typedef struct {
  const char *solver;
  double alpha, tol, price_tol;
} reach;

static const reach reached[] = {{"tatonnement", 0.9, 1e-13, 1e-5},
                                {"tatonnement", 0.5, 1e-13, 1e-5},
                                {"tatonnement", 0, 1e-13, 1e-9},
                                {"tatonnement", -1, 1e-13, 1e-5},
                                {"tatonnement", -4, 1e-13, 1e-3},
                                {"tatonnement", -INFINITY, 1e-7, 0},
                                {"pr", 1, 1e-6, 1e-2},
                                {"pr", 0.9, 1e-13, 1e-5},
                                {"pr", 0.5, 1e-13, 1e-5},
                                {"pr", 0, 1e-13, 1e-9},
                                {"pr", -1, 1e-13, 1e-5},
                                {"pr", -4, 1e-13, 1e-3},
                                {"pr", -INFINITY, 1e-5, 0},
                                {"eg_scaled", 1, 1e-3, 0.2},
                                {"eg_scaled", 0.9, 1e-3, 0.1},
                                {"eg_scaled", 0.5, 1e-6, 1e-2},
                                {"eg_scaled", 0, 1e-6, 1e-2},
                                {"eg_scaled", -1, 1e-6, 1e-2},
                                {"eg_scaled", -4, 1e-4, 0}};

/* Prices are newton's, demand recomputed from them meets supply, the certified gap is a bound of the measured
 * one. */
START_TEST(the_equilibrium) {
  const reach *r = &reached[_i];
  const wal_solver_options o = options_to(r->tol);
  for (uint64_t seed = 0; seed < 3; seed++) {
    test_market t = test_market_create(seed, N, M, r->alpha, 0.7);
    wal_solution s = solve(r->solver, &t.market, &o, NULL), exact = solve("newton", &t.market, &o, NULL);
    wal_measures m;
    ck_assert_msg(wal_measure(&t.market, s.allocation, s.price, &m) == WAL_OK, "%s", wal_error());
    ck_assert_double_le(s.certified_gap, r->tol);
    ck_assert_double_le(m.nash_gap, s.certified_gap + 1e-14);
    ck_assert_double_ge(m.nash_gap, -1e-13);
    if (strcmp(r->solver, "eg_scaled") != 0)
      ck_assert_double_le(m.voa + m.vop, 1e-9); /* bids and scaled demand clear */
    for (int j = 0; j < M && r->price_tol > 0; j++)
      ck_assert_double_eq_tol(s.price[j] / exact.price[j], 1, r->price_tol);
    if (r->alpha < 1 && r->price_tol > 0) {
      long double spent[M];
      spending(&t, s.price, spent);
      for (int j = 0; j < M; j++)
        ck_assert_double_eq_tol((double)spent[j] / (t.supply[j] * s.price[j]), 1,
                                r->price_tol / (1 - fmax(r->alpha, 0)));
    }
    wal_solution_destroy(&s);
    wal_solution_destroy(&exact);
    test_market_destroy(&t);
  }
}
END_TEST

/* ---- along the way ---- */

enum { STEPS = 400 };
typedef struct {
  const wal_market *market;
  int rows, states;
  double gap[STEPS], log_price[STEPS][10], measured[STEPS]; /* of each step */
} path;

static void keep_row(void *context, int count, const char *const names[], const double values[]) {
  path *p = context;
  ck_assert_str_eq(names[count - 1], "gap");
  if (p->rows < STEPS) p->gap[p->rows] = values[count - 1];
  p->rows++;
}

static void keep_state(void *context, int64_t step, const wal_allocation *x, const double *price) {
  path *p = context;
  wal_measures m = {.nash_gap = NAN};
  ck_assert_int_eq(step, p->states + 1);
  if (p->states < STEPS) {
    ck_assert_msg(wal_measure(p->market, x, price, &m) == WAL_OK, "%s", wal_error());
    p->measured[p->states] = m.nash_gap;
    for (int j = 0; j < p->market->m; j++) p->log_price[p->states][j] = log(price[j]);
  }
  p->states++;
}

static path *walk(const char *name, const wal_market *market, const wal_solver_options *o) {
  path *p = calloc(1, sizeof *p);
  p->market = market;
  const wal_trace trace = {.context = p, .row = keep_row, .state = keep_state};
  wal_solution s;
  (void)wal_solver_find(name)->solve(market, o, &trace, &s); /* it may run out of steps */
  wal_solution_destroy(&s);
  return p;
}

/* Jensen's bound at every step: never below the gap of the pair; near the end at most 1/(1-alpha) or 1 +
 * |alpha| above. */
START_TEST(certificates_bound_the_gap_of_every_step) {
  const double alpha = alphas[1 + _i];
  const wal_solver_options o = options_to(1e-12);
  int near = 0;
  for (uint64_t seed = 10; seed < 15; seed++) {
    test_market t = test_market_create(seed, N, M, alpha, 1);
    path *p = walk("tatonnement", &t.market, &o);
    ck_assert_int_eq(p->rows, p->states);
    for (int k = 0; k < p->rows; k++) {
      ck_assert_double_ge(p->gap[k] + 1e-14, p->measured[k]);
      if (p->gap[k] < 1e-5 && p->measured[k] > 1e-11) {
        near++;
        ck_assert_double_le(p->gap[k], 1.05 * fmax(1 / (1 - alpha), 1 - alpha) * p->measured[k]);
      }
    }
    free(p);
    test_market_destroy(&t);
  }
  ck_assert(near > 3 || alpha == 0);
}
END_TEST

/* mu_2 and mu_m of diag(S)^-1 sum_i B_i s_i s_i^T at the exact prices, by the power method on its symmetric
 * form. */
static void eigenvalues(const test_market *t, const double *p, double *second, double *last) {
  long double spent[M], matrix[M][M] = {{0}};
  spending(t, p, spent);
  for (int64_t i = 0; i < t->market.n; i++) {
    long double s[M];
    shares_at(t, i, p, s);
    for (int j = 0; j < M; j++)
      for (int k = 0; k < M; k++) matrix[j][k] += t->budget[i] * s[j] * s[k] / sqrtl(spent[j] * spent[k]);
  }
  long double total = 0;
  for (int j = 0; j < M; j++) total += spent[j];
  for (int which = 0; which < 2;
       which++) { /* mu_1 = 1 has vector sqrt(S): deflated; then 1 - mu for the last */
    long double x[M], norm = 0;
    for (int j = 0; j < M; j++) x[j] = j == 0 ? 1 : 0.3L / (j + 1);
    for (int round = 0; round < 20000; round++) {
      long double y[M] = {0}, along = 0, length = 0;
      for (int j = 0; j < M; j++) along += x[j] * sqrtl(spent[j] / total);
      for (int j = 0; j < M; j++) x[j] -= along * sqrtl(spent[j] / total);
      for (int j = 0; j < M; j++)
        for (int k = 0; k < M; k++) y[j] += matrix[j][k] * x[k];
      for (int j = 0; j < M; j++) {
        x[j] = which == 0 ? y[j] : x[j] - y[j];
        length += x[j] * x[j];
      }
      norm = sqrtl(length);
      for (int j = 0; j < M; j++) x[j] /= norm;
    }
    *(which == 0 ? second : last) = which == 0 ? (double)norm : 1 - (double)norm;
  }
}

/* The rate of plain tatonnement: |alpha| mu_2 with gamma = 1 - alpha, |r| (1 - mu_m) with gamma = 1 at alpha
   < 0. The gap falls with its square. */
START_TEST(plain_rates_are_the_predicted_ones) {
  static const double cases[][2] = {{0.9, 0},  {0.5, 0}, {-3, 4},
                                    {-0.5, 0}, {-1, 0},  {-4, 0}}; /* alpha, gamma */
  const double alpha = cases[_i][0], r = alpha / (1 - alpha);
  wal_solver_options o = options_to(1e-14);
  o.tatonnement.memory = 0;
  o.tatonnement.gamma = cases[_i][1];
  test_market t = test_market_create(20, 200, M, alpha, 2);
  wal_solution exact = solve("newton", &t.market, &o, NULL);
  double second = 0, last = 0, seen = 0;
  eigenvalues(&t, exact.price, &second, &last);
  path *p = walk("tatonnement", &t.market, &o);
  for (int k = 0; k + 1 < p->rows && k + 1 < STEPS; k++)
    if (p->gap[k + 1] > 1e-12) seen = sqrt(p->gap[k + 1] / p->gap[k]);
  const double predicted = alpha > 0 || cases[_i][1] > 0 ? fabs(alpha) * second : -r * (1 - last);
  ck_assert_double_eq_tol(seen / predicted, 1, 0.05);
  free(p);
  wal_solution_destroy(&exact);
  test_market_destroy(&t);
}
END_TEST

static double spread_from(const double *log_price, const double *exact) {
  double least = INFINITY, most = -INFINITY;
  for (int j = 0; j < M; j++) {
    least = fmin(least, log_price[j] - log(exact[j]));
    most = fmax(most, log_price[j] - log(exact[j]));
  }
  return most - least;
}

/* alpha in [0, 1): a plain step contracts max - min of the log prices' error by alpha, from any start. */
START_TEST(plain_steps_contract_for_substitutes) {
  static const double some[] = {0.25, 0.5, 0.9};
  const double alpha = some[_i];
  wal_solver_options o = options_to(1e-12);
  o.tatonnement.memory = 0;
  test_market t = test_market_create(30, N, M, alpha, 3);
  wal_solution exact = solve("newton", &t.market, &o, NULL);
  path *p = walk("tatonnement", &t.market, &o);
  ck_assert_double_gt(spread_from(p->log_price[0], exact.price), 0.3);
  for (int k = 0; k + 1 < p->states; k++)
    ck_assert_double_le(spread_from(p->log_price[k + 1], exact.price),
                        alpha * spread_from(p->log_price[k], exact.price) + 1e-9);
  free(p);
  wal_solution_destroy(&exact);
  test_market_destroy(&t);
}
END_TEST

/* Acceleration converges wherever plain steps do, from bad starts too, in no more than a few passes more. */
START_TEST(acceleration_is_safe) {
  static const double some[] = {0.99, 0.9, 0.5, -0.5, -4, -50};
  for (uint64_t seed = 40; seed < 46; seed++) {
    test_market t = test_market_create(seed, N, M, some[_i], 2);
    wal_solver_options o = options_to(1e-10);
    wal_solution fast = solve("tatonnement", &t.market, &o, NULL);
    o.tatonnement.memory = 0;
    wal_solution plain = solve("tatonnement", &t.market, &o, NULL);
    ck_assert_int_le(fast.iterations, plain.iterations + 3);
    wal_solution_destroy(&fast);
    wal_solution_destroy(&plain);
    test_market_destroy(&t);
  }
}
END_TEST

/* Leontief goods whose prices fall to 0 at very different rates: accelerated steps reach far too low. */
START_TEST(acceleration_is_safe_where_prices_fall_to_zero) {
  for (uint64_t seed = 0; seed < 20; seed++) {
    test_market t = test_market_create(seed, N, M, -INFINITY, 1);
    for (int j = 0; j < M; j++) t.supply[j] *= t.supply[j];
    wal_solver_options o = options_to(1e-8);
    wal_solution fast = solve("tatonnement", &t.market, &o, NULL);
    o.tatonnement.memory = 0;
    wal_solution plain = solve("tatonnement", &t.market, &o, NULL);
    ck_assert_int_le(fast.iterations, 1.2 * (double)plain.iterations + 3);
    wal_solution_destroy(&fast);
    wal_solution_destroy(&plain);
    test_market_destroy(&t);
  }
}
END_TEST

/* ---- proportional response with every bid stored ---- */

/* One response to bid[N][M] as Wu and Zhang have it, then the prices of the new bids. */
static void respond(const test_market *t, long double bid[N][M], long double *price) {
  for (int i = 0; i < N; i++) {
    long double total = 0;
    for (int j = 0; j < M; j++)
      total += bid[i][j] = powl(t->values[i * M + j] * bid[i][j] / price[j], t->market.alpha);
    for (int j = 0; j < M; j++) bid[i][j] *= t->budget[i] / total;
  }
  for (int j = 0; j < M; j++) {
    price[j] = 0;
    for (int i = 0; i < N; i++) price[j] += bid[i][j] / t->supply[j];
  }
}

static void start_bids(const test_market *t, double power, long double bid[N][M], long double *price) {
  memset(price, 0, M * sizeof *price);
  for (int i = 0; i < N; i++) {
    long double total = 0;
    for (int j = 0; j < M; j++) total += bid[i][j] = powl(t->values[i * M + j], power);
    for (int j = 0; j < M; j++) bid[i][j] *= t->budget[i] / total;
  }
  for (int j = 0; j < M; j++)
    for (int i = 0; i < N; i++) price[j] += bid[i][j] / t->supply[j];
}

START_TEST(bids_need_not_be_stored) {
  static const double some[] = {1, 0.9, 0.5, 0.25};
  test_market t = test_market_create(50, N, M, some[_i], 1);
  wal_solver_options o = options_to(1e-9);
  o.pr.max_steps = 200;
  path *p = walk("pr", &t.market, &o);
  static long double bid[N][M];
  long double price[M];
  start_bids(&t, 0, bid, price);
  ck_assert_int_gt(p->states, 5);
  for (int k = 0; k < p->states; k++) {
    respond(&t, bid, price);
    for (int j = 0; j < M; j++) ck_assert_double_eq_tol(p->log_price[k][j], logl(price[j]), 1e-11);
  }
  free(p);
  test_market_destroy(&t);
}
END_TEST

/* From bids v^r proportional response is tatonnement with gamma = 1 - alpha. */
START_TEST(response_from_demand_is_tatonnement) {
  static const double some[] = {0.9, 0.5, 0.25};
  const double alpha = some[_i];
  test_market t = test_market_create(51, N, M, alpha, 1);
  for (int j = 0; j < M; j++) t.supply[j] = 1; /* tatonnement starts from prices 1/Y_j */
  wal_solver_options o = options_to(1e-9);
  o.tatonnement.memory = 0;
  path *p = walk("tatonnement", &t.market, &o);
  static long double bid[N][M];
  long double price[M], q[M], level = 0;
  start_bids(&t, alpha / (1 - alpha), bid, price);
  for (int j = 0; j < M; j++) q[j] = 0;
  for (int k = 0; k < p->states; k++) { /* bids are the demand at q */
    for (int j = 0; j < M; j++) level = j == 0 ? p->log_price[k][0] - q[0] : level;
    for (int j = 0; j < M; j++)
      ck_assert_double_eq_tol(p->log_price[k][j] - (double)level, (double)q[j], 1e-9);
    for (int j = 0; j < M; j++) q[j] += (1 - alpha) * (logl(price[j]) - q[j]);
    respond(&t, bid, price);
  }
  free(p);
  test_market_destroy(&t);
}
END_TEST

/* ---- eg_scaled ---- */

/* Other units of money and goods, and every buyer three times: the same steps, up to float32. */
START_TEST(scaled_steps_do_not_depend_on_units_or_n) {
  enum { COPIES = 3 };
  const double alpha = (const double[]){0.5, 0, -1}[_i];
  test_market t = test_market_create(60, N, M, alpha, 0.5),
              u = test_market_create(60, COPIES * N, M, alpha, 0.5);
  for (int i = 0; i < COPIES * N; i++) {
    u.budget[i] = 1e5 * t.budget[i % N];
    for (int j = 0; j < M; j++) u.values[i * M + j] = (alpha == 0 ? 1 : 1e-3) * t.values[i % N * M + j];
  }
  for (int j = 0; j < M; j++) u.supply[j] = 7.0 * (j + 1) * t.supply[j];
  for (int i = 0; i < COPIES * N && alpha != 0; i++) /* units of the goods */
    for (int j = 0; j < M; j++) u.values[i * M + j] /= 7.0 * (j + 1) / COPIES;
  const wal_solver_options o = options_to(1e-5);
  wal_solution a = solve("eg_scaled", &t.market, &o, NULL), b = solve("eg_scaled", &u.market, &o, NULL);
  double x[N * M], y[N * M];
  ck_assert_int_eq(a.iterations, b.iterations);
  a.allocation->ops->fill(a.allocation, 0, N, x);
  b.allocation->ops->fill(b.allocation, 0, N, y);
  for (int k = 0; k < N * M; k++)
    ck_assert_double_eq_tol(x[k] / t.supply[k % M], COPIES * y[k] / u.supply[k % M], 1e-4);
  wal_solution_destroy(&a);
  wal_solution_destroy(&b);
  test_market_destroy(&t);
  test_market_destroy(&u);
}
END_TEST

/* ---- the edges ---- */

static const char *const names[] = {"tatonnement", "pr", "eg_scaled"};

START_TEST(zero_values) {
  const double alpha = (const double[]){0.9, 0.5, 0.25, 1}[_i];
  const wal_solver_options o = options_to(1e-3);
  for (int k = alpha == 1; k < (alpha == 1 ? 2 : 3); k++) {
    test_market t = test_market_create(70, N, M, alpha, 1);
    for (int i = 0; i < N; i++) t.values[i * M + i % M] = 0;
    wal_solution s = solve(names[k], &t.market, &o, NULL);
    wal_measures m;
    ck_assert_msg(wal_measure(&t.market, s.allocation, s.price, &m) == WAL_OK, "%s", wal_error());
    ck_assert_double_le(m.nash_gap, 1e-3);
    wal_solution_destroy(&s);
    test_market_destroy(&t);
  }
}
END_TEST

/* One buyer with values over 30 orders of magnitude: next to nothing is spent on some goods, which it buys
   all the same. The truth is in closed form: the spending on good j is ~ (v_j Y_j)^alpha. */
START_TEST(goods_worth_next_to_nothing) {
  const double alpha = 0.99;
  const wal_solver_options o = options_to(1e-10);
  for (uint64_t seed = 0; seed < 20; seed++)
    for (int k = 0; k < 2; k++) {
      test_market t = test_market_create(seed, 1, M, alpha, 12);
      wal_solution s = solve(names[k], &t.market, &o, NULL);
      long double total = 0, share[M];
      for (int j = 0; j < M; j++)
        total += share[j] = powl((long double)t.values[j] * t.supply[j], (long double)alpha);
      for (int j = 0; j < M; j++)
        ck_assert_double_eq_tol(t.supply[j] * s.price[j] / t.budget[0], (double)(share[j] / total), 1e-5);
      wal_measures m;
      ck_assert_msg(wal_measure(&t.market, s.allocation, s.price, &m) == WAL_OK, "%s", wal_error());
      ck_assert_double_le(m.nash_gap, s.certified_gap + 1e-13);
      wal_solution_destroy(&s);
      test_market_destroy(&t);
    }
}
END_TEST

START_TEST(tiny_markets) {
  static const int sizes[][2] = {{1, 1}, {1, 4}, {7, 1}, {2, 5}};
  const wal_solver_options o = options_to(1e-4);
  for (int a = 0; a < ALPHAS; a++)
    for (int k = 0; k < 4; k++)
      for (int which = alphas[a] == 1; which < (alphas[a] > 0.8 ? 2 : 3);
           which++) /* eg_scaled: see its head */ {
        test_market t = test_market_create(80, sizes[k][0], sizes[k][1], alphas[a], 0.5);
        wal_solution s = solve(names[which], &t.market, &o, NULL);
        wal_measures m;
        ck_assert_msg(wal_measure(&t.market, s.allocation, s.price, &m) == WAL_OK, "%s", wal_error());
        ck_assert_double_le(m.nash_gap, s.certified_gap + 1e-12);
        ck_assert_double_le(s.certified_gap, 1e-4);
        wal_solution_destroy(&s);
        test_market_destroy(&t);
      }
}
END_TEST

START_TEST(threads_do_not_change_bits) {
  const double some[] = {0.5, 0.9, 0, -1};
  wal_context_market market;
  ck_assert_int_eq(wal_context_market_create(WAL_CONTEXTS_NORMAL, 3, 5000, 4, 5, some[_i], &market), WAL_OK);
  const wal_solver_options o = options_to(1e-3);
  for (int k = 0; k < 3; k++) {
    wal_threads_set(1);
    wal_solution one = solve(names[k], &market.market, &o, NULL);
    wal_threads_set(3);
    wal_solution three = solve(names[k], &market.market, &o, NULL);
    double x[40], y[40];
    one.allocation->ops->fill(one.allocation, 4990, 5000, x);
    three.allocation->ops->fill(three.allocation, 4990, 5000, y);
    ck_assert_mem_eq(x, y, sizeof x);
    ck_assert_mem_eq(one.price, three.price, 4 * sizeof(double));
    ck_assert_int_eq(one.iterations, three.iterations);
    wal_solution_destroy(&one);
    wal_solution_destroy(&three);
  }
  wal_context_market_destroy(&market);
}
END_TEST

START_TEST(too_few_steps_fail) {
  test_market t = test_market_create(90, N, M, -4, 1);
  wal_solver_options o = options_to(1e-12);
  o.tatonnement.max_steps = o.pr.max_steps = o.eg_scaled.max_steps = 2;
  for (int k = 0; k < 3; k++) {
    wal_solution s;
    char option[64];
    snprintf(option, sizeof option, "%s.max_steps", names[k]);
    ck_assert_int_eq(wal_solver_find(names[k])->solve(&t.market, &o, NULL, &s), WAL_E_DIVERGED);
    ck_assert_ptr_nonnull(strstr(wal_error(), option));
    ck_assert_ptr_null(s.price);
    ck_assert_ptr_null(s.allocation);
  }
  test_market_destroy(&t);
}
END_TEST

/* gamma = 1 - alpha at alpha = -50 overshoots: the plain iteration does not converge and says so in finite
 * numbers. */
START_TEST(unstable_gamma_fails_plainly) {
  test_market t = test_market_create(91, N, M, -50, 2);
  wal_solver_options o = options_to(1e-10);
  o.tatonnement.memory = 0;
  o.tatonnement.gamma = 51;
  o.tatonnement.max_steps = 300;
  wal_solution s;
  ck_assert_int_eq(wal_solver_find("tatonnement")->solve(&t.market, &o, NULL, &s), WAL_E_DIVERGED);
  ck_assert_ptr_null(strstr(wal_error(), "nan"));
  test_market_destroy(&t);
}
END_TEST

START_TEST(what_they_do_not_take) {
  test_market linear = test_market_create(92, N, M, 1, 1),
              leontief = test_market_create(92, N, M, -INFINITY, 1);
  const wal_solver_options o = options_to(1e-3);
  wal_solution s;
  ck_assert_int_eq(wal_solver_find("tatonnement")->solve(&linear.market, &o, NULL, &s), WAL_E_UNSUPPORTED);
  ck_assert_int_eq(wal_solver_find("eg_scaled")->solve(&leontief.market, &o, NULL, &s), WAL_E_UNSUPPORTED);
  test_market_destroy(&linear);
  test_market_destroy(&leontief);
}
END_TEST

int main(void) {
  Suite *s = suite_create("first_order");
  TCase *t = tcase_create("methods");
  tcase_set_timeout(t, 60);
  tcase_add_loop_test(t, the_equilibrium, 0, sizeof reached / sizeof *reached);
  tcase_add_loop_test(t, certificates_bound_the_gap_of_every_step, 0, ALPHAS - 1);
  tcase_add_loop_test(t, plain_rates_are_the_predicted_ones, 0, 6);
  tcase_add_loop_test(t, plain_steps_contract_for_substitutes, 0, 3);
  tcase_add_loop_test(t, acceleration_is_safe, 0, 6);
  tcase_add_test(t, acceleration_is_safe_where_prices_fall_to_zero);
  tcase_add_loop_test(t, bids_need_not_be_stored, 0, 4);
  tcase_add_loop_test(t, response_from_demand_is_tatonnement, 0, 3);
  tcase_add_loop_test(t, scaled_steps_do_not_depend_on_units_or_n, 0, 3);
  tcase_add_loop_test(t, zero_values, 0, 4);
  tcase_add_test(t, goods_worth_next_to_nothing);
  tcase_add_test(t, tiny_markets);
  tcase_add_loop_test(t, threads_do_not_change_bits, 0, 4);
  tcase_add_test(t, too_few_steps_fail);
  tcase_add_test(t, unstable_gamma_fails_plainly);
  tcase_add_test(t, what_they_do_not_take);
  suite_add_tcase(s, t);
  return run_suite(s);
}
