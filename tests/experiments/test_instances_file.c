/* Allocation problems from files: the same numbers from every format, in memory and streamed; what is
   refused, and how. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "experiments/files/instances_file.h"
#include "models/common/rng.h"
#include "tests/h5_put.h"
#include "tests/suite.h"

enum { K = 300, N = 3, M = 2, NM = N * M };

static const hsize_t KNM_SIZE[3] = {K, N, M}, KM_SIZE[2] = {K, M}, KN_SIZE[2] = {K, N};

/* Small integers, so that every number type holds them. */
static void integers(double *cells, int count, uint64_t seed) {
  for (int k = 0; k < count; k++) cells[k] = (double)wal_rng_below(seed, WAL_STREAM_TEST, (uint64_t)k, 100);
}

static double values[K * NM], demands[K * NM], budgets[K * M], weights[K * N], z[K * NM];

static void begin(void) {
  scratch_make();
  integers(values, K * NM, 1);
  integers(demands, K * NM, 2);
  integers(budgets, K * M, 3);
  integers(weights, K * N, 4);
  integers(z, K * NM, 5);
}

static wal_status open_file(const char *name, int64_t memory, wal_instances_file *out) {
  return wal_instances_file_open(scratch_path(name), memory, out);
}

static void assert_refused(const char *name, const char *message) {
  wal_instances_file file;
  ck_assert_msg(open_file(name, 0, &file) != WAL_OK, "accepted %s", name);
  ck_assert_msg(strstr(wal_error(), message) != NULL, "expected '%s' in:\n%s", message, wal_error());
  ck_assert_msg(strstr(wal_error(), name) != NULL, "no file name in:\n%s", wal_error());
  ck_assert_ptr_null(file.values);
}

/* ---- numbers ---- */

static void assert_block(const wal_instances_file *file, int64_t first, int64_t count) {
  wal_instances_block block;
  ck_assert_int_eq(wal_instances_block_create(file, INT64_MAX, &block), WAL_OK);
  ck_assert_msg(wal_instances_block_read(file, first, count, &block) == WAL_OK, "%s", wal_error());
  ck_assert_int_eq(block.own.in.count, count);
  ck_assert_mem_eq(block.own.v, values + first * NM, (size_t)(count * NM) * sizeof(double));
  ck_assert_mem_eq(block.own.x, demands + first * NM, (size_t)(count * NM) * sizeof(double));
  ck_assert_mem_eq(block.own.b, budgets + first * M, (size_t)(count * M) * sizeof(double));
  ck_assert_mem_eq(block.own.w, weights + first * N, (size_t)(count * N) * sizeof(double));
  ck_assert_mem_eq(block.z, z + first * NM, (size_t)(count * NM) * sizeof(double));
  wal_instances_block_destroy(&block);
}

static const struct {
  hid_t *stored;
  hsize_t chunk;
  int64_t memory;
} layouts[] = {{&H5T_NATIVE_DOUBLE_g, 0, 0}, {&H5T_NATIVE_DOUBLE_g, 0, 1}, {&H5T_NATIVE_FLOAT_g, 0, 1},
               {&H5T_NATIVE_INT16_g, 0, 1},  {&H5T_IEEE_F64BE_g, 0, 1},    {&H5T_NATIVE_DOUBLE_g, 7, 1},
               {&H5T_NATIVE_INT8_g, 64, 0},  {&H5T_NATIVE_FLOAT_g, 64, 1}};

START_TEST(every_layout_loaded_and_streamed) {
  const hsize_t chunk = layouts[_i].chunk;
  hid_t out = h5_create("in.h5");
  const hid_t stored = *layouts[_i].stored; /* there once the library is at work */
  h5_put_as(out, "values", 3, KNM_SIZE, stored, values, chunk);
  h5_put_as(out, "demands", 3, KNM_SIZE, stored, demands, chunk);
  h5_put_as(out, "budgets", 2, KM_SIZE, stored, budgets, chunk);
  h5_put_as(out, "weights", 2, KN_SIZE, stored, weights, chunk);
  h5_put_as(out, "z", 3, KNM_SIZE, stored, z, chunk);
  H5Fclose(out);
  wal_instances_file file;
  ck_assert_msg(open_file("in.h5", layouts[_i].memory, &file) == WAL_OK, "%s", wal_error());
  ck_assert(file.count == K && file.n == N && file.m == M && !file.single);
  ck_assert_int_eq(file.streamed, layouts[_i].memory == 1);
  assert_block(&file, 0, K);
  assert_block(&file, 0, 1);
  assert_block(&file, 117, 31);
  assert_block(&file, K - 1, 1);
  wal_instances_file_close(&file);
}
END_TEST

START_TEST(one_instance_without_k) {
  const hsize_t nm[2] = {N, M}, n = N, m = M;
  static const char names[M][16] = {"bread", "w\303\266rter"};
  hid_t out = h5_create("one.h5");
  h5_put(out, "values", 2, nm, values);
  h5_put(out, "demands", 2, nm, demands);
  h5_put(out, "budgets", 1, &m, budgets);
  h5_put(out, "weights", 1, &n, weights);
  h5_put(out, "z", 2, nm, z);
  h5_put_texts(out, "resource_names", M, names);
  H5Fclose(out);
  wal_instances_file file;
  ck_assert_msg(open_file("one.h5", 0, &file) == WAL_OK, "%s", wal_error());
  ck_assert(file.count == 1 && file.n == N && file.m == M && file.single);
  ck_assert_str_eq(file.resource_names[1], "w\303\266rter");
  ck_assert_ptr_null(file.agent_names);
  assert_block(&file, 0, 1);
  wal_instances_file_close(&file);
}
END_TEST

/* ---- texts ---- */

static void write_text(const char *name, const char *text) {
  FILE *file = fopen(scratch_path(name), "w");
  ck_assert_ptr_nonnull(file);
  fputs(text, file);
  fclose(file);
}

static const char yaml[] =
    "budgets: {bread: 2, wine: 0}\n"
    "agents:\n"
    "  Ada: {values: {wine: 0.5, bread: 1}, demands: {bread: 3, wine: 1}, weight: 2}\n"
    "  Ben: {values: {bread: 4}, demands: {bread: 0.25, wine: 1.5}}\n"
    "  Cay: {values: {}, demands: {wine: 1}, weight: 0}\n";
static const char csv[] =
    "agent,weight,value:bread,demand:bread,value: wine,demand:wine\n"
    "Ada,2,1,3,0.5,1\n\n"
    "budget,,,2,,0\n"
    "\"Ben\",1,4,0.25,0,1.5\r\n"
    "Cay,0,0,0,0,1\n";

START_TEST(yaml_and_csv_say_the_same) {
  static const char *const names[] = {"a.yaml", "a.csv"};
  static const double v[] = {1, 0.5, 4, 0, 0, 0}, x[] = {3, 1, 0.25, 1.5, 0, 1};
  wal_instances_file file;
  wal_instances_block block;
  write_text(names[_i], _i ? csv : yaml);
  ck_assert_msg(open_file(names[_i], 0, &file) == WAL_OK, "%s", wal_error());
  ck_assert(file.count == 1 && file.n == 3 && file.m == 2 && file.single && !file.z);
  ck_assert_str_eq(file.agent_names[1], "Ben");
  ck_assert_str_eq(file.resource_names[1], "wine");
  ck_assert_int_eq(wal_instances_block_create(&file, 1, &block), WAL_OK);
  ck_assert_int_eq(wal_instances_block_read(&file, 0, 1, &block), WAL_OK);
  ck_assert_mem_eq(block.own.v, v, sizeof v);
  ck_assert_mem_eq(block.own.x, x, sizeof x);
  ck_assert(block.own.b[0] == 2 && block.own.b[1] == 0);
  ck_assert(block.own.w[0] == 2 && block.own.w[1] == 1 && block.own.w[2] == 0);
  ck_assert(file.value[0] == 0.5 && file.value[1] == 4 && file.demand[0] == 0.25 && file.demand[1] == 3);
  wal_instances_block_destroy(&block);
  wal_instances_file_close(&file);
}
END_TEST

START_TEST(z_in_yaml) {
  wal_instances_file file;
  wal_instances_block block;
  write_text("z.yaml",
             "budgets: {a: 1, b: 1}\nagents:\n  x: {values: {a: 1}, demands: {a: 1}}\n"
             "  y: {values: {b: 1}, demands: {b: 1}, z: {b: -0.5}}\n");
  ck_assert_msg(open_file("z.yaml", 0, &file) == WAL_OK, "%s", wal_error());
  ck_assert_ptr_null(file.weights);
  ck_assert_int_eq(wal_instances_block_create(&file, 1, &block), WAL_OK);
  ck_assert_int_eq(wal_instances_block_read(&file, 0, 1, &block), WAL_OK);
  ck_assert(block.z[0] == 0 && block.z[3] == -0.5);
  wal_instances_block_destroy(&block);
  wal_instances_file_close(&file);
}
END_TEST

#define AGENT "agents: {A: {values: {a: 1}, demands: {a: 1}}}\n"
static const struct {
  const char *name, *text, *message;
} bad_texts[] = {
    {"a.yaml", "", "empty"},
    {"a.yaml", "[1, 2]\n", "expected {budgets: {...}, agents: {...}}"},
    {"a.yaml", AGENT, "no budgets; expected budgets and agents"},
    {"a.yaml", "budgets: {a: 1}\n", "no agents"},
    {"a.yaml", "budgets: {a: 1}\nagents: {}\n", "agents: expected a mapping with a name for each"},
    {"a.yaml", "budget: {a: 1}\n" AGENT, "did you mean \"budgets\"?"},
    {"a.yaml", "budgets: {a: -1}\n" AGENT,
     "a.yaml:1:14: the budget is -1; expected a finite number, 0 or more"},
    {"a.yaml", "budgets: {a: .nan}\n" AGENT, "the budget"},
    {"a.yaml", "budgets: {a: many}\n" AGENT, "the budget: expected a number such as 0.5"},
    {"a.yaml", "budgets: {a: '1'}\n" AGENT, "the budget: expected a number such as 0.5"},
    {"a.yaml", "budgets: {a: 1}\nagents: {A: {values: {b: 1}, demands: {a: 1}}}\n",
     "the value of \"b\", for which there is no budget"},
    {"a.yaml", "budgets: {a: 1}\nagents: {A: {values: {a: 1}}}\n", "agent \"A\" has no demands"},
    {"a.yaml", "budgets: {a: 1}\nagents: {A: {values: {a: 1}, demand: {a: 1}}}\n",
     "did you mean \"demands\"?"},
    {"a.yaml", "budgets: {a: 1}\nagents: {A: {values: [1], demands: {a: 1}}}\n",
     "the value: expected a mapping {RESOURCE: NUMBER}"},
    {"a.yaml", "budgets: {a: 1}\nagents: {A: {values: {a: 1}, demands: {a: 1}, weight: -2}}\n",
     "the weight is -2"},
    {"a.yaml", "budgets: {a: 1}\nagents: {A: {values: {a: 1}, demands: {a: 1}}, A: {}}\n", "A"},
    {"a.csv", "", "is empty; expected a header: agent, value:NAME, demand:NAME"},
    {"a.csv", "name,value:a,demand:a\n", "a.csv:1:1: the first column is \"name\"; expected agent"},
    {"a.csv", "agent,a,b\n", "a.csv:1:7: the column \"a\"; expected agent (the first), weight, value:NAME"},
    {"a.csv", "agent,value:,demand:a\n", "the column \"value:\""},
    {"a.csv", "agent,value:a,demand:b\n", "a.csv:1: no column demand:a"},
    {"a.csv", "agent,value:a,value:a\n", "a second column \"value:a\""},
    {"a.csv", "agent,weight\nA,1\n", "no resources"},
    {"a.csv", "agent,value:a,demand:a\n", "no agents; expected a row for each"},
    {"a.csv", "agent,value:a,demand:a\nA,1,1\n", "no row budget"},
    {"a.csv", "agent,value:a,demand:a\nA,1,1\nBudget,,1\n", "did you mean the row \"budget\"?"},
    {"a.csv", "agent,value:a,demand:a\nbudget,,1\nbudget,,1\n", "a second row budget"},
    {"a.csv", "agent,value:a,demand:a\nbudget,3,1\n", "a.csv:2:8: the row budget has numbers in the demand"},
    {"a.csv", "agent,value:a,demand:a\nA,-1,1\nbudget,,1\n",
     "a.csv:2:3: the value of \"a\" is -1; expected a non-negative finite number"},
    {"a.csv", "agent,value:a,demand:a\nA,1,nan\nbudget,,1\n", "the demand of \"a\" is nan"},
    {"a.csv", "agent,value:a,demand:a\nA,1,inf\nbudget,,1\n", "the demand of \"a\" is inf"},
    {"a.csv", "agent,value:a,demand:a\nA,1,\nbudget,,1\n", "the demand of \"a\" is empty"},
    {"a.csv", "agent,value:a,demand:a\nA,1\nbudget,,1\n", "the line ends after 2 cells"},
    {"a.csv", "agent,value:a,demand:a\nA,1,1,1\nbudget,,1\n", "a cell too many; the header has 3 columns"},
    {"a.csv", "agent,weight,value:a,demand:a\nA,x,1,1\nbudget,,,1\n", "the weight is \"x\""},
    {"a.h5", "agent,value:a,demand:a\nA,1,1\nbudget,,1\n", "is not an HDF5 file"},
};
enum { BAD_TEXTS = sizeof bad_texts / sizeof *bad_texts };

START_TEST(bad_texts_are_refused) {
  write_text(bad_texts[_i].name, bad_texts[_i].text);
  assert_refused(bad_texts[_i].name, bad_texts[_i].message);
}
END_TEST

/* ---- bad HDF5 ---- */

/* A good file of K instances but for one dataset, which `bad` (NULL: none) replaces. */
static void write_but(const char *bad, int rank, const hsize_t *size, hid_t stored, const double *cells) {
  hid_t out = h5_create("bad.h5");
  if (!bad || strcmp(bad, "values")) h5_put(out, "values", 3, KNM_SIZE, values);
  if (!bad || strcmp(bad, "demands")) h5_put(out, "demands", 3, KNM_SIZE, demands);
  if (!bad || strcmp(bad, "budgets")) h5_put(out, "budgets", 2, KM_SIZE, budgets);
  if (bad && rank) h5_put_as(out, bad, rank, size, stored, cells, 0);
  H5Fclose(out);
}

static void refused_shape(const char *bad, int rank, hsize_t a, hsize_t b, hsize_t c, const char *message) {
  write_but(bad, rank, (hsize_t[]){a, b, c}, H5T_NATIVE_DOUBLE, NULL);
  assert_refused("bad.h5", message);
}

START_TEST(wrong_shapes) {
  refused_shape("values", 3, 0, N, M, "dataset values has shape [0, 3, 2]; expected [any, any, any]");
  refused_shape("values", 3, K, 0, M, "dataset values has shape [300, 0, 2]");
  refused_shape("values", 1, K, 0, 0, "dataset values has shape [300]");
  refused_shape("demands", 3, K, M, N, "dataset demands has shape [300, 2, 3]; expected [300, 3, 2]");
  refused_shape("demands", 2, N, M, 0, "dataset demands has shape [3, 2]; expected [300, 3, 2]");
  refused_shape("values", 2, N, M, 0, "dataset demands has shape [300, 3, 2]; expected [3, 2]");
  refused_shape("budgets", 1, M, 0, 0, "dataset budgets has shape [2]; expected [300, 2]");
  refused_shape("weights", 2, K, M, 0, "dataset weights has shape [300, 2]; expected [300, 3]");
  refused_shape("z", 3, K - 1, N, M, "dataset z has shape [299, 3, 2]; expected [300, 3, 2]");
}
END_TEST

START_TEST(missing_and_misspelt) {
  write_but("values", 0, NULL, 0, NULL);
  assert_refused("bad.h5", "no dataset values: found");
  write_but("budgets", 0, NULL, 0, NULL);
  assert_refused("bad.h5", "no dataset budgets");
  write_but("budget", 2, KM_SIZE, H5T_NATIVE_DOUBLE, budgets);
  wal_instances_file file;
  ck_assert_int_eq(open_file("bad.h5", 0, &file), WAL_OK); /* budgets is there too */
  wal_instances_file_close(&file);
  write_but("weight", 2, KN_SIZE, H5T_NATIVE_DOUBLE, weights);
  assert_refused("bad.h5", "unknown dataset weight; did you mean weights?");
}
END_TEST

START_TEST(wrong_types) {
  const hsize_t size[3] = {K, N, M};
  hid_t text = H5Tcopy(H5T_C_S1), boolean = H5Tenum_create(H5T_NATIVE_INT8);
  H5Tset_size(text, 4);
  write_but("values", 3, size, text, NULL);
  assert_refused("bad.h5", "dataset values holds text; expected numbers");
  H5Tenum_insert(boolean, "FALSE", &(int8_t){0});
  write_but("z", 3, size, boolean, NULL);
  assert_refused("bad.h5", "dataset z holds an enumeration");
  H5Tclose(text);
  H5Tclose(boolean);
}
END_TEST

static const struct {
  const char *array;
  int entry;
  double bad;
  const char *message;
} bad_numbers[] = {
    {"values", 0, -1, "values[0,0,0] is -1; expected a finite number, 0 or more"},
    {"values", 117 * NM + 3, NAN, "values[117,1,1] is nan"},
    {"demands", K *NM - 1, INFINITY, "demands[299,2,1] is inf"},
    {"demands", 5, -1e-300, "demands[0,2,1] is -1e-300"},
    {"budgets", 2 * M + 1, -0.5, "budgets[2,1] is -0.5"},
    {"weights", 7 * N + 2, NAN, "weights[7,2] is nan"},
    {"z", 8, INFINITY, "z[1,1,0] is inf; expected a finite number"},
};
enum { BAD_NUMBERS = sizeof bad_numbers / sizeof *bad_numbers };

/* Loaded and streamed. */
START_TEST(bad_numbers_are_named) {
  struct {
    const char *name;
    double *cells;
    int rank;
    const hsize_t *size;
  } arrays[] = {{"values", values, 3, KNM_SIZE},
                {"demands", demands, 3, KNM_SIZE},
                {"budgets", budgets, 2, KM_SIZE},
                {"weights", weights, 2, KN_SIZE},
                {"z", z, 3, KNM_SIZE}};
  hid_t out = h5_create("bad.h5");
  for (int k = 0; k < 5; k++) {
    if (strcmp(arrays[k].name, bad_numbers[_i].array) == 0)
      arrays[k].cells[bad_numbers[_i].entry] = bad_numbers[_i].bad;
    h5_put(out, arrays[k].name, arrays[k].rank, arrays[k].size, arrays[k].cells);
  }
  H5Fclose(out);
  assert_refused("bad.h5", bad_numbers[_i].message);
  wal_instances_file file;
  ck_assert_int_eq(open_file("bad.h5", 1, &file), WAL_E_INPUT);
  ck_assert(strstr(wal_error(), bad_numbers[_i].message) != NULL);
}
END_TEST

START_TEST(a_single_instance_has_no_index_k) {
  const hsize_t nm[2] = {N, M}, m = M;
  demands[3] = -2;
  hid_t out = h5_create("one.h5");
  h5_put(out, "values", 2, nm, values);
  h5_put(out, "demands", 2, nm, demands);
  h5_put(out, "budgets", 1, &m, budgets);
  H5Fclose(out);
  assert_refused("one.h5", "demands[1,1] is -2");
}
END_TEST

/* Wherever a file ends, it is refused, or its numbers were all there. */
START_TEST(cut_off_files) {
  write_but(NULL, 0, NULL, 0, NULL);
  struct stat info;
  ck_assert_int_eq(stat(scratch_path("bad.h5"), &info), 0);
  for (off_t cut = 0; cut < info.st_size; cut += info.st_size / 37 + 1) {
    write_but(NULL, 0, NULL, 0, NULL);
    ck_assert_int_eq(truncate(scratch_path("bad.h5"), cut), 0);
    wal_instances_file file;
    ck_assert_msg(open_file("bad.h5", 0, &file) != WAL_OK, "accepted %d bytes", (int)cut);
    ck_assert_msg(open_file("bad.h5", 1, &file) != WAL_OK, "streamed %d bytes", (int)cut);
  }
}
END_TEST

START_TEST(no_files) {
  assert_refused("missing.h5", "missing.h5");
  ck_assert_int_eq(mkdir(scratch_path("folder.h5"), 0777), 0);
  assert_refused("folder.h5", "folder.h5");
  ck_assert_int_eq(mkfifo(scratch_path("pipe.h5"), 0666), 0);
  assert_refused("pipe.h5", "pipe.h5");
}
END_TEST

/* A dataset may claim to be of any size: nothing is reserved for what no memory holds. */
START_TEST(claims_of_a_huge_file) {
  const hsize_t row[3] = {1, 1 << 13, 1 << 13}, many[3] = {(hsize_t)1 << 41, 1, 1};
  const hsize_t per_resource[2] = {(hsize_t)1 << 41, 1};
  hid_t out = h5_create("bad.h5");
  h5_put_as(out, "values", 3, row, H5T_NATIVE_DOUBLE, NULL, 1);
  h5_put_as(out, "demands", 3, row, H5T_NATIVE_DOUBLE, NULL, 1);
  h5_put_as(out, "budgets", 2, row, H5T_NATIVE_DOUBLE, NULL, 1);
  H5Fclose(out);
  assert_refused("bad.h5", "expected at most 16777216 numbers behind each index");
  out = h5_create("bad.h5");
  h5_put_as(out, "values", 3, many, H5T_NATIVE_DOUBLE, NULL, 1024);
  h5_put_as(out, "demands", 3, many, H5T_NATIVE_DOUBLE, NULL, 1024);
  h5_put_as(out, "budgets", 2, per_resource, H5T_NATIVE_DOUBLE, NULL, 1024);
  H5Fclose(out);
  assert_refused("bad.h5", "expected at most 2^40");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("instances_file");
  TCase *tests = tcase_create("instances_file");
  tcase_set_timeout(tests, 60);
  tcase_add_checked_fixture(tests, begin, scratch_remove);
  tcase_add_loop_test(tests, every_layout_loaded_and_streamed, 0, sizeof layouts / sizeof *layouts);
  tcase_add_test(tests, one_instance_without_k);
  tcase_add_loop_test(tests, yaml_and_csv_say_the_same, 0, 2);
  tcase_add_test(tests, z_in_yaml);
  tcase_add_loop_test(tests, bad_texts_are_refused, 0, BAD_TEXTS);
  tcase_add_test(tests, wrong_shapes);
  tcase_add_test(tests, missing_and_misspelt);
  tcase_add_test(tests, wrong_types);
  tcase_add_loop_test(tests, bad_numbers_are_named, 0, BAD_NUMBERS);
  tcase_add_test(tests, a_single_instance_has_no_index_k);
  tcase_add_test(tests, cut_off_files);
  tcase_add_test(tests, no_files);
  tcase_add_test(tests, claims_of_a_huge_file);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
