/* walras stable, as a user calls it. Expected numbers: by hand, or stated in the paper. */
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/cli/call.h"
#include "tests/h5_put.h"
#include "tests/suite.h"

static void works(const char *line) { ck_assert_msg(walras(line) == 0, "%s: %s", line, err); }

static void assert_holds(const char *name, int count, const double *should, double tol) {
  double is[64];
  h5_get("s.h5", name, count, is);
  for (int k = 0; k < count; k++)
    ck_assert_msg(fabs(is[k] - should[k]) <= tol, "%s[%d] is %.15g; expected %.15g", name, k, is[k],
                  should[k]);
}

/* Total revenue of `walras stable a.yaml FLAGS -o s.h5`. */
static double revenue(const char *text, const char *options) {
  char line[256];
  write_text("a.yaml", text);
  snprintf(line, sizeof line, "stable a.yaml %s -o s.h5", options);
  works(line);
  return h5_attribute("s.h5", "revenue_total");
}

/* Texts, as "a|b|...". */
static void read_texts(const char *name, char *joined, size_t size) {
  char bytes[1024] = {0};
  hid_t file = H5Fopen(scratch_path("s.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
  hid_t set = H5Dopen2(file, name, H5P_DEFAULT), type = H5Dget_type(set), space = H5Dget_space(set);
  const bool any = H5Tis_variable_str(type) > 0;
  const size_t width = any ? sizeof(char *) : H5Tget_size(type),
               count = (size_t)H5Sget_simple_extent_npoints(space);
  ck_assert(width * count < sizeof bytes);
  ck_assert(H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes) >= 0);
  joined[0] = '\0';
  for (size_t k = 0; k < count; k++) {
    const size_t length = strlen(joined);
    const char *text = bytes + k * width;
    if (any) memcpy(&text, bytes + k * width, width);
    snprintf(joined + length, size - length, "%s%.*s", k ? "|" : "", any ? 400 : (int)width, text);
  }
  if (any) H5Dvlen_reclaim(type, space, H5P_DEFAULT, bytes);
  H5Sclose(space);
  H5Tclose(type);
  H5Dclose(set);
  H5Fclose(file);
}

static void assert_texts(const char *name, const char *should) {
  char is[1024];
  read_texts(name, is, sizeof is);
  ck_assert_str_eq(is, should);
}

/* ---- right answers ---- */

/* Example 1 at (4/3, 2/3, 3): both prefer wine. Ben has it and spends 4/3 on cheese, Ada buys bread; or Ada
   has it, with bread, and Ben spends 2 on cheese. Or anything between. */
#define EXAMPLE1                                                                                     \
  "budget: [2, 2]\nvalue:\n  - [2, 1, 0]\n  - [1/3, 1, 1]\nprice: [4/3, 2/3, 3]\nowner: [0, 1, 1]\n" \
  "buyer_names: [Ada, Ben]\nitem_names: [bread, wine, cheese]\nseller_names: [baker, grocer]\n"

START_TEST(example_1) {
  static const char *const exact[] = {"", "--exact"};
  static const double most[] = {1, 1, 0, 0, 0, 2.0 / 3}, least[] = {1, 0, 0, 0, 1, 4.0 / 9};
  static const double earn[] = {4.0 / 3, 8.0 / 3}, spent[] = {4.0 / 3, 2};
  char options[64];
  snprintf(options, sizeof options, "--objective max-revenue %s", exact[_i]);
  ck_assert_double_eq_tol(revenue(EXAMPLE1, options), 4, 1e-12);
  assert_holds("allocation", 6, most, 1e-12);
  assert_holds("revenue", 2, earn, 1e-12);
  if (_i) assert_texts("revenue_exact", "4/3|8/3");
  snprintf(options, sizeof options, "--objective min-revenue %s", exact[_i]);
  ck_assert_double_eq_tol(revenue(EXAMPLE1, options), 10.0 / 3, 1e-9);
  assert_holds("allocation", 6, least, 1e-9);
  assert_holds("spent", 2, spent, 1e-9);
  if (_i) assert_texts("allocation_exact", "1|0|0|0|1|4/9");
  ck_assert(h5_attribute("s.h5", "unique") == 0);
  ck_assert_double_eq_tol(h5_attribute("s.h5", "widest_share_range"), 1, 1e-9);
}
END_TEST

/* Section 4: buyer 1 values item 1 only; buyer 0 either takes it, and item 0 stays, or leaves it. */
START_TEST(section_4) {
  static const char text[] = "{\"budget\": [1, 1], \"value\": [[1, 1], [0, 1]], \"price\": [[1, 1], [1, 1]]}";
  ck_assert_double_eq_tol(revenue(text, "--objective min-revenue"), 1, 1e-9);
  ck_assert_double_eq_tol(revenue(text, "--objective max-revenue"), 2, 1e-9);
  const double any = revenue(text, "");
  ck_assert(any >= 1 && any <= 2);
  assert_says(out, "(JSON)");
}
END_TEST

/* Section 5: item 1 of the deviating seller comes first to buyer 0. The only stable allocation. */
START_TEST(section_5) {
  static const double x[] = {2.0 / 3, 1, 0, 0, 0, 1}, earn[] = {4.0 / 3, 8.0 / 3};
  static const char text[] =
      "budget: [2, 2]\nvalue: [[2, 1, 0], [1/3, 1, 1]]\nprice: [2, 2/3, 2]\n"
      "rank: [[0, 0], [0, 1], [0, 0]]\nowner: [0, 1, 1]\n";
  ck_assert_double_eq_tol(revenue(text, "--exact"), 4, 1e-12);
  assert_holds("allocation", 6, x, 1e-12);
  assert_holds("revenue", 2, earn, 1e-12);
  assert_texts("allocation_exact", "2/3|1|0|0|0|1");
  ck_assert(h5_attribute("s.h5", "unique") == 1);
  ck_assert(h5_attribute("s.h5", "stability_tolerance") == 0);
  assert_says(out, "checked by the definition in rationals (no tolerance)");
}
END_TEST

/* Personalised prices, a tied priority: either buyer can have the item. Natural: who pays 100. */
START_TEST(a_tie_of_unequal_prices) {
  static const char tied[] = "budget: [100, 1]\nvalue: [[1], [1]]\nprice: [[100], [1]]\nrank: [[0, 0]]\n";
  static const char natural[] = "budget: [100, 1]\nvalue: [[1], [1]]\nprice: [[100], [1]]\n";
  ck_assert_double_eq_tol(revenue(tied, "--objective max-revenue"), 100, 1e-7);
  assert_says(out, "cells of the stable set");
  ck_assert_double_eq_tol(revenue(tied, "--objective min-revenue"), 1, 1e-7);
  ck_assert_double_eq_tol(revenue(natural, "--objective min-revenue"), 100, 1e-7);
  ck_assert(h5_attribute("s.h5", "unique") == 1);
}
END_TEST

/* 0.1 is 1/10, and three of it 3/10. */
START_TEST(decimals_are_exact) {
  revenue("budget: [0.1, '2e-1']\nvalue: [[1], [1]]\nprice: [3e0]\n", "--exact");
  assert_texts("revenue_exact", "3/10");
  assert_texts("allocation_exact", "1/30|1/15");
}
END_TEST

START_TEST(one_answer_twice) {
  char first[512], again[512];
  revenue(EXAMPLE1, "--exact");
  read_texts("allocation_exact", first, sizeof first);
  revenue(EXAMPLE1, "--exact");
  read_texts("allocation_exact", again, sizeof again);
  ck_assert_str_eq(first, again);
}
END_TEST

START_TEST(the_example) {
  works("stable '" WAL_SOURCE_DIR "/examples/prices.yaml' --exact --objective max-revenue");
  assert_says(out, "revenue           4\n");
  assert_says(out, "the grocer           8/3");
}
END_TEST

/* ---- bad input: one message with its place, and no file ---- */

#define V "value: [[1, 1], [1, 1]]\n"
#define P "price: [1, 1]\n"

static const struct {
  const char *text, *says;
} refused[] = {
    {"value: [[1]]\nprice: [1]\n", "no budget; expected {budget: [n]"},
    {"budget: [1, 1]\n" P, "no value"},
    {"budget: [1, 1]\n" V, "no price"},
    {"budget: [1, -1]\n" V P, "a.yaml:1:13: the budget of buyer 1 is -1; expected 0 or more"},
    {"budget: [1, .nan]\n" V P, "a.yaml:1:13: the budget of buyer 1: expected a number such as 0.5 or 2/3"},
    {"budget: [1, 2/0]\n" V P, "a.yaml:1:13: the budget of buyer 1: a denominator of 0"},
    {"budget: [1, 1e999]\n" V P, "the budget of buyer 1: expected a number"},
    {"budget: [1, 1e-350]\n" V P, "the budget of buyer 1 is 1e-350; expected 0, or 1e-307 to 1e308"},
    {"budget: []\n" V P, "budget: an empty list"},
    {"budget: [1, 1]\nvalue: [[1, 1], [1]]\n" P, "the values of buyer 1: a list of 1; expected 2"},
    {"budget: [1, 1]\nvalue: [[1, 0], [1, 0]]\n" P, "item 1: no buyer values it"},
    {"budget: [1, 1]\n" V "price: [[1, 1], [1, -1/2]]\n", "the price of item 1 to buyer 1 is -1/2"},
    {"budget: [1, 1]\n" V "price: [[1, 1]]\n", "price: a list of 1; expected 2: one list per buyer"},
    {"budget: [1, 1]\nvalue: [[1, 1, 1], [1, 1, 1]]\nprice: [1, 1]\n",
     "a.yaml:3:8: price: a list of 2 numbers; expected 3, one per item for every buyer, or 2 lists"},
    {"budget: [1, 1]\n" V "price: 1\n", "a.yaml:3:8: price: expected a list"},
    {"budget: [1, 1]\n" V "price: [1, .inf]\n", "the price of item 1 to buyer 0: expected a number"},
    {"budget: [1, 1]\n" V "price: [[1, 1], 1]\n", "the prices of buyer 1: expected a list"},
    {"budget: [1, 1]\n" V P "rank: [[0, 1], [0, 0.5]]\n",
     "the rank of buyer 1 for item 1: expected an integer"},
    {"budget: [1, 1]\n" V P "rank: [[0, 1], [0, null]]\n", "the rank of buyer 1 for item 1"},
    {"budget: [1, 1]\n" V P "rank: [[0, 1], [-1, 0]]\n", "the rank of buyer 0 for item 1 is -1; expected 0"},
    {"budget: [1, 1]\n" V P "rank: [[0, 1], [0]]\n", "the ranks of item 1: a list of 1; expected 2"},
    {"budget: [1, 1]\n" V P "owner: [0, [0, 1]]\n", "the owner of item 1: 2 sellers; expected one"},
    {"budget: [1, 1]\n" V P "owner: [0]\n", "owner: a list of 1; expected 2: one seller per item"},
    {"budget: [1, 1]\n" V P "owner: [0, -1]\n", "the owner of item 1 is -1"},
    {"budget: [1, 1]\n" V P "owner: [0, 2]\nseller_names: [a, b]\n",
     "the owner of item 1 is 2; expected 0 to 1"},
    {"budget: [1, 1]\n" V P "seller_names: [a, b]\n", "seller_names without owner"},
    {"budget: [1, 1]\n" V P "item_names: [a, a]\n", "two items are named \"a\""},
    {"budget: [1, 1]\n" V P "buyer_names: [a]\n", "buyer_names: a list of 1; expected 2"},
    {"budget: [1, 1]\n" V P "ranks: [[0]]\n", "unknown key \"ranks\"; did you mean \"rank\"?"},
    {"budget: [1, 1]\nbudget: [1, 1]\n" V P, "budget"},
    {"[1, 2]\n", "expected {budget: [n]"},
};
enum { REFUSED = sizeof refused / sizeof *refused };

START_TEST(bad_input) {
  write_text("a.yaml", refused[_i].text);
  ck_assert_int_eq(walras("stable a.yaml -o bad.h5"), 2);
  assert_says(err, refused[_i].says);
  ck_assert_str_eq(out, "");
  ck_assert_int_ne(access(scratch_path("bad.h5"), F_OK), 0);
}
END_TEST

/* n buyers of one value for every item, each at other prices. */
static void write_large(int n) {
  FILE *file = fopen(scratch_path("large.yaml"), "w");
  ck_assert_ptr_nonnull(file);
  for (int part = 0; part < 3; part++) {
    fprintf(file, "%s: [", part == 0 ? "budget" : part == 1 ? "value" : "price");
    for (int i = 0; i < n; i++) {
      fprintf(file, "%s%s", i ? ", " : "", part ? "[" : "1");
      for (int j = 0; j < n && part; j++)
        fprintf(file, "%s%d", j ? ", " : "", part == 1 ? 1 : 1 + (i * 7 + j * 3) % n);
      if (part) fputs("]", file);
    }
    fputs("]\n", file);
  }
  fclose(file);
}

START_TEST(too_large_for_cells) {
  write_large(10);
  ck_assert_int_ne(walras("stable large.yaml --objective min-revenue -o bad.h5"), 0);
  assert_says(
      err, "--objective min-revenue (any takes every market): the stable set of 10 buyers and 10 items has");
  assert_says(err, "25937424601 cells"); /* 11^10 */
  ck_assert_int_ne(access(scratch_path("bad.h5"), F_OK), 0);
  works("stable large.yaml");
  assert_says(out, "not settled (25937424601 cells)");
}
END_TEST

/* Prices and budgets 615 orders of magnitude apart: buyer 0 has all but nothing of both items, and buyer 1
   pays its budget for 1e-307 of one. No linear program takes these; Algorithm 1 does. */
START_TEST(far_apart) {
  static const char text[] =
      "budget: [1e308, 1e-307]\nvalue: [[1e308, 1e-307], [1, 1e-307]]\nprice: [1e308, 1]\n";
  revenue(text, "--exact");
  assert_says(out, "not settled");
  assert_holds("allocation", 4, (double[]){1, 0, 0, 1e-307}, 1e-315);
  ck_assert_int_eq(walras("stable a.yaml --objective min-revenue -o bad.h5"), 2);
  assert_says(err, "budget");
  ck_assert_int_ne(access(scratch_path("bad.h5"), F_OK), 0);
}
END_TEST

/* One long rational among zeros: no room for its length in every cell. */
START_TEST(room_for_rationals) {
  enum { SIDE = 200 };
  FILE *file = fopen(scratch_path("long.yaml"), "w");
  ck_assert_ptr_nonnull(file);
  for (int part = 0; part < 2; part++) {
    fputs(part ? "]\nvalue: [" : "budget: [", file);
    for (int i = 0; i < SIDE; i++) {
      if (part == 0) fprintf(file, "%s%s1", i ? ", " : "", i ? "" : "0.");
      for (int k = 0; part == 0 && i == 0 && k < 380; k++) fputs("3", file);
      for (int j = 0; part && j < SIDE; j++) fprintf(file, "%s%d", j ? ", " : i ? "], [" : "[", i == j);
    }
  }
  fputs("]]\nprice: [1", file);
  for (int j = 1; j < SIDE; j++) fputs(", 1", file);
  fputs("]\n", file);
  fclose(file);
  works("stable long.yaml --exact -o s.h5");
  struct stat status;
  ck_assert_int_eq(stat(scratch_path("s.h5"), &status), 0);
  ck_assert_int_lt(status.st_size, 5000000); /* 760 bytes a cell are 30 MB */
}
END_TEST

START_TEST(other_mistakes) {
  write_text("a.yaml", EXAMPLE1);
  ck_assert_int_eq(walras("stable a.yaml --objective most"), 2);
  assert_says(err, "--objective most; expected any, max-revenue or min-revenue");
  ck_assert_int_eq(walras("stable missing.yaml"), 2);
  assert_says(err, "missing.yaml");
  ck_assert_int_eq(walras("stable a.yaml -o a.yaml"), 2);
  ck_assert_int_eq(walras("stable"), 2);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("stable");
  TCase *tests = tcase_create("stable");
  tcase_add_checked_fixture(tests, scratch_make, scratch_remove);
  tcase_set_timeout(tests, 60);
  tcase_add_loop_test(tests, example_1, 0, 2);
  tcase_add_test(tests, section_4);
  tcase_add_test(tests, section_5);
  tcase_add_test(tests, a_tie_of_unequal_prices);
  tcase_add_test(tests, decimals_are_exact);
  tcase_add_test(tests, one_answer_twice);
  tcase_add_test(tests, the_example);
  tcase_add_loop_test(tests, bad_input, 0, REFUSED);
  tcase_add_test(tests, too_large_for_cells);
  tcase_add_test(tests, far_apart);
  tcase_add_test(tests, room_for_rationals);
  tcase_add_test(tests, other_mistakes);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
