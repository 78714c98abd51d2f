/* walras solve for markets with concave utilities, as a user calls it. Expected numbers: by hand, or the
   paper's (Example A.1). */
#include <math.h>
#include <unistd.h>

#include "tests/cli/call.h"
#include "tests/h5_put.h"
#include "tests/suite.h"

static void assert_near(const double *is, const double *should, int count, double tol) {
  for (int k = 0; k < count; k++)
    ck_assert_msg(fabs(is[k] - should[k]) <= tol, "number %d is %.15g; expected %.15g", k, is[k], should[k]);
}

static void works(const char *line) { ck_assert_msg(walras(line) == 0, "%s: %s", line, err); }

/* The numbers of a dataset that `walras solve a.yaml -o s.h5` writes for this text. */
static void solves(const char *text) {
  write_text("a.yaml", text);
  works("solve a.yaml -o s.h5");
  ck_assert(h5_attribute("s.h5", "gap") <= 1e-9);
  ck_assert(h5_attribute("s.h5", "checked_gap") <= 1e-7);
  ck_assert(h5_attribute("s.h5", "demand_ratio") <= 2 * (1 + 1e-9));
}

static void assert_holds(const char *name, int count, const double *should, double tol) {
  double is[64];
  h5_get("s.h5", name, count, is);
  assert_near(is, should, count, tol);
}

/* ---- right answers ---- */

#define A1                                                                             \
  "goods: 2\nbudget: [1, 1]\nagents:\n"                                                \
  "  - {name: Ada, type: splc, segments: [[[1.3, 0.8], [0, null]], [[0.45, null]]]}\n" \
  "  - {name: Ben, type: splc, segments: [[[0.01, 0.3]], [[2, 0.8]]]}\n"

/* Ada's first good and Ben's second stop at 0.8: the rest goes to the other. q = b_i / u_i times the slope of
   who gets the rest. */
START_TEST(example_a1) {
  static const double u[] = {1.13, 1.602}, y[] = {0.8, 0.2, 0.2, 0.8};
  static const double q[] = {0.01 / 1.602, 0.45 / 1.13};
  static const double range[] = {0.01 / 1.602, 0.01 / 1.602, 0.45 / 1.13, 0.45 / 1.13};
  static const double spent[] = {0.8 * 0.01 / 1.602 + 0.2 * 0.45 / 1.13,
                                 0.2 * 0.01 / 1.602 + 0.8 * 0.45 / 1.13};
  static const double budget[] = {1, 1};
  solves(A1);
  assert_holds("utility", 2, u, 1e-8);
  assert_holds("allocation", 4, y, 1e-8);
  assert_holds("price", 2, q, 1e-8);
  assert_holds("price_range", 4, range, 1e-7);
  assert_holds("spent", 2, spent, 1e-8);
  assert_holds("budget", 2, budget, 0);
  ck_assert_double_eq_tol(h5_attribute("s.h5", "log_nash_welfare"), log(1.13 * 1.602) / 2, 1e-9);
}
END_TEST

/* Ada can buy all she has a use for, and 2 units of wine besides. */
START_TEST(what_could_be_bought) {
  double best[2];
  const double p1 = 0.01 / 1.602, p2 = 0.45 / 1.13, ada = 1.04 + 0.45 * (1 - 0.8 * p1) / p2;
  solves(A1);
  h5_get("s.h5", "best_utility", 2, best);
  ck_assert_double_eq_tol(best[0], ada, 1e-7);
  ck_assert_double_eq_tol(best[1], 1.603, 1e-7); /* Ben is satiated */
  ck_assert_double_eq_tol(h5_attribute("s.h5", "demand_ratio"), ada / 1.13, 1e-7);
}
END_TEST

/* At the kink x_0 = 1 the price of good 0 is anything up to the slope before it. */
START_TEST(a_price_that_is_not_unique) {
  static const double u[] = {2}, range[] = {0, 0.5, 0.5, 0.5};
  solves("goods: 2\nagents:\n  - {type: bounded_linear, values: [1, 1], limits: [1, null]}\n");
  assert_holds("utility", 1, u, 1e-8);
  assert_holds("price_range", 4, range, 1e-7);
  assert_says(out, "1 price is not unique");
  assert_says(out, "the file gives no budgets: 1 for each agent");
}
END_TEST

/* Each agent has a use for a good of its own only, whatever its type says: q_i = b_i, u_i = what one unit
   gives. */
START_TEST(every_type_is_solved) {
  static const double u[] = {3, 2, 1.25, 2, 4, 0.7, 1.5}, q[] = {1, 2, 0.5, 1, 1, 3, 0.25};
  solves(
      "goods: 7\nbudget: [1, 2, 1, 1, 1, 3, 0.5]\nagents:\n"
      "  - {type: linear, values: [3, 0, 0, 0, 0, 0, 0]}\n"
      "  - {type: bounded_linear, values: [0, 2, 0, 0, 0, 0, 0], limits: [1, 5, 1, 1, 1, 1, 1]}\n"
      "  - {type: splc, segments: [[], [], [[2, 0.25], [1, null]], [], [], [], []]}\n"
      "  - {type: leontief, a: [0, 0, 0, 0.5, 0, 0, 0]}\n"
      "  - {type: leontief_free, a: [[0], [0], [0], [0], [4], [0], [0]], ell: [null]}\n"
      "  - {type: generalized_network, nodes: 9, sink: 8, arcs: [[5, 7, 0.35, null], [7, 8, 2, null]]}\n"
      "  - {type: plc, pieces: [[0, 0, 0, 0, 0, 0, 0, 2], [1, 0, 0, 0, 0, 0, 0, 0.5]]}\n");
  double price[7];
  h5_get("s.h5", "price", 7, price);
  assert_holds("utility", 7, u, 1e-7);
  for (int j = 0; j < 7; j++)
    if (j != 2 && j != 6) ck_assert_double_eq_tol(price[j], q[j], 1e-6);
  ck_assert_double_eq_tol(price[2], 1 / 1.25, 1e-6);        /* b / u times the slope of the last segment */
  ck_assert_double_eq_tol(price[6], 0.5 / 1.5 * 0.5, 1e-6); /* of the piece that binds */
}
END_TEST

/* Two arcs of half the capacity are one. */
START_TEST(duplicate_arcs_add_up) {
  static const char *const arcs[] = {"[[0, 1, 2, 0.25], [0, 1, 2, 0.25], [0, 1, 1, null]]",
                                     "[[0, 1, 2, 0.5], [0, 1, 1, null]]"};
  const double u = 1.5;
  char text[256];
  snprintf(text, sizeof text,
           "goods: 1\nagents:\n  - {type: generalized_network, nodes: 2, sink: 1, arcs: %s}\n", arcs[_i]);
  solves(text);
  assert_holds("utility", 1, &u, 1e-8);
}
END_TEST

/* A good that is of no use to anybody, one of which nobody needs all, an agent alone. */
START_TEST(degenerate_markets) {
  static const double q[] = {0, 0, 1}, range[] = {0, 0, 0, 0, 1, 1};
  solves(
      "goods: 3\nagents:\n"
      "  - {type: splc, segments: [[], [[1, 0]], [[1, null]]]}\n");
  assert_holds("price", 3, q, 1e-8);
  assert_holds("price_range", 6, range, 1e-7);
  solves("goods: 1\nagents: [{type: bounded_linear, values: [2], limits: [1]}]\n");
  assert_holds("price", 1, q, 1e-8);
  solves("goods: 1\nagents: [{type: linear, values: [1e-12]}, {type: linear, values: [1e12]}]\n");
  static const double two[] = {2}, halves[] = {0.5, 0.5};
  assert_holds("price", 1, two, 1e-8);
  assert_holds("allocation", 2, halves, 1e-8);
}
END_TEST

START_TEST(json_gives_the_same_bits) {
  double a[2][6];
  write_text("a.yaml", A1);
  write_text("a.json",
             "{\n\t\"goods\": 2, \"budget\": [1,1],\n\t\"agents\": [\n"
             "\t\t{\"name\":\"Ada\",\"type\":\"splc\",\"segments\":[[[1.3,0.8],[0,null]],[[0.45,null]]]},\n"
             "\t\t{\"name\":\"Ben\",\"type\":\"splc\",\"segments\":[[[0.01,0.3]],[[2,0.8]]]}\n\t]\n}\n");
  static const char *const lines[] = {"solve a.yaml -o s.h5 --threads 1", "solve a.json -o s.h5"};
  for (int k = 0; k < 2; k++) {
    works(lines[k]);
    h5_get("s.h5", "price", 2, a[k]);
    h5_get("s.h5", "allocation", 4, a[k] + 2);
  }
  ck_assert_mem_eq(a[0], a[1], sizeof a[0]);
  assert_says(out, "market            a.json (JSON)\n");
}
END_TEST

/* The three equilibria of A.1, by prices: (2/201, 400/201), (1, 1), (1.3, 0.45). */
START_TEST(equilibria_are_listed) {
  static const double prices[] = {2.0 / 201, 400.0 / 201, 1, 1, 1.3, 0.45};
  static const double utility[] = {1.04 + 0.45 * 100 / 200.0 * 0.997, 0, 1.13, 1.602, 1, 1.603};
  double p[6], u[6], ratio[3];
  write_text("a.yaml", A1);
  works("solve a.yaml --equilibria -o s.h5");
  h5_get("s.h5", "equilibrium_price", 6, p);
  h5_get("s.h5", "equilibrium_utility", 6, u);
  h5_get("s.h5", "equilibrium_nash_ratio", 3, ratio);
  assert_near(p, prices, 6, 1e-6);
  assert_near(u + 2, utility + 2, 4, 1e-6);
  ck_assert_double_eq_tol(ratio[1], 1, 1e-8);
  ck_assert_double_eq_tol(ratio[2], 0.94101, 1e-5);
  for (int k = 0; k < 3; k++) ck_assert(ratio[k] >= exp(-exp(-1)) && ratio[k] <= 1 + 1e-8);
  ck_assert(h5_has("s.h5", "equilibrium_allocation"));
  assert_says(out, "equilibrium_price [3, 2]");
}
END_TEST

START_TEST(what_is_written_can_be_shown) {
  write_text("a.yaml", A1);
  works("solve a.yaml -o s.h5");
  works("show s.h5");
  assert_says(out, "walras-concave-solution-1");
  assert_says(out, "/agent_names         [2] text  Ada, Ben\n");
  works("verify s.h5");
}
END_TEST

START_TEST(the_summary_is_printed) {
  write_text("a.yaml", A1);
  works("solve a.yaml");
  assert_says(out, "market            a.yaml (YAML)\nagents n          2\ngoods m           2\n");
  assert_says(out, "answer            maximum Nash welfare, with Gale prices\n");
  assert_says(out, "(at most 2: Theorem 1.2)");
  assert_says(out, "envy  ");
  assert_says(out, "\ngood         price        lowest       highest          sold\n");
  assert_says(out, "\nAda    splc ");
  ck_assert_ptr_null(strstr(out, "Wrote"));
  ck_assert_str_eq(err, "");
  ck_assert_int_eq(scratch_entries(scratch), 3); /* a.yaml, out, err */
}
END_TEST

START_TEST(the_examples_are_solved) {
  static const char *const names[] = {"yaml", "json"};
  char line[512];
  snprintf(line, sizeof line, "solve '%s/examples/concave.%s' --equilibria -o s.h5", WAL_SOURCE_DIR,
           names[_i]);
  works(line);
}
END_TEST

/* ---- what it refuses ---- */

static const struct {
  const char *line, *message;
} refused[] = {
    {"solve a.yaml --alpha 1", "walras: --alpha is for markets with CES utilities (HDF5, CSV)"},
    {"solve a.yaml --solver newton", "--solver is for markets with CES utilities"},
    {"solve a.yaml --set newton.tol=1", "--set is for markets with CES utilities"},
    {"solve a.yaml --quasilinear", "--quasilinear is for markets with CES utilities"},
    {"solve market.csv --alpha 1 --equilibria", "--equilibria is for markets in YAML or JSON"},
    {"solve a.yaml -o ./a.yaml", "-o ./a.yaml is the input itself"},
    {"solve a.yaml -o s.json", "-o s.json: what is written is HDF5"},
    {"solve a.yaml -o /dev/full", "cannot write /dev/full: it is not a regular file"},
    {"solve bad.yaml -o s.h5", "walras: bad.yaml:3:40: agent 0: good 0, segment 1: the slope rises"},
    {"solve missing.yaml", "missing.yaml: cannot be read: No such file or directory"},
    {"solve empty.yaml", "empty.yaml:1:1: the file is empty; expected YAML or JSON"},
    {"solve bids.json", "bids.json:1:2: unknown key \"valuations\""},
    {"solve plc.yaml --equilibria -o s.h5", "--equilibria: agent 0: a plc utility is not"},
};

START_TEST(bad_input_is_refused_with_a_message) {
  write_text("a.yaml", A1);
  write_text("market.csv", "a,b\n1,2\n");
  write_text("bad.yaml", "goods: 2\nagents:\n  - {type: splc, segments: [[[1, 0.5], [2, null]], []]}\n");
  write_text("empty.yaml", "");
  write_text("bids.json", "{\"valuations\": {\"s\": {\"c\": 1}}, \"item_capacities\": {\"c\": 1}}");
  write_text("plc.yaml", "goods: 2\nagents:\n  - {type: plc, pieces: [[0, 1, 2], [1, 1, 0]]}\n");
  ck_assert_msg(walras(refused[_i].line) == 2, "%s", err);
  assert_says(err, refused[_i].message);
  ck_assert_str_eq(out, "");
  ck_assert_int_eq(scratch_entries(scratch), 8); /* what was written above, out, err */
}
END_TEST

/* Twelve orders of magnitude apart, where a gap of 1e-10 is out of reach of rounding. One good that all want
   without end: parts are as the budgets. */
START_TEST(a_larger_gap_is_an_answer_that_says_so) {
  write_text("a.yaml",
             "goods: 1\nbudget: [0.001, 1000, 0.001]\nagents:\n  - {type: leontief, a: [0.5]}\n"
             "  - {type: plc, pieces: [[0, 1e6]]}\n"
             "  - {type: plc, pieces: [[0, 1e-6], [0.5, 2], [1, 1], [0, 1e6]]}\n");
  works("solve a.yaml -o s.h5");
  double u[3], q[1];
  h5_get("s.h5", "utility", 3, u);
  h5_get("s.h5", "price", 1, q);
  const double should[] = {2 * 0.001 / 1000.002, 1e6 * 1000 / 1000.002, 1e-6 * 0.001 / 1000.002};
  for (int i = 0; i < 3; i++) ck_assert_double_eq_tol(u[i] / should[i], 1, 1e-2);
  ck_assert_double_eq_tol(q[0] / 1000.002, 1, 1e-6);
  ck_assert(h5_attribute("s.h5", "gap") <= 1e-6);
}
END_TEST

/* Ben's part, 6e-50, is below what doubles tell from Ada's: no answer of his is right. */
START_TEST(who_spends_more_than_the_budget_has_no_answer) {
  write_text("a.yaml",
             "goods: 2\nbudget: [1e50, 1]\nagents:\n"
             "  - {type: linear, values: [1, 2]}\n  - {type: linear, values: [2, 1]}\n");
  ck_assert_int_eq(walras("solve a.yaml -o s.h5"), 1);
  assert_says(err, "walras: agent 1 spends ");
  assert_says(err, "of a budget of 1; expected at most all of it");
  ck_assert_int_eq(scratch_entries(scratch), 3); /* a.yaml, out, err */
}
END_TEST

START_TEST(a_full_disk_keeps_the_old_file) {
  write_text("a.yaml", A1);
  write_text("s.h5", "old");
  char text[8];
  for (int blocks = 1; blocks <= 8; blocks *= 2) { /* of 1 KiB */
    char prefix[64];
    snprintf(prefix, sizeof prefix, "ulimit -f %d;", blocks);
    ck_assert_int_eq(walras_with(prefix, "solve a.yaml -o s.h5"), 2);
    assert_says(err, "walras: s.h5: cannot write");
    read_text(scratch_path("s.h5"), text, sizeof text);
    ck_assert_str_eq(text, "old");
    ck_assert_int_eq(scratch_entries(scratch), 4); /* a.yaml, s.h5, out, err */
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("solve_concave");
  TCase *t = tcase_create("solve_concave");
  tcase_set_timeout(t, 60);
  tcase_add_checked_fixture(t, scratch_make, scratch_remove);
  tcase_add_test(t, example_a1);
  tcase_add_test(t, what_could_be_bought);
  tcase_add_test(t, a_price_that_is_not_unique);
  tcase_add_test(t, every_type_is_solved);
  tcase_add_loop_test(t, duplicate_arcs_add_up, 0, 2);
  tcase_add_test(t, degenerate_markets);
  tcase_add_test(t, json_gives_the_same_bits);
  tcase_add_test(t, equilibria_are_listed);
  tcase_add_test(t, what_is_written_can_be_shown);
  tcase_add_test(t, the_summary_is_printed);
  tcase_add_loop_test(t, the_examples_are_solved, 0, 2);
  tcase_add_loop_test(t, bad_input_is_refused_with_a_message, 0, (int)(sizeof refused / sizeof *refused));
  tcase_add_test(t, a_larger_gap_is_an_answer_that_says_so);
  tcase_add_test(t, who_spends_more_than_the_budget_has_no_answer);
  tcase_add_test(t, a_full_disk_keeps_the_old_file);
  suite_add_tcase(suite, t);
  return run_suite(suite);
}
