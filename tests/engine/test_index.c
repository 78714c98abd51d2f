/* Texts are numbered in order of first appearance, however many they are. */
#include <check.h>
#include <stdio.h>

#include "engine/index.h"
#include "tests/suite.h"

START_TEST(first_appearance_gives_the_number) {
  static const char *const texts[] = {"b", "a", "", "b", "a", "ab", ""};
  static const int expected[] = {0, 1, 2, 0, 1, 3, 2};
  wal_index index = {0};
  ck_assert_int_eq(wal_index_find(&index, "b"), -1);
  for (int i = 0; i < 7; i++) ck_assert_int_eq(wal_index_add(&index, texts[i]), expected[i]);
  ck_assert_int_eq(index.count, 4);
  ck_assert_str_eq(index.texts[3], "ab");
  ck_assert_int_eq(wal_index_find(&index, "c"), -1);
  wal_index_free(&index);
  ck_assert_int_eq(index.count, 0);
}
END_TEST

START_TEST(many_texts_keep_their_numbers) {
  wal_index index = {0};
  char text[16];
  for (int round = 0; round < 2; round++)
    for (int i = 0; i < 20000; i++) {
      snprintf(text, sizeof text, "%d", i * 7);
      ck_assert_int_eq(wal_index_add(&index, text), i);
    }
  ck_assert_int_eq(index.count, 20000);
  ck_assert_int_eq(wal_index_find(&index, "5"), -1);
  wal_index_free(&index);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("index");
  TCase *tests = tcase_create("index");
  tcase_add_test(tests, first_appearance_gives_the_number);
  tcase_add_test(tests, many_texts_keep_their_numbers);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
