/* Markets with concave utilities from YAML and JSON: every type against its formula, every refusal with its
   place. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "experiments/files/concave_market_file.h"
#include "tests/scratch.h"
#include "tests/suite.h"

static void parsed(const char *text, wal_concave_market_file *out) {
  ck_assert_msg(wal_concave_market_parse(text, strlen(text), "a.yaml", out) == WAL_OK, "%s", wal_error());
}

static void write_text(const char *name, const char *text) {
  FILE *file = fopen(scratch_path(name), "w");
  ck_assert_ptr_nonnull(file);
  fputs(text, file);
  fclose(file);
}

/* ---- what is read ---- */

static double positive(double x) { return fmax(x, 0); }
static double linear(const double *x) { return 3 * x[0] + x[1]; }
static double bounded(const double *x) { return fmin(3 * x[0], 0.5) + x[1]; }
static double splc(const double *x) {
  return 2 * fmin(x[0], 0.5) + positive(x[0] - 0.5) + 4 * fmin(x[1], 0.25);
}
static double leontief(const double *x) { return fmin(x[0], x[1] / 2); }
/* One good for one segment: the best of 1 or 2 per unit up to each limit. */
static double leontief_free(const double *x) {
  return fmin(2 * x[0], 1) + fmin(positive(x[0] - 0.5), 2) + 0 * x[1];
}
/* Through node 2 at gain 2, at most 0.5 of it; the arc is there twice, which makes 1. */
static double network(const double *x) { return fmin(x[0] + x[1], 1) * 2; }
static double plc(const double *x) { return fmin(x[0] + 2 * x[1], 0.5 + 0.5 * x[0] + 0.1 * x[1]); }

static const struct {
  const char *agent;
  double (*value)(const double *x);
  const char *name;
  double satiation;
} kinds[] = {
    {"{type: linear, values: [3, 1]}", linear, "linear", INFINITY},
    {"{type: bounded_linear, values: [3, 1], limits: [0.5, null]}", bounded, "bounded_linear", INFINITY},
    {"{type: bounded_linear, values: [3, 1], limits: [0.5, .inf]}", bounded, "bounded_linear", INFINITY},
    {"{type: splc, segments: [[[2, 0.5], [1, ~]], [[4, 0.25]]]}", splc, "splc", INFINITY},
    {"{type: leontief, a: [1, 2]}", leontief, "leontief", INFINITY},
    {"{type: leontief_free, a: [[2, 1], [0, 0]], ell: [1, 2]}", leontief_free, "leontief_free", 3},
    {"{type: generalized_network, nodes: 4, sink: 3, arcs: [[0, 2, 1, null], [1, 2, 1], [2, 3, 2, 0.5], "
     "[2, 3, 2, 0.5]]}",
     network, "generalized_network", 2},
    {"{type: plc, pieces: [[0, 1, 2], [0.5, 0.5, 0.1]]}", plc, "plc", INFINITY},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

START_TEST(every_type_is_its_formula) {
  static const double points[][2] = {{0, 0}, {0.2, 0.1}, {0.6, 0.3}, {1, 1}, {5, 0}, {0, 7}, {3, 4}};
  char text[512];
  wal_concave_market_file file;
  snprintf(text, sizeof text, "goods: 2\nagents:\n  - %s\n", kinds[_i].agent);
  parsed(text, &file);
  const wal_utility *u = file.market.utility[0];
  ck_assert_str_eq(u->ops->name, kinds[_i].name);
  ck_assert(u->satiation == kinds[_i].satiation);
  for (size_t k = 0; k < sizeof points / sizeof *points; k++)
    ck_assert_double_eq_tol(wal_utility_value(u, points[k]), kinds[_i].value(points[k]), 1e-12);
  wal_concave_market_close(&file);
}
END_TEST

static const char yaml[] =
    "# comment\n---\n"
    "goods: 2\n"
    "good_names: [bread, w\303\266rter]\n"
    "budget: [1, 2.5, 1e-3]\n"
    "agents:\n"
    "  - type: linear\n    values: [1, 0]\n"
    "  - {name: Ben, type: linear, values: [1, 2]}\n"
    "  - {type: linear, values: [2^-1, 1E2], name: '7'}\n";
static const char json[] =
    "\n{\n\t\"goods\":2,\n\t\"good_names\":[\"bread\",\"w\\u00f6rter\"],\"budget\":[1,2.5,1e-3],"
    "\"agents\":[{\"type\":\"linear\",\"values\":[1,0]},\n\t\t{\"name\":\"Ben\",\"type\":\"linear\","
    "\"values\":"
    "[1,2]},\n{\"type\":\"linear\",\"values\":[0.5,1E2],\"name\":\"7\"}]}";

START_TEST(yaml_and_json_say_the_same) {
  static const double x[] = {0.5, 0.25};
  wal_concave_market_file file;
  write_text("market", _i ? json : yaml);
  ck_assert(wal_concave_market_looks_so(scratch_path("market")));
  ck_assert_msg(wal_concave_market_open(scratch_path("market"), &file) == WAL_OK, "%s", wal_error());
  ck_assert_str_eq(file.format, _i ? "JSON" : "YAML");
  ck_assert(file.market.n == 3 && file.market.m == 2 && file.has_budgets);
  ck_assert(file.market.budget[1] == 2.5 && file.market.budget[2] == 1e-3);
  ck_assert_str_eq(file.good_names[1], "w\303\266rter");
  ck_assert_str_eq(file.agent_names[0], "0");
  ck_assert_str_eq(file.agent_names[1], "Ben");
  ck_assert_str_eq(file.agent_names[2], "7");
  ck_assert_double_eq_tol(wal_utility_value(file.market.utility[2], x), 25.25, 1e-12);
  wal_concave_market_close(&file);
}
END_TEST

START_TEST(what_may_be_left_out) {
  wal_concave_market_file file;
  parsed("agents: [{type: linear, values: [1]}, {type: linear, values: [2]}]\ngoods: 1\n", &file);
  ck_assert(!file.has_budgets && file.market.budget[0] == 1 && file.market.budget[1] == 1);
  ck_assert(!file.good_names && !file.agent_names);
  wal_concave_market_close(&file);
  wal_concave_market_close(&file);
  wal_concave_market_close(NULL);
}
END_TEST

static const struct {
  const char *name, *text;
  bool is;
} looks[] = {
    {"a", "goods: 1\n", true},
    {"a", "\xEF\xBB\xBF# x\n\n  # y: z\n---\nagents:\n", true},
    {"a", "\n\t {\n", true},
    {"a", "\"goods\" : 1\n", true},
    {"a.csv", "{", true},
    {"a", "buyer,budget,bread\n", false},
    {"a", "# a: b\nbread,wine\n1,2\n", false},
    {"a", "a:b,c\n", false},
    {"a", "", false},
    {"a.yaml", "", true},
    {"a.JSON", "[1, 2]", true},
    {"a.csv", "1,2\n", false},
    {"a.yaml", "\211HDF\r\n\032\n", false},
};

START_TEST(files_are_told_apart_by_their_content) {
  write_text(looks[_i].name, looks[_i].text);
  ck_assert_int_eq(wal_concave_market_looks_so(scratch_path(looks[_i].name)), looks[_i].is);
  ck_assert(!wal_concave_market_looks_so(scratch_path("missing.yaml")));
  ck_assert(!wal_concave_market_looks_so(scratch));
}
END_TEST

/* ---- what is refused ---- */

#define AGENT(agent) "goods: 2\nagents:\n  - " agent "\n"
#define ARCS(arcs) AGENT("{type: generalized_network, nodes: 4, sink: 3, arcs: " arcs "}")
static const struct {
  const char *text, *place, *message;
} bad[] = {
    {"", "1:1", "the file is empty; expected YAML or JSON"},
    {"goods: 2\n", "1:1", "no agents; expected {goods: M, agents: [{type: ..., ...}, ...]}"},
    {"agents: [1]\n", "1:1", "no goods"},
    {"[1, 2]\n", "1:1", "expected {goods: M"},
    {"good: 2\n", "1:1", "unknown key \"good\"; did you mean \"goods\"?"},
    {"goods: 2\nbudgets: [1]\n", "2:1", "did you mean \"budget\"?"},
    {"goods: 2\ngoods: 2\n", "2:1", "\"goods\" is given twice, first at 1:1"},
    {"goods: 0\nagents: [1]\n", "1:8", "goods, how many there are is 0; expected 1 to 65536"},
    {"goods: 1e300\nagents: [1]\n", "1:8", "expected an integer"},
    {"goods: [a, b]\nagents: [1]\n", "1:8", "expected an integer such as 1"},
    {"goods: 1000000000\nagents: [1]\n", "1:8", "is 1000000000; expected 1 to 65536"},
    {"goods: 2\nagents: {}\n", "2:9", "agents: expected a list of {type: ..., ...} for each agent"},
    {"goods: 2\nagents: []\n", "2:9", "agents: an empty list"},
    {AGENT("linear"), "3:5", "agent 0: expected a mapping such as {type: linear, values: [1, 2]}"},
    {AGENT("{values: [1, 2]}"), "3:5", "agent 0 has no type; expected linear, bounded_linear, splc"},
    {AGENT("{type: [splc]}"), "3:12", "agent 0, type: expected linear"},
    {AGENT("{type: liner, values: [1, 2]}"), "3:12", "unknown type \"liner\"; did you mean \"linear\"?"},
    {AGENT("{type: ces, values: [1, 2]}"), "3:12", "unknown type \"ces\"; expected linear"},
    {AGENT("{type: linear, value: [1, 2]}"), "3:20", "unknown key \"value\"; did you mean \"values\"?"},
    {AGENT("{type: linear, values: [1, 2], limits: [1, 1]}"), "3:36",
     "expected the keys of linear: values: [NUMBER per good]"},
    {AGENT("{type: linear, name: Ada}"), "3:5", "agent 0 (Ada) has no values"},
    {AGENT("{type: linear, values: 3}"), "3:28", "agent 0, values: expected a list of one number per good"},
    {AGENT("{type: linear, values: [1]}"), "3:28", "agent 0, values: a list of 1; expected 2"},
    {AGENT("{type: linear, name: Ada, values: [1, -2]}"), "3:43",
     "agent 0 (Ada), values[1] is -2; expected a finite number, 0 or more (0.5 works)"},
    {AGENT("{type: linear, values: [1, .inf]}"), "3:32", "values[1] is inf; expected a finite number"},
    {AGENT("{type: linear, values: [1, .nan]}"), "3:32", "values[1]: expected a number such as 0.5"},
    {AGENT("{type: linear, values: [1, '2']}"), "3:32", "values[1]: expected a number"},
    {AGENT("{type: linear, values: [0, 0]}"), "3:28", "agent 0: "},
    {AGENT("{type: linear, name: [a], values: [1, 1]}"), "3:26", "expected a name"},
    {AGENT("{type: bounded_linear, values: [1, 1]}"), "3:5", "agent 0 has no limits"},
    {AGENT("{type: bounded_linear, values: [1, 1], limits: [1, -1]}"), "3:56",
     "limits[1] is -1; expected a finite number, 0 or more, or null for no limit"},
    {AGENT("{type: bounded_linear, values: [1, 0], limits: [0, 1]}"), "3:36", "agent 0: "},
    {AGENT("{type: splc, segments: [[[1, 2]]]}"), "3:28", "segments: a list of 1; expected 2"},
    {AGENT("{type: splc, segments: [[[1, 2]], [1, null]]}"), "3:40", "good 1, segment 0: expected a list of"},
    {AGENT("{type: splc, segments: [[[1, 2]], 1]}"), "3:39", "good 1: expected a list of segments"},
    {AGENT("{type: splc, segments: [[[1, 2]], [[1]]]}"), "3:40",
     "good 1, segment 0: a list of 1; expected 2"},
    {AGENT("{type: splc, segments: [[[1, 0.5], [2, null]], []]}"), "3:40",
     "agent 0: good 0, segment 1: the slope"},
    {AGENT("{type: splc, segments: [[], [[-1, 0.5]]]}"), "3:35", "good 1, segment 0: the slope is -1"},
    {AGENT("{type: splc, segments: [[], [[1, -0.5]]]}"), "3:38", "good 1, segment 0: the length is -0.5"},
    {AGENT("{type: splc, segments: [[[2, null], [1, 1]], []]}"), "3:41", "good 0, segment 1: comes after"},
    {AGENT("{type: splc, segments: [[], []]}"), "3:28", "agent 0: "},
    {AGENT("{type: splc, segments: [[[0, 1]], [[1, 0]]]}"), "3:28", "agent 0: "},
    {AGENT("{type: leontief, a: [0, 0]}"), "3:25", "agent 0: "},
    {AGENT("{type: leontief, amounts: [1, 1]}"), "3:22",
     "unknown key \"amounts\"; expected the keys of leontief: a:"},
    {AGENT("{type: leontief_free, a: [[1], [1]]}"), "3:5", "agent 0 has no ell"},
    {AGENT("{type: leontief_free, a: [[1], [1]], ell: []}"), "3:47", "ell: an empty list"},
    {AGENT("{type: leontief_free, a: [[1, 1]], ell: [1]}"), "3:30", "a: a list of 1; expected 2"},
    {AGENT("{type: leontief_free, a: [[1], [1, 1]], ell: [1]}"), "3:36", "a[1]: a list of 2; expected 1"},
    {AGENT("{type: leontief_free, a: [[1], [-1]], ell: [1]}"), "3:37", "a[1][0] is -1"},
    {AGENT("{type: leontief_free, a: [[0], [0]], ell: [1]}"), "3:30", "agent 0: "},
    {AGENT("{type: generalized_network, nodes: 2, sink: 1, arcs: [[0, 1, 1, 1]]}"), "3:40",
     "nodes (goods and sink included) is 2; expected 3 to"},
    {AGENT("{type: generalized_network, nodes: 3, sink: 1, arcs: [[0, 1, 1, 1]]}"), "3:49",
     "sink (a node that is no good) is 1; expected 2"},
    {ARCS("[]"), "3:58", "arcs: an empty list"},
    {ARCS("[[0, 3, 1, 1], [0, 3]]"), "3:73", "arc 1: a list of 2; expected 4: [from, to, gain, capacity]"},
    {ARCS("[[0, 4, 1, 1]]"), "3:63", "arc 0: to is 4; expected 0 to 3"},
    {ARCS("[[-1, 3, 1, 1]]"), "3:60", "arc 0: from is -1; expected 0 to 3"},
    {ARCS("[[0.5, 3, 1, 1]]"), "3:60", "arc 0: from: expected an integer such as 0"},
    {ARCS("[[0, 3, 0, 1]]"), "3:66", "arc 0: the gain is 0; expected a finite number above 0"},
    {ARCS("[[0, 3, null, 1]]"), "3:66", "arc 0: the gain: expected a number such as 0.5"},
    {ARCS("[[0, 3, 1, -1]]"), "3:69",
     "arc 0: the capacity is -1; expected a finite number, 0 or more, or null"},
    {ARCS("[[0, 2, 1, 1]]"), "3:58", "no good reaches the sink, node 3"},
    {ARCS("[[0, 3, 1, 0]]"), "3:58", "no good reaches the sink, node 3"},
    {ARCS("[[0, 2, 1, null], [2, 2, 1.5, null], [2, 3, 1, null]]"), "3:76",
     "in a cycle of 1 arc with gain 1.5"},
    {ARCS("[[0, 1, 2, null], [1, 0, 0.75, null], [0, 3, 1, null]]"),
     "3:", "in a cycle of 2 arcs with gain 1.5"},
    {AGENT("{type: plc, pieces: []}"), "3:25", "pieces: an empty list"},
    {AGENT("{type: plc, pieces: [[1, 2]]}"), "3:26", "piece 0: a list of 2; expected 3: a constant"},
    {AGENT("{type: plc, pieces: [[0, 1, -2]]}"), "3:33", "piece 0[2] is -2"},
    {AGENT("{type: plc, pieces: [[1, 1, 2]]}"), "3:", "agent 0: "},
    {AGENT("{type: linear, values: [1, 2]}") "budget: 1\n", "4:9",
     "budget: expected a list of one number per"},
    {AGENT("{type: linear, values: [1, 2]}") "budget: [1, 1]\n", "4:9", "budget: a list of 2; expected 1"},
    {AGENT("{type: linear, values: [1, 2]}") "budget: [0]\n", "4:10",
     "the budget of agent 0 is 0; expected a"},
    {AGENT("{type: linear, values: [1, 2]}") "budget: [-1]\n", "4:10", "the budget of agent 0 is -1"},
    {AGENT("{type: linear, values: [1, 2]}") "budget: [.inf]\n", "4:10", "the budget of agent 0 is inf"},
    {AGENT("{type: linear, values: [1, 2]}") "good_names: [a]\n", "4:13",
     "good_names: a list of 1; expected 2"},
    {AGENT("{type: linear, values: [1, 2]}") "good_names: [a, '']\n", "4:17", "expected a name"},
    {AGENT("{type: linear, values: [1, 2]}") "good_names: [a, a]\n", "4:17", "two goods are named \"a\""},
    {"{\"goods\": 2, \"agents\": [{\"type\": \"linear\", \"values\": [1, ", "2:1", "not valid YAML"},
    {"{\"goods\": 2, \"name\\ud83d\\ude00\": 1}", "1:", "not valid YAML"},
    {"goods: 2\nagents:\n\t- {type: linear}\n", "3:1", "a tab in the indentation"},
};
enum { BAD = sizeof bad / sizeof *bad };

START_TEST(bad_markets_are_refused_with_their_place) {
  wal_concave_market_file file;
  char place[64];
  snprintf(place, sizeof place, "a.yaml:%s%s", bad[_i].place, strrchr(bad[_i].place, ':')[1] ? ": " : "");
  ck_assert_msg(wal_concave_market_parse(bad[_i].text, strlen(bad[_i].text), "a.yaml", &file) == WAL_E_INPUT,
                "%s", bad[_i].text);
  ck_assert_msg(strncmp(wal_error(), place, strlen(place)) == 0, "expected %s: %s", place, wal_error());
  ck_assert_msg(strstr(wal_error(), bad[_i].message) != NULL, "expected '%s' in: %s", bad[_i].message,
                wal_error());
  ck_assert(!file.market.utility && !file.good_names && !file.agent_names);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("concave_market_file");
  TCase *tests = tcase_create("concave_market_file");
  tcase_add_checked_fixture(tests, scratch_make, scratch_remove);
  tcase_add_loop_test(tests, every_type_is_its_formula, 0, KINDS);
  tcase_add_loop_test(tests, yaml_and_json_say_the_same, 0, 2);
  tcase_add_test(tests, what_may_be_left_out);
  tcase_add_loop_test(tests, files_are_told_apart_by_their_content, 0, sizeof looks / sizeof *looks);
  tcase_add_loop_test(tests, bad_markets_are_refused_with_their_place, 0, BAD);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
