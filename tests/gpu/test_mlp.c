/* The network on a device: the seam's conformance suite, the CPU's network beside it, the shorter precisions,
   and training steps replayed from a captured graph. */
#include <check.h>

#include "gpu/cuda.h"
#include "gpu/nn/replay.h"
#include "tests/gpu/gpu_suite.h"
#include "tests/models/mlp_conformance.h"

/* Thin and wide ends, no hidden layer and several, widths that vectors fit and not. */
static const int beside_shapes[][5] = {{10, 1, 64, 5, 600}, {3, 2, 17, 3, 1100}, {20, 12, 40, 3, 129},
                                       {5, 9, 24, 2, 33},   {18, 3, 1, 1, 70},   {6, 1, 136, 4, 1}};
enum { BESIDE = sizeof beside_shapes / sizeof *beside_shapes };

static float *state_of(const wal_mlp *net, int which) {
  float *out = mlp_floats(net->ops->parameter_count(net));
  ck_assert_msg(net->ops->get(net, which, out) == WAL_OK, "%s", wal_error());
  return out;
}

/* |a - b| / |b| over arrays. */
static double distance(int64_t count, const float *a, const float *b) {
  double apart = 0, size = 0;
  for (int64_t i = 0; i < count; i++) {
    apart += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
    size += (double)b[i] * b[i];
  }
  return sqrt(apart / size);
}

static wal_mlp *create_on(const wal_mlp_ops *ops, wal_mlp_config config) {
  wal_mlp *net = NULL;
  ck_assert_msg(ops->create(&config, &net) == WAL_OK, "%s", wal_error());
  return net;
}

/* One batch forward and backward. */
static void differentiate(wal_mlp *net, const wal_mlp_config *c, float *y, float *dx) {
  float *x = mlp_normals(c->max_rows * c->inputs, 1), *dy = mlp_normals(c->max_rows * c->outputs, 2);
  ck_assert_msg(net->ops->forward(net, c->max_rows, x, y) == WAL_OK, "%s", wal_error());
  ck_assert_msg(net->ops->backward(net, x, dy, dx) == WAL_OK, "%s", wal_error());
  free(x), free(dy);
}

/* The same initial bits; outputs, gradients and derivatives of the inputs to 1e-4 of their size. */
START_TEST(agrees_with_cpu) {
  const wal_mlp_config c = mlp_config(beside_shapes[_i / 3], (wal_activation)(_i % 3));
  wal_mlp *net[2] = {create_on(&wal_mlp_cpu, c), create_on(wal_device_cuda.mlp, c)};
  const int64_t count = wal_mlp_cpu.parameter_count(net[0]);
  ck_assert_int_eq(net[1]->ops->parameter_count(net[1]), count);
  float *p[2], *g[2], *y[2], *dx[2];
  for (int k = 0; k < 2; k++) {
    p[k] = state_of(net[k], 0);
    y[k] = mlp_floats(c.max_rows * c.outputs), dx[k] = mlp_floats(c.max_rows * c.inputs);
    differentiate(net[k], &c, y[k], dx[k]);
    g[k] = state_of(net[k], 1);
  }
  ck_assert_mem_eq(p[0], p[1], (size_t)count * sizeof *p[0]);
  ck_assert_double_lt(distance(c.max_rows * c.outputs, y[1], y[0]), 1e-5);
  ck_assert_double_lt(distance(count, g[1], g[0]), 1e-4);
  ck_assert_double_lt(distance(c.max_rows * c.inputs, dx[1], dx[0]), 1e-4);
  for (int k = 0; k < 2; k++) {
    free(p[k]), free(g[k]), free(y[k]), free(dx[k]);
    net[k]->ops->destroy(net[k]);
  }
}
END_TEST

/* Shorter precisions are as far from float32 as their rounding says, and not nearer: 2^-11 and 2^-8 for one
 * number. */
START_TEST(shorter_precisions_are_near) {
  static const double least[] = {1e-5, 2e-4}, most[] = {2e-3, 2e-2};
  const int shape[] = {10, 2, 64, 5, 300};
  wal_mlp_config c = mlp_config(shape, (wal_activation)(_i / 2));
  float *y[2], *g[2];
  for (int k = 0; k < 2; k++) {
    c.precision = k ? (wal_precision)(1 + _i % 2) : WAL_FLOAT32;
    wal_mlp *net = create_on(wal_device_cuda.mlp, c);
    y[k] = mlp_floats(c.max_rows * c.outputs);
    differentiate(net, &c, y[k], NULL);
    g[k] = state_of(net, 1);
    net->ops->destroy(net);
  }
  const double apart = distance(c.max_rows * c.outputs, y[1], y[0]);
  const double turned = distance(wal_mlp_parameters(&c), g[1], g[0]);
  ck_assert_double_gt(apart, least[_i % 2]);
  ck_assert_double_lt(apart, most[_i % 2]);
  ck_assert_double_lt(turned,
                      10 * most[_i % 2]); /* a ReLU that is on in one and off in the other counts whole */
  for (int k = 0; k < 2; k++) free(y[k]), free(g[k]);
}
END_TEST

/* In every precision a NaN in a row reaches that row's output and the gradient. */
START_TEST(nan_is_not_hidden) {
  wal_mlp_config c = mlp_config((int[]){3, 1, 24, 4, 2}, (wal_activation)(_i % 3));
  float x[6] = {1, 2, 3, 4, NAN, 6}, y[2], dy[2] = {1, 1};
  c.precision = (wal_precision)(_i / 3);
  wal_mlp *net = create_on(wal_device_cuda.mlp, c);
  ck_assert_int_eq(net->ops->forward(net, 2, x, y), WAL_OK);
  ck_assert(isfinite(y[0]) && isnan(y[1]));
  ck_assert_int_eq(net->ops->backward(net, x, dy, NULL), WAL_OK);
  float *g = state_of(net, 1);
  ck_assert(isnan(g[1])); /* of the weight that the NaN met */
  free(g);
  net->ops->destroy(net);
}
END_TEST

/* More rows than the largest batch; and a forward before an infer can still go backward. */
START_TEST(infer_leaves_forward_alone) {
  const wal_mlp_config c = mlp_config((int[]){3, 2, 20, 4, 50}, WAL_SILU);
  wal_mlp *net = create_on(wal_device_cuda.mlp, c), *other = create_on(&wal_mlp_cpu, c);
  float *x = mlp_normals(3 * 170, 1), *dy = mlp_normals(2 * 50, 2), *y = mlp_floats(2 * 170),
        *z = mlp_floats(2 * 170);
  ck_assert_int_eq(net->ops->forward(net, 50, x, y), WAL_OK);
  ck_assert_int_eq(net->ops->backward(net, x, dy, NULL), WAL_OK);
  float *before = state_of(net, 1);
  ck_assert_int_eq(net->ops->forward(net, 50, x, y), WAL_OK);
  ck_assert_int_eq(net->ops->infer(net, 170, x, y), WAL_OK);
  ck_assert_int_eq(net->ops->backward(net, x, dy, NULL), WAL_OK);
  float *after = state_of(net, 1);
  ck_assert_mem_eq(before, after, (size_t)net->ops->parameter_count(net) * sizeof *before);
  ck_assert_int_eq(other->ops->infer(other, 170, x, z), WAL_OK);
  ck_assert_double_lt(distance(2 * 170, y, z), 1e-5);
  ck_assert_int_eq(net->ops->infer(net, 0, x, y), WAL_OK);
  free(x), free(dy), free(y), free(z), free(before), free(after);
  net->ops->destroy(net), other->ops->destroy(other);
}
END_TEST

/* A captured step, replayed at changing rates, has the bits of the calls; the step counter goes on. */
START_TEST(replay_is_the_calls) {
  const int shape[] = {4, 2, 24, 4, 90};
  wal_mlp_config c = mlp_config(shape, (wal_activation)_i);
  c.precision = (wal_precision)_i;
  wal_mlp *called = create_on(wal_device_cuda.mlp, c), *replayed = create_on(wal_device_cuda.mlp, c);
  float *x = mlp_normals(90 * 4, 1), *dy = mlp_normals(90 * 2, 2), *y = mlp_floats(90 * 2),
        *z = mlp_floats(90 * 2);
  wal_mlp_replay *graph = NULL;
  ck_assert_msg(wal_mlp_replay_open(replayed, 90, x, dy, &graph) == WAL_OK, "%s", wal_error());
  ck_assert_int_eq(replayed->ops->steps(replayed), 0); /* captured is not run */
  for (int t = 1; t <= 4; t++) {
    const float rate = 0.01f / (float)t;
    ck_assert_int_eq(called->ops->forward(called, 90, x, y), WAL_OK);
    ck_assert_int_eq(called->ops->backward(called, x, dy, NULL), WAL_OK);
    ck_assert_int_eq(called->ops->step(called, rate), WAL_OK);
    ck_assert_msg(wal_mlp_replay_step(graph, rate, z) == WAL_OK, "%s", wal_error());
    ck_assert_mem_eq(y, z, 90 * 2 * sizeof *y);
    ck_assert_int_eq(replayed->ops->steps(replayed), t);
  }
  for (int which = 0; which < 4; which++) {
    float *a = state_of(called, which), *b = state_of(replayed, which);
    ck_assert_msg(memcmp(a, b, (size_t)wal_mlp_parameters(&c) * sizeof *a) == 0, "state %d differs", which);
    free(a), free(b);
  }
  wal_mlp_replay_close(graph);
  free(x), free(dy), free(y), free(z);
  called->ops->destroy(called), replayed->ops->destroy(replayed);
}
END_TEST

/* More layers than one sum of the gradient's parts takes. */
START_TEST(deep_networks) {
  const wal_mlp_config c = mlp_config((int[]){2, 1, 9, 20, 40}, WAL_TANH);
  wal_mlp *net[2] = {create_on(&wal_mlp_cpu, c), create_on(wal_device_cuda.mlp, c)};
  float *g[2], y[40];
  for (int k = 0; k < 2; k++) differentiate(net[k], &c, y, NULL), g[k] = state_of(net[k], 1);
  ck_assert_double_lt(distance(wal_mlp_parameters(&c), g[1], g[0]), 1e-4);
  for (int k = 0; k < 2; k++) free(g[k]), net[k]->ops->destroy(net[k]);
}
END_TEST

START_TEST(engine_is_named) {
  wal_mlp *net = create_on(wal_device_cuda.mlp, mlp_config((int[]){2, 1, 9, 4, 40}, WAL_TANH));
  ck_assert_str_eq(net->ops->engine(net), "plain"); /* true float32 has no tensor cores */
  net->ops->destroy(net);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("gpu mlp");
  mlp_conformance(wal_device_cuda.mlp, suite);
  TCase *tests = tcase_create("beside the CPU");
  tcase_set_timeout(tests, 120);
  tcase_add_loop_test(tests, agrees_with_cpu, 0, 3 * BESIDE);
  tcase_add_loop_test(tests, shorter_precisions_are_near, 0, 6);
  tcase_add_loop_test(tests, replay_is_the_calls, 0, 3);
  tcase_add_loop_test(tests, nan_is_not_hidden, 0, 9);
  tcase_add_test(tests, infer_leaves_forward_alone);
  tcase_add_test(tests, deep_networks);
  tcase_add_test(tests, engine_is_named);
  suite_add_tcase(suite, tests);
  return gpu_suite_run(suite);
}
