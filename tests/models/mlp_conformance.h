/* What every member of the network seam must do, written once: a test program defines nothing, includes this
   file and calls mlp_conformance(&ops, suite). The truths are a naive forward pass in double, finite
   differences of it, and a textbook Adam in double. */
#ifndef WAL_TESTS_MLP_CONFORMANCE_H
#define WAL_TESTS_MLP_CONFORMANCE_H

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/common/rng.h"
#include "models/nn/mlp.h"

static const wal_mlp_ops *mlp_ops;

/* Shapes with every kind of edge: inputs, outputs, width, depth, rows. */
static const int mlp_shapes[][5] = {
    {1, 1, 1, 1, 1},    {3, 2, 5, 1, 7},     {2, 1, 1, 2, 7},      {5, 3, 17, 3, 7},   {10, 1, 17, 5, 1},
    {10, 1, 5, 5, 257}, {7, 19, 33, 2, 257}, {10, 1, 256, 5, 257}, {4, 40, 256, 4, 7}, {3, 2, 17, 4, 1100},
};
enum { MLP_SHAPES = sizeof mlp_shapes / sizeof *mlp_shapes };

static float *mlp_floats(int64_t count) {
  float *p = calloc((size_t)count, sizeof *p);
  ck_assert_ptr_nonnull(p);
  return p;
}

static float *mlp_normals(int64_t count, uint64_t seed) {
  float *p = mlp_floats(count);
  for (int64_t i = 0; i < count; i++) p[i] = (float)wal_rng_normal(seed, WAL_STREAM_TEST, (uint64_t)i);
  return p;
}

static wal_mlp *mlp_create(wal_mlp_config config) {
  wal_mlp *net = NULL;
  ck_assert_msg(mlp_ops->create(&config, &net) == WAL_OK, "%s", wal_error());
  return net;
}

static wal_mlp_config mlp_config(const int shape[5], wal_activation activation) {
  return (wal_mlp_config){.inputs = shape[0],
                          .outputs = shape[1],
                          .width = shape[2],
                          .depth = shape[3],
                          .max_rows = shape[4],
                          .activation = activation,
                          .seed = 7};
}

static double mlp_activate(wal_activation activation, double z) {
  return activation == WAL_RELU ? (z > 0 ? z : 0) : activation == WAL_TANH ? tanh(z) : z / (1 + exp(-z));
}

/* The obvious network in double on one row: p in the seam's order, x[inputs] -> y[outputs]. */
static void mlp_naive(const wal_mlp_config *c, const double *p, const double *x, double *y) {
  double a[300], z[300];
  memcpy(a, x, (size_t)c->inputs * sizeof *a);
  for (int l = 0; l < c->depth; l++) {
    const int in = l ? c->width : c->inputs, out = l == c->depth - 1 ? c->outputs : c->width;
    for (int o = 0; o < out; o++) {
      z[o] = p[out * in + o];
      for (int i = 0; i < in; i++) z[o] += p[o * in + i] * a[i];
    }
    for (int o = 0; o < out; o++) a[o] = l == c->depth - 1 ? z[o] : mlp_activate(c->activation, z[o]);
    p += out * in + out;
  }
  memcpy(y, a, (size_t)c->outputs * sizeof *y);
}

static double *mlp_doubles(const wal_mlp *net, int which) {
  const int64_t count = mlp_ops->parameter_count(net);
  float *p = mlp_floats(count);
  double *d = malloc((size_t)count * sizeof *d);
  ck_assert_int_eq(mlp_ops->get(net, which, p), WAL_OK);
  for (int64_t i = 0; i < count; i++) d[i] = p[i];
  free(p);
  return d;
}

static void mlp_forward(wal_mlp *net, int64_t rows, const float *x, float *y) {
  ck_assert_msg(mlp_ops->forward(net, rows, x, y) == WAL_OK, "%s", wal_error());
}

/* Which (shape, activation) a loop test's index means. */
static wal_mlp_config mlp_case(int i) { return mlp_config(mlp_shapes[i / 3], (wal_activation)(i % 3)); }

START_TEST(mlp_forward_is_naive) {
  const wal_mlp_config c = mlp_case(_i);
  wal_mlp *net = mlp_create(c);
  float *x = mlp_normals(c.max_rows * c.inputs, 1), *y = mlp_floats(c.max_rows * c.outputs);
  double *p = mlp_doubles(net, 0), xd[300], yd[300];
  mlp_forward(net, c.max_rows, x, y);
  for (int64_t r = 0; r < c.max_rows; r++) {
    for (int i = 0; i < c.inputs; i++) xd[i] = x[r * c.inputs + i];
    mlp_naive(&c, p, xd, yd);
    for (int o = 0; o < c.outputs; o++) ck_assert_double_eq_tol(y[r * c.outputs + o], yd[o], 3e-6);
  }
  free(p), free(x), free(y);
  mlp_ops->destroy(net);
}
END_TEST

/* The loss sum_r <dy_r, y_r> of the naive network at parameters p. */
static double mlp_loss(const wal_mlp_config *c, const double *p, int64_t rows, const double *x,
                       const float *dy) {
  double loss = 0, y[300];
  for (int64_t r = 0; r < rows; r++) {
    mlp_naive(c, p, x + r * c->inputs, y);
    for (int o = 0; o < c->outputs; o++) loss += dy[r * c->outputs + o] * y[o];
  }
  return loss;
}

/* Central difference in v[k] of the loss. */
static double mlp_difference(const wal_mlp_config *c, double *v, int64_t k, const double *p, int64_t rows,
                             const double *x, const float *dy) {
  const double at = v[k], h = 1e-6;
  v[k] = at + h;
  const double up = mlp_loss(c, p, rows, x, dy);
  v[k] = at - h;
  const double down = mlp_loss(c, p, rows, x, dy);
  v[k] = at;
  return (up - down) / (2 * h);
}

/* Gradients against finite differences of the naive network: up to 40 parameters spread over all layers (each
   layer's W and b are hit: the stride is coprime to the sizes), and dx of the first row. */
START_TEST(mlp_gradient_is_difference) {
  wal_mlp_config c = mlp_case(_i);
  if (c.max_rows > 7 && c.width > 17) c.max_rows = 21;
  wal_mlp *net = mlp_create(c);
  const int64_t rows = c.max_rows, count = mlp_ops->parameter_count(net);
  float *x = mlp_normals(rows * c.inputs, 1), *dy = mlp_normals(rows * c.outputs, 2);
  float *y = mlp_floats(rows * c.outputs), *dx = mlp_floats(rows * c.inputs);
  double *xd = malloc((size_t)(rows * c.inputs) * sizeof *xd), *p = mlp_doubles(net, 0);
  for (int64_t i = 0; i < rows * c.inputs; i++) xd[i] = x[i];
  mlp_forward(net, rows, x, y);
  ck_assert_int_eq(mlp_ops->backward(net, x, dy, dx), WAL_OK);
  double *g = mlp_doubles(net, 1);
  const int64_t stride = count > 40 ? count / 40 : 1;
  for (int64_t k = count - 1; k >= 0; k -= stride) { /* from the end: the last bias is in */
    const double d = mlp_difference(&c, p, k, p, rows, xd, dy);
    ck_assert_msg(fabs(g[k] - d) <= 2e-5 * sqrt((double)rows) + 2e-5 * fabs(d),
                  "parameter %lld: gradient %.9g, difference %.9g", (long long)k, g[k], d);
  }
  for (int i = 0; i < c.inputs; i++) {
    const double d = mlp_difference(&c, xd, i, p, 1, xd, dy);
    ck_assert_double_eq_tol(dx[i], d, 1e-5 + 1e-5 * fabs(d));
  }
  free(g), free(p), free(xd), free(x), free(y), free(dx), free(dy);
  mlp_ops->destroy(net);
}
END_TEST

/* The gradient is overwritten, not accumulated; dx may be NULL without changing it. */
START_TEST(mlp_gradient_is_overwritten) {
  const wal_mlp_config c = mlp_config((int[]){3, 2, 17, 3, 300}, WAL_RELU);
  wal_mlp *net = mlp_create(c);
  float *x = mlp_normals(900, 1), *dy = mlp_normals(600, 2), *y = mlp_floats(600), *dx = mlp_floats(900);
  mlp_forward(net, 300, x, y);
  ck_assert_int_eq(mlp_ops->backward(net, x, dy, dx), WAL_OK);
  double *first = mlp_doubles(net, 1);
  ck_assert_int_eq(mlp_ops->backward(net, x, dy, NULL), WAL_OK);
  double *second = mlp_doubles(net, 1);
  ck_assert_mem_eq(first, second, (size_t)mlp_ops->parameter_count(net) * sizeof *first);
  free(first), free(second), free(x), free(y), free(dx), free(dy);
  mlp_ops->destroy(net);
}
END_TEST

START_TEST(mlp_adam_is_textbook) {
  const wal_mlp_config c = mlp_config((int[]){3, 2, 17, 3, 7}, WAL_TANH);
  wal_mlp *net = mlp_create(c);
  const int64_t count = mlp_ops->parameter_count(net);
  float *x = mlp_normals(21, 1), *y = mlp_floats(14);
  double *p = mlp_doubles(net, 0), *m = calloc((size_t)count, sizeof *m),
         *v = calloc((size_t)count, sizeof *v);
  for (int t = 1; t <= 5; t++) {
    float *dy = mlp_normals(14, 10 + (uint64_t)t);
    mlp_forward(net, 7, x, y);
    ck_assert_int_eq(mlp_ops->backward(net, x, dy, NULL), WAL_OK);
    double *g = mlp_doubles(net, 1), rate = 0.01 / t;
    ck_assert_int_eq(mlp_ops->step(net, (float)rate), WAL_OK);
    ck_assert_int_eq(mlp_ops->steps(net), t);
    for (int64_t i = 0; i < count; i++) {
      m[i] = 0.9 * m[i] + 0.1 * g[i];
      v[i] = 0.999 * v[i] + 0.001 * g[i] * g[i];
      p[i] -= rate * (m[i] / (1 - pow(0.9, t))) / (sqrt(v[i] / (1 - pow(0.999, t))) + 1e-8);
    }
    double *got = mlp_doubles(net, 0);
    for (int64_t i = 0; i < count; i++) ck_assert_double_eq_tol(got[i], p[i], 1e-6 * t);
    free(g), free(dy), free(got);
  }
  free(p), free(m), free(v), free(x), free(y);
  mlp_ops->destroy(net);
}
END_TEST

/* `count` training steps on a changing target; the batch depends on Adam's step counter alone. */
static void mlp_train(wal_mlp *net, const wal_mlp_config *c, int count) {
  float *y = mlp_floats(c->max_rows * c->outputs);
  for (int i = 0; i < count; i++) {
    float *x = mlp_normals(c->max_rows * c->inputs, 100 + (uint64_t)mlp_ops->steps(net));
    mlp_forward(net, c->max_rows, x, y);
    for (int64_t k = 0; k < c->max_rows * c->outputs; k++) y[k] -= 1;
    ck_assert_int_eq(mlp_ops->backward(net, x, y, NULL), WAL_OK);
    ck_assert_int_eq(mlp_ops->step(net, 1e-3f), WAL_OK);
    free(x);
  }
  free(y);
}

static void mlp_assert_same(const wal_mlp *a, const wal_mlp *b) {
  const size_t size = (size_t)mlp_ops->parameter_count(a) * sizeof(double);
  for (int which = 0; which < 4; which++) {
    double *p = mlp_doubles(a, which), *q = mlp_doubles(b, which);
    ck_assert_msg(memcmp(p, q, size) == 0, "state %d differs", which);
    free(p), free(q);
  }
}

/* Ten steps; save after five, reload into a fresh network, run the rest again: the same bits. */
START_TEST(mlp_resumes_to_same_bits) {
  wal_mlp_config c = mlp_config((int[]){3, 2, 40, 4, 1100}, WAL_SILU);
  wal_mlp *net = mlp_create(c);
  mlp_train(net, &c, 5);
  const int64_t count = mlp_ops->parameter_count(net);
  float *saved[4];
  for (int which = 0; which < 4; which++) {
    saved[which] = mlp_floats(count);
    ck_assert_int_eq(mlp_ops->get(net, which, saved[which]), WAL_OK);
  }
  c.seed = 8; /* another start, to be overwritten */
  wal_mlp *again = mlp_create(c);
  for (int which = 0; which < 4; which++) {
    ck_assert_int_eq(mlp_ops->set(again, which, saved[which]), WAL_OK);
    free(saved[which]);
  }
  ck_assert_int_eq(mlp_ops->set_steps(again, mlp_ops->steps(net)), WAL_OK);
  mlp_train(net, &c, 5);
  mlp_train(again, &c, 5);
  mlp_assert_same(net, again);
  mlp_ops->destroy(net);
  mlp_ops->destroy(again);
}
END_TEST

/* infer() gives the bits of forward()'s rows, whatever the split into calls. */
START_TEST(mlp_infer_has_forward_bits) {
  const wal_mlp_config c = mlp_case(_i);
  wal_mlp *net = mlp_create(c);
  const int64_t rows = c.max_rows;
  float *x = mlp_normals(rows * c.inputs, 1);
  float *y = mlp_floats(rows * c.outputs), *z = mlp_floats(rows * c.outputs);
  mlp_forward(net, rows, x, y);
  const int64_t splits[] = {rows, 1, 7, 200};
  for (int s = 0; s < 4; s++) {
    memset(z, 0, (size_t)(rows * c.outputs) * sizeof *z);
    for (int64_t lo = 0; lo < rows; lo += splits[s]) {
      const int64_t count = rows - lo < splits[s] ? rows - lo : splits[s];
      ck_assert_int_eq(mlp_ops->infer(net, count, x + lo * c.inputs, z + lo * c.outputs), WAL_OK);
    }
    ck_assert_mem_eq(y, z, (size_t)(rows * c.outputs) * sizeof *y);
  }
  free(x), free(y), free(z);
  mlp_ops->destroy(net);
}
END_TEST

/* Parameters are U(-1/sqrt(fan_in), 1/sqrt(fan_in)): bounds, mean, variance; another seed, another network.
 */
START_TEST(mlp_initial_parameters) {
  wal_mlp_config c = mlp_config((int[]){16, 64, 1, 1, 1}, WAL_RELU);
  wal_mlp *net = mlp_create(c);
  ck_assert_int_eq(mlp_ops->parameter_count(net), 64 * 17);
  double *p = mlp_doubles(net, 0), mean = 0, square = 0;
  for (int i = 0; i < 64 * 17; i++) {
    ck_assert(fabs(p[i]) < 0.25);
    mean += p[i] / (64 * 17), square += p[i] * p[i] / (64 * 17);
  }
  ck_assert_double_eq_tol(mean, 0, 4 * 0.25 / sqrt(3 * 64 * 17));
  ck_assert_double_eq_tol(square, 0.0625 / 3, 0.003);
  c.seed++;
  wal_mlp *other = mlp_create(c);
  double *q = mlp_doubles(other, 0);
  ck_assert(p[0] != q[0] && p[64 * 17 - 1] != q[64 * 17 - 1]);
  free(p), free(q);
  mlp_ops->destroy(net);
  mlp_ops->destroy(other);
}
END_TEST

/* A NaN in the input reaches the output and the gradient, so that a solver's guard sees it. */
START_TEST(mlp_nan_is_not_hidden) {
  const wal_mlp_config c = mlp_config((int[]){3, 1, 17, 3, 2}, (wal_activation)_i);
  wal_mlp *net = mlp_create(c);
  float x[6] = {1, 2, 3, 4, NAN, 6}, y[2];
  mlp_forward(net, 2, x, y);
  ck_assert(isfinite(y[0]) && isnan(y[1]));
  mlp_ops->destroy(net);
}
END_TEST

static void mlp_refused(wal_mlp_config config, const char *message) {
  wal_mlp *net = (wal_mlp *)1;
  ck_assert_int_eq(mlp_ops->create(&config, &net), WAL_E_INPUT);
  ck_assert_ptr_null(net);
  ck_assert_str_eq(wal_error(), message);
}

START_TEST(mlp_errors) {
  mlp_refused(mlp_config((int[]){0, 1, 1, 1, 1}, WAL_RELU), "network inputs is 0; expected at least 1");
  mlp_refused(mlp_config((int[]){1, 0, 1, 1, 1}, WAL_RELU), "network outputs is 0; expected at least 1");
  mlp_refused(mlp_config((int[]){1, 1, 0, 1, 1}, WAL_RELU), "network width is 0; expected at least 1");
  mlp_refused(mlp_config((int[]){1, 1, 1, -2, 1}, WAL_RELU), "network depth is -2; expected at least 1");
  mlp_refused(mlp_config((int[]){1, 1, 1, 1, 0}, WAL_RELU), "network max_rows is 0; expected at least 1");
  wal_mlp *net = mlp_create(mlp_config((int[]){1, 1, 2, 2, 4}, WAL_RELU));
  float x[8] = {0}, y[8];
  ck_assert_int_eq(mlp_ops->backward(net, x, y, NULL), WAL_E_INTERNAL);
  ck_assert_int_eq(mlp_ops->forward(net, 5, x, y), WAL_E_INPUT);
  ck_assert_str_eq(wal_error(), "batch of 5 rows; the network was created for 1 to 4");
  ck_assert_int_eq(mlp_ops->forward(net, 0, x, y), WAL_E_INPUT);
  ck_assert_int_eq(mlp_ops->set_steps(net, -1), WAL_E_INPUT);
  ck_assert_int_eq(mlp_ops->get(net, 4, y), WAL_E_INTERNAL);
  mlp_ops->destroy(net);
  mlp_ops->destroy(NULL);
}
END_TEST

static void mlp_conformance(const wal_mlp_ops *ops, Suite *suite) {
  mlp_ops = ops;
  TCase *tests = tcase_create(ops->name);
  tcase_set_timeout(tests, 60);
  tcase_add_loop_test(tests, mlp_forward_is_naive, 0, 3 * MLP_SHAPES);
  tcase_add_loop_test(tests, mlp_gradient_is_difference, 0, 3 * MLP_SHAPES);
  tcase_add_test(tests, mlp_gradient_is_overwritten);
  tcase_add_test(tests, mlp_adam_is_textbook);
  tcase_add_test(tests, mlp_resumes_to_same_bits);
  tcase_add_loop_test(tests, mlp_infer_has_forward_bits, 0, 3 * MLP_SHAPES);
  tcase_add_test(tests, mlp_initial_parameters);
  tcase_add_loop_test(tests, mlp_nan_is_not_hidden, 0, 3);
  tcase_add_test(tests, mlp_errors);
  suite_add_tcase(suite, tests);
}

#endif
