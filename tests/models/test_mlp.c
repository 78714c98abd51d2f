/* The CPU network: the seam's conformance suite, and what only this member offers. */
#include "tests/models/mlp_conformance.h"
#include "tests/suite.h"

/* infer() gives the bits of forward()'s rows, whatever the split into calls. */
START_TEST(infer_has_forward_bits) {
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
      ck_assert_int_eq(wal_mlp_cpu_infer(net, count, x + lo * c.inputs, z + lo * c.outputs), WAL_OK);
    }
    ck_assert_mem_eq(y, z, (size_t)(rows * c.outputs) * sizeof *y);
  }
  free(x), free(y), free(z);
  mlp_ops->destroy(net);
}
END_TEST

typedef struct {
  const wal_mlp *net;
  const float *x;
  float *y;
} inference;

static wal_status infer_chunk(void *context, int64_t lo, int64_t hi) {
  const inference *i = context;
  return wal_mlp_cpu_infer(i->net, hi - lo, i->x + 3 * lo, i->y + lo);
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

int main(void) {
  Suite *suite = suite_create("models/mlp");
  mlp_conformance(&wal_mlp_cpu, suite);
  TCase *tests = tcase_create("cpu only");
  tcase_set_timeout(tests, 60);
  tcase_add_loop_test(tests, infer_has_forward_bits, 0, 3 * MLP_SHAPES);
  tcase_add_test(tests, infer_is_thread_safe);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
