/* Devices beside the CPU, with one made here: what is chosen, where points run, keys, attributes, precisions,
   and that the parent of the points never uses the device. */
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/device.h"
#include "engine/golden.h"
#include "engine/sink.h"
#include "engine/store.h"

/* ---- A device whose first use in a process leaves that process's number in a file ---- */

static const int members; /* stands for kernels */
static const wal_device toyx = {.name = "toyx", .mlp = (const struct wal_mlp_ops *)&members};
static const wal_device toyy = {.name = "toyy"};

static wal_status toyx_probe(char *text, size_t size);
static wal_status toyy_probe(char *text, size_t size) {
  (void)text, (void)size;
  return wal_fail(WAL_E_UNSUPPORTED, "its driver is too old");
}
static const wal_device_offer offer_x = {"toyx", "TOYX", &toyx, toyx_probe},
                              offer_y = {"toyy", "TOYY", &toyy, toyy_probe},
                              offer_z = {"toyz", "TOYZ", NULL, NULL};
static const wal_device_offer *const all[] = {&offer_y, &offer_x, &offer_z, NULL};

static const wal_experiment *const squares[3]; /* below */
#define TOY_DEVICES all
#define TOY_REGISTRY squares
#include "tests/engine/toys.h"
#include "tests/suite.h"

#define TOUCHED "touched" /* a line for every process that used toyx */
#define NO_GPU "no-gpu"   /* while it exists, toyx cannot be used */
#define DRAWN_ON "drawn-on"

static void append(const char *path, const char *line) {
  FILE *file = fopen(path, "a");
  if (file) fprintf(file, "%s\n", line);
  if (file) fclose(file);
}

static wal_status toyx_probe(char *text, size_t size) {
  if (access(NO_GPU, F_OK) == 0) return wal_fail(WAL_E_UNSUPPORTED, "no toy was found");
  snprintf(text, size, "A Toy of 1900, 3 wheels");
  return WAL_OK;
}

/* ---- Experiments that run on it, and one that does not ---- */

static const wal_param params[] = {
    {"x", WAL_INT, "1", -1000, 1000, NULL, "1", "the number to square", NULL, WAL_PARAM_KEY},
    {"seed", WAL_INT, "1", 0, 1000, NULL, "1", "seed", NULL, WAL_PARAM_KEY},
    {"steps", WAL_INT, "0", 0, 1000, NULL, "1", "naps of 20 ms on the way", NULL, 0},
    {"mood", WAL_TEXT, "well", 0, 0, "well|fail", NULL, "what goes wrong", NULL, 0},
    {"solver", WAL_TEXT, "net", 0, 0, "net|exact", "1", "how", NULL, 0},
    {"net.precision", WAL_TEXT, "float32", 0, 0, "float32|tf32|bf16", "1", "of the network", "solver=net",
     WAL_PARAM_PRECISION},
};
static const wal_column columns[] = {
    {"square", WAL_REAL, "1", "x squared", 0, 1e-9, 0},
    {"device", WAL_TEXT, "1", "where", 0, 0, 0},
    {"kept", WAL_INT, "1", "what an earlier point had kept, -1: nothing", 0, 0, 0},
};

static wal_status run_point(const wal_point *point, wal_sink *sink) {
  const wal_device *device = wal_device_now();
  char pid[32];
  void *bytes = NULL;
  int64_t size = 0;
  snprintf(pid, sizeof pid, "%ld", (long)getpid());
  if (device->mlp) append(TOUCHED, pid);
  for (int64_t s = 0; s < wal_point_int(point, "steps"); s++) usleep(20000);
  toy_tally();
  if (strcmp(wal_point_text(point, "mood"), "fail") == 0)
    return wal_fail(WAL_E_DIVERGED, "the toy fell over");
  wal_status status = wal_sink_load(sink, "shared", &bytes, &size);
  wal_sink_row(sink);
  wal_sink_real(sink, "square", (double)(wal_point_int(point, "x") * wal_point_int(point, "x")));
  wal_sink_text(sink, "device", device->name);
  wal_sink_int(sink, "kept", bytes ? ((const char *)bytes)[0] : -1);
  free(bytes);
  const char first = device->name[3];
  return status ? status : wal_sink_save(sink, "shared", &first, 1);
}

static wal_status draw(const wal_result *result, wal_drawing *drawing) {
  append(DRAWN_ON, wal_device_now()->name);
  return toy_draw(result, drawing);
}

#define EXPERIMENT(NAME, ID, DEVICES)                                                   \
  static const wal_experiment NAME = {.id = ID,                                         \
                                      .title = "Squares",                               \
                                      .paper = "A. Toymaker, Squares, 1900",            \
                                      .doc = "Squares a number.",                       \
                                      .version = 1,                                     \
                                      .devices = DEVICES,                               \
                                      .params = params,                                 \
                                      .param_count = sizeof params / sizeof *params,    \
                                      .columns = columns,                               \
                                      .column_count = sizeof columns / sizeof *columns, \
                                      .run_point = run_point,                           \
                                      .draw = draw}
EXPERIMENT(anywhere, "toy/squares", true);
EXPERIMENT(at_home, "toy/home", false);
static const wal_experiment *const squares[3] = {&anywhere, &at_home, NULL};

#define RUN "run toy.yaml --no-plots"

static wal_result *read_result(void) {
  wal_result *result = NULL;
  ck_assert_msg(wal_store_read("results/toy.h5", squares, &result) == WAL_OK, "%s", wal_error());
  return result;
}

static void assert_cell(const char *column, const char *wanted) {
  wal_result *result = read_result();
  const int c = wal_frame_find(result->rows, column);
  for (int64_t r = 0; r < wal_frame_rows(result->rows); r++)
    ck_assert_str_eq(wal_frame_text(result->rows, r, c), wanted);
  wal_result_free(result);
}

static void assert_attribute(const char *name, const char *wanted) {
  wal_result *result = read_result();
  const char *value = wal_provenance_get(&result->provenance, name);
  ck_assert_str_eq(value ? value : "(none)", wanted);
  wal_result_free(result);
}

/* ---- What is chosen ---- */

static const wal_device_offer *const only_z[] = {&offer_z, NULL}, *const only_y[] = {&offer_y, NULL},
                                     *const nothing[] = {NULL};
static const struct {
  const char *wanted;
  const wal_device_offer *const *offers;
  const char *device, *line; /* device NULL: refused, with this message */
} choices[] = {
    {"cpu", all, "cpu", "cpu"},
    {"auto", nothing, "cpu", "cpu"},
    {"auto", only_z, "cpu", "cpu (built without TOYZ)"},
    {"auto", only_y, "cpu", "cpu (its driver is too old)"},
    {"auto", all, "toyx", "toyx: A Toy of 1900, 3 wheels"}, /* the first that can be used */
    {"toyx", all, "toyx", "toyx: A Toy of 1900, 3 wheels"},
    {"toyy", all, NULL, "--device toyy: its driver is too old; --device cpu works"},
    {"toyz", all, NULL,
     "--device toyz: built without TOYZ (docs/gpu.md says how to build with it); --device cpu works"},
    {"gpu", all, NULL, "--device gpu: expected cpu, toyy, toyx, toyz or auto"},
    {"", nothing, NULL, "--device : expected cpu or auto"},
};

START_TEST(each_word_means_one_device) {
  wal_device_choice found;
  const wal_status status = wal_device_choose(choices[_i].wanted, choices[_i].offers, &found);
  ck_assert_ptr_eq(wal_device_now(), &wal_device_cpu); /* choosing is not using */
  ck_assert_int_eq(status == WAL_OK, choices[_i].device != NULL);
  if (status) {
    ck_assert_str_eq(wal_error(), choices[_i].line);
    return;
  }
  ck_assert_str_eq(found.device->name, choices[_i].device);
  ck_assert_str_eq(found.line, choices[_i].line);
  ck_assert_int_eq(found.asked, strcmp(choices[_i].wanted, "auto") != 0);
}
END_TEST

START_TEST(version_tells_what_is_built_in) {
  ck_assert_int_eq(toys_call("--version"), 0);
  ck_assert_says(toys_out, ", built with TOYY, built with TOYX, built without TOYZ)\n");
}
END_TEST

START_TEST(a_device_that_cannot_be_used_is_an_error_before_any_work) {
  toys_config("x: [2, 3]");
  ck_assert_int_eq(toys_call(RUN " --device toyy"), 2);
  ck_assert_str_eq(toys_err, "walras: --device toyy: its driver is too old; --device cpu works\n");
  ck_assert_str_eq(toys_out, "");
  ck_assert_int_eq(toys_tally(), 0);
  ck_assert_int_ne(access("results", F_OK), 0);
}
END_TEST

START_TEST(auto_falls_back_with_one_line) {
  toys_config("x: [2]");
  toys_write(NO_GPU, "");
  ck_assert_int_eq(toys_call(RUN), 0);
  ck_assert_says(toys_out, "| device      cpu (built without TOYZ); double precision, networks in float32 ");
  ck_assert_str_eq(toys_err, "");
  assert_cell("device", "cpu");
  assert_attribute("device", "cpu");
}
END_TEST

/* ---- Where points run and what is said of it ---- */

START_TEST(points_run_on_the_device_and_say_so) {
  toys_config("x: [2, 3]");
  ck_assert_int_eq(toys_call(RUN " --device toyx"), 0);
  ck_assert_says(toys_out,
                 "| device      toyx: A Toy of 1900, 3 wheels; double precision, networks in float32 ");
  ck_assert_says(toys_out, "1 job of ");
  assert_cell("device", "toyx");
  assert_attribute("device", "toyx");
  assert_attribute("device_line", "toyx: A Toy of 1900, 3 wheels");
  assert_attribute("precision", "double precision, networks in float32");
  ck_assert_int_eq(toys_call("show toy.yaml"), 0);
  ck_assert_says(toys_out, "  device_line    toyx: A Toy of 1900, 3 wheels\n");
}
END_TEST

/* A process that has used a GPU cannot be forked: planning, drawing and reporting happen elsewhere. */
START_TEST(the_parent_never_uses_the_device) {
  char touched[4096], drawn[256], parent[32];
  toys_config("x: [2, 3, 4]");
  pid_t pid = toys_start("run toy.yaml --device toyx --plots plots");
  ck_assert_int_eq(toys_wait(pid), 0);
  toys_read(TOUCHED, touched, sizeof touched);
  snprintf(parent, sizeof parent, "%ld\n", (long)pid);
  int lines = 0;
  for (const char *at = touched; *at; at += strcspn(at, "\n") + 1, lines++)
    ck_assert_int_ne(strncmp(at, parent, strlen(parent)), 0);
  ck_assert_int_eq(lines, 3);
  toys_read(DRAWN_ON, drawn, sizeof drawn);
  ck_assert_str_eq(drawn, "cpu\n");
}
END_TEST

START_TEST(an_experiment_without_devices_stays_on_the_cpu) {
  toys_write("toy.yaml", "experiment: toy/home\nname: toy\nsweep: {grid: {x: [2, 3]}}\n");
  ck_assert_int_eq(toys_call(RUN " --device cpu"), 0);
  ck_assert_int_eq(toys_call(RUN " --device toyx"), 0);
  ck_assert_says(toys_out, "| device      cpu (nothing of this experiment runs on toyx); ");
  ck_assert_int_eq(toys_tally(), 2); /* the same entries */
  assert_attribute("device", "cpu");
}
END_TEST

START_TEST(interrupting_leaves_no_process_on_the_device) {
  char touched[64] = "";
  toys_config("x: [2], steps: [500]");
  pid_t pid = toys_start(RUN " --device toyx");
  for (int i = 0; i < 1000 && !touched[0]; i++) {
    usleep(10000);
    toys_read(TOUCHED, touched, sizeof touched);
  }
  ck_assert_int_eq(kill(pid, SIGINT), 0);
  ck_assert_int_eq(toys_wait(pid), 130);
  ck_assert_int_eq(kill((pid_t)atol(touched), 0), -1); /* its parent has waited for it */
  ck_assert_says(toys_out, " run toy.yaml --device toyx --no-plots\n");
}
END_TEST

/* ---- The cache ---- */

START_TEST(results_of_devices_lie_side_by_side) {
  toys_config("x: [2, 3]");
  ck_assert_int_eq(toys_call(RUN " --device cpu"), 0);
  ck_assert_int_eq(toys_call("run toy.yaml -n --device toyx"), 0);
  ck_assert_says(toys_out, "  stale    x=2   changed: device cpu -> toyx\n");
  ck_assert_int_eq(toys_call(RUN " --device toyx"), 0);
  ck_assert_int_eq(toys_tally(), 4);
  assert_cell("device", "toyx");
  ck_assert_int_eq(toys_call(RUN " --device cpu"), 0);
  assert_cell("device", "cpu");
  ck_assert_int_eq(toys_call(RUN), 0); /* auto: toyx */
  assert_cell("device", "toyx");
  ck_assert_int_eq(toys_tally(), 4);
}
END_TEST

START_TEST(the_way_back_is_explained_too) {
  toys_config("x: [2]");
  ck_assert_int_eq(toys_call(RUN " --device toyx"), 0);
  ck_assert_int_eq(toys_call("run toy.yaml -n --device cpu"), 0);
  ck_assert_says(toys_out, "changed: device toyx -> cpu\n");
}
END_TEST

/* What points keep for each other is the device's too. */
START_TEST(kept_bytes_stay_with_their_device) {
  toys_config("x: [2]");
  ck_assert_int_eq(toys_call(RUN " --device cpu"), 0);
  ck_assert_int_eq(toys_call(RUN " --device toyx"), 0);
  wal_result *result = read_result();
  ck_assert_int_eq((int)wal_frame_real(result->rows, 0, wal_frame_find(result->rows, "kept")), -1);
  wal_result_free(result);
  ck_assert_int_eq(toys_call(RUN " --device toyx --set x=5"), 0);
  result = read_result();
  ck_assert_int_eq((int)wal_frame_real(result->rows, 0, wal_frame_find(result->rows, "kept")), 'x');
  wal_result_free(result);
}
END_TEST

/* The first point of toy.yaml. */
static void assert_key(const char *yaml, const wal_device *device, const char *wanted) {
  wal_config *config = NULL;
  ck_assert_msg(wal_config_parse(yaml, "toy.yaml", NULL, NULL, 0, squares, &config) == WAL_OK, "%s",
                wal_error());
  char *key = wal_point_key(&config->points[0], device);
  const char *models = strstr(key, "models ");
  ck_assert_ptr_nonnull(models);
  ck_assert_str_eq(strchr(models, '\n') + 1, wanted);
  free(key);
  wal_config_free(config);
}

#define REST "seed=1\nsolver=net\nsteps=0\nx=1\n"
START_TEST(keys_of_the_cpu_say_nothing_new) {
  const char *const yaml = "experiment: toy/squares\nname: toy\n";
  assert_key(yaml, &wal_device_cpu, "mood=well\n" REST);
  assert_key(yaml, &toyx, "device toyx\nmood=well\n" REST);
  assert_key("experiment: toy/home\nname: toy\n", &toyx, "mood=well\n" REST);
  assert_key("experiment: toy/squares\nname: toy\nparams: {net: {precision: tf32}}\n", &toyx,
             "device toyx\nmood=well\nnet.precision=tf32\n" REST);
}
END_TEST

/* ---- Precision ---- */

START_TEST(a_precision_of_gpus_is_refused_on_the_cpu) {
  toys_config("x: [2, 3], net.precision: [float32, tf32]");
  ck_assert_int_eq(toys_call(RUN " --device cpu"), 2);
  ck_assert_says(toys_err,
                 "walras: toy.yaml: net.precision=tf32 needs a GPU, and the device is cpu; expected "
                 "net.precision=float32, or --device cuda where there is one\n");
  ck_assert_int_eq(toys_tally(), 0);
  ck_assert_int_eq(toys_call("run toy.yaml -n --device cpu"), 2);
  ck_assert_int_eq(toys_call(RUN " --device cpu --set solver=exact"), 0); /* there it does not count */
}
END_TEST

START_TEST(precisions_are_named) {
  toys_config("x: [2, 3], net.precision: [float32, bf16]");
  ck_assert_int_eq(toys_call(RUN " --device toyx"), 0);
  ck_assert_says(toys_out, "; double precision, networks in float32, bf16 ");
  assert_attribute("precision", "double precision, networks in float32, bf16");
  ck_assert_int_eq(toys_tally(), 4);
}
END_TEST

/* ---- Golden rows and commands to be copied ---- */

START_TEST(golden_rows_are_the_cpus) {
  toys_config("x: [2]");
  ck_assert_int_eq(toys_call(RUN " --device cpu"), 0);
  ck_assert_int_eq(toys_call("golden toy.yaml -o golden.csv"), 0);
  ck_assert_int_eq(toys_call(RUN " --device toyx"), 0);
  ck_assert_int_eq(toys_call("golden toy.yaml -o other.csv"), 2);
  ck_assert_says(toys_err, "walras: toy was computed on toyx; golden rows are the CPU's");
  ck_assert_int_ne(access("other.csv", F_OK), 0);
  ck_assert_int_eq(toys_call("compare toy.yaml golden.csv"), 1); /* the column `device` differs, rightly */
  ck_assert_says(toys_out, "toy: computed on toyx, golden rows on the CPU: ");
}
END_TEST

START_TEST(a_failed_point_is_run_again_on_its_device) {
  toys_config("x: [2, 3], mood: [fail]");
  ck_assert_int_eq(toys_call(RUN " --device toyx"), 1);
  ck_assert_says(toys_out, " run toy.yaml --set x=2 --device toyx --no-plots\n");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("device");
  TCase *tcase = tcase_create("device");
  tcase_add_checked_fixture(tcase, toys_begin, toys_end);
  tcase_set_timeout(tcase, 60);
  tcase_add_loop_test(tcase, each_word_means_one_device, 0, sizeof choices / sizeof *choices);
  tcase_add_test(tcase, version_tells_what_is_built_in);
  tcase_add_test(tcase, a_device_that_cannot_be_used_is_an_error_before_any_work);
  tcase_add_test(tcase, auto_falls_back_with_one_line);
  tcase_add_test(tcase, points_run_on_the_device_and_say_so);
  tcase_add_test(tcase, the_parent_never_uses_the_device);
  tcase_add_test(tcase, an_experiment_without_devices_stays_on_the_cpu);
  tcase_add_test(tcase, interrupting_leaves_no_process_on_the_device);
  tcase_add_test(tcase, results_of_devices_lie_side_by_side);
  tcase_add_test(tcase, the_way_back_is_explained_too);
  tcase_add_test(tcase, kept_bytes_stay_with_their_device);
  tcase_add_test(tcase, keys_of_the_cpu_say_nothing_new);
  tcase_add_test(tcase, a_precision_of_gpus_is_refused_on_the_cpu);
  tcase_add_test(tcase, precisions_are_named);
  tcase_add_test(tcase, golden_rows_are_the_cpus);
  tcase_add_test(tcase, a_failed_point_is_run_again_on_its_device);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
