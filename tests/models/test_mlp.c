/* The CPU network: the seam's conformance suite, and what only this member offers. */
#include "models/common/parallel.h"
#include "tests/models/mlp_conformance.h"
#include "tests/suite.h"

typedef struct {
  const wal_mlp *net;
  const float *x;
  float *y;
} inference;

static wal_status infer_chunk(void *context, int64_t lo, int64_t hi) {
  const inference *i = context;
  return i->net->ops->infer(i->net, hi - lo, i->x + 3 * lo, i->y + lo);
}

START_TEST(infer_is_thread_safe) {
  enum { ROWS = 20000 };
  wal_mlp *net = mlp_create(mlp_config((int[]){3, 1, 17, 3, ROWS}, WAL_RELU));
  float *x = mlp_normals(3 * ROWS, 1), *y = mlp_floats(ROWS), *z = mlp_floats(ROWS);
  mlp_forward(net, ROWS, x, y);
  wal_threads_set(4);
  ck_assert_int_eq(wal_for_chunks(ROWS, infer_chunk, &(inference){net, x, z}), WAL_OK);
  ck_assert_mem_eq(y, z, ROWS * sizeof *y);
  free(x), free(y), free(z);
  mlp_ops->destroy(net);
}
END_TEST

START_TEST(threads_do_not_matter) {
  const wal_mlp_config c = mlp_config((int[]){10, 1, 64, 5, 2560}, WAL_RELU);
  wal_mlp *nets[3];
  const int threads[3] = {1, 2, 3};
  for (int i = 0; i < 3; i++) {
    wal_threads_set(threads[i]);
    nets[i] = mlp_create(c);
    mlp_train(nets[i], &c, 5);
  }
  mlp_assert_same(nets[0], nets[1]);
  mlp_assert_same(nets[0], nets[2]);
  for (int i = 0; i < 3; i++) mlp_ops->destroy(nets[i]);
}
END_TEST

START_TEST(other_precisions_are_refused) {
  wal_mlp_config c = mlp_config((int[]){1, 1, 1, 1, 1}, WAL_RELU);
  wal_mlp *net = (wal_mlp *)1;
  c.precision = WAL_BF16;
  ck_assert_int_eq(wal_mlp_cpu.create(&c, &net), WAL_E_UNSUPPORTED);
  ck_assert_ptr_null(net);
  ck_assert_str_eq(wal_error(),
                   "a network with precision bf16 on the CPU; it has float32 only (precision: float32)");
  c.precision = (wal_precision)3;
  ck_assert_int_eq(wal_mlp_cpu.create(&c, &net), WAL_E_INPUT);
  ck_assert_int_eq(wal_precision_parse("tf32", &c.precision), WAL_OK);
  ck_assert_int_eq(c.precision, WAL_TF32);
  ck_assert_str_eq(wal_precision_name(c.precision), "tf32");
  ck_assert_int_eq(wal_precision_parse("fp16", &c.precision), WAL_E_INPUT);
  ck_assert_str_eq(wal_error(), "precision \"fp16\"; expected float32, tf32 or bf16");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("models/mlp");
  mlp_conformance(&wal_mlp_cpu, suite);
  TCase *tests = tcase_create("cpu only");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, infer_is_thread_safe);
  tcase_add_test(tests, threads_do_not_matter);
  tcase_add_test(tests, other_precisions_are_refused);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
