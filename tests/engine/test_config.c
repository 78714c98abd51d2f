/* Configs: every refusal with its full message; sweeps against lists of points written by hand; keys. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/checksum.h"
#include "engine/config.h"
#include "engine/util.h"
#include "models/common/rng.h"
#include "models/common/version.h"
#include "tests/scratch.h"
#include "tests/suite.h"
#include "tests/toy.h"

/* Parses "experiment: toy/table1\n" + text with a profile and a NULL-terminated list of --set flags. */
static wal_status parse(const char *text, const char *profile, const char *const sets[], wal_config **out) {
  wal_text all = {0};
  wal_text_add(&all, "experiment: toy/table1\n%s", text);
  int count = 0;
  while (sets && sets[count]) count++;
  wal_status status =
      wal_config_parse(all.data, "configs/toy/a.yaml", profile, sets, count, toy_registry, out);
  wal_text_free(&all);
  return status;
}

static wal_config *config_of(const char *text, const char *profile, const char *const sets[]) {
  wal_config *config;
  ck_assert_msg(parse(text, profile, sets, &config) == WAL_OK, "%s", wal_error());
  return config;
}

/* Compares every point's label with `expected`, lines in sweep order. */
static void ck_points(const wal_config *config, const char *expected) {
  wal_text found = {0};
  for (int i = 0; i < config->point_count; i++) {
    char label[256];
    wal_point_label(config, &config->points[i], label, sizeof label);
    wal_text_add(&found, "%s\n", label);
  }
  ck_assert_str_eq(found.data, expected);
  wal_text_free(&found);
}

static void points(const char *text, const char *expected) {
  wal_config *config = config_of(text, NULL, NULL);
  ck_points(config, expected);
  wal_config_free(config);
}

/* The same under --set flags. */
static void points_set(const char *text, const char *set, const char *expected) {
  wal_config *config = config_of(text, NULL, (const char *[]){set, NULL});
  ck_points(config, expected);
  wal_config_free(config);
}

static void fails(wal_status status, wal_config *const *config, const char *message) {
  ck_assert_int_eq(status, WAL_E_INPUT);
  ck_assert_ptr_null(*config);
  ck_assert_str_eq(wal_error(), message);
}

static void refused(const char *text, const char *message) {
  wal_config *config;
  fails(parse(text, NULL, NULL, &config), &config, message);
}

static void set_refused(const char *set, const char *message) {
  wal_config *config;
  fails(parse("", NULL, (const char *[]){set, NULL}, &config), &config, message);
}

/* The YAML's text without a first "experiment" line. */
static void refused_whole(const char *text, const char *message) {
  wal_config *config;
  fails(wal_config_parse(text, "a.yaml", NULL, NULL, 0, toy_registry, &config), &config, message);
}

#define AT "configs/toy/a.yaml"

/* ---- Refusals: parameters ---- */

START_TEST(unknown_parameter) {
  refused("params: {fc: {widht: 64}}\n", AT
          ":2:15: unknown parameter \"widht\" of fc; did you mean \"width\"? It has width, depth, cosine\n"
          "    2 | params: {fc: {widht: 64}}\n"
          "      |               ^");
  refused("params: {width: 64}\n", AT
          ":2:10: unknown parameter \"width\" of toy/table1; did you mean \"fc.width\"? It has n, m, alpha, "
          "solver, eg, fc, seed, note\n"
          "    2 | params: {width: 64}\n"
          "      |          ^");
  refused("params: {beta: 1}\n", AT
          ":2:10: unknown parameter \"beta\" of toy/table1; it has n, m, alpha, solver, eg, fc, seed, note\n"
          "    2 | params: {beta: 1}\n"
          "      |          ^");
}
END_TEST

START_TEST(wrong_type) {
  refused(
      "params: {n: many}\n", AT
      ":2:13: n: \"many\" is not an integer (write 12, 2^20 or 1e6); expected an integer from 1 to 1048576 "
      "buyers (1024 works)\n"
      "    2 | params: {n: many}\n"
      "      |             ^");
  refused("params: {n: \"16\"}\n", AT
          ":2:13: n is the quoted text \"16\"; expected an integer from 1 to 1048576 buyers without quotes "
          "(1024 works)\n"
          "    2 | params: {n: \"16\"}\n"
          "      |             ^");
  refused("params: {fc: {cosine: yes}}\n", AT
          ":2:23: fc.cosine: \"yes\" is neither true nor false; expected true or false (true works)\n"
          "    2 | params: {fc: {cosine: yes}}\n"
          "      |                       ^");
  refused("params: {n: [1, 2]}\n", AT
          ":2:13: n is a list; expected an integer from 1 to 1048576 buyers (1024 works); several "
          "values go under sweep: grid:\n"
          "    2 | params: {n: [1, 2]}\n"
          "      |             ^");
  refused("params: {fc: 64}\n", AT
          ":2:14: fc is a single value; expected a mapping ({width: 64} for example)\n"
          "    2 | params: {fc: 64}\n"
          "      |              ^");
}
END_TEST

START_TEST(out_of_range) {
  refused("params: {n: 0}\n", AT
          ":2:13: n is 0; expected an integer from 1 to 1048576 buyers (1024 works)\n"
          "    2 | params: {n: 0}\n"
          "      |             ^");
  refused("params:\n  alpha: 2\n", AT
          ":3:10: alpha is 2; expected a number of at most 1 (0.5 works)\n"
          "    3 |   alpha: 2\n"
          "      |          ^");
  refused("params: {eg: {step: -1}}\n", AT
          ":2:21: eg.step is -1; expected a number of at least 0 (100 works)\n"
          "    2 | params: {eg: {step: -1}}\n"
          "      |                     ^");
  refused("params: {m: 2^30}\n", AT
          ":2:13: m is 1073741824; expected an integer from 1 to 100 (5 works)\n"
          "    2 | params: {m: 2^30}\n"
          "      |             ^");
}
END_TEST

START_TEST(not_a_number) {
  refused("params: {alpha: .nan}\n", AT
          ":2:17: alpha: \".nan\" is not a number (write 0.5, 1e-3, 2^20 or .inf); expected a number of at "
          "most 1 (0.5 works)\n"
          "    2 | params: {alpha: .nan}\n"
          "      |                 ^");
}
END_TEST

START_TEST(unknown_choice) {
  refused("params: {solver: eg_n}\n", AT
          ":2:18: solver is \"eg_n\"; expected eg, eg_m or fc; did you mean \"eg_m\"?\n"
          "    2 | params: {solver: eg_n}\n"
          "      |                  ^");
  refused("params: {solver: simplex}\n", AT
          ":2:18: solver is \"simplex\"; expected eg, eg_m or fc\n"
          "    2 | params: {solver: simplex}\n"
          "      |                  ^");
}
END_TEST

START_TEST(given_twice) {
  refused("params: {n: 1, n: 2}\n", AT
          ":2:16: \"n\" is given twice, first at 2:10; keep one\n"
          "    2 | params: {n: 1, n: 2}\n"
          "      |                ^");
  refused("params: {fc.width: 1, fc: {width: 2}}\n", AT
          ":2:28: fc.width is given twice, first at 2:10; keep one\n"
          "    2 | params: {fc.width: 1, fc: {width: 2}}\n"
          "      |                            ^");
}
END_TEST

START_TEST(empty_block) {
  refused("params:\nsweep: {}\n", AT
          ":2:8: params is empty; expected a mapping ({n: 1024} for example) or no such line\n"
          "    2 | params:\n"
          "      |        ^");
}
END_TEST

/* ---- Refusals: the frame of the file ---- */

START_TEST(unknown_key) {
  refused("parms: {n: 1}\n", AT
          ":2:1: unknown key \"parms\" of a config; did you mean \"params\"? It has experiment, name, title, "
          "caption, params, sweep, profiles, published, regression\n"
          "    2 | parms: {n: 1}\n"
          "      | ^");
  refused(
      "n: 5\n", AT
      ":2:1: \"n\" is a parameter, no key of a config; parameters go inside params, grid, zip, list or draw\n"
      "    2 | n: 5\n"
      "      | ^");
  refused(
      "sweep: {fc: {width: [1, 2]}}\n", AT
      ":2:9: \"fc\" is a parameter, no key of sweep; parameters go inside params, grid, zip, list or draw\n"
      "    2 | sweep: {fc: {width: [1, 2]}}\n"
      "      |         ^");
}
END_TEST

START_TEST(unknown_experiment) {
  refused_whole("experiment: toy/tabel1\n",
                "a.yaml:1:13: unknown experiment \"toy/tabel1\"; did you mean \"toy/table1\"? \"walras "
                "list\" shows all\n"
                "    1 | experiment: toy/tabel1\n"
                "      |             ^");
  refused_whole("params: {n: 1}\n",
                "a.yaml:1:1: no \"experiment\"; expected \"experiment: toy/table1\" for example (walras list "
                "shows all)\n"
                "    1 | params: {n: 1}\n"
                "      | ^");
  refused_whole("just text\n",
                "a.yaml:1:1: expected a config that begins with \"experiment: PAPER/FIGURE\"\n"
                "    1 | just text\n"
                "      | ^");
}
END_TEST

START_TEST(empty_file) {
  refused_whole(
      "",
      "a.yaml:1:1: the file is empty; expected YAML (a config begins with \"experiment: PAPER/FIGURE\")\n"
      "    1 | \n"
      "      | ^");
}
END_TEST

START_TEST(missing_file) {
  wal_config *config;
  ck_assert_int_eq(wal_config_load("/nonexistent.yaml", NULL, NULL, 0, toy_registry, &config), WAL_E_IO);
  ck_assert_str_eq(wal_error(),
                   "/nonexistent.yaml: cannot be read: No such file or directory; expected a config, such as "
                   "configs/toy/table1.yaml");
  ck_assert_ptr_null(config);
}
END_TEST

START_TEST(unknown_profile) {
  const char *text = "profiles: {smoke: {params: {n: 2}}, paper: {params: {n: 4}}}\n";
  wal_config *config;
  fails(parse(text, "papr", NULL, &config), &config,
        "unknown profile \"papr\" of " AT "; did you mean \"paper\"? It has smoke, paper");
  fails(parse("", "ci", NULL, &config), &config,
        AT ": no profile \"ci\": the file has no profiles; run it without one");
}
END_TEST

START_TEST(errors_in_profiles_not_chosen) {
  refused("profiles: {paper: {params: {n: 0}}}\n", AT
          ":2:32: n is 0; expected an integer from 1 to 1048576 buyers (1024 works)\n"
          "    2 | profiles: {paper: {params: {n: 0}}}\n"
          "      |                                ^");
  refused(
      "profiles: {paper: {parms: {n: 1}}}\n", AT
      ":2:20: unknown key \"parms\" of a profile; did you mean \"params\"? It has params, sweep, caption, "
      "expect_s\n"
      "    2 | profiles: {paper: {parms: {n: 1}}}\n"
      "      |                    ^");
}
END_TEST

START_TEST(names_that_are_no_paths) {
  refused("name: ../../etc/x\n", AT
          ":2:7: the name \"../../etc/x\" does not do as a path; expected letters, digits, \"_\", \"-\" and "
          "\"/\" "
          "(name: my/sweep for example)\n"
          "    2 | name: ../../etc/x\n"
          "      |       ^");
}
END_TEST

START_TEST(bad_published) {
  refused("published: [{values: {gpa: 1}}]\n", AT
          ":2:23: unknown column \"gpa\" of toy/table1; did you mean \"gap\"? It has gap, solve_s, remark\n"
          "    2 | published: [{values: {gpa: 1}}]\n"
          "      |                       ^");
  refused("published: [{values: {remark: 1}}]\n", AT
          ":2:23: column remark holds text, not a number\n"
          "    2 | published: [{values: {remark: 1}}]\n"
          "      |                       ^");
  refused("published: [{where: {n: 0}, values: {gap: 1}}]\n", AT
          ":2:25: n is 0; expected an integer from 1 to 1048576 buyers (1024 works)\n"
          "    2 | published: [{where: {n: 0}, values: {gap: 1}}]\n"
          "      |                         ^");
  refused("regression: [{rtol: {gap: -1}}]\n", AT
          ":2:27: gap is -1; expected a number of at least 0 (1 works)\n"
          "    2 | regression: [{rtol: {gap: -1}}]\n"
          "      |                           ^");
  refused("published: [{source: Table 1}]\n", AT
          ":2:13: published has no \"values\"; expected {gap: 1e-3} for example\n"
          "    2 | published: [{source: Table 1}]\n"
          "      |             ^");
  refused("regression: [{where: {n: 1}}]\n", AT
          ":2:14: regression has neither \"rtol\" nor \"atol\"; expected {rtol: {gap: 0.1}} for example\n"
          "    2 | regression: [{where: {n: 1}}]\n"
          "      |              ^");
}
END_TEST

/* ---- Refusals: sweeps ---- */

START_TEST(axis_in_grid_and_zip) {
  refused("sweep: {grid: {n: [1, 2]}, zip: {n: [1, 2]}}\n", AT
          ":2:37: n is swept by grid and by zip of one mapping; keep one\n"
          "    2 | sweep: {grid: {n: [1, 2]}, zip: {n: [1, 2]}}\n"
          "      |                                     ^");
}
END_TEST

START_TEST(unequal_zip) {
  refused("sweep: {zip: {n: [1, 2], m: [1, 2, 3]}}\n", AT
          ":2:29: zip goes side by side, but n has 2 values and m has 3; make them equal\n"
          "    2 | sweep: {zip: {n: [1, 2], m: [1, 2, 3]}}\n"
          "      |                             ^");
}
END_TEST

START_TEST(empty_axis) {
  refused("sweep: {grid: {n: []}}\n", AT
          ":2:19: the axis n has no values; expected some ([1024] for example)\n"
          "    2 | sweep: {grid: {n: []}}\n"
          "      |                   ^");
  refused("sweep: {grid: {n: 5}}\n", AT
          ":2:19: the axis n is a single value; expected a list ([1024] for example) or a range ({from: 1, "
          "to: 8, "
          "steps: 4})\n"
          "    2 | sweep: {grid: {n: 5}}\n"
          "      |                   ^");
  refused("sweep: {list: []}\n", AT
          ":2:15: list has no entries; expected some ([{seed: 1}, {seed: 2}] for example)\n"
          "    2 | sweep: {list: []}\n"
          "      |               ^");
  refused("sweep: []\n", AT
          ":2:8: sweep is an empty list; expected {grid: {seed: [1, 2, 3]}} or no such line\n"
          "    2 | sweep: []\n"
          "      |        ^");
}
END_TEST

START_TEST(bad_value_in_an_axis) {
  refused("sweep: {grid: {n: [1, 0]}}\n", AT
          ":2:23: n is 0; expected an integer from 1 to 1048576 buyers (1024 works)\n"
          "    2 | sweep: {grid: {n: [1, 0]}}\n"
          "      |                       ^");
}
END_TEST

START_TEST(bad_ranges) {
  refused("sweep: {grid: {n: {from: 1, to: 5}}}\n", AT
          ":2:19: the range has no \"steps\"; expected {from: 1, to: 8, steps: 4}\n"
          "    2 | sweep: {grid: {n: {from: 1, to: 5}}}\n"
          "      |                   ^");
  refused("sweep: {grid: {alpha: {from: -1, to: 1, steps: 3, scale: log}}}\n", AT
          ":2:23: a log range of alpha needs \"from\" and \"to\" above 0 (scale: linear takes any)\n"
          "    2 | sweep: {grid: {alpha: {from: -1, to: 1, steps: 3, scale: log}}}\n"
          "      |                       ^");
  refused("sweep: {grid: {n: {from: 3, to: 8, scale: pow2}}}\n", AT
          ":2:19: a pow2 range of n goes up from one power of two to another, such as from: 2^10, to: 2^20\n"
          "    2 | sweep: {grid: {n: {from: 3, to: 8, scale: pow2}}}\n"
          "      |                   ^");
  refused("sweep: {grid: {n: {from: 1, to: 8, steps: 1}}}\n", AT
          ":2:43: steps is 1; expected an integer from 2 to 1000000 (10 works)\n"
          "    2 | sweep: {grid: {n: {from: 1, to: 8, steps: 1}}}\n"
          "      |                                           ^");
  refused("sweep: {grid: {solver: {from: 1, to: 8, steps: 2}}}\n", AT
          ":2:24: solver is no number and takes no range; expected a list ([eg] for example)\n"
          "    2 | sweep: {grid: {solver: {from: 1, to: 8, steps: 2}}}\n"
          "      |                        ^");
  refused("sweep: {random: {count: 3}}\n", AT
          ":2:17: random has no \"draw\"; expected {count: 20, seed: 1, draw: {alpha: {from: 0, to: 1}}}\n"
          "    2 | sweep: {random: {count: 3}}\n"
          "      |                 ^");
  refused("sweep: {grid: {n: {to: 5, steps: 2}}}\n", AT
          ":2:19: the range of n has no \"from\"; expected {from: 1, to: 8, steps: 4}\n"
          "    2 | sweep: {grid: {n: {to: 5, steps: 2}}}\n"
          "      |                   ^");
  refused("sweep: {grid: {alpha: {from: -.inf, to: 1, steps: 2}}}\n", AT
          ":2:30: a range of alpha cannot end there; expected a finite number\n"
          "    2 | sweep: {grid: {alpha: {from: -.inf, to: 1, steps: 2}}}\n"
          "      |                              ^");
  refused("sweep: {grid: {n: {from: 2, to: 8, steps: 2, scale: pow2}}}\n", AT
          ":2:43: a pow2 range takes every power of two and no \"steps\"; leave it out\n"
          "    2 | sweep: {grid: {n: {from: 2, to: 8, steps: 2, scale: pow2}}}\n"
          "      |                                           ^");
  refused("sweep: {grid: {n: {from: 2, to: 8, steps: 2, scale: lgo}}}\n", AT
          ":2:53: unknown scale \"lgo\" of a range; did you mean \"log\"? It has linear, log, pow2\n"
          "    2 | sweep: {grid: {n: {from: 2, to: 8, steps: 2, scale: lgo}}}\n"
          "      |                                                     ^");
}
END_TEST

START_TEST(too_many_points) {
  refused("sweep: {grid: {n: {from: 1, to: 1001, steps: 1001}, seed: {from: 1, to: 1000, steps: 1000}}}\n", AT
          ":2:8: the sweep has 1001000 points; the limit is 1000000 (random: {count: 1000, draw: ...} draws "
          "some)\n"
          "    2 | sweep: {grid: {n: {from: 1, to: 1001, steps: 1001}, seed: {from: 1, to: 1000, steps: "
          "1000}...\n"
          "      |        ^");
}
END_TEST

START_TEST(nothing_left) {
  refused("sweep: {grid: {n: [1, 2]}, exclude: [{n: 1}, {n: 2}]}\n", AT
          ":2:8: exclude leaves no point; expected at least one\n"
          "    2 | sweep: {grid: {n: [1, 2]}, exclude: [{n: 1}, {n: 2}]}\n"
          "      |        ^");
}
END_TEST

/* ---- Refusals: --set ---- */

START_TEST(bad_sets) {
  set_refused("n", "--set n: expected NAME=VALUE or NAME=V1,V2 (seed=1,2,3 for example)");
  set_refused("n=abc",
              "--set n=abc: n: \"abc\" is not an integer (write 12, 2^20 or 1e6); expected an integer from 1 "
              "to 1048576 "
              "buyers (1024 works)");
  set_refused("n=1,0", "--set n=1,0: n is 0; expected an integer from 1 to 1048576 buyers (1024 works)");
  set_refused("fc.widht=3",
              "--set fc.widht=3: unknown parameter \"fc.widht\" of toy/table1; did you mean \"fc.width\"? It "
              "has n, m, "
              "alpha, solver, eg.step, fc.width, fc.depth, fc.cosine, seed, note");
  set_refused(
      "fc=3",
      "--set fc=3: \"fc\" is a group of toy/table1; expected one of its parameters: fc.width, fc.depth, "
      "fc.cosine");
  set_refused(
      "=3", "--set =3: unknown parameter \"\" of toy/table1; it has n, m, alpha, solver, eg, fc, seed, note");
}
END_TEST

/* ---- Values and profiles ---- */

START_TEST(defaults_params_profile_set) {
  const char *text =
      "params: {n: 10, m: 20, fc: {width: 8, depth: 2}, eg.step: 1e-3}\n"
      "caption: plain\n"
      "profiles:\n"
      "  smoke: {params: {n: 30, fc: {width: 16}}, caption: small, expect_s: 5}\n";
  wal_config *config = config_of(text, "smoke", (const char *[]){"m=2^3", "note=a b", NULL});
  const wal_point *point = &config->points[0];
  ck_assert_int_eq(config->point_count, 1);
  ck_assert_int_eq(wal_point_int(point, "n"), 30);
  ck_assert_int_eq(wal_point_int(point, "m"), 8);
  ck_assert_int_eq(wal_point_int(point, "fc.width"), 16);
  ck_assert_int_eq(wal_point_int(point, "fc.depth"), 2);
  ck_assert_double_eq(wal_point_real(point, "eg.step"), 1e-3);
  ck_assert_double_eq(wal_point_real(point, "alpha"), 0.5);
  ck_assert(wal_point_bool(point, "fc.cosine"));
  ck_assert_str_eq(wal_point_text(point, "note"), "a b");
  ck_assert_str_eq(config->caption, "small");
  ck_assert_str_eq(config->profile, "smoke");
  ck_assert_str_eq(config->title, "A toy");
  ck_assert_str_eq(config->name, "toy/a");
  ck_assert_str_eq(config->sets, "m=2^3\nnote=a b");
  ck_assert_double_nan(config->expect_s); /* the profile says 5, for other parameters */
  wal_config_free(config);
  wal_config_free(NULL);
}
END_TEST

START_TEST(a_file_is_loaded) {
  const char *path = scratch_path("mine.yaml");
  FILE *file = fopen(path, "w");
  fputs("experiment: toy/table1\nparams: {n: 7}\n", file);
  fclose(file);
  wal_config *config;
  ck_assert_int_eq(wal_config_load(path, NULL, NULL, 0, toy_registry, &config), WAL_OK);
  ck_assert_int_eq(wal_point_int(&config->points[0], "n"), 7);
  ck_assert_str_eq(config->name, "mine");
  ck_assert_str_eq(config->path, path);
  ck_assert_str_eq(config->yaml, "experiment: toy/table1\nparams: {n: 7}\n");
  wal_config_free(config);
}
END_TEST

START_TEST(ci_is_the_profile_by_default) {
  const char *text = "profiles: {ci: {params: {n: 7}}, paper: {params: {n: 9}}}\nname: my/sweep\ntitle: T\n";
  wal_config *config = config_of(text, NULL, NULL);
  ck_assert_str_eq(config->profile, "ci");
  ck_assert_int_eq(wal_point_int(&config->points[0], "n"), 7);
  ck_assert_str_eq(config->name, "my/sweep");
  ck_assert_str_eq(config->title, "T");
  ck_assert(isnan(config->expect_s));
  wal_config_free(config);
  config = config_of("profiles: {paper: {params: {n: 9}}}\n", NULL, NULL);
  ck_assert_str_eq(config->profile, "");
  ck_assert_int_eq(wal_point_int(&config->points[0], "n"), 1024);
  wal_config_free(config);
}
END_TEST

START_TEST(profile_sweep_replaces) {
  wal_config *config =
      config_of("sweep: {grid: {n: [1, 2]}}\nprofiles: {p: {sweep: {grid: {m: [3, 4]}}}}\n", "p", NULL);
  ck_points(config, "m=3\nm=4\n");
  wal_config_free(config);
}
END_TEST

START_TEST(published_and_regression) {
  wal_config *config = config_of(
      "published:\n"
      "  - {where: {solver: fc, n: 8}, setting: {n: 2^20}, values: {solve_s: 43.6, gap: 2.17e-2}, source: "
      "Table 1}\n"
      "  - {values: {gap: 0}}\n"
      "regression:\n"
      "  - {where: {solver: fc}, rtol: {gap: 0.5}, atol: {solve_s: 1e-3}}\n",
      NULL, NULL);
  ck_assert_int_eq(config->published_count, 2);
  const wal_published *first = &config->published[0];
  ck_assert_int_eq(first->where.count, 2);
  ck_assert_int_eq(first->setting.count, 1);
  ck_assert_int_eq(first->setting.value[0].i, 1048576);
  ck_assert_int_eq(first->count, 2);
  ck_assert_int_eq(first->column[0], 0);
  ck_assert_double_eq(first->value[0], 2.17e-2);
  ck_assert_int_eq(first->column[1], 1);
  ck_assert_double_eq(first->value[1], 43.6);
  ck_assert_str_eq(first->source, "Table 1");
  ck_assert(!wal_assignment_holds(&first->where, &config->points[0]));
  ck_assert_str_eq(config->published[1].source, "");
  ck_assert(wal_assignment_holds(&config->published[1].where, &config->points[0]));
  ck_assert_int_eq(config->tolerance_count, 1);
  const wal_tolerance *tolerance = &config->tolerances[0];
  ck_assert_int_eq(tolerance->count, 2);
  ck_assert_double_eq(tolerance->rtol[0], 0.5);
  ck_assert(isnan(tolerance->atol[0]) && isnan(tolerance->rtol[1]));
  ck_assert_double_eq(tolerance->atol[1], 1e-3);
  wal_config_free(config);
}
END_TEST

/* ---- Sweeps ---- */

START_TEST(grid_is_a_product) {
  points("sweep: {grid: {alpha: [1, 0.5], seed: [1, 2, 3]}}\n",
         "alpha=1 seed=1\nalpha=1 seed=2\nalpha=1 seed=3\n"
         "alpha=0.5 seed=1\nalpha=0.5 seed=2\nalpha=0.5 seed=3\n");
}
END_TEST

START_TEST(the_last_axis_varies_fastest) {
  points("sweep: {grid: {seed: [1, 2], n: [8, 9]}}\n", "n=8 seed=1\nn=9 seed=1\nn=8 seed=2\nn=9 seed=2\n");
}
END_TEST

START_TEST(zip_is_side_by_side) {
  points("sweep: {zip: {n: [1024, 4096], m: [5, 10]}}\n", "n=1024 m=5\nn=4096 m=10\n");
}
END_TEST

START_TEST(list_is_written_out) {
  points("sweep: {list: [{solver: eg, eg: {step: 1000}}, {solver: fc}, {solver: eg}]}\n",
         "solver=eg eg.step=1000\nsolver=fc\nsolver=eg eg.step=100\n");
}
END_TEST

START_TEST(parts_multiply) {
  points("sweep: {list: [{seed: 7}, {seed: 8}], zip: {n: [1, 2], m: [3, 4]}, grid: {alpha: [0, 1]}}\n",
         "n=1 m=3 alpha=0 seed=7\nn=1 m=3 alpha=0 seed=8\nn=2 m=4 alpha=0 seed=7\nn=2 m=4 alpha=0 seed=8\n"
         "n=1 m=3 alpha=1 seed=7\nn=1 m=3 alpha=1 seed=8\nn=2 m=4 alpha=1 seed=7\nn=2 m=4 alpha=1 seed=8\n");
}
END_TEST

START_TEST(a_list_of_mappings_is_a_union) {
  points("sweep:\n  - grid: {n: [1, 2]}\n  - grid: {n: [2, 3]}\n", "n=1\nn=2\nn=3\n");
}
END_TEST

START_TEST(exclude_leaves_out) {
  points("sweep: {grid: {solver: [eg, fc], alpha: [1, 0]}, exclude: [{solver: eg, alpha: 1}]}\n",
         "alpha=0 solver=eg\nalpha=1 solver=fc\nalpha=0 solver=fc\n");
}
END_TEST

START_TEST(ranges) {
  points("sweep: {grid: {alpha: {from: -1, to: 1, steps: 5}}}\n",
         "alpha=-1\nalpha=-0.5\nalpha=0\nalpha=0.5\nalpha=1\n");
  points("sweep: {grid: {alpha: {from: 0, to: 1, steps: 11}}}\n",
         "alpha=0\nalpha=0.1\nalpha=0.2\nalpha=0.3\nalpha=0.4\nalpha=0.5\nalpha=0.6\nalpha=0.7\nalpha=0."
         "8\nalpha=0.9\n"
         "alpha=1\n");
  points("sweep: {grid: {eg.step: {from: 1e-3, to: 1e1, steps: 5, scale: log}}}\n",
         "eg.step=0.001\neg.step=0.01\neg.step=0.1\neg.step=1\neg.step=10\n");
  points("sweep: {grid: {n: {from: 2^10, to: 2^12, scale: pow2}}}\n", "n=1024\nn=2048\nn=4096\n");
  points("sweep: {grid: {n: {from: 9, to: 1, steps: 3}}}\n", "n=9\nn=5\nn=1\n");
}
END_TEST

START_TEST(dotted_and_nested_axes) {
  points("params: {solver: fc}\nsweep: {grid: {fc: {width: [1, 2]}, fc.depth: [3, 4]}}\n",
         "fc.width=1 fc.depth=3\nfc.width=1 fc.depth=4\nfc.width=2 fc.depth=3\nfc.width=2 fc.depth=4\n");
}
END_TEST

START_TEST(axes_override_params) { points("params: {n: 5}\nsweep: {grid: {n: [1, 2]}}\n", "n=1\nn=2\n"); }
END_TEST

START_TEST(parameters_that_do_not_count_make_no_points) {
  points("sweep: {grid: {solver: [eg, fc], fc.width: [8, 16]}}\n",
         "solver=eg\nsolver=fc fc.width=8\nsolver=fc fc.width=16\n");
}
END_TEST

/* Against the generator itself: axis a, draw k is element a 2^32 + k. */
START_TEST(random_draws_from_its_stream) {
  wal_config *config = config_of(
      "sweep: {random: {count: 6, seed: 42, draw: {alpha: {from: -4, to: 1}, m: {from: 2, to: 5}, "
      "n: {from: 2^10, to: 2^20, scale: pow2}, solver: [eg, fc], eg.step: {from: 1, to: 100, scale: "
      "log}}}}\n",
      NULL, NULL);
  ck_assert_int_eq(config->point_count, 6);
  for (uint64_t k = 0; k < 6; k++) {
    const wal_point *point = &config->points[k];
    uint64_t axis = (uint64_t)1 << 32;
    double u = wal_rng_uniform(42, WAL_STREAM_SWEEP, k);
    ck_assert_double_eq_tol(wal_point_real(point, "alpha"), -4 + 5 * u, 1e-11);
    ck_assert_uint_eq((uint64_t)wal_point_int(point, "m"),
                      2 + wal_rng_below(42, WAL_STREAM_SWEEP, axis + k, 4));
    ck_assert_uint_eq((uint64_t)wal_point_int(point, "n"),
                      (uint64_t)1024 << wal_rng_below(42, WAL_STREAM_SWEEP, 2 * axis + k, 11));
    ck_assert_str_eq(wal_point_text(point, "solver"),
                     wal_rng_below(42, WAL_STREAM_SWEEP, 3 * axis + k, 2) ? "fc" : "eg");
    u = wal_rng_uniform(42, WAL_STREAM_SWEEP, 4 * axis + k);
    ck_assert_double_eq_tol(wal_point_real(point, "eg.step"), pow(100, u), 1e-9);
  }
  wal_config_free(config);
}
END_TEST

START_TEST(more_draws_keep_the_first) {
  wal_config *few =
      config_of("sweep: {random: {count: 3, seed: 7, draw: {alpha: {from: -4, to: 1}}}}\n", NULL, NULL);
  wal_config *many = config_of(
      "sweep: {random: {count: 9, seed: 7, draw: {alpha: {from: -4, to: 1}, m: {from: 1, to: 9}}}}\n", NULL,
      NULL);
  wal_config *other =
      config_of("sweep: {random: {count: 3, seed: 8, draw: {alpha: {from: -4, to: 1}}}}\n", NULL, NULL);
  for (int i = 0; i < 3; i++) {
    double alpha = wal_point_real(&few->points[i], "alpha");
    ck_assert_double_eq(alpha, wal_point_real(&many->points[i], "alpha"));
    ck_assert_double_ne(alpha, wal_point_real(&other->points[i], "alpha"));
  }
  wal_config_free(few);
  wal_config_free(many);
  wal_config_free(other);
}
END_TEST

START_TEST(set_replaces_axes) {
  points_set("sweep: {grid: {n: [1, 2], m: [3, 4]}}\n", "n=9", "m=3\nm=4\n");
  points_set("sweep: {grid: {n: [1, 2], m: [3, 4]}}\n", "n=8,9", "n=8 m=3\nn=8 m=4\nn=9 m=3\nn=9 m=4\n");
  points_set("sweep: {zip: {n: [1, 2], m: [3, 4]}}\n", "n=9", "m=3\nm=4\n");
  points_set("sweep: {list: [{n: 1, m: 3}, {n: 2, m: 3}]}\n", "n=9", "\n");
  points_set("sweep: {grid: {m: [3, 4]}}\n", "seed=1,2", "m=3 seed=1\nm=3 seed=2\nm=4 seed=1\nm=4 seed=2\n");
  points_set("sweep:\n  - grid: {n: [1, 2]}\n  - grid: {m: [3, 4]}\n", "n=9", "m=5\nm=3\nm=4\n");
  points_set("", "seed=1,2", "seed=1\nseed=2\n");
  points_set("sweep: {random: {count: 2, draw: {alpha: {from: 0, to: 1}}}}\n", "alpha=1,0",
             "alpha=1\nalpha=0\n");
}
END_TEST

START_TEST(the_last_set_wins) {
  wal_config *config = config_of("", NULL, (const char *[]){"n=1,2", "n=5", NULL});
  ck_assert_int_eq(config->point_count, 1);
  ck_assert_int_eq(wal_point_int(&config->points[0], "n"), 5);
  wal_config_free(config);
}
END_TEST

/* ---- Keys ---- */

START_TEST(key_text) {
  char expected[512];
  snprintf(expected, sizeof expected,
           "experiment toy/table1\nversion 3\nmodels %d\n"
           "alpha=0.5\neg.step=100\nm=5\nn=1024\nnote=none\nseed=1\nsolver=eg\n",
           WAL_MODELS_VERSION);
  wal_config *config = config_of("", NULL, NULL);
  char *key = wal_point_key(&config->points[0], &wal_device_cpu);
  ck_assert_str_eq(key, expected);
  free(key);
  wal_config_free(config);
}
END_TEST

static void hash_of(const char *text, char hash[33]) {
  wal_config *config = config_of(text, NULL, NULL);
  char *key = wal_point_key(&config->points[0], &wal_device_cpu);
  wal_text_hash(key, hash);
  ck_assert_uint_eq(strlen(hash), 32);
  free(key);
  wal_config_free(config);
}

static bool same_key(const char *a, const char *b) {
  char left[33], right[33];
  hash_of(a, left);
  hash_of(b, right);
  return strcmp(left, right) == 0;
}

START_TEST(keys_see_numbers_only) {
  const char *plain = "params: {n: 1000, alpha: 0.001}\n";
  ck_assert(same_key(plain, "# comment\nparams:\n\n  alpha:   1e-3 # small\n  n: 1e3\ntitle: other\n"));
  ck_assert(same_key(plain, "params: {n: 1000, alpha: 0.001, fc: {width: 9}}\n")); /* does not count for eg */
  ck_assert(same_key(plain, "params: {n: 1000, alpha: 0.001, seed: 1}\n"));        /* the default, said */
  ck_assert(!same_key(plain, "params: {n: 1001, alpha: 0.001}\n"));
  ck_assert(!same_key(plain, "params: {n: 1000, alpha: 0.0010000000000000002}\n"));
  ck_assert(!same_key(plain, "params: {n: 1000, alpha: 0.001, eg: {step: 9}}\n"));
}
END_TEST

START_TEST(when_says_what_counts) {
  wal_config *config = config_of("sweep: {grid: {solver: [eg, eg_m, fc]}}\n", NULL, NULL);
  const int step = wal_param_find(&toy_experiment, "eg.step"),
            width = wal_param_find(&toy_experiment, "fc.width");
  const bool steps[] = {true, true, false};
  for (int i = 0; i < 3; i++) {
    ck_assert(wal_point_counts(&config->points[i], step) == steps[i]);
    ck_assert(wal_point_counts(&config->points[i], width) != steps[i]);
    ck_assert(wal_point_counts(&config->points[i], 0));
  }
  wal_config_free(config);
}
END_TEST

/* The resolved text is itself a config, of the same points. */
START_TEST(resolved_reads_back) {
  wal_config *config = config_of(
      "caption: \"a \\\"b\\\"\\nc\"\nparams: {fc: {depth: 2}, alpha: -.inf}\n"
      "sweep: {grid: {solver: [eg, fc], fc.width: [8, 16], eg.step: [0.1, 1]}}\n"
      "profiles: {ci: {params: {m: 7}}}\n",
      NULL, (const char *[]){"seed=4,5", NULL});
  char *text = wal_config_resolved(config);
  wal_config *back;
  ck_assert_msg(wal_config_parse(text, "r.yaml", NULL, NULL, 0, toy_registry, &back) == WAL_OK, "%s\n%s",
                wal_error(), text);
  ck_assert_str_eq(back->caption, "a \"b\"\nc");
  ck_assert_str_eq(back->name, "toy/a");
  ck_assert_int_eq(config->point_count, 8);
  ck_assert_int_eq(back->point_count, 8);
  for (int i = 0; i < 8; i++) {
    char *a = wal_point_key(&config->points[i], &wal_device_cpu), *b = wal_point_key(&back->points[i], &wal_device_cpu);
    ck_assert_str_eq(a, b);
    free(a);
    free(b);
  }
  free(text);
  wal_config_free(config);
  wal_config_free(back);
}
END_TEST

START_TEST(names_come_from_paths) {
  const char *paths[] = {"configs/toy/a.yaml", "/x/configs/my/b.yml", "/tmp/c.yaml", "d",
                         "configs/configs/e.yaml"};
  const char *names[] = {"toy/a", "my/b", "c", "d", "e"};
  for (int i = 0; i < 5; i++) {
    wal_config *config;
    ck_assert_int_eq(
        wal_config_parse("experiment: toy/table1\n", paths[i], NULL, NULL, 0, toy_registry, &config), WAL_OK);
    ck_assert_str_eq(config->name, names[i]);
    wal_config_free(config);
  }
}
END_TEST

static void add_refusals(TCase *tests) {
  tcase_add_test(tests, unknown_parameter);
  tcase_add_test(tests, wrong_type);
  tcase_add_test(tests, out_of_range);
  tcase_add_test(tests, not_a_number);
  tcase_add_test(tests, unknown_choice);
  tcase_add_test(tests, given_twice);
  tcase_add_test(tests, empty_block);
  tcase_add_test(tests, unknown_key);
  tcase_add_test(tests, unknown_experiment);
  tcase_add_test(tests, empty_file);
  tcase_add_test(tests, missing_file);
  tcase_add_test(tests, unknown_profile);
  tcase_add_test(tests, errors_in_profiles_not_chosen);
  tcase_add_test(tests, names_that_are_no_paths);
  tcase_add_test(tests, bad_published);
  tcase_add_test(tests, axis_in_grid_and_zip);
  tcase_add_test(tests, unequal_zip);
  tcase_add_test(tests, empty_axis);
  tcase_add_test(tests, bad_value_in_an_axis);
  tcase_add_test(tests, bad_ranges);
  tcase_add_test(tests, too_many_points);
  tcase_add_test(tests, nothing_left);
  tcase_add_test(tests, bad_sets);
}

static void add_meanings(TCase *tests) {
  tcase_add_test(tests, defaults_params_profile_set);
  tcase_add_test(tests, a_file_is_loaded);
  tcase_add_test(tests, ci_is_the_profile_by_default);
  tcase_add_test(tests, profile_sweep_replaces);
  tcase_add_test(tests, published_and_regression);
  tcase_add_test(tests, grid_is_a_product);
  tcase_add_test(tests, the_last_axis_varies_fastest);
  tcase_add_test(tests, zip_is_side_by_side);
  tcase_add_test(tests, list_is_written_out);
  tcase_add_test(tests, parts_multiply);
  tcase_add_test(tests, a_list_of_mappings_is_a_union);
  tcase_add_test(tests, exclude_leaves_out);
  tcase_add_test(tests, ranges);
  tcase_add_test(tests, dotted_and_nested_axes);
  tcase_add_test(tests, axes_override_params);
  tcase_add_test(tests, parameters_that_do_not_count_make_no_points);
  tcase_add_test(tests, random_draws_from_its_stream);
  tcase_add_test(tests, more_draws_keep_the_first);
  tcase_add_test(tests, set_replaces_axes);
  tcase_add_test(tests, the_last_set_wins);
  tcase_add_test(tests, key_text);
  tcase_add_test(tests, keys_see_numbers_only);
  tcase_add_test(tests, when_says_what_counts);
  tcase_add_test(tests, resolved_reads_back);
  tcase_add_test(tests, names_come_from_paths);
}

int main(void) {
  Suite *suite = suite_create("config");
  TCase *refusals = tcase_create("refusals"), *meanings = tcase_create("meanings");
  tcase_add_checked_fixture(meanings, scratch_make, scratch_remove);
  add_refusals(refusals);
  add_meanings(meanings);
  suite_add_tcase(suite, refusals);
  suite_add_tcase(suite, meanings);
  return run_suite(suite);
}
