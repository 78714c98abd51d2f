/* Parameters that name files, and parameters that are groups too: written in every way, checked at the door,
   in the cache by content. */
#include <check.h>
#include <errno.h>
#include <sys/stat.h>

#include "engine/checksum.h"
#include "engine/config.h"

static const wal_experiment *const file_toys[];
#define TOY_REGISTRY file_toys
#include "engine/plan.h"
#include "engine/store.h"
#include "engine/util.h"
#include "tests/engine/toys.h"
#include "tests/suite.h"

static const wal_param file_params[] = {
    {"source", WAL_TEXT, "drawn", 0, 0, "drawn|file|meddle", "1", "where numbers come from", NULL,
     WAL_PARAM_KEY},
    {"source.path", WAL_TEXT, "", 0, 0, NULL, "1", "the file of numbers", "source=file|meddle",
     WAL_PARAM_FILE},
    {"n", WAL_INT, "7", 1, 100, NULL, "1", "how many", "source=drawn", WAL_PARAM_KEY},
};
static const wal_column file_columns[] = {{"size", WAL_INT, "bytes", "of the file", 0, 0, 0}};

/* Sends the file's size, as n too; "meddle" writes to the file it reads. */
static wal_status file_run(const wal_point *point, wal_sink *sink) {
  const char *source = wal_point_text(point, "source"), *path = wal_point_text(point, "source.path");
  struct stat info = {0};
  toy_tally();
  if (strcmp(source, "drawn") != 0 && stat(path, &info) != 0)
    return wal_fail(WAL_E_IO, "%s: %s", path, strerror(errno));
  if (strcmp(source, "meddle") == 0) toys_write(path, "meddled with");
  wal_sink_row(sink);
  wal_sink_int(sink, "size", info.st_size);
  wal_sink_int(sink, "n", info.st_size);
  return WAL_OK;
}

static const wal_experiment file_toy = {.id = "toy/files",
                                        .title = "Files",
                                        .paper = "None",
                                        .doc = "None.",
                                        .version = 1,
                                        .params = file_params,
                                        .param_count = 3,
                                        .columns = file_columns,
                                        .column_count = 1,
                                        .run_point = file_run,
                                        .draw = toy_draw};
static const wal_experiment *const file_toys[] = {&file_toy, NULL};

static void begin(void) {
  toys_begin();
  ck_assert_int_eq(mkdir("own", 0777), 0);
  toys_write("own/data.txt", "12345");
}

static void write_config(const char *params) {
  char text[512];
  snprintf(text, sizeof text, "experiment: toy/files\nname: toy\nparams: {%s}\n", params);
  toys_write("own/toy.yaml", text);
}

static wal_status load(const char *set, wal_config **out) {
  return wal_config_load("own/toy.yaml", NULL, &set, set != NULL, file_toys, out);
}

/* "source path" of the only point. */
static void expect_source(const char *params, const char *set, const char *expected) {
  wal_config *config = NULL;
  char found[512];
  write_config(params);
  ck_assert_msg(load(set, &config) == WAL_OK, "%s", wal_error());
  ck_assert_int_eq(config->point_count, 1);
  snprintf(found, sizeof found, "%s %s", wal_point_text(&config->points[0], "source"),
           wal_point_text(&config->points[0], "source.path"));
  ck_assert_str_eq(found, expected);
  wal_config_free(config);
}

static void refused(const char *params, const char *set, const char *message) {
  wal_config *config = NULL;
  write_config(params);
  ck_assert_int_eq(load(set, &config), WAL_E_INPUT);
  ck_assert_str_eq(wal_error(), message);
}

/* ---- Ways to write them ---- */

START_TEST(a_parameter_that_is_a_group) {
  expect_source("source: drawn", NULL, "drawn ");
  expect_source("source: file, source.path: data.txt", NULL, "file own/data.txt");
  expect_source("source: {source: file, path: data.txt}", NULL, "file own/data.txt");
  expect_source("source: {path: data.txt}, source.source: file", NULL, "file own/data.txt");
  expect_source("source: {source: file, path: gone.txt}", "source=drawn", "drawn own/gone.txt");
  expect_source("source: {path: data.txt}", "source.source=file", "file own/data.txt");
  expect_source("source: {source: file}", "source.path=./own/../own//data.txt", "file own/data.txt");
}
END_TEST

START_TEST(a_group_in_a_sweep) {
  toys_write("own/b.txt", "1");
  toys_write("own/toy.yaml",
             "experiment: toy/files\nname: toy\n"
             "sweep: {grid: {source: {source: [drawn, file], path: [data.txt, ./b.txt, b.txt]}}}\n");
  wal_config *config = NULL;
  ck_assert_msg(load(NULL, &config) == WAL_OK, "%s", wal_error());
  ck_assert_int_eq(config->point_count, 3); /* a path counts at source=file only; b.txt is there once */
  wal_config_free(config);
}
END_TEST

START_TEST(mistakes_in_a_group) {
  refused(
      "source: {source: file, pth: a}", NULL,
      "own/toy.yaml:3:33: unknown parameter \"pth\" of source; did you mean \"path\"? It has source, path\n"
      "    3 | params: {source: {source: file, pth: a}}\n"
      "      |                                 ^");
  refused("source: {source: file}, source.source: drawn", NULL,
          "own/toy.yaml:3:34: source is given twice, first at 3:19; keep one\n"
          "    3 | params: {source: {source: file}, source.source: drawn}\n"
          "      |                                  ^");
  refused("source: {source: fil}", NULL,
          "own/toy.yaml:3:27: source is \"fil\"; expected drawn, file or meddle; did you mean \"file\"?\n"
          "    3 | params: {source: {source: fil}}\n"
          "      |                           ^");
}
END_TEST

START_TEST(a_list_of_files) {
  refused(
      "source: {source: file, path: [a, b]}", NULL,
      "own/toy.yaml:3:39: source.path is a list; expected the path of a file (data.h5 works); several values "
      "go under sweep: grid:\n"
      "    3 | params: {source: {source: file, path: [a, b]}}\n"
      "      |                                       ^");
}
END_TEST

START_TEST(a_file_that_nothing_reads) {
  refused(
      "source: {path: data.txt}", NULL,
      "own/toy.yaml:3:25: source.path names a file that no point reads; it counts when source=file|meddle\n"
      "    3 | params: {source: {path: data.txt}}\n"
      "      |                         ^");
  refused("source: drawn", "source.path=own/data.txt",
          "source.path names a file that no point reads; it counts when source=file|meddle");
}
END_TEST

START_TEST(files_that_are_not_there) {
  refused("source: {source: file, path: gone.txt}", NULL,
          "own/toy.yaml:3:39: source.path: cannot read own/gone.txt: No such file or directory; in a config "
          "a path "
          "is relative to the config's folder\n"
          "    3 | params: {source: {source: file, path: gone.txt}}\n"
          "      |                                       ^");
  refused("source: file", "source.path=data.txt",
          "--set source.path=data.txt: cannot read data.txt: No such file or directory; with --set a path is "
          "relative to the working directory");
  refused("source: file", "source.path=own",
          "--set source.path=own: own is no regular file; with --set a path is relative to the working "
          "directory");
  refused("source: file", NULL,
          "own/toy.yaml: source.path counts when source=file|meddle, but names no file; --set "
          "source.path=data.h5 does");
}
END_TEST

/* ---- Running ---- */

static void expect_run(const char *line, long runs, const char *says) {
  long before = toys_tally();
  ck_assert_msg(toys_call(line) == 0, "%s%s", toys_out, toys_err);
  ck_assert_int_eq(toys_tally() - before, runs);
  if (says) ck_assert_says(toys_out, says);
}

START_TEST(changed_content_runs_again) {
  write_config("source: {source: file, path: data.txt}");
  expect_run("run own/toy.yaml --no-plots", 1, NULL);
  expect_run("run own/toy.yaml --no-plots", 0, "1 cached");
  toys_write("own/data.txt", "54321");
  expect_run("run own/toy.yaml --dry-run", 0, "changed: source.path (file changed)");
  expect_run("run own/toy.yaml --no-plots", 1, NULL);
  toys_write("own/data.txt", "12345"); /* as before: still cached, also under another name */
  expect_run("run own/toy.yaml --no-plots", 0, "1 cached");
  ck_assert_int_eq(rename("own/data.txt", "moved.txt"), 0);
  expect_run("run own/toy.yaml --no-plots --set source.path=moved.txt", 0, "1 cached");
}
END_TEST

START_TEST(results_record_path_and_checksum) {
  char hex[33], wanted[128];
  write_config("source: {source: file, path: data.txt}");
  expect_run("run own/toy.yaml --no-plots -q", 1, NULL);
  ck_assert_int_eq(rename("own/data.txt", "moved.txt"), 0); /* show, verify and plot need the result alone */
  wal_bytes_hash("12345", 5, hex);
  snprintf(wanted, sizeof wanted, "source.path:\n  \"own/data.txt\": {bytes: 5, xxh128: %s}\n", hex);
  ck_assert_int_eq(toys_call("show results/toy.h5"), 0);
  ck_assert_says(toys_out, wanted);
  ck_assert_int_eq(toys_call("verify results/toy.h5"), 0);
  wal_result *result = NULL;
  ck_assert_msg(wal_store_read("results/toy.h5", file_toys, &result) == WAL_OK, "%s", wal_error());
  ck_assert_str_eq(wal_point_text(&result->config->points[0], "source.path"), "own/data.txt");
  wal_result_free(result);
}
END_TEST

START_TEST(other_content_is_a_difference) {
  write_config("source: {source: file, path: data.txt}");
  expect_run("run own/toy.yaml --no-plots -q", 1, NULL);
  ck_assert_int_eq(rename("results/toy.h5", "old.h5"), 0);
  toys_write("own/data.txt", "54321");
  expect_run("run own/toy.yaml --no-plots -q", 1, NULL);
  ck_assert_int_eq(toys_call("diff old.h5 results/toy.h5"), 1);
  ck_assert_says(toys_out, "source.path.own/data.txt.xxh128: ");
}
END_TEST

START_TEST(a_file_changed_while_it_is_read) {
  write_config("source: {source: meddle, path: data.txt}");
  ck_assert_int_eq(toys_call("run own/toy.yaml --no-plots"), 1);
  ck_assert_says(toys_out, "a file that this point reads was changed meanwhile");
}
END_TEST

/* n is the config's where it counts, what the point says where it does not. */
START_TEST(a_key_parameter_set_by_the_point) {
  write_config("source: {source: file, path: data.txt}");
  expect_run("run own/toy.yaml --no-plots --set source=drawn,file", 2, NULL);
  wal_result *result = NULL;
  ck_assert_msg(wal_store_read("results/toy.h5", file_toys, &result) == WAL_OK, "%s", wal_error());
  int n = wal_frame_find(result->rows, "n");
  ck_assert_double_eq(wal_frame_real(result->rows, 0, n), 7);
  ck_assert_double_eq(wal_frame_real(result->rows, 1, n), 5);
  wal_result_free(result);
}
END_TEST

/* ---- Pieces ---- */

START_TEST(checksums_follow_the_content) {
  wal_file_id a, b;
  char hex[33];
  ck_assert_int_eq(wal_file_identify("own/data.txt", &a), WAL_OK);
  ck_assert_int_eq(a.bytes, 5);
  wal_bytes_hash("12345", 5, hex);
  ck_assert_str_eq(a.xxh128, hex);
  toys_write("own/data.txt", "1234567");
  ck_assert_int_eq(wal_file_identify("own/data.txt", &b), WAL_OK);
  ck_assert_int_eq(b.bytes, 7);
  ck_assert_str_ne(a.xxh128, b.xxh128);
  ck_assert_int_eq(wal_file_identify("own", &b), WAL_E_INPUT);
}
END_TEST

START_TEST(paths_are_resolved) {
  static const char *const cases[][3] = {
      {"", "a.h5", "a.h5"},
      {"own/", "a.h5", "own/a.h5"},
      {"own/", "../a.h5", "a.h5"},
      {"own/", "../../a", "../a"},
      {"own", "/x//y/../a", "/x/a"},
      {"/own/", "./a", "/own/a"},
      {"/own/", "../../a", "/a"},
      {"", "../a", "../a"},
      {"a/b/", "../c/./d", "a/c/d"},
      {"../x/", "../..", "../.."},
      {"x/", "..", "."},
      {"", "..a/...", "..a/..."},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char *path = wal_path_resolve(cases[i][0], cases[i][1]);
    ck_assert_str_eq(path, cases[i][2]);
    free(path);
  }
}
END_TEST

START_TEST(told_by_explain_and_schema) {
  ck_assert_int_eq(toys_call("explain toy/files source"), 0);
  ck_assert_says(toys_out, "in YAML: source: {source: file, path: data.h5}");
  ck_assert_int_eq(toys_call("explain toy/files source.path"), 0);
  ck_assert_says(toys_out, "value:   the path of a file\n  default: none\n");
  ck_assert_int_eq(toys_call("schema toy/files"), 0);
  ck_assert_says(toys_out,
                 "\"source\": {\"anyOf\": [{\"$ref\": \"#/$defs/value.source\"}, {\"type\": \"object\", "
                 "\"additionalProperties\": false, \"properties\": {\"source\": {\"$ref\": "
                 "\"#/$defs/value.source\"}, \"path\": {\"$ref\": \"#/$defs/value.source.path\"}}}]}");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("files");
  TCase *tests = tcase_create("files");
  tcase_add_checked_fixture(tests, begin, toys_end);
  tcase_add_test(tests, a_parameter_that_is_a_group);
  tcase_add_test(tests, a_group_in_a_sweep);
  tcase_add_test(tests, mistakes_in_a_group);
  tcase_add_test(tests, a_list_of_files);
  tcase_add_test(tests, a_file_that_nothing_reads);
  tcase_add_test(tests, files_that_are_not_there);
  tcase_add_test(tests, changed_content_runs_again);
  tcase_add_test(tests, results_record_path_and_checksum);
  tcase_add_test(tests, other_content_is_a_difference);
  tcase_add_test(tests, a_file_changed_while_it_is_read);
  tcase_add_test(tests, a_key_parameter_set_by_the_point);
  tcase_add_test(tests, checksums_follow_the_content);
  tcase_add_test(tests, paths_are_resolved);
  tcase_add_test(tests, told_by_explain_and_schema);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
