/* --device as a user gives it: every value in every command that computes, what cannot be used, what files
   say; and the whole way through `--device cuda` with CUDA emulated on the CPU, where that was built. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/cli/call.h"
#include "tests/h5_put.h"
#include "tests/suite.h"

#define MARKET "solve " WAL_SOURCE_DIR "/examples/market.csv --alpha 0.5 "
#define POPULATION "--set n=300 --set m=3 "
#define TRAINING \
  "--set fc_share.epochs=3 --set fc_share.inner=10 --set fc_share.width=8 --set fc_share.batch=16 "
#define TRAIN "train " POPULATION TRAINING
#define MECHANISM "train --mechanism exs --set train.steps=5 --set train.batch=8 --set held_out=20 "
#define ALLOCATE "allocate " WAL_SOURCE_DIR "/examples/allocation.yaml --exploitability values "
#define CONFIG_FILE WAL_SOURCE_DIR "/configs/marketfcnet/table1.yaml"
#define CONFIG CONFIG_FILE " "
#define RUN "run " CONFIG "--no-plots -p smoke " POPULATION

static void works(const char *line) { ck_assert_msg(walras(line) == 0, "%s: %s", line, err); }

/* A text among the attributes of out.h5. */
static void assert_attribute(const char *file, const char *name, const char *wanted) {
  char line[256], found[512];
  snprintf(line, sizeof line, "show %s", file);
  works(line);
  const char *at = strstr(out, name);
  ck_assert_msg(at != NULL, "no %s in:\n%s", name, out);
  at += strlen(name) + strspn(at + strlen(name), " :=");
  snprintf(found, sizeof found, "%.*s", (int)strcspn(at, "\n"), at);
  ck_assert_msg(strncmp(found, wanted, strlen(wanted)) == 0, "%s is %s; expected %s", name, found, wanted);
}

/* ---- every value, everywhere ---- */

static const char *const computing[] = {MARKET,
                                        TRAIN,
                                        MECHANISM,
                                        ALLOCATE,
                                        "run " CONFIG "-n ",
                                        "solve " WAL_SOURCE_DIR "/examples/concave.yaml "};
enum { COMPUTING = sizeof computing / sizeof *computing };

static void assert_refused(const char *command, const char *device, const char *message) {
  char line[1024];
  snprintf(line, sizeof line, "%s %s", command, device);
  ck_assert_msg(walras(line) == 2, "%s: exit code", line);
  ck_assert_msg(strncmp(err, message, strlen(message)) == 0, "expected '%s' first in:\n%s", message, err);
  ck_assert_str_eq(out, "");
}

START_TEST(the_cpu_works_silently) {
  char line[1024];
  for (int k = 0; k < 2; k++) {
    snprintf(line, sizeof line, "%s --device %s", computing[_i], k ? "auto" : "cpu");
    works(line);
    ck_assert_ptr_null(strstr(out, "device "));
  }
}
END_TEST

START_TEST(a_missing_gpu_is_an_error_where_it_was_asked_for) {
  assert_refused(computing[_i], "--device cuda", "walras: --device cuda: ");
  assert_says(err, "; --device cpu works\n");
}
END_TEST

START_TEST(other_words_are_refused) {
  assert_refused(computing[_i], "--device gpu", "walras: --device gpu: expected cpu, cuda or auto\n");
  assert_refused(computing[_i], "--device CUDA", "walras: --device CUDA: expected cpu, cuda or auto\n");
  assert_refused(computing[_i], "--device", "walras: --device needs a value: --device NAME\n");
  assert_refused(computing[_i], "--device=",
                 "walras: --device is empty; expected --device NAME (--device auto is the default)\n");
}
END_TEST

/* tf32 and bf16 are of GPUs: refused before anything is computed or written. */
START_TEST(precisions_of_gpus_are_refused_on_the_cpu) {
  assert_refused(TRAIN "--set fc_share.precision=tf32 -o model.h5", "--device cpu",
                 "walras: fc_share.precision=tf32 needs a GPU, and the device is cpu; expected "
                 "fc_share.precision=float32, or --device cuda where there is one\n");
  ck_assert_int_ne(access(scratch_path("model.h5"), F_OK), 0);
  assert_refused(RUN "--set solver=fc --set fc.precision=float32,bf16", "--device cpu",
                 "walras: " CONFIG_FILE ": fc.precision=bf16 needs a GPU");
  ck_assert_int_ne(access(scratch_path("results"), F_OK), 0);
  assert_refused(TRAIN "--set fc_share.precision=float16", "--device cpu",
                 "walras: --set fc_share.precision=float16: ");
}
END_TEST

START_TEST(apply_takes_it_too) {
  works(TRAIN "-o model.h5");
  works("apply model.h5 --set n=300 --device cpu");
  assert_refused("apply model.h5", "--device cuda", "walras: --device cuda: ");
}
END_TEST

START_TEST(commands_that_stay_on_the_cpu_have_no_such_flag) {
  ck_assert_int_eq(walras("stable " WAL_SOURCE_DIR "/examples/prices.yaml --device cpu"), 2);
  assert_says(err, "unknown flag --device");
}
END_TEST

START_TEST(help_says_what_it_takes) {
  static const char *const commands[] = {"run", "solve", "train", "apply", "allocate"};
  for (int c = 0; c < 5; c++) {
    char line[64];
    snprintf(line, sizeof line, "%s --help", commands[c]);
    works(line);
    assert_says(out, "--device NAME        cpu, cuda, or auto: a GPU where one can be used [auto]\n");
  }
}
END_TEST

START_TEST(what_is_there_is_listed) {
  works("--version");
  assert_says(out, "CUDA)\n"); /* with or without */
  works("list devices");
  assert_says(out, "cpu      always there\ncuda     ");
  assert_says(out, "\nmlp ");
  assert_says(out, "\nsearch ");
}
END_TEST

START_TEST(files_say_where_they_were_computed) {
  works(MARKET "-o out.h5 --device cpu");
  assert_attribute("out.h5", "device", "cpu");
  assert_attribute("out.h5", "device_line", "cpu");
  assert_attribute("out.h5", "precision", "double precision, networks in float32");
}
END_TEST

/* ---- the whole way, emulated ---- */

#ifdef WAL_EMULATED_BINARY

static void emulated_make(void) {
  scratch_make();
  walras_program = WAL_EMULATED_BINARY;
}

static void emulated_remove(void) {
  walras_program = WAL_BINARY;
  scratch_remove();
}

static void assert_near(const char *file_a, const char *file_b, const char *name, int count,
                        double tolerance) {
  double a[1024], b[1024];
  ck_assert_int_le(count, 1024);
  h5_get(file_a, name, count, a);
  h5_get(file_b, name, count, b);
  for (int k = 0; k < count; k++)
    ck_assert_msg(fabs(a[k] - b[k]) <= tolerance * fmax(1, fabs(b[k])), "%s %d: %.17g, %.17g", name, k, a[k],
                  b[k]);
}

START_TEST(emulated_solve_has_the_cpus_prices) {
  works(MARKET "-o gpu.h5 --device cuda");
  assert_says(out, "\ndevice            cuda: CUDA emulated on the CPU");
  works(MARKET "-o cpu.h5 --device cpu");
  assert_near("gpu.h5", "cpu.h5", "price", 4, 1e-10);
  assert_attribute("gpu.h5", "device_line", "cuda: CUDA emulated on the CPU");
}
END_TEST

START_TEST(emulated_training_ends_where_the_cpus_does) {
  works(TRAIN "-o gpu-model.h5 --device cuda");
  assert_says(out, "\ndevice            cuda: ");
  works(TRAIN "-o cpu-model.h5 --device cpu");
  works("apply gpu-model.h5 --set n=300 --device cuda -o gpu.h5");
  works("apply cpu-model.h5 --set n=300 --device cpu -o cpu.h5");
  assert_near("gpu.h5", "cpu.h5", "price", 3, 1e-3); /* 30 steps of float32 */
  assert_near("gpu.h5", "cpu.h5", "allocation", 900, 1e-3);
}
END_TEST

START_TEST(emulated_allocation_is_the_cpus) {
  works(ALLOCATE "-o gpu.h5 --device cuda");
  works(ALLOCATE "-o cpu.h5 --device cpu");
  assert_near("gpu.h5", "cpu.h5", "exploitability", 2, 1e-6);
  assert_attribute("gpu.h5", "device", "cuda");
}
END_TEST

/* auto finds the emulated GPU; each device keeps its own entries. */
START_TEST(emulated_run_has_the_cpus_answers) {
  works(RUN "--set solver=newton,eg_scaled --set seed=1 --results gpu");
  assert_says(out, "| device      cuda: CUDA emulated on the CPU");
  works(RUN "--set solver=newton,eg_scaled --set seed=1 --results gpu --device cpu");
  assert_says(out, "2 points: 0 cached, 2 run, 0 failed");
  ck_assert_int_eq(rename(scratch_path("gpu/marketfcnet/table1.h5"), scratch_path("cpu.h5")), 0);
  works(RUN "--set solver=newton,eg_scaled --set seed=1 --results gpu --device cuda");
  assert_says(out, "2 points: 2 cached, 0 run, 0 failed");
  assert_near("gpu/marketfcnet/table1.h5", "cpu.h5", "rows/lnw", 2, 1e-7);
}
END_TEST

/* Also several configs of one command: what the first one's points did must not keep the second's from
 * forking. */
START_TEST(emulated_configs_follow_each_other) {
  works("run " CONFIG_FILE " " WAL_SOURCE_DIR
        "/configs/marketfcnet/scaling.yaml -p smoke --set n=300 --set solver=newton "
        "--set seed=1 --device cuda");
  assert_says(out, "table1.h5\n");
  assert_says(out, "scaling.h5\n");
}
END_TEST

/* A driver without a card. */
START_TEST(emulated_machine_without_a_card) {
  ck_assert_int_eq(walras_with("WAL_EMULATION_DEVICES=0", MARKET "--device cuda"), 2);
  ck_assert_str_eq(
      err,
      "walras: --device cuda: no GPU can be used: no CUDA-capable device is detected; --device cpu "
      "works\n");
  ck_assert_int_eq(walras_with("WAL_EMULATION_DEVICES=0", RUN "--set solver=newton --set seed=1"), 0);
  assert_says(out, "| device      cpu (no GPU can be used: no CUDA-capable device is detected); ");
  ck_assert_str_eq(err, "");
}
END_TEST

START_TEST(emulated_runs_go_several_at_a_time) {
  works(RUN "--set solver=newton --set seed=1,2,3,4 --jobs 2 --device cuda");
  assert_says(out, "4 points: 0 cached, 4 run, 0 failed");
}
END_TEST

static TCase *emulated_tests(void) {
  TCase *tcase = tcase_create("emulated");
  tcase_add_checked_fixture(tcase, emulated_make, emulated_remove);
  tcase_set_timeout(tcase, 120);
  tcase_add_test(tcase, emulated_solve_has_the_cpus_prices);
  tcase_add_test(tcase, emulated_training_ends_where_the_cpus_does);
  tcase_add_test(tcase, emulated_allocation_is_the_cpus);
  tcase_add_test(tcase, emulated_run_has_the_cpus_answers);
  tcase_add_test(tcase, emulated_configs_follow_each_other);
  tcase_add_test(tcase, emulated_machine_without_a_card);
  tcase_add_test(tcase, emulated_runs_go_several_at_a_time);
  return tcase;
}

#endif

int main(void) {
  Suite *suite = suite_create("device");
  TCase *tcase = tcase_create("device");
  tcase_add_checked_fixture(tcase, scratch_make, scratch_remove);
  tcase_set_timeout(tcase, 120);
  tcase_add_loop_test(tcase, the_cpu_works_silently, 0, COMPUTING);
  tcase_add_loop_test(tcase, a_missing_gpu_is_an_error_where_it_was_asked_for, 0, COMPUTING);
  tcase_add_loop_test(tcase, other_words_are_refused, 0, COMPUTING);
  tcase_add_test(tcase, precisions_of_gpus_are_refused_on_the_cpu);
  tcase_add_test(tcase, apply_takes_it_too);
  tcase_add_test(tcase, commands_that_stay_on_the_cpu_have_no_such_flag);
  tcase_add_test(tcase, help_says_what_it_takes);
  tcase_add_test(tcase, what_is_there_is_listed);
  tcase_add_test(tcase, files_say_where_they_were_computed);
  suite_add_tcase(suite, tcase);
#ifdef WAL_EMULATED_BINARY
  suite_add_tcase(suite, emulated_tests());
#endif
  return run_suite(suite);
}
