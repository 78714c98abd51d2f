/* Utilities: every kind is a utility function, its forms agree, and nothing else is taken. */
#include <string.h>

#include "tests/models/utility_fixture.h"

enum { M = 3, POINTS = 40 };

/* ---- one random member of each kind; k: which ---- */

static wal_utility *make_linear(uint64_t k) {
  wal_utility *u;
  const double v[M] = {test_uniform(k), 0, test_uniform(k + 1)};
  ck_assert_int_eq(wal_utility_linear(M, v, &u), WAL_OK);
  return u;
}

static wal_utility *make_bounded_linear(uint64_t k) {
  wal_utility *u;
  const double v[M] = {test_uniform(k), test_uniform(k + 1), 2};
  const double l[M] = {test_uniform(k + 2), k % 2 ? INFINITY : 0.7, 0};
  ck_assert_int_eq(wal_utility_bounded_linear(M, v, l, &u), WAL_OK);
  return u;
}

static wal_utility *make_splc(uint64_t k) {
  const wal_segment segments[] = {{2, test_uniform(k)},
                                  {1 + test_uniform(k + 1), 0.3},
                                  {0.2, INFINITY},
                                  {3, 0.2},
                                  {3, test_uniform(k + 2)},
                                  {1, 0},
                                  {0.5, 0.1},
                                  {0, INFINITY},
                                  {test_uniform(k), 0.4}};
  wal_utility *u;
  ck_assert_int_eq(wal_utility_splc(M, k % 2 ? (int[]){0, 3, 8, 9} : (int[]){3, 8, 8, 9}, segments, &u),
                   WAL_OK);
  return u;
}

static wal_utility *make_leontief(uint64_t k) {
  wal_utility *u;
  ck_assert_int_eq(
      wal_utility_leontief(M, (double[]){0.1 + test_uniform(k), 0, 0.1 + test_uniform(k + 1)}, &u), WAL_OK);
  return u;
}

static wal_utility *make_leontief_free(uint64_t k) {
  double a[M * 4], l[4];
  for (int e = 0; e < M * 4; e++) a[e] = e % 5 == 3 ? 0 : test_uniform(k + (uint64_t)e);
  for (int s = 0; s < 4; s++) l[s] = s == 3 && k % 2 ? INFINITY : 0.6 * test_uniform(k + 50 + (uint64_t)s);
  wal_utility *u;
  ck_assert_int_eq(wal_utility_leontief_free(M, 4, a, l, &u), WAL_OK);
  return u;
}

/* With parallel arcs, a lossy cycle, an arc without capacity, a dead end, a loop, and an arc from the sink.
 */
static wal_utility *make_network(uint64_t k) {
  const double g = test_uniform(k), c = test_uniform(k + 1);
  const test_arc arcs[] = {{0, 3, 2 * g, INFINITY},
                           {0, 3, 1.5, 0.2},
                           {1, 3, 0.5, INFINITY},
                           {1, 4, 1, c},
                           {3, 4, 1.2, 0.5},
                           {4, 3, 0.8, 1},
                           {4, 6, 1, k % 2 ? 0.7 : INFINITY},
                           {3, 6, 0.3 + g, 0.4},
                           {2, 1, 1, 0.3},
                           {2, 5, 9, INFINITY},
                           {2, 6, 1, 0},
                           {3, 3, 1, 2},
                           {6, 3, 0.1, 1},
                           {3, 6, 0.3 + g, 0.4},
                           {5, 5, 7, 1}};
  wal_utility *u;
  ck_assert_int_eq(test_network(M, 7, 6, sizeof arcs / sizeof *arcs, arcs, &u), WAL_OK);
  return u;
}

static wal_utility *make_plc(uint64_t k) {
  double slope[4 * M] = {0};
  for (int e = 0; e < 3 * M; e++) slope[e] = test_uniform(k + (uint64_t)e) / (1 + e / M);
  wal_utility *u;
  ck_assert_int_eq(wal_utility_plc(M, k % 2 ? 4 : 3, slope, (double[]){0, 0.2, 0.35, 0.6}, &u), WAL_OK);
  return u;
}

static wal_utility *make_quadratic(uint64_t k) {
  double q[M * M], f[M * 2];
  for (int e = 0; e < M * 2; e++) f[e] = test_uniform(k + (uint64_t)e) - (e % 3 == 2) * 0.6;
  for (int e = 0; e < M * M; e++)
    q[e] =
        f[e / M * 2] * f[e % M * 2] + f[e / M * 2 + 1] * f[e % M * 2 + 1] + (k % 2 && e % (M + 1) == 0) * 0.5;
  wal_utility *u;
  ck_assert_int_eq(wal_utility_quadratic(M, (double[]){1, 0.8, 0.3}, q, &u), WAL_OK);
  return u;
}

static wal_utility *(*const makers[])(uint64_t k) = {make_linear,   make_bounded_linear, make_splc,
                                                     make_leontief, make_leontief_free,  make_network,
                                                     make_plc,      make_quadratic};
enum { KINDS = sizeof makers / sizeof *makers, DRAWN = 6 };

/* ---- a utility function (Definition 2.2) ---- */

static void is_utility_function(const wal_utility *u, uint64_t k) {
  double x[M], y[M], middle[M], more[M], g[M];
  ck_assert_double_eq_tol(wal_utility_value(u, (double[M]){0}), 0, 1e-15);
  test_point(2 * k, M, 1.5, x);
  test_point(2 * k + 1, M, 1.5, y);
  if (k % 4 == 0) x[k % M] = 0;
  for (int j = 0; j < M; j++) {
    middle[j] = 0.5 * (x[j] + y[j]);
    more[j] = fmax(x[j], y[j]);
  }
  const double at_x = wal_utility_value(u, x), at_y = wal_utility_value(u, y);
  ck_assert_double_ge(wal_utility_value(u, middle), 0.5 * (at_x + at_y) - 1e-9);
  ck_assert_double_ge(wal_utility_value(u, more), fmax(at_x, at_y) - 1e-9);
  ck_assert_double_le(at_x, u->satiation + 1e-9);
  ck_assert_int_eq(wal_utility_supergradient(u, x, g), WAL_OK);
  double bound = at_x;
  for (int j = 0; j < M; j++) {
    ck_assert_double_ge(g[j], 0);
    bound += g[j] * (y[j] - x[j]);
  }
  ck_assert_double_le(at_y, bound + 1e-9);
}

START_TEST(every_kind_is_a_utility_function) {
  for (uint64_t k = 0; k < DRAWN; k++) {
    wal_utility *u = makers[_i](100 * k + k % 2);
    for (uint64_t point = 0; point < POINTS; point++) is_utility_function(u, point);
    wal_utility_destroy(u);
  }
}
END_TEST

/* sup u is had of plenty; without one, ten times as much is nearly ten times as good. */
START_TEST(satiation) {
  for (uint64_t k = 0; k < DRAWN; k++) {
    wal_utility *u = makers[_i](100 * k + k % 2);
    double plenty[M], more[M];
    for (int j = 0; j < M; j++) more[j] = 10 * (plenty[j] = 1e6);
    const double value = wal_utility_value(u, plenty);
    if (isfinite(u->satiation))
      ck_assert_double_eq_tol(value, u->satiation, 1e-9 * value);
    else
      ck_assert_double_ge(wal_utility_value(u, more), 9 * value);
    wal_utility_destroy(u);
  }
}
END_TEST

START_TEST(satiable_and_not) {
  int finite = 0, infinite = 0;
  for (int kind = 0; kind < KINDS; kind++)
    for (uint64_t k = 0; k < 2; k++) {
      wal_utility *u = makers[kind](k);
      if (isfinite(u->satiation)) finite++;
      if (u->satiation == INFINITY) infinite++;
      wal_utility_destroy(u);
    }
  ck_assert_int_eq(finite + infinite, 2 * KINDS);
  ck_assert_int_ge(finite, 5);
  ck_assert_int_ge(infinite, 5);
}
END_TEST

/* ---- the forms agree ---- */

START_TEST(linear_program_agrees) {
  for (uint64_t k = 0; k < DRAWN; k++) {
    wal_utility *u = makers[_i](100 * k + k % 2);
    for (uint64_t point = 0; u->lp && point < POINTS; point++) {
      double x[M];
      test_point(point, M, point % 2 ? 1 : 3, x);
      ck_assert_double_eq_tol(wal_utility_value(u, x), test_lp_value(u, x), 1e-9);
    }
    wal_utility_destroy(u);
  }
}
END_TEST

/* Its own program, and the utility made of the network. */
static void network_agrees_with(const wal_utility *u, const wal_network *net) {
  wal_utility *again;
  ck_assert_int_eq(wal_utility_generalized_network(net, &again), WAL_OK);
  for (uint64_t point = 0; point < POINTS; point++) {
    double x[M];
    test_point(point, M, point % 2 ? 1 : 3, x);
    const double value = wal_utility_value(u, x);
    ck_assert_double_eq_tol(value, test_flow_value(net, x), 1e-9);
    ck_assert_double_eq_tol(value, wal_utility_value(again, x), 1e-9);
  }
  ck_assert(u->satiation == again->satiation || fabs(u->satiation - again->satiation) < 1e-9);
  wal_utility_destroy(again);
}

START_TEST(network_agrees) {
  for (uint64_t k = 0; k < DRAWN; k++) {
    wal_utility *u = makers[_i](100 * k + k % 2);
    wal_network net;
    const wal_status status = wal_utility_network(u, &net);
    ck_assert_int_eq(status, wal_utility_is_network(u) ? WAL_OK : WAL_E_UNSUPPORTED);
    if (status == WAL_OK) network_agrees_with(u, &net);
    wal_network_destroy(&net);
    wal_utility_destroy(u);
  }
}
END_TEST

/* max sum a_jk x_jk as the paper writes it, two goods and two segments by hand: good 0 is better for
   segment 0, and fills it. */
START_TEST(leontief_free_by_hand) {
  wal_utility *u;
  ck_assert_int_eq(wal_utility_leontief_free(2, 2, (double[]){2, 1, 1, 1}, (double[]){1, 0.8}, &u), WAL_OK);
  ck_assert_double_eq_tol(wal_utility_value(u, (double[]){0.25, 0}), 0.5, 1e-12);
  ck_assert_double_eq_tol(wal_utility_value(u, (double[]){1, 0}), 1 + 0.5, 1e-12);
  ck_assert_double_eq_tol(wal_utility_value(u, (double[]){0.5, 0.6}), 1 + 0.6, 1e-12);
  ck_assert_double_eq_tol(wal_utility_value(u, (double[]){1, 1}), 1.8, 1e-12);
  ck_assert_double_eq_tol(u->satiation, 1.8, 1e-12);
  ck_assert_str_eq(u->ops->name, "leontief_free");
  wal_utility_destroy(u);
}
END_TEST

START_TEST(splc_by_hand) {
  wal_utility *u; /* Example A.1, agent 1 */
  ck_assert_int_eq(wal_utility_splc(2, (int[]){0, 1, 2}, (wal_segment[]){{1.3, 0.8}, {0.45, INFINITY}}, &u),
                   WAL_OK);
  ck_assert_double_eq_tol(wal_utility_value(u, (double[]){0.8, 0.2}), 1.13, 1e-15);
  ck_assert_double_eq_tol(wal_utility_value(u, (double[]){5, 2}), 1.04 + 0.9, 1e-15);
  wal_utility_destroy(u);
  ck_assert_int_eq(wal_utility_bounded_linear(2, (double[]){2, 3}, (double[]){1, 0.3}, &u), WAL_OK);
  ck_assert_double_eq_tol(wal_utility_value(u, (double[]){0.25, 0.05}), 0.65, 1e-15);
  ck_assert_double_eq_tol(u->satiation, 1.3, 1e-15);
  wal_utility_destroy(u);
}
END_TEST

/* A good may serve another node's arc; a loop that only loses is of no use; gains as exact inverses are. */
START_TEST(networks_by_hand) {
  wal_utility *u;
  const test_arc chain[] = {{0, 1, 0.5, INFINITY}, {1, 2, 3, 1}, {1, 0, 2, INFINITY}, {0, 2, 0.25, INFINITY}};
  ck_assert_int_eq(test_network(2, 3, 2, 4, chain, &u), WAL_OK);
  ck_assert_double_eq_tol(wal_utility_value(u, (double[]){0, 3}), 3 + 0.25 * 4, 1e-12); /* 2 back to good 0 */
  ck_assert_double_eq_tol(wal_utility_value(u, (double[]){4, 0}), 3 + 0.25 * 2, 1e-12);
  ck_assert_double_eq(u->satiation, INFINITY);
  wal_utility_destroy(u);
  const test_arc twice[] = {{0, 1, 2, 0.5}, {0, 1, 2, 0.5}}; /* the same arc twice is both */
  ck_assert_int_eq(test_network(1, 2, 1, 2, twice, &u), WAL_OK);
  ck_assert_double_eq_tol(wal_utility_value(u, (double[]){0.75}), 1.5, 1e-12);
  ck_assert_double_eq_tol(u->satiation, 2, 1e-12);
  wal_utility_destroy(u);
}
END_TEST

/* ---- the quadratic ---- */

static const double section8_q[9] = {1, 0.6, 0.6, 0.6, 1, 0, 0.6, 0, 1};

START_TEST(quadratic_of_section_8) {
  wal_utility *u;
  ck_assert_int_eq(wal_utility_quadratic(3, (double[]){4, 4, 4}, section8_q, &u), WAL_OK);
  const double x[3] = {0.5, 0.5, 0.5};
  double g[3];
  ck_assert_double_eq_tol(wal_utility_value(u, x), 6 - 0.5 * 5.4 * 0.25, 1e-14);
  ck_assert_int_eq(wal_utility_supergradient(u, x, g), WAL_OK);
  ck_assert_double_eq_tol(g[0], 4 - 1.1, 1e-14);
  ck_assert_double_eq_tol(g[1], 4 - 0.8, 1e-14);
  for (int j = 0; j < 3; j++) {
    double up[3] = {0.5, 0.5, 0.5}, down[3] = {0.5, 0.5, 0.5};
    up[j] += 1e-5;
    down[j] -= 1e-5;
    ck_assert_double_eq_tol((wal_utility_value(u, up) - wal_utility_value(u, down)) / 2e-5, g[j], 1e-8);
  }
  ck_assert(!u->lp && !wal_utility_is_network(u));
  wal_utility_destroy(u);
}
END_TEST

/* The best y <= x on a fine grid. */
START_TEST(quadratic_by_brute_force) {
  const double c[2] = {1, 0.7}, q[4] = {1, 0.9, 0.9, 2};
  wal_utility *u;
  ck_assert_int_eq(wal_utility_quadratic(2, c, q, &u), WAL_OK);
  for (uint64_t k = 0; k < 20; k++) {
    double x[2], best = 0;
    test_point(k, 2, 1.5, x);
    for (int e = 0; e <= 400 * 400; e++) {
      const double y0 = x[0] * (e % 401) / 400, y1 = x[1] * (e / 401) / 400;
      best = fmax(best, c[0] * y0 + c[1] * y1 - 0.5 * (y0 * y0 + 1.8 * y0 * y1 + 2 * y1 * y1));
    }
    const double value = wal_utility_value(u, x);
    ck_assert_double_ge(value, best - 1e-14);
    ck_assert_double_le(value, best + 2e-5);
  }
  ck_assert_double_eq_tol(u->satiation, 0.5, 1e-12); /* y = (1, 0): 0.7 < 0.9 y_0 */
  wal_utility_destroy(u);
}
END_TEST

/* Q = 0 in good 1's row: linear there, and without limit where c rises. */
START_TEST(quadratic_of_a_singular_matrix) {
  wal_utility *u;
  ck_assert_int_eq(wal_utility_quadratic(2, (double[]){1, 2}, (double[]){1, 0, 0, 0}, &u), WAL_OK);
  ck_assert_double_eq_tol(wal_utility_value(u, (double[]){3, 5}), 0.5 + 10, 1e-14);
  ck_assert_double_eq(u->satiation, INFINITY);
  wal_utility_destroy(u);
  ck_assert_int_eq(wal_utility_quadratic(2, (double[]){1, -2}, (double[]){1, 0, 0, 0}, &u), WAL_OK);
  ck_assert_double_eq_tol(u->satiation, 0.5, 1e-14);
  wal_utility_destroy(u);
}
END_TEST

/* ---- refusals ---- */

static void refused(wal_status status, wal_utility *u, const char *const *parts) {
  ck_assert_int_eq(status, WAL_E_INPUT);
  ck_assert_ptr_null(u);
  for (int k = 0; parts[k]; k++)
    ck_assert_msg(strstr(wal_error(), parts[k]), "\"%s\" is not in \"%s\"", parts[k], wal_error());
}

#define REFUSED(call, ...)                                        \
  do {                                                            \
    wal_utility *u = NULL;                                        \
    const wal_status status = (call);                             \
    refused(status, u, (const char *const[]){__VA_ARGS__, NULL}); \
  } while (0)

START_TEST(separable_refusals) {
  REFUSED(wal_utility_linear(0, NULL, &u), "0 goods", "2 works");
  REFUSED(wal_utility_linear(2, (double[]){1, -1}, &u), "good 1", "-1", "1 works");
  REFUSED(wal_utility_linear(2, (double[]){NAN, 1}, &u), "good 0", "nan");
  REFUSED(wal_utility_linear(2, (double[]){1, INFINITY}, &u), "good 1", "finite");
  REFUSED(wal_utility_linear(2, (double[]){0, 0}, &u), "whatever the agent gets", "works");
  REFUSED(wal_utility_bounded_linear(2, (double[]){1, 1}, (double[]){1, -2}, &u), "good 1", "bound", "-2");
  REFUSED(wal_utility_bounded_linear(2, (double[]){1, 0}, (double[]){0, 1}, &u), "whatever");
  REFUSED(wal_utility_splc(1, (int[]){0, 2}, (wal_segment[]){{1, 1}, {2, 1}}, &u), "good 0, segment 1",
          "rises from 1 to 2", "not concave", "1 works");
  REFUSED(wal_utility_splc(2, (int[]){0, 1, 2}, (wal_segment[]){{1, 1}, {-2, 1}}, &u), "good 1, segment 0",
          "-2");
  REFUSED(wal_utility_splc(1, (int[]){0, 1}, (wal_segment[]){{1, -1}}, &u), "good 0, segment 0", "length");
  REFUSED(wal_utility_splc(1, (int[]){0, 1}, (wal_segment[]){{1, NAN}}, &u), "length is nan");
  REFUSED(wal_utility_splc(1, (int[]){0, 2}, (wal_segment[]){{1, INFINITY}, {0.5, 1}}, &u), "segment 1",
          "without an end");
  REFUSED(wal_utility_splc(1, (int[]){0, 0}, (wal_segment[]){{0, 0}}, &u), "whatever");
  REFUSED(wal_utility_splc(1, (int[]){1, 0}, (wal_segment[]){{0, 0}}, &u), "good 0", "[1, 0)");
}
END_TEST

START_TEST(other_refusals) {
  REFUSED(wal_utility_leontief(2, (double[]){0, 0}, &u), "every amount a is 0");
  REFUSED(wal_utility_leontief(2, (double[]){1, -1}, &u), "good 1");
  REFUSED(wal_utility_leontief_free(1, 0, NULL, NULL, &u), "0 segments");
  REFUSED(wal_utility_leontief_free(1, 2, (double[]){1, -1}, (double[]){1, 1}, &u), "good 0, segment 1",
          "-1");
  REFUSED(wal_utility_leontief_free(1, 1, (double[]){1}, (double[]){-1}, &u), "segment 0", "limit");
  REFUSED(wal_utility_leontief_free(1, 2, (double[]){1, 0}, (double[]){0, 1}, &u), "whatever");
  REFUSED(wal_utility_plc(1, 0, NULL, NULL, &u), "0 pieces");
  REFUSED(wal_utility_plc(1, 1, (double[]){1}, (double[]){0.5}, &u), "smallest constant is 0.5", "works");
  REFUSED(wal_utility_plc(1, 2, (double[]){1, 1}, (double[]){0, -1}, &u), "piece 1", "-1");
  REFUSED(wal_utility_plc(2, 1, (double[]){1, -1}, (double[]){0}, &u), "piece 0, good 1");
  REFUSED(wal_utility_plc(1, 2, (double[]){0, 1}, (double[]){0, 1}, &u), "whatever");
  REFUSED(wal_utility_quadratic(2, (double[]){1, 1}, (double[]){1, 0, 0.1, 1}, &u), "symmetric");
  REFUSED(wal_utility_quadratic(2, (double[]){1, 1}, (double[]){1, 2, 2, 1}, &u), "not concave");
  REFUSED(wal_utility_quadratic(2, (double[]){1, 1}, (double[]){0, 1, 1, 0}, &u), "not concave");
  REFUSED(wal_utility_quadratic(1, (double[]){1}, (double[]){-1}, &u), "not concave");
  REFUSED(wal_utility_quadratic(1, (double[]){-1}, (double[]){1}, &u), "whatever");
  REFUSED(wal_utility_quadratic(1, (double[]){NAN}, (double[]){1}, &u), "good 0", "nan");
}
END_TEST

#define NET(nodes, sink, ...)                                                        \
  test_network(1, nodes, sink, sizeof((test_arc[]){__VA_ARGS__}) / sizeof(test_arc), \
               (test_arc[]){__VA_ARGS__}, &u)

START_TEST(network_refusals) {
  REFUSED(NET(1, 0, {0, 0, 1, 1}), "1 nodes", "nodes: 2 works");
  REFUSED(NET(2, 0, {0, 1, 1, 1}), "sink is node 0", "1 works");
  REFUSED(NET(2, 2, {0, 1, 1, 1}), "sink is node 2");
  REFUSED(test_network(1, 2, 1, 0, NULL, &u), "whatever");
  REFUSED(NET(2, 1, {0, 1, 1, 1}, {0, 2, 1, 1}), "arc 1", "node 2", "0 to 1");
  REFUSED(NET(2, 1, {-1, 1, 1, 1}), "arc 0", "node -1");
  REFUSED(NET(2, 1, {0, 1, 0, 1}), "arc 0", "gain is 0");
  REFUSED(NET(2, 1, {0, 1, NAN, 1}), "gain is nan");
  REFUSED(NET(2, 1, {0, 1, 1, -1}), "arc 0", "capacity is -1");
  REFUSED(NET(2, 1, {0, 1, 1, NAN}), "capacity is nan");
  REFUSED(NET(3, 2, {0, 1, 1, 1}, {2, 1, 1, 1}), "no good reaches the sink, node 2", "works");
  REFUSED(NET(3, 2, {0, 1, 1, 1}, {1, 2, 1, 0}), "no good reaches the sink");
}
END_TEST

/* A cycle that makes flow, limited or not, fed by a good or not, at the sink, or one arc. */
START_TEST(cycle_refusals) {
  REFUSED(NET(4, 3, {0, 3, 1, 1}, {0, 1, 1, 1}, {1, 2, 2, INFINITY}, {2, 1, 0.6, INFINITY}, {2, 3, 1, 1}),
          "cycle of 2 arcs", "gain 1.2", "at most 1");
  REFUSED(NET(4, 3, {0, 3, 1, 1}, {1, 2, 2, 0.1}, {2, 1, 0.6, INFINITY}, {2, 3, 1, 1}), "cycle of 2 arcs");
  REFUSED(NET(3, 2, {0, 1, 1, 1}, {1, 1, 1.5, 1}, {1, 2, 1, 1}), "arc 1", "cycle of 1 arc with", "gain 1.5");
  REFUSED(NET(3, 2, {0, 2, 1, 1}, {2, 1, 2, 1}, {1, 2, 1, 1}), "cycle of 2 arcs");
  REFUSED(NET(4, 3, {0, 1, 1, 1}, {1, 2, 2, 1}, {2, 1, 0.5000001, 1}, {2, 3, 1, 1}), "cycle of 2 arcs");
}
END_TEST

/* What makes flow but cannot bring it to the sink does no harm, nor does a gain of exactly 1 around. */
START_TEST(harmless_cycles) {
  wal_utility *u = NULL;
  ck_assert_int_eq(NET(3, 2, {0, 2, 1, 1}, {0, 1, 1, 1}, {1, 1, 5, INFINITY}), WAL_OK);
  ck_assert_double_eq_tol(wal_utility_value(u, (double[]){0.5}), 0.5, 1e-12);
  wal_utility_destroy(u);
  ck_assert_int_eq(
      NET(4, 3, {0, 1, 1, INFINITY}, {1, 2, 49, INFINITY}, {2, 1, 1 / 49., INFINITY}, {2, 3, 1, 1}), WAL_OK);
  ck_assert_double_eq_tol(wal_utility_value(u, (double[]){0.01}), 0.49, 1e-12);
  ck_assert_double_eq_tol(u->satiation, 1, 1e-12);
  wal_utility_destroy(u);
  ck_assert_int_eq(NET(4, 3, {0, 1, 1, 1}, {1, 2, 3, 0}, {2, 1, 3, 1}, {1, 3, 1, 1}),
                   WAL_OK); /* no capacity */
  wal_utility_destroy(u);
}
END_TEST

/* ---- markets ---- */

START_TEST(markets) {
  wal_nw_market market;
  ck_assert_int_eq(wal_nw_market_create(0, 1, &market), WAL_E_INPUT);
  wal_nw_market_destroy(&market);
  ck_assert_int_eq(wal_nw_market_create(2, M, &market), WAL_OK);
  ck_assert_int_eq(wal_nw_market_check(&market), WAL_E_INPUT);
  ck_assert_ptr_nonnull(strstr(wal_error(), "agents[0]"));
  market.utility[0] = make_linear(1);
  market.utility[1] = make_splc(1);
  ck_assert_int_eq(wal_nw_market_check(&market), WAL_OK);
  market.budget[1] = 3;
  ck_assert_double_eq_tol(wal_nw_log_welfare(&market, (double[]){1, exp(2)}), 1.5, 1e-15);
  market.budget[1] = 0;
  ck_assert_int_eq(wal_nw_market_check(&market), WAL_E_INPUT);
  ck_assert_ptr_nonnull(strstr(wal_error(), "budget[1] is 0"));
  market.budget[1] = 1;
  wal_utility_destroy(market.utility[1]);
  ck_assert_int_eq(wal_utility_linear(1, (double[]){1}, &market.utility[1]), WAL_OK);
  ck_assert_int_eq(wal_nw_market_check(&market), WAL_E_INPUT);
  ck_assert_ptr_nonnull(strstr(wal_error(), "agents[1]"));
  wal_nw_market_destroy(&market);
  wal_nw_market_destroy(NULL);
  wal_utility_destroy(NULL);
  wal_network_destroy(NULL);
  wal_utility_lp_destroy(NULL);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("utility");
  TCase *tests = tcase_create("utility");
  tcase_add_loop_test(tests, every_kind_is_a_utility_function, 0, KINDS);
  tcase_add_loop_test(tests, satiation, 0, KINDS);
  tcase_add_test(tests, satiable_and_not);
  tcase_add_loop_test(tests, linear_program_agrees, 0, KINDS);
  tcase_add_loop_test(tests, network_agrees, 0, KINDS);
  tcase_add_test(tests, leontief_free_by_hand);
  tcase_add_test(tests, splc_by_hand);
  tcase_add_test(tests, networks_by_hand);
  tcase_add_test(tests, quadratic_of_section_8);
  tcase_add_test(tests, quadratic_by_brute_force);
  tcase_add_test(tests, quadratic_of_a_singular_matrix);
  tcase_add_test(tests, separable_refusals);
  tcase_add_test(tests, other_refusals);
  tcase_add_test(tests, network_refusals);
  tcase_add_test(tests, cycle_refusals);
  tcase_add_test(tests, harmless_cycles);
  tcase_add_test(tests, markets);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
