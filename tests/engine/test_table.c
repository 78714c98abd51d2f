/* The three formats of a table, each written out by hand, and text that tries to be markup. */
#include <check.h>

#include "tests/engine/toy_table.h"
#include "tests/suite.h"

static toy *t;
static wal_drawing *drawing;
static wal_table *table;

static void setup(void) {
  t = toy_new(NULL);
  t->config.caption = t->config.sets = "";
  drawing = wal_drawing_new(&t->result);
  table = wal_drawing_table(drawing, "", "Caption");
}
static void teardown(void) {
  wal_drawing_free(drawing);
  toy_free(t);
}

static void expect(wal_text *text, const char *expected) {
  char *got = wal_text_steal(text);
  ck_assert_str_eq(got, expected);
  free(got);
}

static void expect_csv(const char *expected) {
  wal_text text = {0};
  wal_table_csv(table, &text);
  expect(&text, expected);
}

static void expect_markdown(const char *expected) {
  wal_text text = {0};
  wal_table_markdown(table, &text);
  expect(&text, expected);
}

/* Compares from \begin{table} on: the comment before it names the experiment. */
static void expect_latex(const char *expected) {
  wal_text text = {0};
  wal_table_latex(table, "toy", &text);
  char *got = wal_text_steal(&text), *begin = strstr(got, "\\begin{table}");
  ck_assert_ptr_nonnull(begin);
  ck_assert_str_eq(begin, expected);
  free(got);
}

/* Two methods: a mean of three, a failure; a published value, none. */
static void fill(void) {
  wal_table_column(table, NULL, "method", NULL);
  wal_table_column(table, "gap", "ours", "%.2e");
  wal_table_column(table, "gap", "paper", "%.2e");
  wal_table_column(table, NULL, "time", "%.3g");
  wal_table_row(table);
  wal_table_text(table, "EG");
  wal_table_real(table, 1.234e-3, 4.4e-5, 3);
  wal_table_real(table, 0, NAN, 1);
  wal_table_real(table, 26, 1.25, 3);
  wal_table_row(table);
  wal_table_text(table, "Lost");
  wal_table_failed(table, "too large");
  wal_table_real(table, NAN, NAN, 0);
  wal_table_failed(table, "too large");
  wal_table_note(table, "%d seeds", 3);
}

START_TEST(csv) {
  fill();
  expect_csv(
      "method,gap ours,gap ours sd,gap ours n,gap paper,time,time sd,time n\n"
      "EG,0.001234,4.4e-05,3,0,26,1.25,3\n"
      "Lost,failed,,,,failed,,\n");
}
END_TEST

START_TEST(markdown) {
  fill();
  expect_markdown(
      "Caption\n"
      "\n"
      "| method |        gap: ours | paper |     time |\n"
      "|:-------|-----------------:|------:|---------:|\n"
      "| EG     | 1.23e-03 ± 4e-05 |     0 | 26 ± 1.2 |\n"
      "| Lost   |           failed |    -- |   failed |\n"
      "\n"
      "- 3 seeds\n"
      "- failed: too large\n");
}
END_TEST

START_TEST(latex) {
  fill();
  expect_latex(
      "\\begin{table}\n\\centering\n\\caption{Caption}\n\\label{tab:toy}\n"
      "\\begin{tabular}{lrrr}\n\\toprule\n"
      " & \\multicolumn{2}{c}{gap} &  \\\\\n\\cmidrule(lr){2-3}\n"
      "method & ours & paper & time \\\\\n\\midrule\n"
      "EG & $(1.23\\pm0.04)\\times10^{-3}$ & $0$ & $26\\pm1.2$ \\\\\n"
      "Lost & \\textit{failed} & -- & \\textit{failed} \\\\\n"
      "\\bottomrule\n\\end{tabular}\n\n"
      "\\smallskip\n\\begin{minipage}{\\linewidth}\\footnotesize\n3 seeds.\nfailed: too large.\n"
      "\\end{minipage}\n\\end{table}\n");
}
END_TEST

/* ---- numbers ---- */

static const struct {
  const char *format;
  double mean, sd;
  int count;
  const char *markdown, *latex;
} numbers[] = {
    {"%.2e", 1.23e-3, NAN, 1, "1.23e-03", "$1.23\\times10^{-3}$"},
    {"%.2e", -4.5e12, NAN, 1, "-4.50e+12", "$-4.50\\times10^{12}$"},
    {"%.2e", 1.23e-3, 4e-5, 1, "1.23e-03", "$1.23\\times10^{-3}$"}, /* one value has no deviation */
    {"%.2e", 2e-3, 5e-3, 2, "2.00e-03 ± 5e-03", "$(2.00\\pm5.00)\\times10^{-3}$"},
    {"%.2e", 9.999e-4, 1e-6, 3, "1.00e-03 ± 1e-06", "$1.00\\times10^{-3}\\pm1\\times10^{-6}$"},
    {"%.1f", 12.34, 0.56, 3, "12.3 ± 0.6", "$12.3\\pm0.6$"},
    {"%.3g", 151.2, 12.3, 3, "151 ± 12", "$151\\pm12$"},
    {"%.3g", 3.57e-5, 2e-6, 3, "3.57e-05 ± 2e-06", "$(3.57\\pm0.20)\\times10^{-5}$"},
    {"%.2e", 0, 0, 3, "0 ± 0", "$0\\pm0$"},
    {"%.2e", INFINITY, NAN, 1, "inf", "$\\mathrm{inf}$"},
    {"%.2e", NAN, NAN, 3, "--", "--"},
};

START_TEST(number_formats) {
  wal_table_column(table, NULL, "x", numbers[_i].format);
  wal_table_row(table);
  wal_table_real(table, numbers[_i].mean, numbers[_i].sd, numbers[_i].count);
  char expected[256];
  snprintf(expected, sizeof expected, "| %3s |\n\n", numbers[_i].markdown);
  wal_text text = {0};
  wal_table_markdown(table, &text);
  ck_assert_msg(strstr(text.data, expected) != NULL, "%s not in\n%s", expected, text.data);
  wal_text_free(&text);
  snprintf(expected, sizeof expected, "\\midrule\n%s \\\\\n", numbers[_i].latex);
  wal_table_latex(table, "toy", &text);
  ck_assert_msg(strstr(text.data, expected) != NULL, "%s not in\n%s", expected, text.data);
  wal_text_free(&text);
}
END_TEST

/* ---- text that tries to be markup ---- */

START_TEST(escaping) {
  wal_table_column(table, NULL, "a|b", NULL);
  wal_table_row(table);
  wal_table_text(table, "50% & #1_x {y} ~ ^ \\ $z$ <i>\n\"q\", `c`*");
  expect_csv("a|b\n\"50% & #1_x {y} ~ ^ \\ $z$ <i>\n\"\"q\"\", `c`*\"\n");
  wal_text text = {0};
  wal_table_markdown(table, &text);
  ck_assert_ptr_nonnull(strstr(text.data, "| a\\|b "));
  ck_assert_ptr_nonnull(strstr(text.data, "| 50% & #1_x {y} ~ ^ \\\\ $z$ \\<i> \"q\", \\`c\\`\\* |"));
  wal_text_free(&text);
  wal_table_latex(table, "toy", &text);
  ck_assert_ptr_nonnull(strstr(text.data, "a$|$b \\\\"));
  ck_assert_ptr_nonnull(strstr(text.data,
                               "50\\% \\& \\#1\\_x \\{y\\} \\textasciitilde{} \\textasciicircum{} "
                               "\\textbackslash{} \\$z\\$ $<$i$>$ \"q\", `c`* \\\\"));
  wal_text_free(&text);
}
END_TEST

START_TEST(wide_characters_stay_aligned) {
  wal_table_column(table, NULL, "Größe", NULL);
  wal_table_row(table);
  wal_table_text(table, "α");
  expect_markdown("Caption\n\n| Größe |\n|:------|\n| α     |\n\n");
}
END_TEST

START_TEST(captions_join) {
  t->config.caption = "Reduced size";
  wal_table_column(table, NULL, "x", NULL);
  expect_markdown("Caption. Reduced size\n\n| x   |\n|:----|\n\n");
}
END_TEST

START_TEST(missing_cells_are_marked) {
  wal_table_column(table, NULL, "x", NULL);
  wal_table_column(table, NULL, "y", "%g");
  wal_table_row(table);
  expect_markdown("Caption\n\n| x   |   y |\n|:----|----:|\n| --  |  -- |\n\n");
  expect_csv("x,y\n,\n");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("table");
  TCase *tests = tcase_create("table");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, csv);
  tcase_add_test(tests, markdown);
  tcase_add_test(tests, latex);
  tcase_add_loop_test(tests, number_formats, 0, sizeof numbers / sizeof *numbers);
  tcase_add_test(tests, escaping);
  tcase_add_test(tests, wide_characters_stay_aligned);
  tcase_add_test(tests, captions_join);
  tcase_add_test(tests, missing_cells_are_marked);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
