/* The JSON Schema: it parses, and says what the parameter table says. */
#include <check.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "engine/config.h"
#include "tests/scratch.h"
#include "tests/suite.h"
#include "tests/toy.h"

static char *schema; /* of the toy experiment */

static void make_schema(void) {
  scratch_make();
  size_t size;
  FILE *out = open_memstream(&schema, &size);
  wal_schema_print(&toy_experiment, out);
  fclose(out);
}

static void free_schema(void) {
  free(schema);
  scratch_remove();
}

static void has(const char *text) {
  ck_assert_msg(strstr(schema, text) != NULL, "missing: %s\n%s", text, schema);
}

START_TEST(a_json_parser_takes_it) {
  if (system("command -v python3 >/dev/null 2>&1") != 0) {
    fprintf(stderr, "skipped: python3 is not installed, so no independent JSON parser\n");
    return;
  }
  const char *path = scratch_path("schema.json");
  FILE *file = fopen(path, "w");
  fputs(schema, file);
  fclose(file);
  char command[600];
  snprintf(command, sizeof command, "python3 -m json.tool '%s' >/dev/null", path);
  ck_assert_int_eq(system(command), 0);
}
END_TEST

START_TEST(every_value_is_described) {
  has("\"value.n\": {\"anyOf\": [{\"type\": \"integer\", \"minimum\": 1, \"maximum\": 1048576}");
  has("\"default\": 1024, \"description\": \"number of buyers [buyers]\"");
  has("\"value.alpha\": {\"anyOf\": [{\"type\": \"number\", \"maximum\": 1}");
  has("\"enum\": [\"eg\", \"eg_m\", \"fc\"], \"default\": \"eg\", \"description\": \"which solver\"");
  has("\"description\": \"step size; counts when solver=eg|eg_m\"");
  has("\"value.fc.cosine\": {\"type\": \"boolean\", \"default\": true, \"description\": \"decay the "
      "\\\"rate\\\"; ");
}
END_TEST

/* The pattern of numbers that JSON takes for texts, as regcomp reads it. */
START_TEST(powers_and_exponents_are_numbers) {
  static const char *const good[] = {"2^20", "-10^3", "2^-4", "1e-4", "1.5E6"}, *const bad[] = {"x", "", "1e",
                                                                                                "^2"};
  char *start = strstr(schema, "\"pattern\": \""), pattern[128];
  ck_assert_ptr_nonnull(start);
  size_t length = 0;
  for (start += strlen("\"pattern\": \""); *start != '"'; start++) {
    if (start[0] == '\\' && start[1] == '\\') start++; /* JSON's escape */
    pattern[length++] = *start;
  }
  pattern[length] = '\0';
  regex_t regex;
  ck_assert_int_eq(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
  for (size_t i = 0; i < sizeof good / sizeof *good; i++)
    ck_assert_msg(regexec(&regex, good[i], 0, NULL, 0) == 0, "%s refuses %s", pattern, good[i]);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    ck_assert_msg(regexec(&regex, bad[i], 0, NULL, 0) != 0, "%s takes %s", pattern, bad[i]);
  regfree(&regex);
}
END_TEST

START_TEST(dotted_names_nest) {
  has("\"params\": {\"type\": \"object\", \"additionalProperties\": false, \"properties\": {\"n\": "
      "{\"$ref\": "
      "\"#/$defs/value.n\"}, ");
  has("\"fc\": {\"type\": \"object\", \"additionalProperties\": false, \"properties\": {\"width\": "
      "{\"$ref\": "
      "\"#/$defs/value.fc.width\"}, \"depth\": {\"$ref\": \"#/$defs/value.fc.depth\"}, ");
}
END_TEST

START_TEST(axes_take_lists_and_numbers_ranges) {
  has("\"width\": {\"anyOf\": [{\"type\": \"array\", \"minItems\": 1, \"items\": {\"$ref\": "
      "\"#/$defs/value.fc.width\"}}, {\"$ref\": \"#/$defs/range\"}]}");
  has("\"solver\": {\"type\": \"array\", \"minItems\": 1, \"items\": {\"$ref\": \"#/$defs/value.solver\"}}");
  has("\"alpha\": {\"anyOf\": [{\"type\": \"array\", \"minItems\": 1, \"items\": {\"$ref\": "
      "\"#/$defs/value.alpha\"}}, {\"$ref\": \"#/$defs/draw_range\"}]}");
}
END_TEST

START_TEST(blocks_are_there) {
  const char *const keys[] = {"experiment", "name",     "title",     "caption",    "params",
                              "sweep",      "profiles", "published", "regression", "grid",
                              "zip",        "list",     "random",    "exclude",    "expect_s",
                              "where",      "setting",  "values",    "source"};
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
    char text[64];
    snprintf(text, sizeof text, "\"%s\": {", keys[i]);
    has(text);
  }
  has("\"experiment\": {\"const\": \"toy/table1\"}");
  has("\"gap\": {\"anyOf\": [{\"type\": \"number\"}, {\"type\": \"string\", ");
  ck_assert_ptr_null(strstr(schema, "\"remark\"")); /* a text column has no published number */
}
END_TEST

int main(void) {
  Suite *suite = suite_create("schema");
  TCase *tests = tcase_create("schema");
  tcase_add_checked_fixture(tests, make_schema, free_schema);
  tcase_add_test(tests, a_json_parser_takes_it);
  tcase_add_test(tests, every_value_is_described);
  tcase_add_test(tests, powers_and_exponents_are_numbers);
  tcase_add_test(tests, dotted_names_nest);
  tcase_add_test(tests, axes_take_lists_and_numbers_ranges);
  tcase_add_test(tests, blocks_are_there);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
