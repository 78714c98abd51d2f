/* Values: what is read, what is refused with which words, and the text that reads back to the same bits. */
#include <check.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/value.h"
#include "tests/suite.h"

START_TEST(numbers_are_read) {
  struct {
    const char *text;
    double expected;
  } cases[] = {
      {"0.5", 0.5},        {"-3", -3},         {"+.5", 0.5},         {"5.", 5},
      {"1e-3", 1e-3},      {"1E+3", 1000},     {"2^20", 1048576},    {"2^-3", 0.125},
      {"-2^2", -4},        {".inf", INFINITY}, {"-.inf", -INFINITY}, {"inf", INFINITY},
      {"-inf", -INFINITY}, {"0e5", 0},         {"5e-324", 5e-324},   {"1.7976931348623157e308", DBL_MAX}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    wal_value value;
    ck_assert_msg(wal_value_parse(WAL_REAL, cases[i].text, &value) == WAL_OK, "%s: %s", cases[i].text,
                  wal_error());
    ck_assert_msg(value.type == WAL_REAL && value.r == cases[i].expected, "%s gave %.17g", cases[i].text,
                  value.r);
  }
}
END_TEST

START_TEST(integers_are_read) {
  struct {
    const char *text;
    int64_t expected;
  } cases[] = {{"12", 12},
               {"-7", -7},
               {"2^20", 1048576},
               {"10^3", 1000},
               {"1e6", 1000000},
               {"1.5e3", 1500},
               {"9223372036854775807", INT64_MAX}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    wal_value value;
    ck_assert_msg(wal_value_parse(WAL_INT, cases[i].text, &value) == WAL_OK, "%s: %s", cases[i].text,
                  wal_error());
    ck_assert_int_eq(value.i, cases[i].expected);
  }
}
END_TEST

START_TEST(bools_and_texts_are_read) {
  wal_value value;
  ck_assert_int_eq(wal_value_parse(WAL_BOOL, "true", &value), WAL_OK);
  ck_assert(value.b);
  ck_assert_int_eq(wal_value_parse(WAL_BOOL, "false", &value), WAL_OK);
  ck_assert(!value.b);
  ck_assert_int_eq(wal_value_parse(WAL_TEXT, "caf\xC3\xA9 = 1", &value), WAL_OK);
  ck_assert_str_eq(value.text, "caf\xC3\xA9 = 1");
}
END_TEST

START_TEST(bad_texts_are_refused_with_a_reason) {
  const char *number = " is not a number (write 0.5, 1e-3, 2^20 or .inf)";
  const char *integer = " is not an integer (write 12, 2^20 or 1e6)";
  struct {
    wal_type type;
    const char *text, *start, *end;
  } cases[] = {{WAL_REAL, "abc", "\"abc\"", number},
               {WAL_REAL, "", "\"\"", number},
               {WAL_REAL, "nan", "\"nan\"", number},
               {WAL_REAL, ".nan", "\".nan\"", number},
               {WAL_REAL, "0x10", "\"0x10\"", number},
               {WAL_REAL, "1 ", "\"1 \"", number},
               {WAL_REAL, ".", "\".\"", number},
               {WAL_REAL, "1e", "\"1e\"", number},
               {WAL_REAL, "2^^3", "\"2^^3\"", number},
               {WAL_REAL, "infinity", "\"infinity\"", number},
               {WAL_REAL, "1e999", "1e999", " is larger than any double (write .inf for infinity)"},
               {WAL_REAL, "2^1024", "2^1024", " is larger than any double (write .inf for infinity)"},
               {WAL_REAL, "0^-1", "0^-1", " is larger than any double (write .inf for infinity)"},
               {WAL_REAL, "1e-999", "1e-999", " is smaller than any double above zero (write 0)"},
               {WAL_INT, "1.5", "\"1.5\"", integer},
               {WAL_INT, "2^-1", "\"2^-1\"", integer},
               {WAL_INT, "1e300", "\"1e300\"", integer},
               {WAL_INT, "inf", "\"inf\"", integer},
               {WAL_INT, "12abc", "\"12abc\"", integer},
               {WAL_INT, "9223372036854775808", "9223372036854775808", " does not fit 64 bits (9e15 does)"},
               {WAL_BOOL, "yes", "\"yes\"", " is neither true nor false"},
               {WAL_TEXT, "a\nb", "a text", " with a line break, tab or other control character"},
               {WAL_TEXT, "a\xE9", "a text", " that is not UTF-8"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    wal_value value;
    char expected[256];
    snprintf(expected, sizeof expected, "%s%s", cases[i].start, cases[i].end);
    ck_assert_msg(wal_value_parse(cases[i].type, cases[i].text, &value) == WAL_E_INPUT, "\"%s\" was taken",
                  cases[i].text);
    ck_assert_str_eq(wal_error(), expected);
  }
}
END_TEST

START_TEST(long_text_is_refused) {
  char text[WAL_TEXT_MAX + 1];
  memset(text, 'a', sizeof text);
  text[WAL_TEXT_MAX] = '\0';
  wal_value value;
  ck_assert_int_eq(wal_value_parse(WAL_TEXT, text, &value), WAL_E_INPUT);
  ck_assert_str_eq(wal_error(), "\"aaaaaaaaaaaaaaaaaaaa...\" has 256 bytes; a text has at most 255");
  text[WAL_TEXT_MAX - 1] = '\0';
  ck_assert_int_eq(wal_value_parse(WAL_TEXT, text, &value), WAL_OK);
}
END_TEST

START_TEST(formats_are_short) {
  struct {
    double real;
    const char *expected;
  } cases[] = {{0.1, "0.1"},         {1, "1"},
               {1e-3, "0.001"},      {1e300, "1e+300"},
               {-INFINITY, "-inf"},  {NAN, "nan"},
               {-0.0, "-0"},         {1.0 / 3, "0.3333333333333333"},
               {5e-324, "5e-324"},   {0.1 + 0.2, "0.30000000000000004"},
               {1048576, "1048576"}, {2.17e-2, "0.0217"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char text[64];
    wal_value_format(&(wal_value){.type = WAL_REAL, .r = cases[i].real}, text, sizeof text);
    ck_assert_str_eq(text, cases[i].expected);
  }
  char text[64];
  wal_value_format(&(wal_value){.type = WAL_INT, .i = -12}, text, sizeof text);
  ck_assert_str_eq(text, "-12");
  wal_value_format(&(wal_value){.type = WAL_BOOL, .b = true}, text, sizeof text);
  ck_assert_str_eq(text, "true");
}
END_TEST

/* Bit patterns over the whole range of doubles, from a linear congruential generator. */
START_TEST(formats_read_back_to_the_same_bits) {
  uint64_t bits = 88172645463325252u;
  for (int i = 0; i < 20000; i++) {
    bits = bits * 6364136223846793005u + 1442695040888963407u;
    wal_value value = {.type = WAL_REAL}, back;
    memcpy(&value.r, &bits, sizeof value.r);
    if (isnan(value.r)) continue;
    char text[64];
    wal_value_format(&value, text, sizeof text);
    ck_assert_int_eq(wal_value_parse(WAL_REAL, text, &back), WAL_OK);
    ck_assert_msg(wal_value_equal(&value, &back), "%s", text);
  }
}
END_TEST

START_TEST(equality_is_bitwise_for_reals) {
  wal_value zero = {.type = WAL_REAL, .r = 0.0}, minus = {.type = WAL_REAL, .r = -0.0};
  wal_value nan = {.type = WAL_REAL, .r = NAN}, integer = {.type = WAL_INT, .i = 0};
  ck_assert(wal_value_equal(&zero, &zero));
  ck_assert(!wal_value_equal(&zero, &minus));
  ck_assert(wal_value_equal(&nan, &nan));
  ck_assert(!wal_value_equal(&zero, &integer));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("value");
  TCase *tests = tcase_create("value");
  tcase_add_test(tests, numbers_are_read);
  tcase_add_test(tests, integers_are_read);
  tcase_add_test(tests, bools_and_texts_are_read);
  tcase_add_test(tests, bad_texts_are_refused_with_a_reason);
  tcase_add_test(tests, long_text_is_refused);
  tcase_add_test(tests, formats_are_short);
  tcase_add_test(tests, formats_read_back_to_the_same_bits);
  tcase_add_test(tests, equality_is_bitwise_for_reals);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
