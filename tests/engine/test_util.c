/* Growable text, paths, whole files, UTF-8. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/util.h"
#include "tests/scratch.h"
#include "tests/suite.h"

START_TEST(text_grows) {
  wal_text text = {0};
  for (int i = 0; i < 1000; i++) wal_text_add(&text, "%d,", i % 10);
  wal_text_add_bytes(&text, "end\0never", 3);
  ck_assert_uint_eq(text.length, 2003);
  char *stolen = wal_text_steal(&text);
  ck_assert_str_eq(stolen + 1990, "5,6,7,8,9,end");
  free(stolen);
  ck_assert_ptr_null(text.data);
}
END_TEST

START_TEST(empty_text_is_an_empty_string) {
  wal_text text = {0};
  char *stolen = wal_text_steal(&text);
  ck_assert_str_eq(stolen, "");
  free(stolen);
  wal_text_free(&text);
  wal_text_free(NULL);
}
END_TEST

START_TEST(paths_join_with_one_slash) {
  const char *folders[] = {"results", "results/", "", "/"};
  const char *expected[] = {"results/a/b.h5", "results/a/b.h5", "a/b.h5", "/a/b.h5"};
  for (int i = 0; i < 4; i++) {
    char *path = wal_path_join(folders[i], "a/b", ".h5");
    ck_assert_str_eq(path, expected[i]);
    free(path);
  }
}
END_TEST

START_TEST(files_are_read_up_to_a_limit) {
  const char *path = scratch_path("file");
  FILE *file = fopen(path, "w");
  fputs("12345678", file);
  fclose(file);

  char *bytes;
  size_t length;
  ck_assert_int_eq(wal_read_file(path, 8, &bytes, &length), WAL_OK);
  ck_assert_str_eq(bytes, "12345678");
  ck_assert_uint_eq(length, 8);
  free(bytes);
  ck_assert_int_eq(wal_read_file(path, 7, &bytes, &length), WAL_E_INPUT);
  ck_assert_ptr_nonnull(strstr(wal_error(), "the limit is"));
  ck_assert_int_eq(wal_read_file(scratch, 7, &bytes, &length), WAL_E_IO);
  ck_assert_ptr_nonnull(strstr(wal_error(), ": is a folder; expected a file"));
  remove(path);
  ck_assert_int_eq(wal_read_file(path, 8, &bytes, &length), WAL_E_IO);
  ck_assert_ptr_nonnull(strstr(wal_error(), ": cannot be read: No such file or directory"));
  ck_assert_ptr_null(bytes);
}
END_TEST

START_TEST(utf8_is_checked) {
  struct {
    const char *bytes;
    size_t length, valid;
  } cases[] = {
      {"plain", 5, 5},
      {"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 9, 9}, /* 2, 3 and 4 bytes */
      {"a\xE9t\xE9", 4, 1},                           /* Latin-1 */
      {"\xC0\xAF", 2, 0},                             /* overlong */
      {"\xE0\x80\x80", 3, 0},                         /* overlong */
      {"ab\xED\xA0\x80", 5, 2},                       /* surrogate */
      {"\xF4\x90\x80\x80", 4, 0},                     /* above U+10FFFF */
      {"abc\xE2\x82", 5, 3},                          /* cut short */
      {"a\0b", 3, 1},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    ck_assert_uint_eq(wal_utf8_check(cases[i].bytes, cases[i].length), cases[i].valid);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("util");
  TCase *tests = tcase_create("util");
  tcase_add_checked_fixture(tests, scratch_make, scratch_remove);
  tcase_add_test(tests, text_grows);
  tcase_add_test(tests, empty_text_is_an_empty_string);
  tcase_add_test(tests, paths_join_with_one_slash);
  tcase_add_test(tests, files_are_read_up_to_a_limit);
  tcase_add_test(tests, utf8_is_checked);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
