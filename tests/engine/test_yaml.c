/* YAML trees: positions, kinds, quotes; every refusal with its full message. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/yaml.h"
#include "tests/scratch.h"
#include "tests/suite.h"

static wal_yaml *parsed(const char *text) {
  wal_yaml *yaml;
  ck_assert_msg(wal_yaml_parse(text, strlen(text), "a.yaml", &yaml) == WAL_OK, "%s", wal_error());
  return yaml;
}

static void refused(const char *text, const char *message) {
  wal_yaml *yaml;
  ck_assert_msg(wal_yaml_parse(text, strlen(text), "a.yaml", &yaml) == WAL_E_INPUT, "taken: %s", text);
  ck_assert_str_eq(wal_error(), message);
  ck_assert_ptr_null(yaml);
}

START_TEST(nodes_have_kinds_and_places) {
  wal_yaml *yaml = parsed(
      "# first\n"
      "a: 1\n"
      "b:\n"
      "  - x\n"
      "  - {c: 'quo''ted', d: \"\\u00e9\"}\n");
  const wal_node *root = wal_yaml_root(yaml);
  ck_assert_int_eq(root->kind, WAL_NODE_MAP);
  ck_assert_int_eq(root->count, 2);
  ck_assert_int_eq(root->line, 2);
  const wal_node *a = wal_node_get(root, "a"), *b = wal_node_get(root, "b");
  ck_assert_int_eq(a->kind, WAL_NODE_SCALAR);
  ck_assert_str_eq(a->text, "1");
  ck_assert(!a->quoted);
  ck_assert_int_eq(a->line, 2);
  ck_assert_int_eq(a->column, 4);
  ck_assert_str_eq(a->file, "a.yaml");
  ck_assert_int_eq(root->keys[1]->line, 3);
  ck_assert_int_eq(root->keys[1]->column, 1);
  ck_assert_int_eq(b->kind, WAL_NODE_LIST);
  ck_assert_int_eq(b->count, 2);
  const wal_node *c = wal_node_get(b->items[1], "c");
  ck_assert_str_eq(c->text, "quo'ted");
  ck_assert(c->quoted);
  ck_assert_int_eq(c->line, 5);
  ck_assert_int_eq(c->column, 9);
  ck_assert_str_eq(wal_node_get(b->items[1], "d")->text, "\xC3\xA9");
  ck_assert_ptr_null(wal_node_get(root, "absent"));
  ck_assert_ptr_null(wal_node_get(a, "a"));
  wal_yaml_free(yaml);
  wal_yaml_free(NULL);
}
END_TEST

START_TEST(text_is_kept_verbatim) {
  const char *text = "---\na:   1 # comment\n\n...\n";
  wal_yaml *yaml = parsed(text);
  ck_assert_str_eq(wal_yaml_text(yaml), text);
  wal_yaml_free(yaml);
}
END_TEST

START_TEST(byte_order_marks_and_crlf_are_taken) {
  wal_yaml *yaml = parsed(
      "\xEF\xBB\xBF"
      "a: 1\r\nb: 2\r\n");
  ck_assert_str_eq(wal_node_get(wal_yaml_root(yaml), "b")->text, "2");
  wal_yaml_free(yaml);
}
END_TEST

START_TEST(a_node_fails_with_a_caret) {
  wal_yaml *yaml = parsed("a: 1\ncaf\xC3\xA9: {b: 2}\n");
  const wal_node *b = wal_node_get(wal_node_get(wal_yaml_root(yaml), "caf\xC3\xA9"), "b");
  ck_assert_int_eq(wal_node_fail(yaml, b, "b is %d", 2), WAL_E_INPUT);
  ck_assert_str_eq(wal_error(),
                   "a.yaml:2:11: b is 2\n"
                   "    2 | caf\xC3\xA9: {b: 2}\n"
                   "      |           ^");
  wal_yaml_free(yaml);
}
END_TEST

START_TEST(long_lines_are_cut_around_the_caret) {
  char text[400];
  memset(text, ' ', sizeof text);
  memcpy(text, "a: ", 3);
  memcpy(text + 200, "*b", 2);
  memset(text + 202, 'c', 150);
  text[352] = '\0';
  char message[600];
  snprintf(message, sizeof message,
           "a.yaml:1:201: anchors (&name) and aliases (*name) are not taken; write the values out\n"
           "    1 | ...%45s%.45s...\n      |    %45s^",
           "", text + 200, "");
  refused(text, message);
}
END_TEST

START_TEST(duplicate_key) {
  refused("n: 1\nm: 2\nn: 3\n",
          "a.yaml:3:1: \"n\" is given twice, first at 1:1; keep one\n"
          "    3 | n: 3\n"
          "      | ^");
}
END_TEST

START_TEST(tab_indentation) {
  refused("params:\n\tn: 1\n",
          "a.yaml:2:1: a tab in the indentation; YAML indents with spaces (2 work well)\n"
          "    2 |  n: 1\n"
          "      | ^");
}
END_TEST

/* JSON is laid out with tabs as often as with spaces. */
START_TEST(json_with_tabs) {
  wal_yaml *yaml = parsed("\n{\n\t\"a\": [1,2],\n\t\"b\":{\"c\":\"\\u00e9\\/\\t\", \"d\": null}\n}\n");
  const wal_node *b = wal_node_get(wal_yaml_root(yaml), "b");
  ck_assert_int_eq(wal_node_get(wal_yaml_root(yaml), "a")->count, 2);
  ck_assert_str_eq(wal_node_get(b, "c")->text, "\xC3\xA9/\t");
  ck_assert(!wal_node_get(b, "d")->quoted);
  wal_yaml_free(yaml);
}
END_TEST

START_TEST(anchor) {
  refused("a: &x 1\nb: *x\n",
          "a.yaml:1:4: anchors (&name) and aliases (*name) are not taken; write the values out\n"
          "    1 | a: &x 1\n"
          "      |    ^");
}
END_TEST

START_TEST(tag) {
  refused("a: !!int 1\n",
          "a.yaml:1:4: tags (!name) are not taken; write the value alone\n"
          "    1 | a: !!int 1\n"
          "      |    ^");
}
END_TEST

START_TEST(two_documents) {
  refused("a: 1\n---\nb: 1\n",
          "a.yaml:2:1: a second document; a file holds one (remove what follows \"---\")\n"
          "    2 | ---\n"
          "      | ^");
}
END_TEST

START_TEST(empty_file) {
  const char *message =
      "a.yaml:1:1: the file is empty; expected YAML (a config begins with \"experiment: PAPER/FIGURE\")\n"
      "    1 | \n"
      "      | ^";
  refused("", message);
  refused("\n\n", message);
}
END_TEST

START_TEST(not_utf8) {
  refused("a: 1\nb: caf\xE9\n", "a.yaml:2:7: byte 0xE9 is not UTF-8 text; save the file as UTF-8");
  wal_yaml *yaml;
  ck_assert_int_eq(wal_yaml_parse("a: \0", 4, "a.yaml", &yaml), WAL_E_INPUT);
  ck_assert_str_eq(wal_error(), "a.yaml:1:4: byte 0x00 is not UTF-8 text; save the file as UTF-8");
  refused("a: \"\\0\"\n",
          "a.yaml:1:4: a text with a NUL (\\0) in it\n"
          "    1 | a: \"\\0\"\n"
          "      |    ^");
}
END_TEST

START_TEST(not_yaml) {
  refused("title: Table 1: ours\n",
          "a.yaml:1:15: not valid YAML: mapping values are not allowed in this context"
          " (is the line indented as its neighbours? a text with \": \" needs quotes)\n"
          "    1 | title: Table 1: ours\n"
          "      |               ^");
  refused("a: [1, 2\n",
          "a.yaml:2:1: not valid YAML: while parsing a flow sequence, did not find expected ',' or ']'\n"
          "    2 | \n"
          "      | ^");
}
END_TEST

START_TEST(keys_that_are_not_names) {
  refused("[1, 2]: 3\n",
          "a.yaml:1:1: a key must be a name, not a list or a mapping\n"
          "    1 | [1, 2]: 3\n"
          "      | ^");
}
END_TEST

START_TEST(too_deep) {
  char text[200] = "";
  memset(text, '[', 100);
  wal_yaml *yaml;
  ck_assert_int_eq(wal_yaml_parse(text, 100, "a.yaml", &yaml), WAL_E_INPUT);
  const char *start = "a.yaml:1:33: nested more than 32 levels deep; a config needs about 5\n";
  ck_assert_int_eq(strncmp(wal_error(), start, strlen(start)), 0);
}
END_TEST

START_TEST(too_many_nodes) {
  enum { ITEMS = 100001 };
  char *text = malloc(2 * ITEMS + 8);
  strcpy(text, "a: [");
  for (int i = 0; i < ITEMS; i++) memcpy(text + 4 + 2 * i, "1,", 2);
  strcpy(text + 4 + 2 * ITEMS, "]\n");
  wal_yaml *yaml;
  ck_assert_int_eq(wal_yaml_parse(text, strlen(text), "a.yaml", &yaml), WAL_E_INPUT);
  ck_assert_ptr_nonnull(strstr(wal_error(), ": more than 100,000 values; write long lists as a range"));
  ck_assert_int_eq(wal_yaml_parse_data(text, strlen(text), "a.yaml", &yaml), WAL_OK);
  ck_assert_int_eq(wal_node_get(wal_yaml_root(yaml), "a")->count, ITEMS);
  wal_yaml_free(yaml);
  free(text);
}
END_TEST

/* Sparse: the size is looked at before a byte is read. */
START_TEST(huge_file) {
  const char *path = scratch_path("huge.yaml");
  FILE *file = fopen(path, "w");
  ck_assert_int_eq(ftruncate(fileno(file), (off_t)1 << 30), 0);
  fclose(file);
  wal_yaml *yaml;
  char message[600];
  ck_assert_int_eq(wal_yaml_load(path, &yaml), WAL_E_INPUT);
  snprintf(message, sizeof message, "%s: has 1024.0 MiB; the limit is 4 MiB", path);
  ck_assert_str_eq(wal_error(), message);
  ck_assert_int_eq(wal_yaml_load_data(path, &yaml), WAL_E_INPUT);
  snprintf(message, sizeof message, "%s: has 1024.0 MiB; the limit is 64 MiB", path);
  ck_assert_str_eq(wal_error(), message);
}
END_TEST

static void load_refused(const char *path, const char *why) {
  wal_yaml *yaml;
  char message[600];
  ck_assert_int_eq(wal_yaml_load(path, &yaml), WAL_E_IO);
  snprintf(message, sizeof message, "%s: %s", path, why);
  ck_assert_str_eq(wal_error(), message);
}

START_TEST(missing_folder_unreadable) {
  const char *path = scratch_path("a.yaml");
  load_refused(path, "cannot be read: No such file or directory");
  load_refused(scratch, "is a folder; expected a file");
  fclose(fopen(path, "w"));
  ck_assert_int_eq(chmod(path, 0), 0);
  if (geteuid() == 0) return; /* root reads everything */
  load_refused(path, "cannot be read: Permission denied");
}
END_TEST

START_TEST(suggestions) {
  const char *const names[] = {"width", "depth", "n", "alpha", "learning_rate"};
  struct {
    const char *word, *expected;
  } cases[] = {{"widht", "width"}, {"Width", "width"}, {"wdth", "width"}, {"N", "n"},
               {"m", NULL},        {"aplha", "alpha"}, {"beta", NULL},    {"lerning_rat", "learning_rate"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const char *found = wal_did_you_mean(cases[i].word, names, 5);
    ck_assert_msg(cases[i].expected ? found && strcmp(found, cases[i].expected) == 0 : !found, "%s gave %s",
                  cases[i].word, found ? found : "nothing");
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("yaml");
  TCase *tests = tcase_create("yaml");
  tcase_add_checked_fixture(tests, scratch_make, scratch_remove);
  tcase_add_test(tests, nodes_have_kinds_and_places);
  tcase_add_test(tests, text_is_kept_verbatim);
  tcase_add_test(tests, byte_order_marks_and_crlf_are_taken);
  tcase_add_test(tests, a_node_fails_with_a_caret);
  tcase_add_test(tests, long_lines_are_cut_around_the_caret);
  tcase_add_test(tests, duplicate_key);
  tcase_add_test(tests, tab_indentation);
  tcase_add_test(tests, json_with_tabs);
  tcase_add_test(tests, anchor);
  tcase_add_test(tests, tag);
  tcase_add_test(tests, two_documents);
  tcase_add_test(tests, empty_file);
  tcase_add_test(tests, not_utf8);
  tcase_add_test(tests, not_yaml);
  tcase_add_test(tests, keys_that_are_not_names);
  tcase_add_test(tests, too_deep);
  tcase_add_test(tests, too_many_nodes);
  tcase_add_test(tests, huge_file);
  tcase_add_test(tests, missing_folder_unreadable);
  tcase_add_test(tests, suggestions);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
