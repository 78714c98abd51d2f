/* Files of trained mechanisms: what is written is read back and allocates the same bits; damaged and foreign
   files are refused by name. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/checksum.h"
#include "engine/h5.h"
#include "experiments/files/mechanism_file.h"
#include "models/common/rng.h"
#include "models/common/version.h"
#include "tests/h5_put.h"
#include "tests/suite.h"

/* The library loses a little memory where it meets a damaged file. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) { return "leak:libhdf5"; }

enum { N = 3, M = 2 };

/* An untrained network: its weights are as good as any. */
static wal_mechanism *make(const char *kind) {
  wal_mechanism *f = NULL;
  wal_mechanism_options options = wal_mechanism_defaults();
  options.width = 5;
  options.depth = 3;
  options.seed = UINT64_MAX - 5; /* more digits than a double has */
  options.polish = true;
  snprintf(options.activation, sizeof options.activation, "tanh");
  ck_assert_msg(wal_mechanism_create(kind, N, M, &options, &f) == WAL_OK, "%s", wal_error());
  return f;
}

static void write_model(const char *kind, const char *name) {
  wal_mechanism *f = make(kind);
  wal_provenance provenance = {0};
  ck_assert_int_eq(wal_provenance_add(&provenance, "settings", "steps 7\nlr \"quoted\""), WAL_OK);
  ck_assert_int_eq(f->net->ops->set_steps(f->net, 7), WAL_OK);
  ck_assert_msg(wal_mechanism_file_write(f, &provenance, scratch_path(name)) == WAL_OK, "%s", wal_error());
  wal_provenance_free(&provenance);
  wal_mechanism_destroy(f);
}

static wal_mechanism *read_model(const char *name) {
  wal_mechanism *f = NULL;
  int models = 0;
  ck_assert_msg(wal_mechanism_file_read(scratch_path(name), &f, &models, NULL) == WAL_OK, "%s", wal_error());
  ck_assert_int_eq(models, WAL_MODELS_VERSION);
  return f;
}

static const char *const kinds[] = {"exs", "softmax", "rpf"};

START_TEST(same_bits_after_a_file) {
  wal_owned_instances in;
  const wal_law law = wal_law_default(N, M, 3);
  double a[20 * N * M], b[20 * N * M];
  write_model(kinds[_i], "new/folder/model.h5");
  wal_mechanism *f = make(kinds[_i]), *g = read_model("new/folder/model.h5");
  ck_assert_int_eq(wal_instances_create(20, N, M, false, &in), WAL_OK);
  ck_assert_int_eq(wal_law_draw(&law, 0, &in), WAL_OK);
  ck_assert_msg(wal_mechanism_allocate(f, &in.in, a) == WAL_OK, "%s", wal_error());
  ck_assert_msg(wal_mechanism_allocate(g, &in.in, b) == WAL_OK, "%s", wal_error());
  ck_assert_mem_eq(a, b, sizeof a);
  ck_assert(g->n == N && g->m == M && g->options.width == 5 && g->options.depth == 3);
  ck_assert(g->options.seed == UINT64_MAX - 5 && g->net->ops->steps(g->net) == 7);
  ck_assert_str_eq(g->kind->name, kinds[_i]);
  wal_instances_destroy(&in);
  wal_mechanism_destroy(f);
  wal_mechanism_destroy(g);
}
END_TEST

START_TEST(provenance_comes_back) {
  wal_mechanism *f = NULL;
  wal_provenance texts;
  write_model("exs", "model.h5");
  ck_assert_int_eq(wal_mechanism_file_read(scratch_path("model.h5"), &f, NULL, &texts), WAL_OK);
  ck_assert_str_eq(wal_provenance_get(&texts, "settings"), "steps 7\nlr \"quoted\"");
  wal_provenance_free(&texts);
  wal_mechanism_destroy(f);
}
END_TEST

START_TEST(nothing_learned_is_no_file) {
  wal_mechanism *f = NULL;
  const wal_provenance none = {0};
  ck_assert_int_eq(wal_mechanism_create("pf", N, M, NULL, &f), WAL_OK);
  ck_assert_int_eq(wal_mechanism_file_write(f, &none, scratch_path("model.h5")), WAL_E_INPUT);
  ck_assert_str_eq(wal_error(), "pf has no network to write");
  wal_mechanism_destroy(f);
}
END_TEST

/* ---- bad files ---- */

static void assert_refused(const char *message) {
  wal_mechanism *f = NULL;
  ck_assert_int_eq(wal_mechanism_file_read(scratch_path("model.h5"), &f, NULL, NULL), WAL_E_INPUT);
  ck_assert_ptr_null(f);
  ck_assert_msg(strstr(wal_error(), message) != NULL, "expected '%s' in:\n%s", message, wal_error());
  ck_assert_msg(strstr(wal_error(), "model.h5") != NULL, "no file name in:\n%s", wal_error());
}

/* Any byte that changes is noticed, or changes nothing that is read. */
START_TEST(damaged_bytes) {
  static char bytes[1 << 20];
  write_model("exs", "model.h5");
  const long length = scratch_read(scratch_path("model.h5"), bytes, sizeof bytes);
  ck_assert_int_gt(length, 0);
  wal_mechanism *f = make("exs"), *g;
  const int64_t count = f->net->ops->parameter_count(f->net);
  float *is = malloc((size_t)count * sizeof *is), *was = malloc((size_t)count * sizeof *was);
  f->net->ops->get(f->net, 0, was);
  for (long b = 0; b < length; b += 29) {
    bytes[b] ^= 0x10;
    FILE *file = fopen(scratch_path("model.h5"), "wb");
    fwrite(bytes, 1, (size_t)length, file);
    fclose(file);
    bytes[b] ^= 0x10;
    if (wal_mechanism_file_read(scratch_path("model.h5"), &g, NULL, NULL) != WAL_OK) continue;
    ck_assert_int_eq(g->net->ops->get(g->net, 0, is), WAL_OK);
    ck_assert_mem_eq(is, was, (size_t)count * sizeof *is);
    wal_mechanism_destroy(g);
  }
  free(is);
  free(was);
  wal_mechanism_destroy(f);
}
END_TEST

START_TEST(cut_off_files) {
  struct stat info;
  write_model("exs", "model.h5");
  ck_assert_int_eq(stat(scratch_path("model.h5"), &info), 0);
  for (off_t cut = info.st_size - 1; cut >= 0; cut -= info.st_size / 40 + 1) {
    ck_assert_int_eq(truncate(scratch_path("model.h5"), cut), 0);
    assert_refused("");
  }
}
END_TEST

/* Opens model.h5 to be spoilt. */
static hid_t reopen(void) {
  write_model("exs", "model.h5");
  hid_t file = H5Fopen(scratch_path("model.h5"), H5F_ACC_RDWR, H5P_DEFAULT);
  ck_assert_int_ge(file, 0);
  return file;
}

static void change_text(const char *name, const char *text) {
  hid_t file = reopen();
  H5Adelete(file, name);
  ck_assert_int_eq(wal_h5_set_text(file, name, text), WAL_OK);
  H5Fclose(file);
}

static void write_number(hid_t file, const char *name, int64_t value) {
  hid_t attribute = H5Aopen(file, name, H5P_DEFAULT);
  H5Awrite(attribute, H5T_NATIVE_INT64, &value);
  H5Aclose(attribute);
}

static void change_number(const char *name, int64_t value) {
  hid_t file = reopen();
  write_number(file, name, value);
  H5Fclose(file);
}

START_TEST(changed_attributes) {
  change_text("schema", "walras-network-1");
  assert_refused("attribute 'schema' is 'walras-network-1'; expected walras-mechanism-1");
  change_text("kind", "softmax");
  assert_refused("the checksum of the attributes kind to models_version is");
  change_text("activation", "a name that is longer than any activation");
  assert_refused("expected at most 15 letters");
  change_number("n", 4);
  assert_refused("the checksum of the attributes");
  change_number("width", 1 << 30);
  assert_refused("the checksum of the attributes");
}
END_TEST

/* count zeros for parameters, with a checksum that agrees. */
static void change_parameters(hsize_t count) {
  static const double zeros[512];
  static const float bytes[512];
  hid_t file = reopen();
  H5Ldelete(file, "parameters", H5P_DEFAULT);
  h5_put_as(file, "parameters", 1, &count, H5T_IEEE_F32LE, zeros, 0);
  hid_t set = H5Dopen2(file, "parameters", H5P_DEFAULT);
  char hash[33];
  wal_bytes_hash(bytes, count * sizeof *bytes, hash);
  wal_h5_set_text(set, "xxh128", hash);
  H5Dclose(set);
  H5Fclose(file);
}

/* The file as another version would have written it: its checksum is the one that reading misses. */
static void change_version(int64_t version) {
  static const char before[] = "kind to models_version is ";
  char hash[33];
  hid_t file = H5Fopen(scratch_path("model.h5"), H5F_ACC_RDWR, H5P_DEFAULT);
  write_number(file, "models_version", version);
  H5Fclose(file);
  assert_refused(before);
  snprintf(hash, sizeof hash, "%s", strstr(wal_error(), before) + strlen(before));
  file = H5Fopen(scratch_path("model.h5"), H5F_ACC_RDWR, H5P_DEFAULT);
  H5Adelete(file, "facts_xxh128");
  ck_assert_int_eq(wal_h5_set_text(file, "facts_xxh128", hash), WAL_OK);
  H5Fclose(file);
}

/* A network that the file's parameters do not fill. */
START_TEST(other_parameters) {
  hid_t file = reopen();
  H5Ldelete(file, "parameters", H5P_DEFAULT);
  H5Fclose(file);
  assert_refused("dataset 'parameters' is missing");
  change_parameters(3);
  assert_refused("do not fit the 3 parameters of the file");
  change_parameters(160); /* 14 inputs, 5 hidden units twice, 8 outputs */
  assert_refused("/parameters: 160 numbers; expected 153 of this exs of 3 agents and 2 resources");
  ck_assert_ptr_null(strstr(wal_error(), "another walras"));
  change_version(WAL_MODELS_VERSION - 1);
  assert_refused("3 agents and 2 resources (another walras wrote it: train it again)");
}
END_TEST

START_TEST(no_hdf5) {
  FILE *file = fopen(scratch_path("model.h5"), "w");
  fputs("no HDF5 at all\n", file);
  fclose(file);
  assert_refused("HDF5");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("mechanism_file");
  TCase *tests = tcase_create("mechanism_file");
  tcase_set_timeout(tests, 60);
  tcase_add_checked_fixture(tests, scratch_make, scratch_remove);
  tcase_add_loop_test(tests, same_bits_after_a_file, 0, sizeof kinds / sizeof *kinds);
  tcase_add_test(tests, provenance_comes_back);
  tcase_add_test(tests, nothing_learned_is_no_file);
  tcase_add_test(tests, damaged_bytes);
  tcase_add_test(tests, cut_off_files);
  tcase_add_test(tests, changed_attributes);
  tcase_add_test(tests, other_parameters);
  tcase_add_test(tests, no_hdf5);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
